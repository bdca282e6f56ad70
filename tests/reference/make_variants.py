"""Recomputes what GPT-2s of other configurations and types of number must give, with transformers, in float64.

    python make_variants.py --check ../fixtures/variants
    python make_variants.py --write ../fixtures/variants

The folder holds the weights of one tiny GPT-2 in double precision, `config.json` and `cases.json`. `expected.json` has an entry per
variant: what is changed in the configuration, in which type the weights are stored, and the scores. Every name of an activation
function is computed by the function that transformers has under it. `--write` makes the weights too, where there are none.
Effects are in logits, positive supports the clean behaviour; integrals are taken at 50 Gauss-Legendre nodes.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

STEPS = 50
TOLERANCE = 1e-9
CONFIG = {
    "model_type": "gpt2",
    "architectures": ["GPT2LMHeadModel"],
    "n_layer": 2,
    "n_head": 2,
    "n_embd": 8,
    "n_inner": 12,
    "n_positions": 8,
    "vocab_size": 11,
    "bos_token_id": 10,
    "eos_token_id": 10,
}
CASE = {"clean_ids": [10, 3, 7, 1, 5, 2], "corrupted_ids": [10, 3, 4, 1, 8, 2], "answer_id": 6, "wrong_id": 9}
NAMES = ["gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", "gelu", "gelu_python", "relu"]
INVERSE, PLAIN = {"scale_attn_by_inverse_layer_idx": True}, {"scale_attn_weights": False}
# What differs from the configuration above, and the type of the stored numbers.
VARIANTS = {
    "f64": ({}, "F64"),
    "f32": ({}, "F32"),
    "f16": ({}, "F16"),
    "bf16": ({}, "BF16"),
    **{name: ({"activation_function": name}, "F64") for name in NAMES},
    "inverse": (INVERSE, "F64"),
    "unscaled": (PLAIN, "F64"),
    "inverse-unscaled": (INVERSE | PLAIN, "F64"),
}
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
SITES = {"heads": lambda block: block.attn.c_proj, "neurons": lambda block: block.mlp.c_proj}


def weights():
    """Numbers large enough for every non-linearity to matter, none of which single precision holds."""
    torch.manual_seed(16)
    model = GPT2LMHeadModel(GPT2Config(**CONFIG)).double()
    tensors = {name: torch.randn_like(tensor) for name, tensor in model.transformer.state_dict().items()}
    for name, tensor in tensors.items():
        scale, mean = (0.1, 1.0) if ".ln_" in f".{name}" and name.endswith("weight") else (0.6, 0.0)
        tensors[name] = tensor * (0.3 if name.endswith("bias") else scale) + mean
    return tensors


class Variant:
    """Both runs of the case on one variant, and every method on them."""

    def __init__(self, tensors, changes, dtype):
        config = GPT2Config(**CONFIG | changes)
        config._attn_implementation = "eager"
        self.model = GPT2LMHeadModel(config).double().eval()
        stored = {name: tensor.to(DTYPES[dtype]).double() for name, tensor in tensors.items()}
        missing, extra = self.model.transformer.load_state_dict(stored, strict=False)
        assert not extra and not [name for name in missing if not name.endswith((".attn.bias", ".masked_bias"))]
        self.model.tie_weights()
        self.config = config
        self.blocks = self.model.transformer.h
        self.ids = {side: torch.tensor([CASE[f"{side}_ids"]]) for side in ("clean", "corrupted")}
        self.acts, self.logits = {}, {}
        with torch.no_grad():
            for side, ids in self.ids.items():
                kept = {}
                hooks = [
                    SITES[site](block).register_forward_pre_hook(
                        lambda _module, args, key=(site, layer), kept=kept: kept.update({key: args[0]})
                    )
                    for site in SITES
                    for layer, block in enumerate(self.blocks)
                ]
                self.logits[side] = self.model(ids).logits[0, -1]
                self.acts[side] = kept
                for hook in hooks:
                    hook.remove()

    def difference(self, logits):
        return logits[..., CASE["answer_id"]] - logits[..., CASE["wrong_id"]]

    def replaced(self, side, site, layer, values):
        """Logit differences of one side's run with the components of a layer replaced; `values` is a batch."""
        hook = SITES[site](self.blocks[layer]).register_forward_pre_hook(lambda _module, _args: (values,))
        try:
            return self.difference(self.model(self.ids[side].expand(len(values), -1)).logits[:, -1])
        finally:
            hook.remove()

    def components(self, site, values):
        """The last axis by component."""
        n = self.config.n_head if site == "heads" else self.config.n_inner
        return values.reshape(*values.shape[:-1], n, -1)

    def patch(self, site, direction):
        side, other = ("clean", "corrupted") if direction == "noising" else ("corrupted", "clean")
        sign = 1.0 if direction == "noising" else -1.0
        table = []
        for layer in range(self.config.n_layer):
            base, new = self.acts[side][site, layer], self.acts[other][site, layer]
            n = self.components(site, base).shape[-2]
            values = base.repeat(n, 1, 1)
            for index in range(n):
                self.components(site, values)[index, :, index] = self.components(site, new)[0, :, index]
            with torch.no_grad():
                effects = self.difference(self.logits[side]) - self.replaced(side, site, layer, values)
            table.append((sign * effects).tolist())
        return table

    def integrate(self, site, direction):
        side = "clean" if direction == "noising" else "corrupted"
        nodes, node_weights = numpy.polynomial.legendre.leggauss(STEPS)
        table = []
        for layer in range(self.config.n_layer):
            clean, corrupted = self.acts["clean"][site, layer], self.acts["corrupted"][site, layer]
            alphas = torch.tensor((1 + nodes) / 2).reshape(-1, 1, 1)
            values = (corrupted + alphas * (clean - corrupted)).requires_grad_(True)
            (gradients,) = torch.autograd.grad(self.replaced(side, site, layer, values).sum(), values)
            mean = (torch.tensor(node_weights / 2).reshape(-1, 1, 1) * gradients).sum(dim=0, keepdim=True)
            scores = self.components(site, mean * (clean - corrupted))
            table.append(scores.sum(dim=(0, 1, 3)).tolist())
        return table

    def metrics(self):
        out = {}
        logs = {side: logits.log_softmax(-1) for side, logits in self.logits.items()}
        for side, log_probs in logs.items():
            answer, wrong = log_probs[CASE["answer_id"]], log_probs[CASE["wrong_id"]]
            out[side] = {
                "logit_diff": self.difference(self.logits[side]).item(),
                "prob_diff": (answer.exp() - wrong.exp()).item(),
                "log_prob": answer.item(),
                "kl": (logs["clean"].exp() * (logs["clean"] - log_probs)).sum().item(),
            }
        return out

    def expected(self):
        directions = ("noising", "denoising")
        return {
            "metrics": self.metrics(),
            "ap": {site: {way: self.patch(site, way) for way in directions} for site in SITES},
            "ig": {site: {way: self.integrate(site, way) for way in directions} for site in SITES},
        }


