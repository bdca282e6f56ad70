"""Shares of a list as tasks of Ray. Only ``twinbeam.batch`` imports this, and Ray with it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import ray

from ._lists import Cases, compare_share, part_of
from ._model import Model, load

SHARES_AT_ONCE = 4
"""Shares for each that runs at once: a node that dies loses one of them, and the last ones end together."""


@lru_cache(maxsize=1)
def _loaded(folder: str, device: Any, precision: Any) -> Model:
    """The model of this worker, which Ray keeps for the next share."""
    return load(folder, device, precision=precision, progress=False)


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
    return compare_share(_loaded(folder, *on), cases, (place, of), part, **options)


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
    progress: Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> list[Path]:
    """Runs all shares, and returns their files."""
    if ray.is_initialized():
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
    progress: Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> list[Path]:
    num_cpus, max_retries = resources
    if shares is None:
        # It has no types.
        all_of_them: Any = ray.cluster_resources
        at_once = max(1, math.floor(all_of_them().get("CPU", 1) / num_cpus))
        shares = min(n_cases, SHARES_AT_ONCE * at_once)
    parts = [part_of(out, place + 1, shares) for place in range(shares)]
    # Once in the store of objects of every node, and not once with every task.
    given = ray.put(cases)
    task = ray.remote(_compare).options(
        num_cpus=num_cpus,
        num_gpus=1 if on[0] == "gpu" else 0,
        # A node that dies. What a share itself raises is the same wherever it is tried.
        max_retries=max_retries,
        retry_exceptions=False,
    )
    waiting = [
        task.remote(given, place + 1, shares, folder, str(part), on, max(1, int(num_cpus)), options)
        for place, part in enumerate(parts)
    ]
    try:
        while waiting:
            done, waiting = ray.wait(waiting, num_returns=1)
            ray.get(done)
            if progress is not None:
                progress(shares - len(waiting), shares)
    except BaseException:
        for one in waiting:
            ray.cancel(one)
        raise
    return parts
