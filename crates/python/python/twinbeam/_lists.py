"""Long lists of cases: compared share by share, here or on a cluster, and merged."""

from __future__ import annotations

import glob
import inspect
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from . import _engine
from ._inputs import Direction, Metric, asked_of
from ._model import Model
from ._progress import Progress, shown

Cases = Sequence[Mapping[str, Any]] | str | PathLike[str]
"""Cases as dictionaries with ``clean``, ``corrupted``, ``answer`` and ``wrong``, or the file of a list."""


def _cases(cases: Cases) -> _engine.Cases:
    if isinstance(cases, str | PathLike):
        return _engine.read_cases(cases)
    return _engine.Cases.from_json(json.dumps(list(cases)))


def compare_share(
    model: Model,
    cases: Cases,
    share: tuple[int, int],
    out: str | PathLike[str],
    *,
    metric: Metric = "logit_diff",
    direction: Direction = "both",
    n_steps: int | str = 50,
    neurons: bool = False,
    nodes: str | Sequence[str] = (),
    prepend_bos: bool | None = None,
    progress: bool | Progress | None = False,
) -> int:
    """Compares one share of a list, ``(2, 8)`` for the second of eight, and writes its file.

    The file gets its name when it is whole. Where it is there already, of the same cases, model and options, nothing is
    computed. Returns how many of its cases failed; the file says why. Raises ``PartError`` where another file has the
    name, which stays as it is. A device or a file that fails raises too, and the share then gets no file: run it again.
    """
    asked = asked_of(metric, direction, n_steps, neurons, nodes, prepend_bos)
    with shown(progress) as hears:
        failed, _before = model._native.compare_share(_cases(cases), share, out, asked, hears)
    return failed


def merge(
    parts: Sequence[str | PathLike[str]], out: str | PathLike[str] | None = None, *, unit: str = "metric"
) -> dict[str, Any]:
    """Makes of all shares what one process would have written, to the last digit, and returns its summary.

    ``out`` is the file for all scores of every case. ``unit`` is that of the summary's means: ``"metric"`` or
    ``"share"`` of the gap. Raises ``PartError`` for shares that are missing or of different results.
    """
    summary, _failed = _engine.merge([fspath(part) for part in parts], out, unit)
    found: dict[str, Any] = json.loads(summary)
    return found


def part_of(out: str | PathLike[str], place: int, of: int) -> Path:
    """Where a share of a result is kept until all are there: beside it."""
    out = Path(out)
    return out.with_name(f"{out.stem}-{place:0{len(str(of))}}-of-{of}.part{out.suffix}")


def shares_begun(out: Path) -> int | None:
    """How many shares an earlier call has dealt the result to, if it has left some that are done."""
    names = (re.fullmatch(rf"{re.escape(out.stem)}-\d+-of-(\d+)\.part", path.stem) for path in out.parent.iterdir())
    found = {int(name[1]) for name in names if name}
    return found.pop() if len(found) == 1 else None


_ASKED = ("metric", "direction", "n_steps", "neurons", "nodes", "prepend_bos")
"""Options that say what is computed of a case."""


def batch(
    cases: Cases,
    model: str | PathLike[str],
    out: str | PathLike[str],
    *,
    address: str | None = None,
    shares: int | None = None,
    device: str = "cpu",
    precision: str = "auto",
    num_cpus: float = 1,
    max_retries: int = 3,
    progress: bool | Callable[[int, int], None] | None = None,
    unit: str = "metric",
    **options: Any,
) -> dict[str, Any]:
    """Compares a long list on a Ray cluster, and writes all scores to ``out``. Returns the summary.

    ``model`` is a folder that every node reads, and ``out`` lies where every node writes: a folder that they share.
    Shares are Ray tasks: a worker loads the model once and keeps it, a share whose node dies or whose device fails is
    computed again elsewhere, and one that is done is not computed again: to go on after a failure, call this again. A
    case that fails is in the list with its error, and the others complete. One call at a time has a name ``out``, and a
    file that is there already is not written over: the list that is in it may have taken days.

    ``address`` is the cluster's; ``None`` is the one that is there, or one on this machine. ``num_cpus`` is what a
    share is given, and takes, and ``shares`` how many there are: as many as an earlier call has begun, or four for each
    that runs at once. ``progress`` hears how many shares are done, and of how many; ``True`` is a bar. ``options`` are
    those of ``Model.compare``.

    The result is that of one process with as many threads, to the last digit. With other threads products are summed in
    another order, which the rounding shows.

    Raises ``FileExistsError`` where ``out`` is there, and ``ValueError`` for what the cluster does not have. Needs
    ``pip install twinbeam[ray]``.
    """
    # Whatever is wrong with the list or with the options is said here, and not by every node.
    n_cases = len(_cases(cases))
    given = inspect.signature(compare_share).bind(None, cases, (1, 1), out, **options)
    given.apply_defaults()
    asked = asked_of(**{name: given.arguments[name] for name in _ASKED})
    _engine.check_options(asked, unit)
    out, model = Path(out).absolute(), Path(model).absolute()
    if out.exists():
        raise FileExistsError(f"{out} is there already: move it away, or choose another name for the result.")
    if not (model / "config.json").is_file():
        raise _engine.ModelError(f"{model} has no config.json: give the folder of a model that every node reads.")
    if (shares is not None and shares < 1) or num_cpus <= 0:
        raise ValueError(f"shares={shares}, num_cpus={num_cpus}: both have to be positive.")
    try:
        from ._ray import run
    except ImportError as error:
        raise ImportError(f"{error}: pip install 'twinbeam[ray]'") from error

    parts = run(
        cases if not isinstance(cases, str | PathLike) else os.path.abspath(cases),
        n_cases,
        str(model),
        out,
        address=address,
        shares=shares or shares_begun(out),
        device=device,
        precision=precision,
        num_cpus=num_cpus,
        max_retries=max_retries,
        progress=progress,
        options=options,
    )
    found = merge(parts, out, unit=unit)
    for part in parts:
        part.unlink()
        # What nodes that died have left of it.
        for left in part.parent.glob(f"{glob.escape(part.name)}.*.part"):
            left.unlink(missing_ok=True)
    return found
