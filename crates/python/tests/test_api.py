"""What users meet: arrays, tables, links, bundles, progress, errors, threads and Ctrl-C."""

import base64
import copy
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pandas
import pytest

import twinbeam
from conftest import CLEAN, CORRUPTED, MINI, PAIR


def test_scores_are_arrays_that_nobody_changes_by_mistake(result):
    assert result.heads.ap.shape == (4, 8)
    assert result.neurons.ap.shape == (4, 512)
    assert result.nodes["q"].ap.shape == (4, 8)
    assert result.nodes["mlp_out"].denoising.ig.shape == (4, 1)
    assert result.heads.ap.dtype == np.float32
    assert result.heads.ap is result.heads.noising.ap
    with pytest.raises(ValueError, match="read-only"):
        result.heads.ap[0, 0] = 1
    assert result.unit == "logits" and result.heads.atp.shape == (4, 8)
    assert result.clean.logit_diff - result.corrupted.logit_diff == pytest.approx(result.gap, rel=1e-5)
    assert result.clean.top[0][0] == " Kate"
    assert result.heads.noising.n_steps == [10, 10, 10, 10]
    assert np.abs(result.heads.noising.convergence_delta).max() < 0.02 * result.gap


def test_directions_are_what_was_asked_for(mini):
    denoising = mini.compare(**PAIR, n_steps=4, direction="denoising")
    assert denoising.heads.direction == "denoising"
    assert denoising.heads.noising.ap is None and denoising.heads.ap is denoising.heads.denoising.ap
    assert denoising.neurons is None and denoising.nodes == {}
    auto = mini.compare(**PAIR, n_steps="auto", direction="noising")
    assert all(5 <= n < 50 for n in auto.heads.noising.n_steps)


def test_a_frame_has_every_score_with_its_name(result):
    frame = result.to_frame()
    assert len(frame) == 2 * 3 * (32 + 2048 + 32 + 4) + 32
    row = frame[(frame.component == "L1H3") & (frame.method == "ap") & (frame.direction == "denoising")]
    assert row.score.item() == result.heads.denoising.ap[1, 3] and row.unit.item() == "logits"
    assert set(frame.kind) == {"heads", "neurons", "q", "mlp_out"}
    assert {"L0H5.q", "M2", "L3N511"} <= set(frame.component)


def test_a_link_opens_the_same_on_the_page(result):
    link = result.link("https://example.org/twinbeam/#old")
    assert link.startswith("https://example.org/twinbeam/#v1=") and link.count("#") == 1
    assert len(link) > 500, "the result travels with it"
    assert result.link("https://example.org/", direction="denoising") != result.link("https://example.org/")
    with pytest.raises(twinbeam.InputError, match="choose one of noising, denoising"):
        result.link("https://example.org/", direction="sideways")


def test_a_bundle_is_the_pages_and_holds_all_scores(result, tmp_path):
    path, link = tmp_path / "bundle.zip", "https://example.org/#v1=link"
    result.save_bundle(path, link=link)
    assert [path] == list(tmp_path.iterdir())
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        names = set(bundle.namelist())
        assert {"README.txt", "result.json", "scores.csv", "reproduce.ipynb", "figure.svg"} <= names
        assert "plots/heads-scatter-denoising.svg" in names
        assert link in bundle.read("README.txt").decode()
        whole = json.loads(bundle.read("result.json"))
        frame = pandas.read_csv(io.BytesIO(bundle.read("scores.csv")), comment="#")
        notebook = nbformat.reads(bundle.read("reproduce.ipynb").decode(), as_version=4)
    nbformat.validate(notebook)
    assert whole["model_title"] == "Bundled model" and whole["experiment"]["model"] == "mini"
    for table in whole["tables"]:
        kind, method, direction = table["kind"], table["method"], table["direction"]
        expected = getattr(getattr(getattr(result, kind), direction), method)
        np.testing.assert_array_equal(np.float32(table["values"]).reshape(expected.shape), expected)
        rows = frame[(frame.kind == kind) & (frame.method == method) & (frame.direction == direction)]
        np.testing.assert_array_equal(np.float32(rows.score).reshape(expected.shape), expected)
    # Parts of heads are in it too, under their own names.
    assert len(frame) == len(result.to_frame())
    assert len(whole["joint"]) == 4 and len(whole["joint"][0]["values"]) == 4


