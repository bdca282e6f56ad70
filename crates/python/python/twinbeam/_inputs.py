"""What users give, as the engine takes it. Whatever is wrong with it is said here, by the name that they know it by."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from . import _engine

Metric = Literal["logit_diff", "prob_diff", "log_prob", "kl"]
Direction = Literal["noising", "denoising", "both"]
Ids = Sequence[int]
Answers = str | int | Sequence[str] | Ids
"""One answer or several: texts of one token each, or token ids."""


def pair_of(clean: str | Ids, corrupted: str | Ids, answer: Answers, wrong: Answers) -> Mapping[str, Any]:
    """A pair as the engine takes it: all of it is text, or all of it is token ids."""
    prompts = {"clean": _prompt("clean", clean), "corrupted": _prompt("corrupted", corrupted)}
    answers = {"answer": _answers("answer", answer), "wrong": _answers("wrong", wrong)}
    is_text = {name: isinstance(prompt, str) for name, prompt in prompts.items()}
    is_text |= {name: isinstance(one, str) for name, side in answers.items() for one in side[:1]}
    if len(set(is_text.values())) == 2:
        texts, ids = ([name for name, text in is_text.items() if text is wanted] for wanted in (True, False))
        raise _engine.InputError(
            f"{_and(texts)} {_are(texts)} text and {_and(ids)} token ids: give all of them as one or the other."
        )
    return {
        **{name: one if isinstance(one, str) else " ".join(map(str, one)) for name, one in prompts.items()},
        **{name: [str(one) for one in side] for name, side in answers.items()},
        "ids": not is_text["clean"],
    }


def asked_of(
    metric: str,
    direction: str,
    n_steps: int | str,
    neurons: bool,
    nodes: str | Sequence[str],
    prepend_bos: bool | None,
    ids: bool = False,
) -> Mapping[str, Any]:
    """What is computed of a pair, as the engine takes it. ``ids``: the pair is token ids, which stay as they are."""
    if direction not in ("noising", "denoising", "both"):
        raise _engine.InputError(f"direction: {direction!r} is none: choose one of noising, denoising, both")
    if not isinstance(n_steps, str):
        n_steps = str(_whole("n_steps", n_steps))
    if ids and prepend_bos:
        raise _engine.InputError(
            "prepend_bos: nothing is put in front of token ids. Begin them with the id of <|endoftext|> yourself."
        )
    return {
        "metric": _text("metric", metric),
        "directions": ["noising", "denoising"] if direction == "both" else [direction],
        "n_steps": n_steps,
        "neurons": _flag("neurons", neurons),
        "nodes": [nodes] if isinstance(nodes, str) else [_text("nodes", one) for one in _several("nodes", nodes)],
        "prepend_bos": not ids if prepend_bos is None else _flag("prepend_bos", prepend_bos),
    }


def _prompt(name: str, prompt: str | Ids) -> str | list[int]:
    if isinstance(prompt, str):
        return _text(name, prompt)
    return [_whole(name, one) for one in _several(name, prompt)]


def _answers(name: str, answers: Answers) -> list[str] | list[int]:
    if isinstance(answers, str):
        return [_text(name, answers)]
    if isinstance(answers, int) or getattr(answers, "ndim", None) == 0:
        return [_whole(name, answers)]
    several = _several(name, answers)
    if all(isinstance(one, str) for one in several):
        return [_text(name, one) for one in several]
    return [_whole(name, one) for one in several]


def _several(name: str, given: Any) -> list[Any]:
    # Bytes are a sequence of whole numbers too, and nobody's token ids.
    if (
        isinstance(given, (bytes, bytearray, Mapping))
        or not isinstance(given, Iterable)
        or getattr(given, "ndim", 1) != 1
    ):
        raise _engine.InputError(f"{name}: text or a flat list of token ids is wanted, and this is {_kind(given)}.")
    return list(given)


def _whole(name: str, given: Any) -> int:
    """A whole number, of any type that is one: 1.5 is none, and neither is ``True``."""
    if type(given).__name__ in ("bool", "bool_"):
        raise _engine.InputError(f"{name}: a whole number is wanted, and this is {given}.")
    try:
        return operator.index(given)
    except TypeError:
        raise _engine.InputError(f"{name}: a whole number is wanted, and this is {_kind(given)}.") from None


def _flag(name: str, given: Any) -> bool:
    if not isinstance(given, bool):
        raise _engine.InputError(f"{name}: choose True or False, and not {given!r}.")
    return given


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str):
        raise _engine.InputError(f"{name}: text is wanted, and this is {_kind(given)}.")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise _engine.InputError(
            f"{name}: half a character ({error.object[error.start]!a}) stands by itself."
        ) from None
    return given


def _kind(given: Any) -> str:
    shape = getattr(given, "shape", None)
    return f"{type(given).__name__}{f' of shape {tuple(shape)}' if shape is not None else f' {given!r:.40}'}"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
