"""Recomputes the committed fixtures with TransformerLens and captum, in float64.

    python make_fixtures.py --check ../fixtures/tiny-gpt2 ../fixtures/hub-layout
    python make_fixtures.py --write ../fixtures/tiny-gpt2

`--check` compares every number of `expected.json` and every stored activation with what the peers say now;
`--write` replaces both files. Run by hand in an environment made from requirements.txt; not part of CI.
../../docs/METHODS.md and ../fixtures/README.md say what each field means.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from captum.attr import IntegratedGradients
from safetensors.torch import load_file, save_file
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions.gpt2 import convert_gpt2_weights
from transformers import GPT2Config, GPT2LMHeadModel

STEPS = 50
# captum multiplies by its quadrature weights in float32; everything else is float64.
TOLERANCE = 2e-6
SITES = {"heads": "attn.hook_z", "neurons": "mlp.hook_post"}


def load(folder, dtype=torch.float64):
    """The Hugging Face model of a folder, and the same weights in TransformerLens, nothing folded."""
    config = GPT2Config.from_json_file(folder / "config.json")
    config._attn_implementation = "eager"
    published = GPT2LMHeadModel(config).eval()
    tensors = load_file(folder / "model.safetensors")
    bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    weights = {name: t for name, t in bare.items() if not name.endswith((".attn.bias", ".attn.masked_bias"))}
    weights.pop("lm_head.weight", None)
    missing, extra = published.transformer.load_state_dict(weights, strict=False)
    wanted = [name for name in missing if not name.endswith((".attn.bias", ".attn.masked_bias"))]
    assert not wanted and not extra, (wanted, extra)
    published.tie_weights()
    lens = HookedTransformer(
        HookedTransformerConfig(
            n_layers=config.n_layer,
            d_model=config.n_embd,
            n_ctx=config.n_positions,
            d_head=config.n_embd // config.n_head,
            n_heads=config.n_head,
            d_mlp=config.n_inner or 4 * config.n_embd,
            d_vocab=config.vocab_size,
            act_fn="gelu_new",
            eps=config.layer_norm_epsilon,
            normalization_type="LN",
            device="cpu",
            dtype=dtype,
        )
    )
    state = convert_gpt2_weights(published, lens.cfg)
    lens.load_and_process_state_dict(
        state,
        fold_ln=False,
        center_writing_weights=False,
        center_unembed=False,
        fold_value_biases=False,
    )
    return published.to(dtype), lens.to(dtype).eval()


class Case:
    """Both runs of one case, and every method on them."""

    def __init__(self, published, lens, case):
        self.lens = lens
        self.case = case
        self.tokens = {side: torch.tensor([case[f"{side}_ids"]]) for side in ("clean", "corrupted")}
        self.logits, self.cache = {}, {}
        with torch.no_grad():
            for side, tokens in self.tokens.items():
                self.logits[side], self.cache[side] = lens.run_with_cache(tokens)
            hf = published(self.tokens["clean"]).logits
        self.ld = {side: self.metric(logits).item() for side, logits in self.logits.items()}
        self.hf_ld = self.metric(hf).item()

    def metric(self, logits):
        last = logits[:, -1]
        return last[:, self.case["answer_id"]] - last[:, self.case["wrong_id"]]

    def replaced(self, side, name, values):
        """Logit difference of one side's run with the activation `name` replaced; `values` is a batch."""
        tokens = self.tokens[side].expand(len(values), -1)
        return self.metric(self.lens.run_with_hooks(tokens, fwd_hooks=[(name, lambda _act, hook: values)]))

    def each(self, site):
        for layer in range(self.lens.cfg.n_layers):
            name = f"blocks.{layer}.{SITES[site]}"
            yield name, self.cache["clean"][name], self.cache["corrupted"][name]

    def patch(self, site, direction):
        """AP and the joint layer patch, in logits, positive supports the clean behaviour."""
        solo, joint = [], []
        for name, clean, corrupted in self.each(site):
            side, sign = ("clean", 1.0) if direction == "noising" else ("corrupted", -1.0)
            base, other = (clean, corrupted) if direction == "noising" else (corrupted, clean)
            row = []
            for c in range(base.shape[2]):
                values = base.clone()
                values[:, :, c] = other[:, :, c]
                with torch.no_grad():
                    row.append(sign * (self.ld[side] - self.replaced(side, name, values).item()))
            solo.append(row)
            with torch.no_grad():
                joint.append(sign * (self.ld[side] - self.replaced(side, name, other).item()))
        return solo, joint

    def integrate(self, site, upstream, start, end):
        """captum's IG along the line from one activation to another, per component, and its deltas."""
        scores, deltas = [], []
        for name, clean, corrupted in self.each(site):
            ends = {"clean": clean, "corrupted": corrupted, "zero": torch.zeros_like(clean)}
            ig = IntegratedGradients(lambda values, name=name: self.replaced(upstream, name, values))
            attributions, delta = ig.attribute(
                ends[end],
                baselines=ends[start],
                n_steps=STEPS,
                method="gausslegendre",
                return_convergence_delta=True,
            )
            scores.append(per_component(attributions))
            deltas.append(delta.item())
        return scores, deltas

    def linear(self, site, direction):
        """AtP: the gradient at the run that is changed times the difference of the activations."""
        side = "clean" if direction == "noising" else "corrupted"
        scores = []
        for name, clean, corrupted in self.each(site):
            values = (clean if side == "clean" else corrupted).clone().requires_grad_(True)
            (gradient,) = torch.autograd.grad(self.replaced(side, name, values).sum(), values)
            scores.append(per_component(gradient * (clean - corrupted)))
        return scores

    def metrics(self):
        last = {side: logits[0, -1].log_softmax(-1) for side, logits in self.logits.items()}
        out = {}
        for side, log_probs in last.items():
            answer, wrong = log_probs[self.case["answer_id"]], log_probs[self.case["wrong_id"]]
            out[side] = {
                "logit_diff": self.ld[side],
                "prob_answer": answer.exp().item(),
                "prob_wrong": wrong.exp().item(),
                "log_prob_answer": answer.item(),
            }
        clean = last["clean"]
        out["corrupted"]["kl_from_clean"] = (clean.exp() * (clean - last["corrupted"])).sum().item()
        return out

    def activations(self):
        names = ["hook_embed", "hook_pos_embed"]
        for layer in range(self.lens.cfg.n_layers):
            points = ["hook_resid_pre", "attn.hook_pattern", "attn.hook_z", "mlp.hook_post", "hook_resid_post"]
            names += [f"blocks.{layer}.{point}" for point in points]
        out = {}
        for side in ("clean", "corrupted"):
            stored = {name: self.cache[side][name][0] for name in names}
            stored["logits"] = self.logits[side][0]
            out |= {f"{side}.{name}": t.detach().float().contiguous() for name, t in stored.items()}
        return out

    def expected(self):
        gap = self.ld["clean"] - self.ld["corrupted"]
        out = {
            "case": self.case,
            "clean_ids": self.case["clean_ids"],
            "corrupted_ids": self.case["corrupted_ids"],
            "answer_id": self.case["answer_id"],
            "wrong_id": self.case["wrong_id"],
            "logit_diff_clean": self.ld["clean"],
            "logit_diff_corrupted": self.ld["corrupted"],
            "hf_logit_diff_clean": self.hf_ld,
            "seq": self.tokens["clean"].shape[1],
            "d_model": self.lens.cfg.d_model,
            "n_steps": STEPS,
            "neuron_layers": list(range(self.lens.cfg.n_layers)),
            "metrics": self.metrics(),
        }
        deltas = {}
        for site in SITES:
            for direction, share in (("noising", -gap), ("denoising", gap)):
                solo, joint = self.patch(site, direction)
                # The notebook's normalised form (docs/METHODS.md#the-notebook): noising comes out negative.
                out[f"ap_{site}_{direction}"] = [[score / share for score in row] for row in solo]
                out[f"joint_{site}_{direction}"] = joint
                out[f"atp_{site}_{direction}"] = self.linear(site, direction)
            out[f"ig_{site}_sum"], deltas[site] = self.integrate(site, "clean", "corrupted", "clean")
            out[f"ig_{site}_reverse_sum"], _ = self.integrate(site, "corrupted", "clean", "corrupted")
        out["ig_convergence_deltas"] = deltas["heads"] + deltas["neurons"]
        zero, zero_deltas = self.integrate("heads", "clean", "zero", "clean")
        out["ig_heads_zero_baseline_sum"], out["ig_zero_baseline_deltas"] = zero, zero_deltas
        return out