def test_the_lab_answers(mini):
    pattern = mini.probe(**PAIR, question="pattern", layer=1, head=3)
    assert pattern
    edges = mini.probe(**PAIR, question="edges", direction="noising", n_steps=5)
    assert len(edges["eap"]) == 1519
    zero = mini.probe(**PAIR, question="zero_baseline")
    assert zero
    with pytest.raises(twinbeam.InputError, match="no such question"):
        mini.probe(**PAIR, question="meaning")
    with pytest.raises(twinbeam.InputError, match="pattern takes layer, head: head missing and place too many"):
        mini.probe(**PAIR, question="pattern", layer=1, place=2)
    with pytest.raises(twinbeam.InputError, match=r"cannot be read: .*expected usize"):
        mini.probe(**PAIR, question="pattern", layer="first", head=1)
    with pytest.raises(twinbeam.InputError, match="99"):
        mini.probe(**PAIR, question="pattern", layer=99, head=1)
    head = {"kind": "heads", "layer": 1, "index": 3}
    cut = mini.probe(**PAIR, question="ablate", sets=[[head], []], direction="noising", **{"with": "zero"})
    assert cut["after"][1] == cut["before"] != cut["after"][0]


def test_every_question_takes_the_options_that_it_is_said_to(mini):
    from twinbeam._model import _QUESTIONS

    head = {"kind": "heads", "layer": 1, "index": 3}
    some = {
        "layer": 1, "head": 2, "component": head, "direction": "noising", "edges": [0, 5], "edge": 5, "with": "zero",
        "kind": "heads", "sizes": [0, 2],
    }  # fmt: skip
    for question, names in _QUESTIONS.items():
        options = {name: some[name] for name in names if name in some}
        if "sets" in names:
            options["sets"] = [[head]] if question == "ablate" else [[0, 1]]
        if "orders" in names:
            options["orders"] = [list(range(32))] if question == "faithfulness" else [{"random": {"seed": 1}}]
        assert mini.probe(**PAIR, question=question, n_steps=2, **options) is not None, question


def test_token_ids_are_taken_as_they_are(mini, result):
    ids = [573, 580, 262, 608, 416, 264, 261, 812, 12, 608, 399, 258, 872, 264]
    other = [*ids[:9], 580, *ids[10:]]
    same = mini.compare([0, *ids], [0, *other], 580, [608], n_steps=10)
    np.testing.assert_array_equal(same.heads.ap, result.heads.ap)
    assert same.experiment["prepend_bos"] is False and result.experiment["prepend_bos"] is True
    arrays = mini.compare(np.array([0, *ids]), np.array([0, *other]), np.array([580]), np.int64(608), n_steps=10)
    np.testing.assert_array_equal(arrays.heads.ig, same.heads.ig)
    assert mini.compare(ids, other, 580, 608, n_steps=1).clean.n_pos == len(ids)
    for wrong, words in [
        ({"clean": [1.5, *ids[1:]]}, "clean: a whole number is wanted, and this is float 1.5"),
        ({"clean": [True, *ids[1:]]}, "clean: a whole number is wanted, and this is True"),
        ({"clean": np.array([ids])}, r"clean: .* and this is ndarray of shape \(1, 14\)"),
        ({"clean": b"When"}, "clean: text or a flat list of token ids is wanted, and this is bytes"),
        ({"clean": 3}, "clean: text or a flat list of token ids is wanted, and this is int 3"),
        ({"answer": None}, "answer: .* this is NoneType None"),
        ({"answer": " Kate"}, "answer is text and clean, corrupted and wrong token ids"),
        ({"prepend_bos": True}, "nothing is put in front of token ids"),
    ]:
        with pytest.raises(twinbeam.InputError, match=words):
            mini.compare(**{"clean": ids, "corrupted": other, "answer": 580, "wrong": 608, **wrong})


