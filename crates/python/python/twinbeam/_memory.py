"""Models that are in memory already, of transformers and of TransformerLens, without a copy on the disk."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _engine
from ._model import Device, Model, Precision
from ._progress import Progress, shown

Array = NDArray[Any]


class _Files:
    """A model's files as the engine reads them: small ones as they are, weights part by part from arrays."""

    def __init__(self, small: dict[str, bytes], tensors: dict[str, Array]) -> None:
        self._small = small
        self._arrays = [np.ascontiguousarray(tensor) for tensor in tensors.values()]
        header, at = {}, 0
        self._begins = []
        for name, array in zip(tensors, self._arrays, strict=True):
            header[name] = {
                "dtype": {"float32": "F32", "float16": "F16"}[array.dtype.name],
                "shape": list(array.shape),
                "data_offsets": [at, at + array.nbytes],
            }
            self._begins.append(at)
            at += array.nbytes
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self._head = len(text).to_bytes(8, "little") + text
        self._size = len(self._head) + at

    def size(self, file: str) -> int | None:
        """Bytes of a file; ``None``: there is none."""
        if file == "model.safetensors":
            return self._size
        return len(self._small[file]) if file in self._small else None

    def read(self, file: str, start: int, stop: int) -> bytes:
        """Some bytes of a file."""
        if file != "model.safetensors":
            return self._small[file][start:stop]
        parts = [self._head[start:stop]]
        for begin, array in zip(self._begins, self._arrays, strict=True):
            begin += len(self._head)
            a, b = max(start, begin) - begin, min(stop, begin + array.nbytes) - begin
            if a < b:
                parts.append(array.reshape(-1).view(np.uint8)[a:b].tobytes())
        return b"".join(parts)


def from_transformers(
    model: Any,
    tokenizer: Any | None = None,
    device: Device = "cpu",
    *,
    precision: Precision = "auto",
    progress: bool | Progress | None = None,
) -> Model:
    """Takes a ``GPT2LMHeadModel`` of transformers that is in memory, with a fast tokenizer for prompts as text.

    Weights of float64 or bfloat16 are rounded, or widened, to float32. A TransformerLens model is taken too, as by
    ``from_transformer_lens``. Raises ``ModelError`` for another architecture.
    """
    if hasattr(model, "cfg") and hasattr(model, "blocks"):
        return from_transformer_lens(model, tokenizer, device, precision=precision, progress=progress)
    config = getattr(model, "config", None)
    if config is None or not hasattr(model, "state_dict"):
        raise _engine.ModelError(f"{type(model).__name__} is no model of transformers: give a GPT2LMHeadModel.")
    tensors = {
        name: _array(name, tensor)
        for name, tensor in model.state_dict().items()
        # Masks are known, and may be of other types. What writes words is kept: it may not be what reads them.
        if not name.endswith((".attn.bias", ".attn.masked_bias"))
    }
    return _load(config.to_dict(), tensors, tokenizer, device, precision, progress)


