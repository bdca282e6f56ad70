"""A model that is loaded, and what is asked of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal

from . import _engine
from ._progress import Progress, shown
from ._result import Result

Device = Literal["cpu", "gpu"]
Precision = Literal["auto", "float32", "float64"]
Metric = Literal["logit_diff", "prob_diff", "log_prob", "kl"]
Direction = Literal["noising", "denoising", "both"]
Texts = str | Sequence[str]
Ids = Sequence[int]


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
        """SHA-256 of the weights' file."""
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
        answer: Texts | int | Ids,
        wrong: Texts | int | Ids,
        *,
        metric: Metric = "logit_diff",
        direction: Direction = "both",
        n_steps: int | str = 50,
        neurons: bool = False,
        nodes: Sequence[str] = (),
        prepend_bos: bool = True,
        progress: bool | Progress | None = None,
    ) -> Result:
        """Compares integrated gradients with activation patching on a pair of prompts.

        Prompts are texts or lists of token ids of the same number of tokens, and answers are texts of one token each,
        with the space in front of them, or token ids: one or several. Prompts and answers are both texts or both ids.

        ``direction`` says which run is changed: ``"noising"`` the clean one, ``"denoising"`` the corrupted one.
        ``n_steps`` is the number of Gauss-Legendre nodes of integrated gradients, or ``"auto"`` for as many as it takes
        for a thousandth of the gap (``"auto:200"`` for 200 millionths). ``nodes`` names parts of heads and MLPs that
        are replaced by themselves: ``"q"``, ``"k"``, ``"v"``, ``"pattern"``, ``"mlp_out"``.

        Raises ``InputError`` for prompts or answers that cannot be compared, with the way out.
        """
        asked = _asked(metric, direction, n_steps, neurons, nodes, prepend_bos)
        with shown(progress) as hears:
            return Result(self._native.compare(_pair(clean, corrupted, answer, wrong), asked, hears))

    def probe(
        self,
        clean: str | Ids,
        corrupted: str | Ids,
        answer: Texts | int | Ids,
        wrong: Texts | int | Ids,
        question: str,
        *,
        metric: Metric = "logit_diff",
        n_steps: int | str = 50,
        prepend_bos: bool = True,
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
        ablate         sets, with, direction                       sets of components, each replaced together
        faithfulness   kind, orders, sizes, with                   what the first components of an order keep
        ============== =========================================== ==================================================

        A component is ``{"kind": "heads", "layer": 1, "index": 3}``. Scores are in the metric's unit, positive supports
        the clean behaviour. A question that is named wrongly raises ``InputError``.
        """
        asked = _asked(metric, "both", n_steps, False, (), prepend_bos)
        wanted = json.dumps({question: options} if options else question)
        with shown(progress) as hears:
            pair = _pair(clean, corrupted, answer, wrong)
            finding = json.loads(self._native.probe(pair, asked, wanted, hears))
        (found,) = finding.values()
        return found


def _asked(
    metric: str, direction: str, n_steps: int | str, neurons: bool, nodes: Sequence[str], prepend_bos: bool
) -> Mapping[str, Any]:
    """What is computed of a pair, as the engine takes it."""
    return {
        "metric": metric,
        "directions": ["noising", "denoising"] if direction == "both" else [direction],
        "n_steps": str(n_steps),
        "neurons": neurons,
        "nodes": list(nodes),
        "prepend_bos": prepend_bos,
    }


def _pair(
    clean: str | Ids, corrupted: str | Ids, answer: Texts | int | Ids, wrong: Texts | int | Ids
) -> Mapping[str, Any]:
    """A pair as the engine takes it: all of it is text, or all of it is token ids."""
    answers = [_listed(side) for side in (answer, wrong)]
    prompts_are_text = [isinstance(prompt, str) for prompt in (clean, corrupted)]
    answers_are_text = [isinstance(one, str) for side in answers for one in side]
    if len({*prompts_are_text, *answers_are_text}) != 1:
        raise _engine.InputError(
            "Some of prompts and answers are texts and some are token ids: give all of them as one or the other."
        )
    is_text = prompts_are_text[0]
    prompts = [p if isinstance(p, str) else " ".join(str(int(one)) for one in p) for p in (clean, corrupted)]
    texts = [[str(one if is_text else int(one)) for one in side] for side in answers]
    return {
        "clean": prompts[0],
        "corrupted": prompts[1],
        "answer": texts[0],
        "wrong": texts[1],
        "ids": not is_text,
    }


def _listed(answers: Texts | int | Ids) -> Sequence[Any]:
    """One answer is a list of one."""
    if isinstance(answers, str) or not isinstance(answers, Sequence):
        return [answers]
    return answers
