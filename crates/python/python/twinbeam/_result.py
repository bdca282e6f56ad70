"""What a comparison has found."""

from __future__ import annotations

import base64
import html
import json
import secrets
import time
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import _engine

if TYPE_CHECKING:
    import pandas

Scores = NDArray[np.float32]
DIRECTIONS = ("noising", "denoising")
METHODS = ("ap", "ig", "atp", "ig_zero")


@dataclass(frozen=True)
class Side:
    """One of the two runs, in numbers, at its last token."""

    logit_diff: float
    """Mean logit of the answers minus that of the wrong ones; logits."""
    prob_answer: float
    """Probability of the answers together."""
    prob_wrong: float
    """Probability of the wrong answers together."""
    prob_diff: float
    """``prob_answer - prob_wrong``."""
    log_prob: float
    """Logarithm of ``prob_answer``; nats."""
    kl: float
    """Divergence from the clean run's distribution; nats, 0 for the clean run."""
    n_pos: int
    """Tokens of the prompt, ``<|endoftext|>`` included."""
    top: list[tuple[str, float]]
    """The most likely next tokens with their probabilities, the most likely first."""


@dataclass(frozen=True)
class Checked:
    """How well a GPU's result agrees with a sample that was computed again on the CPU."""

    worst: float
    """The largest difference, as a share of the largest value of its list."""
    values: int
    """How many numbers were compared."""


@dataclass(frozen=True, repr=False, eq=False)
class Table:
    """Scores of one kind of component in one direction: float32 ``[n_layers, width]``, in the unit of the metric.

    A positive score supports the clean behaviour, by every method. What was not asked for is ``None``.
    """

    ap: Scores | None
    """Activation patching: the exact effect of replacing each component."""
    ig: Scores | None
    """Integrated gradients of each layer's line between the activations of both runs."""
    atp: Scores | None
    """Attribution patching: the gradient at the changed run times the difference."""
    ig_zero: Scores | None
    """Integrated gradients from activations of zero, the clean run upstream; not comparable with ``ap``."""
    joint: Scores | None
    """Effect of replacing all components of each layer together; ``[n_layers]``."""
    convergence_delta: Scores | None
    """By how much the scores of ``ig`` miss ``joint`` in each layer; ``[n_layers]``."""
    n_steps: list[int] | None
    """Points of the line that ``ig`` took in each layer."""

    def __repr__(self) -> str:
        there = [name for name in METHODS if getattr(self, name) is not None]
        return f"<twinbeam.Table of {', '.join(there) or 'nothing'}>"


class Tables:
    """Scores of one kind of component. ``ap``, ``ig`` and so on are those of ``direction``."""

    def __init__(self, of: dict[str, Table], direction: str) -> None:
        self.noising: Table = of["noising"]
        """The clean run is changed: what of it is needed."""
        self.denoising: Table = of["denoising"]
        """The corrupted run is changed: what restores the behaviour."""
        self.direction: str = direction
        """The direction whose scores stand here without a name."""

    @property
    def here(self) -> Table:
        """The table of ``direction``."""
        return self.noising if self.direction == "noising" else self.denoising

    @property
    def ap(self) -> Scores | None:
        """Activation patching, ``[n_layers, width]``; ``None`` where it was not asked for."""
        return self.here.ap

    @property
    def ig(self) -> Scores | None:
        """Integrated gradients, ``[n_layers, width]``; ``None`` where they were not asked for."""
        return self.here.ig

    @property
    def atp(self) -> Scores | None:
        """Attribution patching, ``[n_layers, width]``; ``None`` where it was not asked for."""
        return self.here.atp

    @property
    def ig_zero(self) -> Scores | None:
        """Integrated gradients from zero, ``[n_layers, width]``; of noising and of heads only."""
        return self.noising.ig_zero

    @property
    def joint(self) -> Scores | None:
        """Joint patches of layers, ``[n_layers]``."""
        return self.here.joint

    @property
    def convergence_delta(self) -> Scores | None:
        """By how much ``ig`` misses ``joint`` in each layer, ``[n_layers]``."""
        return self.here.convergence_delta

    @property
    def n_steps(self) -> list[int] | None:
        """Points of the line that ``ig`` took in each layer."""
        return self.here.n_steps

    def __repr__(self) -> str:
        return f"<twinbeam.Tables, {self.direction}: {self.here!r}>"


