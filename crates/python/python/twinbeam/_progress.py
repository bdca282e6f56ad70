"""How far a job is, as a bar where tqdm is installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Progress = Callable[[str, int, int], None]
"""Hears of what is being done, how much of it is done, and how much there is."""


_DELAY = 1.0
"""Seconds after which a phase has a bar: what is over sooner needs none."""


class _Bar:
    """A bar for each phase of a job."""

    def __init__(self, bar_of: Any) -> None:
        self._bar_of = bar_of
        self._bar: Any = None
        self._phase = ""

    def __call__(self, phase: str, done: int, total: int) -> None:
        if phase != self._phase:
            self.close()
            # Units of work are operations or bytes: what they come to says the bar's percentage.
            bar_format = "{desc} {percentage:3.0f}%|{bar}| {remaining} left"
            self._bar = self._bar_of(total=total, desc=phase, leave=False, delay=_DELAY, bar_format=bar_format)
            self._phase = phase
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def shown(progress: bool | Progress | None) -> Iterator[Progress | None]:
    """What hears of progress: a bar for ``True``, nothing for ``False``, or whoever is given.

    ``None`` is a bar where tqdm is installed and somebody can see it: in a notebook or on a terminal.
    """
    if callable(progress):
        yield progress
        return
    if progress is False:
        yield None
        return
    try:
        with warnings.catch_warnings():
            # Where a notebook has no widgets, the bar is text.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        if progress:
            raise
        yield None
        return
    if progress is None and not _is_seen():
        yield None
        return
    bar = _Bar(tqdm)
    try:
        yield bar
    finally:
        bar.close()


def _is_seen() -> bool:
    import sys

    return "ipykernel" in sys.modules or sys.stderr.isatty()
