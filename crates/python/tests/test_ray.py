"""A list on a real cluster of Ray: several nodes, of which one is killed while it computes."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import twinbeam
from conftest import MINI

ray = pytest.importorskip("ray")
cluster_utils = pytest.importorskip("ray.cluster_utils")

OPTIONS = {"n_steps": 40, "direction": "both"}


def cases(n):
    bad = {"name": "bad", "clean": "a", "corrupted": "b c", "answer": " Kate", "wrong": " Tom"}
    pairs = twinbeam.tasks.draw("ioi", n, seed=7)
    return [*pairs[: n // 2], bad, *pairs[n // 2 :]]


def without_seconds(path):
    entries = json.loads(path.read_text())
    for entry in entries:
        entry.pop("seconds", None)
    return entries


@pytest.fixture
def cluster():
    nodes = cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": 100_000_000, "include_dashboard": False},
    )
    for _ in range(2):
        nodes.add_node(num_cpus=1, object_store_memory=100_000_000)
    nodes.wait_for_nodes()
    ray.init(address=nodes.address, log_to_driver=False)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


ALONE = """
import twinbeam
model = twinbeam.load({model!r})
assert twinbeam.compare_share(model, {cases!r}, (1, 1), {part!r}, **{options!r}) == 1
"""


def test_a_cluster_finds_what_one_process_finds_and_a_node_that_dies_loses_nothing(tmp_path, cluster):
    listed = cases(24)
    alone, cases_file = tmp_path / "alone.json", tmp_path / "cases.json"
    cases_file.write_text(json.dumps(listed))
    # With as many threads as a share is given: other threads sum in another order.
    program = ALONE.format(model=str(MINI), cases=str(cases_file), part=str(tmp_path / "part.json"), options=OPTIONS)
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "RAYON_NUM_THREADS": "1"})
    expected = twinbeam.merge([tmp_path / "part.json"], alone)

    out = tmp_path / "all.json"
    done, killed = [], threading.Event()

    def hear(n, of):
        done.append((n, of))
        if n == 1 and not killed.is_set():
            # With work of its own, and without a word.
            node = next(iter(cluster.worker_nodes))
            cluster.remove_node(node, allow_graceful=False)
            killed.set()
            cluster.add_node(num_cpus=1, object_store_memory=100_000_000)

    found = twinbeam.batch(listed, MINI, out, shares=6, progress=hear, **OPTIONS)
    assert killed.is_set() and done == [(n, 6) for n in range(1, 7)]
    assert found == expected
    assert without_seconds(out) == without_seconds(alone)
    assert [entry["name"] for entry in json.loads(out.read_text()) if "error" in entry] == ["bad"]
    assert not list(tmp_path.glob("*.part.json*")), "parts are gone when all of them are in the result"


def test_what_the_cluster_has_not_is_said_and_a_changed_model_is_read_again(tmp_path, cluster):
    out = tmp_path / "all.json"
    for wrong, words in [
        ({"device": "gpu"}, "No node of the cluster has .* 1 CPUs and a GPU"),
        ({"num_cpus": 8}, "No node of the cluster has .* 8 CPUs"),
        ({"address": "10.9.9.9:1"}, "on the cluster .* already"),
    ]:
        with pytest.raises(ValueError, match=words):
            twinbeam.batch(cases(2), MINI, out, **OPTIONS, **wrong)
    model = tmp_path / "model"
    shutil.copytree(MINI, model)
    listed = twinbeam.tasks.draw("ioi", 4, seed=3)
    gaps = []
    for _ in range(2):
        twinbeam.batch(listed, model, out, shares=2, **OPTIONS)
        gaps.append([entry["logit_diff"] for entry in json.loads(out.read_text())])
        out.unlink()
        # Other weights of the same sizes under the same name.
        weights = model / "model.safetensors"
        header = 8 + int.from_bytes(weights.read_bytes()[:8], "little")
        values = np.frombuffer(weights.read_bytes(), np.float32, offset=header) * np.float32(0.5)
        weights.write_bytes(weights.read_bytes()[:header] + values.tobytes())
    assert gaps[0] != gaps[1]


def test_a_batch_that_was_stopped_goes_on_where_it_was(tmp_path, cluster):
    listed, out = cases(6), tmp_path / "all.json"

    def stop(n, _of):
        if n == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        twinbeam.batch(listed, MINI, out, shares=3, progress=stop, **OPTIONS)
    # Those that were running are over.
    time.sleep(1)
    parts = {part: part.stat().st_mtime_ns for part in tmp_path.glob("all-*.part.json")}
    assert len(parts) >= 2 and not out.exists()
    seen = {}

    def look(_n, _of):
        seen.update({part: part.stat().st_mtime_ns for part in tmp_path.glob("all-*.part.json")})

    # As many shares as were begun, whatever the cluster is by now.
    found = twinbeam.batch(listed, MINI, out, progress=look, **OPTIONS)
    assert found["n"] == 6 and len(json.loads(out.read_text())) == 7
    assert all(seen[part] == made for part, made in parts.items()), "what was done was not done again"