def from_transformer_lens(
    model: Any,
    tokenizer: Any | None = None,
    device: Device = "cpu",
    *,
    precision: Precision = "auto",
    progress: bool | Progress | None = None,
) -> Model:
    """Takes a GPT-2 of TransformerLens that is in memory, with its own tokenizer where none is given.

    That is a ``HookedTransformer`` (up to version 3) or a ``TransformerBridge`` (from version 4 on). It has to be as it
    was trained: weights that LayerNorm was folded into, or that were centred, are another model's, whose heads read
    and write something else.

    Raises ``ModelError`` for processed weights and for other architectures.
    """
    cfg = model.cfg
    _is_gpt2(cfg)
    state = {name: _array(name, tensor) for name, tensor in model.state_dict().items()}
    is_hooked = "embed.W_E" in state
    reads, writes, bias = (
        ("embed.W_E", "unembed.W_U", "unembed.b_U") if is_hooked else ("embed.weight", "unembed.weight", "unembed.bias")
    )
    if not {reads, writes} <= state.keys():
        raise _engine.ModelError(f"{type(model).__name__} is no GPT-2 of TransformerLens: its words have no embedding.")
    embedding, unembedding = state[reads], state[writes].T if is_hooked else state[writes]
    is_tied = np.array_equal(embedding, unembedding) and not np.any(state.get(bias, 0))
    if cfg.normalization_type != "LN" or getattr(model, "compatibility_mode", False) or not is_tied:
        raise _engine.ModelError(
            "These weights were processed (LayerNorm folded in, or centred), or are of another architecture, so they "
            "are not GPT-2's: load them with HookedTransformer.from_pretrained_no_processing, or with "
            "TransformerBridge.boot_transformers and without enable_compatibility_mode."
        )
    if is_hooked and _has_folded_values(state, cfg.n_layers):
        raise _engine.ModelError(
            "The biases of these values were folded into those of the outputs, so activations of zero would mean "
            "something else: load the model with HookedTransformer.from_pretrained_no_processing."
        )
    tensors = (_of_hooked if is_hooked else _of_bridge)(state, cfg)
    tokenizer = tokenizer if tokenizer is not None else getattr(model, "tokenizer", None)
    config = {
        "model_type": "gpt2",
        "n_layer": cfg.n_layers,
        "n_head": cfg.n_heads,
        "n_embd": cfg.d_model,
        "n_inner": cfg.d_mlp,
        "n_positions": cfg.n_ctx,
        "vocab_size": cfg.d_vocab,
        "layer_norm_epsilon": cfg.eps,
        "activation_function": cfg.act_fn,
        "scale_attn_by_inverse_layer_idx": getattr(cfg, "scale_attn_by_inverse_layer_idx", False),
        "bos_token_id": getattr(tokenizer, "bos_token_id", None),
    }
    return _load(config, tensors, tokenizer, device, precision, progress)


def _is_gpt2(cfg: Any) -> None:
    """Raises where a configuration of TransformerLens has what GPT-2 has not."""
    only: dict[str, tuple[Any, ...]] = {
        # One of the user's own has no name.
        "original_architecture": (None, "GPT2LMHeadModel"),
        "positional_embedding_type": (None, "standard"),
        "attention_dir": (None, "causal"),
        "use_local_attn": (None, False),
        "use_attn_scale": (None, True),
        # -1: the usual one.
        "attn_scale": (None, -1, -1.0, math.sqrt(cfg.d_model / cfg.n_heads)),
        "attn_only": (None, False),
        "gated_mlp": (None, False),
        "parallel_attn_mlp": (None, False),
        "post_embedding_ln": (None, False),
        "num_experts": (None,),
        "n_key_value_heads": (None, cfg.n_heads),
    }
    for name, possible in only.items():
        has = getattr(cfg, name, None)
        is_near = isinstance(has, float) and any(math.isclose(has, one, rel_tol=1e-6) for one in possible if one)
        if has not in possible and not is_near:
            raise _engine.ModelError(f"This is no GPT-2: its configuration has {name} = {has!r}.")


def _has_folded_values(state: dict[str, Array], n_layers: int) -> bool:
    """Whether values have no biases and outputs have them: no training leaves them so."""
    layers = range(n_layers)
    values = any(np.any(state[f"blocks.{layer}.attn.b_V"]) for layer in layers)
    return not values and any(np.any(state[f"blocks.{layer}.attn.b_O"]) for layer in layers)