def per_component(attributions):
    """Sums over positions, and over a head's dimensions."""
    summed = attributions.sum(dim=(0, 1))
    return (summed.sum(-1) if summed.dim() == 2 else summed).tolist()


def compare(where, got, stored, scale=None):
    """Differences of two JSON values, as lines of text. Tables are measured against their largest number."""
    if isinstance(stored, dict):
        return [line for key in stored if key in got for line in compare(f"{where}.{key}", got[key], stored[key])]
    got, stored = torch.tensor(got, dtype=torch.float64), torch.tensor(stored, dtype=torch.float64)
    if got.shape != stored.shape:
        return [f"{where}: shape {tuple(got.shape)}, stored {tuple(stored.shape)}"]
    scale = scale or max(stored.abs().max().item(), 1e-12)
    off = (got - stored).abs().max().item() / scale
    return [] if off <= TOLERANCE else [f"{where}: off by {off:.1e} of the largest"]


def check(folder, case, fresh, stored):
    lines = []
    metric = max(abs(fresh["logit_diff_clean"]), abs(fresh["logit_diff_corrupted"]))
    for field, value in stored.items():
        if field in ("case", "seconds", "final_logits_clean"):
            continue
        # Deltas of a converged quadrature are rounding of the metric itself: small, not equal.
        scale = metric if "deltas" in field else None
        lines += compare(f"{folder.name} {case['name']} {field}", fresh[field], value, scale)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true")
    action.add_argument("--write", action="store_true")
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    wrong = []
    for folder in options.folders:
        published, lens = load(folder)
        cases = json.loads((folder / "cases.json").read_text())
        runs = [Case(published, lens, case) for case in cases]
        fresh = [run.expected() for run in runs]
        if options.write:
            (folder / "acts").mkdir(exist_ok=True)
            (folder / "expected.json").write_text(json.dumps(fresh))
            for run in runs:
                save_file(run.activations(), folder / "acts" / f"{run.case['name']}.safetensors")
            continue
        stored = json.loads((folder / "expected.json").read_text())
        for run, new, old in zip(runs, fresh, stored, strict=True):
            wrong += check(folder, run.case, new, old)
            acts = load_file(folder / "acts" / f"{run.case['name']}.safetensors")
            now = run.activations()
            for name, tensor in acts.items():
                where = f"{folder.name} {run.case['name']} {name}"
                wrong += compare(where, now[name].double().tolist(), tensor.double().tolist())
        print(f"{folder}: {len(runs)} cases compared, {len(wrong)} differences so far")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
