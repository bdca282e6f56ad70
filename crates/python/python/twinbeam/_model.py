"""A model that is loaded, and what is asked of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal

from . import _engine
from ._inputs import Answers, Direction, Ids, Metric, asked_of, pair_of
from ._progress import Progress, shown
from ._result import Result

Device = Literal["cpu", "gpu"]
Precision = Literal["auto", "float32", "float64"]


def load(
    folder: str | PathLike[str],
    device: Device = "cpu",
    *,
    precision: Precision = "auto",
    progress: bool | Progress | None = None,
) -> Model:
    """Loads a GPT-2 from a folder as Hugging Face lays it out.

    ``folder`` holds ``config.json``, ``model.safetensors`` (or an index and the files that it lists) and, for prompts
    as text, ``tokenizer.json`` or ``vocab.json`` with ``merges.txt``. ``precision`` is that of the CPU: ``"auto"`` is
    float64 up to 20 million parameters and float32 above. On a GPU a sample of every result is computed again on the
    CPU, and a result that it does not confirm raises ``DeviceError``.

    Raises ``ModelError`` for files that are no GPT-2, and ``DeviceError`` for a device that cannot be used.
    """
    with shown(progress) as hears:
        return Model(_engine.Model.load(folder, device, precision, hears))


class Model:
    """A GPT-2 that is loaded. Several threads may use one at the same time; Python runs on meanwhile."""

    def __init__(self, native: _engine.Model) -> None:
        self._native = native
        about = json.loads(native.about())
        self.shape: dict[str, int] = about["shape"]
        """Sizes: ``n_layers``, ``n_heads``, ``d_model``, ``d_head``, ``d_mlp``, ``n_ctx``, ``d_vocab``."""
        self.sha256: str = about["sha256"]
        """SHA-256 of the weights' file; of a model that was in memory, of one as the engine would write it."""
        self.precision: str = {"f32": "float32", "f64": "float64"}[about["precision"]]
        """Type of the numbers that it computes with."""
        self.device: str = about["device"]
        """What computes."""

    def __repr__(self) -> str:
        layers, heads = self.shape["n_layers"], self.shape["n_heads"]
        return f"<twinbeam.Model of {layers} layers with {heads} heads, {self.precision} on {self.device}>"

    def compare(
        self,
        clean: str | Ids,
        corrupted: str | Ids,
        answer: Answers,
        wrong: Answers,
        *,
        metric: Metric = "logit_diff",
        direction: Direction = "both",
        n_steps: int | str = 50,
        neurons: bool = False,
        nodes: str | Sequence[str] = (),
        prepend_bos: bool | None = None,
        progress: bool | Progress | None = None,
    ) -> Result:
        """Compares integrated gradients with activation patching on a pair of prompts.

        Prompts are texts or lists of token ids of the same number of tokens, and answers are texts of one token each,
        with the space in front of them, or token ids: one or several. Prompts and answers are both texts or both ids.

        ``prepend_bos`` puts ``<|endoftext|>`` in front of prompts that are text, unless it is ``False``. Token ids are
        taken as they are: begin them with its id where the text would have it, or the numbers are another prompt's.
        ``direction`` says which run is changed: ``"noising"`` the clean one, ``"denoising"`` the corrupted one.
        ``n_steps`` is the number of Gauss-Legendre nodes of integrated gradients, 1 to 300, or ``"auto"`` for as many
        as it takes for a thousandth of the gap (``"auto:200"`` for 200 millionths). ``nodes`` names parts of heads and
        MLPs that are replaced by themselves: ``"q"``, ``"k"``, ``"v"``, ``"pattern"``, ``"mlp_out"``.

        Raises ``InputError`` for prompts or answers that cannot be compared, with the way out.
        """
        pair = pair_of(clean, corrupted, answer, wrong)
        asked = asked_of(metric, direction, n_steps, neurons, nodes, prepend_bos, pair["ids"])
        with shown(progress) as hears:
            return Result(self._native.compare(pair, asked, hears))

    def probe(
        self,
        clean: str | Ids,
        corrupted: str | Ids,
        answer: Answers,
        wrong: Answers,
        question: str,
        *,
        metric: Metric = "logit_diff",
        n_steps: int | str = 50,
        prepend_bos: bool | None = None,
        progress: bool | Progress | None = None,
        **options: Any,
    ) -> Any:
        """Asks what the page's lab asks of a pair of prompts. The answer is plain lists and dictionaries.

        ============== =========================================== ==================================================
        question       options                                     answer
        ============== =========================================== ==================================================
        zero_baseline                                              integrated gradients of the heads from zero
        pattern        layer, head                                 where a head attends to, in both runs
        lens           layer, head                                 the tokens that a head raises and lowers most
        integrand      component, direction                        the metric and its gradient along a layer's line
        positions      component, direction                        what a component does at each token
        streams        direction                                   residual stream and outputs, by layer and token
        parts          direction                                   queries, keys, values, patterns and MLP outputs
        direct         direction                                   what goes straight to the logits
        edges          direction                                   EAP and EAP-IG of all edges
        patch_edges    edges, direction                            exact effects of some edges
        edge_positions edge, direction                             what an edge carries at each token
        circuits       sets                                        the metric of sets of edges, all others cut
        circuit_curves orders, sizes                               the same of growing sets, in some orders
        ablate         sets, with, direction                       sets of components, each replaced together
        faithfulness   kind, orders, sizes, with                   what the first components of an order keep
        ============== =========================================== ==================================================

        ``with`` is ``"other_run"``, ``"zero"``, or ``{"mean": {"prompts": [...]}}``; it is a word of Python's, so write
        ``**{"with": "zero"}``. A component is ``{"kind": "heads", "layer": 1, "index": 3}``. Scores are in the
        metric's unit, and positive supports the clean behaviour. Raises ``InputError`` for a question or options that
        there are not.
        """
        pair = pair_of(clean, corrupted, answer, wrong)
        asked = asked_of(metric, "both", n_steps, False, (), prepend_bos, pair["ids"])
        wanted = json.dumps(_question(question, options))
        with shown(progress) as hears:
            finding = json.loads(self._native.probe(pair, asked, wanted, hears))
        (found,) = finding.values()
        return found


_QUESTIONS = {
    "zero_baseline": (),
    "pattern": ("layer", "head"),
    "lens": ("layer", "head"),
    "integrand": ("component", "direction"),
    "positions": ("component", "direction"),
    "streams": ("direction",),
    "parts": ("direction",),
    "direct": ("direction",),
    "edges": ("direction",),
    "patch_edges": ("edges", "direction"),
    "edge_positions": ("edge", "direction"),
    "circuits": ("sets",),
    "circuit_curves": ("orders", "sizes"),
    "ablate": ("sets", "with", "direction"),
    "faithfulness": ("kind", "orders", "sizes", "with"),
}
"""What can be asked, and the options that each question has and needs."""


def _question(question: str, options: dict[str, Any]) -> Any:
    """A question as the engine reads it."""
    if question not in _QUESTIONS:
        raise _engine.InputError(f"There is no such question: {question!r}: choose one of {', '.join(_QUESTIONS)}.")
    wanted = _QUESTIONS[question]
    missing = [name for name in wanted if name not in options]
    unknown = [name for name in options if name not in wanted]
    if missing or unknown:
        has = f"takes {', '.join(wanted)}" if wanted else "takes no options"
        wrong = [f"{', '.join(missing)} missing"] * bool(missing) + [f"{', '.join(unknown)} too many"] * bool(unknown)
        raise _engine.InputError(f"The question {question} {has}: {' and '.join(wrong)}.")
    return {question: options} if wanted else question