class Result:
    """What a comparison has found, with all that its numbers depend on.

    ``heads`` and ``neurons`` have the scores. ``clean`` and ``corrupted`` are the runs, ``gap`` is how much more of the
    behaviour the clean run has, and ``unit`` is the unit of all of these. It can be pickled, for the same version.
    """

    def __init__(self, found: _engine.Found) -> None:
        self._found = found
        about: dict[str, Any] = json.loads(found.about())
        self.experiment: dict[str, Any] = about["experiment"]
        """What was asked: prompts, answers, metric, points."""
        self.unit: str = about["unit"]
        """Unit of the scores and of the gap."""
        self.gap: float = about["gap"]
        """How much more of the behaviour the clean run has; positive where it has more."""
        self.shape: dict[str, int] = about["shape"]
        """Sizes of the model."""
        self.clean: Side = _side(about["clean"])
        """The clean run."""
        self.corrupted: Side = _side(about["corrupted"])
        """The corrupted run."""
        self.hints: list[str] = about["hints"]
        """What runs and may not be what was meant."""
        self.seconds: dict[str, float] = about["seconds"]
        """How long each part took."""
        self.device: str = about["device"]
        """What computed it."""
        self.checked: Checked | None = Checked(**about["checked"]) if about["checked"] else None
        """How well a GPU agrees with the CPU; ``None`` on the CPU."""
        self.model_sha256: str = about["model_sha256"]
        """SHA-256 of the weights' file, as ``Model`` has it."""
        self.twinbeam: str = about["twinbeam"]
        """Version of the engine."""
        direction = "noising" if found.table("heads", "ap", "noising") is not None else "denoising"
        self.direction: str = direction
        """The direction that stands first: noising, where it was asked for."""
        self.heads: Tables = _tables(found, "heads", direction)
        """Scores of attention heads, ``[n_layers, n_heads]``."""
        self.neurons: Tables | None = None
        """Scores of MLP neurons, ``[n_layers, d_mlp]``; ``None`` where they were not asked for."""
        if found.table("neurons", "ap", direction) is not None:
            self.neurons = _tables(found, "neurons", direction)
        self.nodes: dict[str, Tables] = _nodes(about["parts"], direction)
        """Scores of parts of heads and MLPs by their names, ``[n_layers, n_heads]`` or ``[n_layers, 1]``."""

    def __repr__(self) -> str:
        metric = self.experiment["metric"]
        kinds = "heads and neurons" if self.neurons is not None else "heads"
        return f"<twinbeam.Result of {kinds}: {metric} {self.clean_value:.3f} clean, {self.gap:+.3f} gap>"

    @property
    def clean_value(self) -> float:
        """The metric of the clean run, in its unit."""
        return float(getattr(self.clean, self.experiment["metric"]))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._found.to_bytes(),)

    def to_frame(self) -> pandas.DataFrame:
        """All scores as a table with a row for each, for pandas.

        Columns: ``component`` (``L0H5``, ``L2N17``), ``kind``, ``layer``, ``index``, ``method``, ``direction``,
        ``score`` and ``unit``. Raises ``ImportError`` where pandas is not installed.
        """
        import pandas

        kinds = [("heads", self.heads), ("neurons", self.neurons), *self.nodes.items()]
        frames = []
        for kind, tables in kinds:
            if tables is None:
                continue
            for direction in DIRECTIONS:
                table = getattr(tables, direction)
                for method in METHODS:
                    scores = getattr(table, method)
                    if scores is None:
                        continue
                    layer, index = np.indices(scores.shape).reshape(2, -1)
                    frames.append(
                        pandas.DataFrame(
                            {
                                "component": [_component(kind, at, i) for at, i in zip(layer, index, strict=True)],
                                "kind": kind,
                                "layer": layer,
                                "index": index,
                                "method": method,
                                "direction": direction,
                                "score": scores.ravel(),
                                "unit": self.unit,
                            }
                        )
                    )
        return pandas.concat(frames, ignore_index=True)

    def link(
        self, base: str, *, direction: Literal["noising", "denoising"] | None = None, model: str | None = None
    ) -> str:
        """A link to a page at ``base``, which shows this result at once and can compute it again.

        ``model`` is the name that the page has for the model; it is found by the weights where the page's list has
        them. The result travels in the link where both directions were computed. Raises ``InputError`` where the model
        is not known, or the prompts do not fit into a link.
        """
        return self._found.link(base, direction or self.direction, model)

    def to_svg(
        self,
        *,
        direction: Literal["noising", "denoising"] | None = None,
        theme: Literal["light", "dark"] = "light",
    ) -> str:
        """The figure as SVG: head maps, neurons if they were asked for, IG against AP, and layer by layer.

        The title names the direction; every map and axis has its unit, and the last lines say what computed it.
        """
        if theme not in ("light", "dark"):
            raise _engine.InputError(f"theme: {theme!r} is none: choose one of light, dark")
        return self._found.svg(direction or self.direction, theme == "dark")

    def _repr_html_(self) -> str:
        """The figure as a notebook shows it, light or dark as its reader's system is."""

        def image(theme: Literal["light", "dark"]) -> str:
            data = base64.b64encode(self.to_svg(theme=theme).encode()).decode()
            return f"data:image/svg+xml;base64,{data}"

        return (
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{image("dark")}">'
            f'<img src="{image("light")}" alt="{html.escape(repr(self))}" style="max-width:100%"></picture>'
        )

    def save_bundle(self, path: str | PathLike[str], *, link: str = "") -> None:
        """Writes everything into a ZIP archive, as the page does: it has a ``README.txt`` that says what each file is.

        All scores with every digit as JSON, and as CSV for ``pandas.read_csv(name, comment="#")``; the figure and
        plots; and a Jupyter notebook that computes the scores again with TransformerLens and captum, and compares.
        ``link`` is an address that shows the same, as the method of that name makes it.
        """
        packed = self._found.bundle(self.direction, link, int(time.time()))
        part = Path(f"{fspath(path)}.{secrets.token_hex(8)}.part")
        try:
            part.write_bytes(packed)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _restored(packed: bytes) -> Result:
    """A result that was pickled."""
    return Result(_engine.Found.from_bytes(packed))


