"""What users meet: arrays, tables, links, bundles, progress, errors, threads and Ctrl-C."""

import io
import json
import os
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
    assert link.startswith("https://example.org/twinbeam/#v=1") or "#" in link
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
    assert whole["model_title"] == "Bundled model (mini)" and whole["experiment"]["model"] == "mini"
    for table in whole["tables"]:
        kind, method, direction = table["kind"], table["method"], table["direction"]
        expected = getattr(getattr(getattr(result, kind), direction), method)
        np.testing.assert_array_equal(np.float32(table["values"]).reshape(expected.shape), expected)
        rows = frame[(frame.kind == kind) & (frame.method == method) & (frame.direction == direction)]
        np.testing.assert_array_equal(np.float32(rows.score).reshape(expected.shape), expected)
    assert len(frame) == len(result.to_frame())


def test_the_lab_answers(mini):
    pattern = mini.probe(**PAIR, question="pattern", layer=1, head=3)
    assert pattern
    edges = mini.probe(**PAIR, question="edges", direction="noising", n_steps=5)
    assert len(edges["eap"]) == 1519
    zero = mini.probe(**PAIR, question="zero_baseline")
    assert zero
    with pytest.raises(twinbeam.InputError, match="no such question"):
        mini.probe(**PAIR, question="meaning")
    with pytest.raises(twinbeam.InputError, match="no such question"):
        mini.probe(**PAIR, question="pattern", layer="first")


def test_errors_have_the_engines_words(mini):
    def refused(kind, words, **changes):
        with pytest.raises(kind, match=words):
            mini.compare(**{**PAIR, **changes})

    refused(twinbeam.InputError, "tokens", corrupted="When Kate")
    refused(twinbeam.InputError, "token", answer=" Katherineish")
    refused(twinbeam.InputError, "metric: logits is none: choose one of logit_diff", metric="logits")
    refused(twinbeam.InputError, "0 steps: choose 1 to", n_steps=0)
    refused(twinbeam.InputError, "n_steps", n_steps="many")
    refused(twinbeam.InputError, "texts and some are token ids", answer=5)
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