def _of_hooked(state: dict[str, Array], cfg: Any) -> dict[str, Array]:
    """Parameters of a ``HookedTransformer`` by the names of the checkpoint."""
    d_model = cfg.d_model
    tensors = {"wte.weight": state["embed.W_E"], "wpe.weight": state["pos_embed.W_pos"]}
    for layer in range(cfg.n_layers):
        old, new = f"blocks.{layer}.", f"h.{layer}."
        # [n_heads, d_model, d_head] each, side by side.
        by_part = [state[f"{old}attn.W_{part}"].transpose(1, 0, 2).reshape(d_model, -1) for part in "QKV"]
        biases = [state[f"{old}attn.b_{part}"].reshape(-1) for part in "QKV"]
        tensors |= {
            f"{new}ln_1.weight": state[f"{old}ln1.w"],
            f"{new}ln_1.bias": state[f"{old}ln1.b"],
            f"{new}attn.c_attn.weight": np.concatenate(by_part, axis=1),
            f"{new}attn.c_attn.bias": np.concatenate(biases),
            f"{new}attn.c_proj.weight": state[f"{old}attn.W_O"].reshape(-1, d_model),
            f"{new}attn.c_proj.bias": state[f"{old}attn.b_O"],
            f"{new}ln_2.weight": state[f"{old}ln2.w"],
            f"{new}ln_2.bias": state[f"{old}ln2.b"],
            f"{new}mlp.c_fc.weight": state[f"{old}mlp.W_in"],
            f"{new}mlp.c_fc.bias": state[f"{old}mlp.b_in"],
            f"{new}mlp.c_proj.weight": state[f"{old}mlp.W_out"],
            f"{new}mlp.c_proj.bias": state[f"{old}mlp.b_out"],
        }
    return tensors | {"ln_f.weight": state["ln_final.w"], "ln_f.bias": state["ln_final.b"]}


def _of_bridge(state: dict[str, Array], cfg: Any) -> dict[str, Array]:
    """Parameters of a ``TransformerBridge`` by the names of the checkpoint."""
    tensors = {"wte.weight": state["embed.weight"], "wpe.weight": state["pos_embed.weight"]}
    same = {"ln1": "ln_1", "ln2": "ln_2", "attn.o": "attn.c_proj", "mlp.in": "mlp.c_fc", "mlp.out": "mlp.c_proj"}
    for layer in range(cfg.n_layers):
        old, new = f"blocks.{layer}.", f"h.{layer}."
        # Those that the bridge has taken apart are [out, in]; all others are as the checkpoint has them, [in, out].
        by_part = [state[f"{old}attn.{part}.weight"].T for part in "qkv"]
        tensors[f"{new}attn.c_attn.weight"] = np.concatenate(by_part, axis=1)
        tensors[f"{new}attn.c_attn.bias"] = np.concatenate([state[f"{old}attn.{part}.bias"] for part in "qkv"])
        for here, there in same.items():
            tensors[f"{new}{there}.weight"] = state[f"{old}{here}.weight"]
            tensors[f"{new}{there}.bias"] = state[f"{old}{here}.bias"]
    return tensors | {"ln_f.weight": state["ln_final.weight"], "ln_f.bias": state["ln_final.bias"]}


def _load(
    config: dict[str, Any],
    tensors: dict[str, Array],
    tokenizer: Any | None,
    device: str,
    precision: str,
    progress: bool | Progress | None,
) -> Model:
    small = {"config.json": json.dumps(config, default=str).encode()}
    if tokenizer is not None:
        backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
        if not hasattr(backend, "to_str"):
            raise _engine.ModelError(
                f"{type(tokenizer).__name__} is no fast tokenizer: load it with use_fast=True, or give prompts as ids."
            )
        small["tokenizer.json"] = backend.to_str().encode()
        # The one thing that its own file does not say.
        bos = getattr(tokenizer, "bos_token", None)
        if bos is not None:
            small["tokenizer_config.json"] = json.dumps({"bos_token": str(bos)}).encode()
    with shown(progress) as hears:
        return Model(_engine.Model.from_files(_Files(small, tensors), device, precision, hears))


def _array(name: str, tensor: Any) -> Array:
    """A tensor as an array of a type that the engine reads: codes of quantised weights are numbers too, and none."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in ("float16", "bfloat16", "float32", "float64"):
        raise _engine.ModelError(
            f"{name} is of type {dtype}: give a model in float16, bfloat16, float32 or float64, not a quantised one."
        )
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if dtype == "bfloat16":
            tensor = tensor.float()
        tensor = tensor.numpy()
    array: Array = np.asarray(tensor)
    return array if array.dtype in (np.float32, np.float16) else array.astype(np.float32)
