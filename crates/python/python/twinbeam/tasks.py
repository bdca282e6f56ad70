"""Tasks from which prompt pairs are drawn, the same ones for the same seed.

The words that fill them are others than those that the bundled model was trained on.
"""

from __future__ import annotations

import json
import operator
from typing import TypedDict, cast

from . import _engine

__all__ = ["Pair", "draw", "names"]


_MOST = 1_000_000


class Pair(TypedDict):
    """A pair of prompts with its answers, each of which is one token with the space in front of it."""

    name: str
    clean: str
    corrupted: str
    answer: list[str]
    wrong: list[str]


def names() -> list[str]:
    """The names of all tasks, ``"ioi"`` among them."""
    return _engine.task_names()


def draw(task: str, n: int = 20, seed: int = 0) -> list[Pair]:
    """Draws ``n`` pairs of a task, distinct while there are new ones.

    >>> import twinbeam
    >>> [pair["answer"] for pair in twinbeam.tasks.draw("ioi", 2, seed=1)]  # doctest: +SKIP

    Raises ``InputError`` where there is no such task, and for fewer than one pair or more than a million.
    """
    seed = operator.index(seed)
    if not 0 <= seed < 2**64:
        raise _engine.InputError(f"seed: {seed} is none: choose 0 to {2**64 - 1}")
    n = operator.index(n)
    if not 1 <= n <= _MOST:
        raise _engine.InputError(f"{n} pairs cannot be drawn: choose 1 to {_MOST}")
    return cast(list[Pair], json.loads(_engine.draw(task, n, seed)))