def test_runs_that_hardly_differ_are_pointed_out(mini, result):
    same = mini.compare(**{**PAIR, "corrupted": CLEAN}, n_steps=1)
    assert any("differ by 0.000 logits only" in hint for hint in same.hints) and not np.any(same.heads.ap)
    turned = mini.compare(CORRUPTED, CLEAN, " Kate", " Tom", n_steps=1)
    assert turned.gap < 0 and any("corrupted" in hint for hint in turned.hints)
    assert not any("differ by" in hint for hint in result.hints)


def test_a_result_can_be_pickled(result):
    again = pickle.loads(pickle.dumps(result))
    for kind in ("heads", "neurons"):
        for table in ("ap", "ig", "atp", "joint", "convergence_delta"):
            np.testing.assert_array_equal(getattr(getattr(again, kind), table), getattr(getattr(result, kind), table))
    np.testing.assert_array_equal(again.nodes["q"].denoising.ap, result.nodes["q"].denoising.ap)
    assert (again.experiment, again.hints, again.clean, again.gap) == (
        result.experiment, result.hints, result.clean, result.gap,
    )  # fmt: skip
    assert again.to_svg() == result.to_svg() and copy.deepcopy(result).heads.n_steps == result.heads.n_steps
    with pytest.raises(twinbeam.TwinbeamError, match="this version"):
        type(result._found).from_bytes(b"another")


def test_a_figure_is_light_or_dark_and_of_a_direction_that_is_there(mini, result):
    light, dark = result.to_svg(), result.to_svg(theme="dark")
    assert light != dark and "noising" in light and "denoising" in result.to_svg(direction="denoising")
    shown = result._repr_html_()
    for svg in (light, dark):
        assert base64.b64encode(svg.encode()).decode() in shown
    assert shown.index(base64.b64encode(dark.encode()).decode()) < shown.index("<img"), "dark where that is wanted"
    with pytest.raises(twinbeam.InputError, match="theme: 'DARK' is none: choose one of light, dark"):
        result.to_svg(theme="DARK")
    one = mini.compare(**PAIR, n_steps=2, direction="denoising", nodes="q")
    assert list(one.nodes) == ["q"]
    for ask in (one.to_svg, lambda **of: one.link("https://example.org/", **of)):
        with pytest.raises(twinbeam.InputError, match="no noising in this result, which was asked for denoising only"):
            ask(direction="noising")


FORKED = """
import multiprocessing
import twinbeam
model = twinbeam.load({folder!r})
ask = ({clean!r}, {corrupted!r}, " Kate", " Tom")
model.compare(*ask, n_steps=2)
def child(results):
    try:
        model.compare(*ask, n_steps=2)
    except twinbeam.TwinbeamError as error:
        results.put(str(error))
context = multiprocessing.get_context("fork")
results = context.Queue()
process = context.Process(target=child, args=(results,))
process.start()
print(results.get(timeout=60))
process.join()
"""


@pytest.mark.skipif(os.name != "posix", reason="processes are forked on Unix")
def test_a_process_that_was_forked_says_so_and_does_not_wait_for_ever():
    text = FORKED.format(folder=str(MINI), clean=CLEAN, corrupted=CORRUPTED)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, timeout=120)
    assert "forked" in done.stdout and "spawn" in done.stdout, done


