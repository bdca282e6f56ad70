"""Shares of a list as tasks of Ray. Only ``twinbeam.batch`` imports this, and Ray with it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayTaskError

from ._engine import DeviceError, ModelError
from ._lists import Cases, compare_share, part_of
from ._model import Model, load
from ._progress import shown

SHARES_AT_ONCE = 4
"""Shares for each that runs at once: a node that dies loses one of them, and the last ones end together."""


@lru_cache(maxsize=1)
def _loaded(folder: str, device: Any, precision: Any, _state: object) -> Model:
    """The model of this worker, which Ray keeps for the next share as long as its files are the same."""
    return load(folder, device, precision=precision, progress=False)


def _state(folder: str) -> tuple[tuple[str, int, int], ...]:
    """What tells a folder whose files have changed: their names, sizes and times."""
    with os.scandir(folder) as entries:
        files = [(entry.name, entry.stat()) for entry in entries]
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in files))


def _compare(
    cases: Cases,
    place: int,
    of: int,
    folder: str,
    part: str,
    on: tuple[str, str],
    threads: int,
    options: dict[str, Any],
) -> int:
    """Compares a share; returns how many of its cases failed."""
    # Read once, when the first threads are begun: a process would otherwise take all cores, beside others that do.
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    return compare_share(_loaded(folder, *on, _state(folder)), cases, (place, of), part, **options)


def run(
    cases: Cases,
    n_cases: int,
    folder: str,
    out: Path,
    *,
    address: str | None,
    shares: int | None,
    device: str,
    precision: str,
    num_cpus: float,
    max_retries: int,
    progress: bool | Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> list[Path]:
    """Runs all shares, and returns their files."""
    if ray.is_initialized():
        here = ray.get_runtime_context().gcs_address
        if address not in (None, "auto", here):
            raise ValueError(f"address: this process is on the cluster {here} already; ray.shutdown() leaves it.")
        return _run(
            cases, n_cases, folder, out, shares, (device, precision), (num_cpus, max_retries), progress, options
        )
    ray.init(address=address, log_to_driver=False)
    try:
        return _run(
            cases, n_cases, folder, out, shares, (device, precision), (num_cpus, max_retries), progress, options
        )
    finally:
        # Whoever has begun it ends it; a cluster that was there goes on.
        ray.shutdown()


def _run(
    cases: Cases,
    n_cases: int,
    folder: str,
    out: Path,
    shares: int | None,
    on: tuple[str, str],
    resources: tuple[float, int],
    progress: bool | Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> list[Path]:
    num_cpus, max_retries = resources
    num_gpus = 1 if on[0] == "gpu" else 0
    at_once = _at_once(num_cpus, num_gpus)
    if shares is None:
        shares = min(n_cases, SHARES_AT_ONCE * at_once)
    parts = [part_of(out, place + 1, shares) for place in range(shares)]
    # Once in the store of objects of every node, and not once with every task.
    given = ray.put(cases)
    task = ray.remote(_compare).options(
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        # A node that dies, or that cannot read a file. What else a share raises is the same wherever it is tried.
        max_retries=max_retries,
        retry_exceptions=[DeviceError, ModelError, OSError],
    )
    waiting = [
        task.remote(given, place + 1, shares, folder, str(part), on, max(1, int(num_cpus)), options)
        for place, part in enumerate(parts)
    ]
    try:
        with _hears(progress) as heard:
            while waiting:
                done, waiting = ray.wait(waiting, num_returns=1)
                ray.get(done)
                heard(shares - len(waiting), shares)
    except BaseException as error:
        for one in waiting:
            ray.cancel(one)
        if isinstance(error, RayTaskError):
            # In the words of this package, and not in those of how it came here.
            raise error.cause from error
        raise
    return parts


def _at_once(num_cpus: float, num_gpus: int) -> int:
    """How many shares the cluster runs at once. Raises ``ValueError`` where it is none, which Ray would wait for."""
    # It has no types.
    nodes: Any = ray.nodes
    of_nodes = [node["Resources"] for node in nodes() if node["Alive"]]

    def fitting(node: dict[str, float]) -> int:
        of_cpus = math.floor(node.get("CPU", 0) / num_cpus)
        return min(of_cpus, math.floor(node.get("GPU", 0) / num_gpus)) if num_gpus else of_cpus

    at_once = sum(fitting(node) for node in of_nodes)
    if at_once == 0:
        wanted = f"{num_cpus:g} CPUs" + (" and a GPU" if num_gpus else "")
        raise ValueError(f"No node of the cluster has what a share is given: {wanted}.")
    return at_once


@contextmanager
def _hears(progress: bool | Callable[[int, int], None] | None) -> Iterator[Callable[[int, int], None]]:
    """What hears of shares that are done."""
    with shown(progress if isinstance(progress, bool) else False) as bar:
        if callable(progress):
            yield progress
        else:
            yield lambda done, of: bar("shares", done, of) if bar else None