def _component(kind: str, layer: int, index: int) -> str:
    """What a component is called."""
    if kind in ("heads", "neurons"):
        return f"L{layer}{'H' if kind == 'heads' else 'N'}{index}"
    return f"M{layer}" if kind == "mlp_out" else f"L{layer}H{index}.{kind}"


def _side(about: dict[str, Any]) -> Side:
    top = [(token["text"], token["prob"]) for token in about.pop("top")]
    return Side(**about, top=top)


def _fixed(scores: Scores | None) -> Scores | None:
    """Scores that nobody changes by mistake."""
    if scores is not None:
        scores.flags.writeable = False
    return scores


def _tables(found: _engine.Found, kind: str, direction: str) -> Tables:
    def table(of: str) -> Table:
        scores = {method: _fixed(found.table(kind, method, of)) for method in METHODS}
        return Table(
            **scores,
            joint=_fixed(found.joint(kind, of)),
            convergence_delta=_fixed(found.convergence_delta(kind, "ig", of)),
            n_steps=found.n_steps(kind, "ig", of),
        )

    return Tables({of: table(of) for of in DIRECTIONS}, direction)


def _nodes(parts: list[dict[str, Any]], direction: str) -> dict[str, Tables]:
    nothing = Table(None, None, None, None, None, None, None)
    by_name: dict[str, dict[str, Table]] = {}
    for part in parts:
        of = by_name.setdefault(part["part"], dict.fromkeys(DIRECTIONS, nothing))
        rows = {
            name: _fixed(np.asarray(part[name], np.float32).reshape(-1, part["width"])) for name in ("ap", "ig", "atp")
        }
        lines = {name: _fixed(np.asarray(part[name], np.float32)) for name in ("joint", "convergence_delta")}
        of[part["direction"]] = Table(**rows, **lines, ig_zero=None, n_steps=None)
    return {name: Tables(of, direction) for name, of in by_name.items()}