def test_errors_have_the_engines_words(mini):
    def refused(kind, words, **changes):
        with pytest.raises(kind, match=words):
            mini.compare(**{**PAIR, **changes})

    refused(twinbeam.InputError, "tokens", corrupted="When Kate")
    refused(twinbeam.InputError, "token", answer=" Katherineish")
    refused(twinbeam.InputError, "metric: logits is none: choose one of logit_diff", metric="logits")
    refused(twinbeam.InputError, "n_steps: 0 is not possible: choose 1 to 300", n_steps=0)
    refused(twinbeam.InputError, "n_steps", n_steps="many")
    refused(twinbeam.InputError, "n_steps: a whole number is wanted, and this is float 2.5", n_steps=2.5)
    refused(twinbeam.InputError, "answer token ids: give all of them as one or the other", answer=5)
    refused(twinbeam.InputError, "direction: 'nois' is none: choose one of noising, denoising, both", direction="nois")
    refused(twinbeam.InputError, "neurons: choose True or False, and not 'auto'", neurons="auto")
    refused(twinbeam.InputError, "metric: text is wanted", metric=None)
    refused(twinbeam.InputError, "nodes: z is none: choose one of q, k, v", nodes="z")
    refused(twinbeam.InputError, "clean: half a character", clean="a\ud800")
    with pytest.raises(twinbeam.ModelError, match=r"config\.json"):
        twinbeam.load("/nowhere")
    with pytest.raises(twinbeam.InputError, match="device: tpu is none: choose one of cpu, gpu"):
        twinbeam.load(MINI, device="tpu")
    assert issubclass(twinbeam.InputError, twinbeam.TwinbeamError)


def test_progress_is_heard_and_what_it_raises_stops_the_job(mini):
    heard = []
    mini.compare(**PAIR, n_steps=20, neurons=True, progress=lambda *of: heard.append(of))
    assert heard and all(0 <= done <= total for _phase, done, total in heard)

    def stop(_phase, _done, _total):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        mini.compare(**PAIR, n_steps=20, neurons=True, progress=stop)


def test_python_runs_on_while_a_job_computes_and_threads_share_a_model(mini, result):
    turns, over = 0, threading.Event()

    def count():
        nonlocal turns
        while not over.is_set():
            turns += 1
            time.sleep(0.001)

    counting = threading.Thread(target=count)
    counting.start()
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(mini.compare, **PAIR, n_steps=10, neurons=True) for _ in range(3)]
        found = [job.result() for job in jobs]
    over.set()
    counting.join()
    assert turns > 20
    for one in found:
        np.testing.assert_array_equal(one.neurons.ap, result.neurons.ap)


LONG = """
import twinbeam
model = twinbeam.load({folder!r})
def hear(phase, done, total):
    if "neuron" in phase.lower():
        print("computing", flush=True)
try:
    while True:
        model.compare({clean!r}, {corrupted!r}, " Kate", " Tom", neurons=True, n_steps=200, progress=hear)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
def test_control_c_stops_within_a_second():
    text = LONG.format(folder=str(MINI), clean=CLEAN, corrupted=CORRUPTED)
    program = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout.readline() == "computing\n"
        begun = time.monotonic()
        program.send_signal(signal.SIGINT)
        rest, _ = program.communicate(timeout=60)
        assert rest.endswith("stopped\n") and program.returncode == 0
        assert time.monotonic() - begun < 10, "busy machines are slow"
    finally:
        program.kill()


def test_tasks_are_drawn_the_same_for_a_seed():
    assert "ioi" in twinbeam.tasks.names()
    pairs = twinbeam.tasks.draw("ioi", 3, seed=4)
    assert pairs == twinbeam.tasks.draw("ioi", 3, seed=4) != twinbeam.tasks.draw("ioi", 3, seed=5)
    assert {"clean", "corrupted", "answer", "wrong"} <= set(pairs[0])
    with pytest.raises(twinbeam.InputError, match="task: sums is none: choose one of ioi"):
        twinbeam.tasks.draw("sums")
    for wrong in ({"n": 0}, {"n": 10**9}, {"seed": -1}, {"seed": 2**64}):
        with pytest.raises(twinbeam.InputError, match="choose"):
            twinbeam.tasks.draw("ioi", **wrong)