def rounded(value):
    """Twelve digits: a thousand times what is compared, and half the size."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.12g}")


def numbers(value):
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers(item)
    else:
        yield value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true")
    action.add_argument("--write", action="store_true")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder, path = options.folder, options.folder / "model.safetensors"
    if options.write:
        folder.mkdir(exist_ok=True)
        if not path.exists():
            save_file(weights(), path, metadata={"format": "pt"})
        (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
        (folder / "cases.json").write_text(json.dumps([CASE]) + "\n")
    tensors = load_file(path)
    fresh = {}
    for name, (changes, dtype) in VARIANTS.items():
        scores = Variant(tensors, changes, dtype).expected()
        fresh[name] = {"config": changes, "dtype": dtype, **rounded(scores)}
    stored = folder / "expected.json"
    if options.write:
        lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in fresh.items()]
        stored.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        return
    wrong = []
    for name, entry in json.loads(stored.read_text()).items():
        for field in ("metrics", "ap", "ig"):
            old, new = list(numbers(entry[field])), list(numbers(fresh[name][field]))
            worst = max(abs(a - b) for a, b in zip(old, new, strict=True)) / max(map(abs, old))
            if worst > TOLERANCE:
                wrong.append(f"{name} {field}: off by {worst:.1e} of the largest")
    print("\n".join(wrong) or f"{folder}: {len(fresh)} variants agree")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
