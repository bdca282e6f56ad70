"""Recomputes what the comparison lab must find, with TransformerLens and captum, in float64.

    python make_lab.py --check ../fixtures/tiny-gpt2 ../fixtures/hub-layout
    python make_lab.py --write ../fixtures/tiny-gpt2 ../fixtures/hub-layout

A folder's numbers are in ../fixtures/lab/FOLDER.json; ../fixtures/README.md says what each field means. Effects and slopes are in
logits, positive supports the clean behaviour in both directions; `metric`, `before` and `after` are the logit difference itself.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy
import torch
from captum.attr import IntegratedGradients

from make_fixtures import SITES, STEPS, Case, compare, load, per_component

DIRECTIONS = {"noising": ("clean", "corrupted", -1.0), "denoising": ("corrupted", "clean", 1.0)}
STREAMS = ["resid_pre", "attn_out", "mlp_out"]
GRID = 33
SHARE = 0.9
LAB = Path(__file__).parent.parent / "fixtures" / "lab"


def line():
    """Points from 0 to 1 and their weights: the quadrature's nodes, and even ones of weight 0 that are drawn only."""
    nodes, weights = numpy.polynomial.legendre.leggauss(STEPS)
    points = [((1 + x) / 2, w / 2) for x, w in zip(nodes.tolist(), weights.tolist(), strict=True)]
    points += [(i / (GRID - 1), 0.0) for i in range(GRID)]
    return zip(*sorted(points), strict=True)


ALPHAS, WEIGHTS = (list(column) for column in line())


def site_of(kind, layer):
    return f"blocks.{layer}.{SITES[kind]}"


def cut(metric):
    """The two extremes on the line, and where 90 % of the way from the first to the second is made."""
    lo, hi = min(range(len(metric)), key=metric.__getitem__), max(range(len(metric)), key=metric.__getitem__)
    extremes = [[ALPHAS[i], metric[i]] for i in (lo, hi)]
    first, second = sorted((lo, hi))
    way = metric[second] - metric[first]
    if way == 0:
        return extremes, 1.0
    done = [(m - metric[first]) / way for m in metric]
    after = next(i for i in range(first + 1, len(metric)) if done[i] >= SHARE)
    step = (SHARE - done[after - 1]) / (done[after] - done[after - 1])
    return extremes, ALPHAS[after - 1] + step * (ALPHAS[after] - ALPHAS[after - 1])


class LabCase(Case):
    """What the lab asks of one case."""

    def sides(self, direction, name):
        """Which run is changed, the activation's ends, and the sign that makes support of the clean behaviour positive."""
        side, other, sign = DIRECTIONS[direction]
        return side, self.cache[side][name], self.cache[other][name], sign

    def effect(self, direction, name, values):
        side, _, _, sign = self.sides(direction, name)
        with torch.no_grad():
            return (sign * (self.replaced(side, name, values) - self.ld[side])).tolist()

    def integrated(self, direction, name, end):
        """captum's IG from the changed run's activation to `end`."""
        side, start, _, sign = self.sides(direction, name)
        ig = IntegratedGradients(lambda values: self.replaced(side, name, values))
        return sign * ig.attribute(end, baselines=start, n_steps=STEPS, method="gausslegendre").detach()[0]

    def table(self, kind, method):
        """AP or IG, noising, by place."""
        if method == "ap":
            return [score for row in self.patch(kind, "noising")[0] for score in row]
        names = [site_of(kind, layer) for layer in range(self.lens.cfg.n_layers)]
        rows = [self.integrated("noising", name, self.sides("noising", name)[2]) for name in names]
        return [score for row in rows for score in per_component(row[None])]

    def largest(self, kind):
        scores = self.tables[kind, "ap"]
        return divmod(max(range(len(scores)), key=lambda place: abs(scores[place])), self.width(kind))

    def width(self, kind):
        return self.cache["clean"][site_of(kind, 0)].shape[2]

    def integrand(self, kind, layer, index, direction):
        name = site_of(kind, layer)
        side, start, end, sign = self.sides(direction, name)
        alphas = torch.tensor(ALPHAS).reshape([-1] + [1] * (start.dim() - 1))
        values = (start + alphas * (end - start)).requires_grad_(True)
        metric = self.replaced(side, name, values)
        (gradient,) = torch.autograd.grad(metric.sum(), values)
        slopes = sign * (gradient * (end - start)).sum(dim=[1] + list(range(3, start.dim())))
        metric = metric.detach().tolist()
        ((lo, hi), until) = cut(metric)
        partway = start + until * (end - start)
        split = per_component(self.integrated(direction, name, partway)[None])
        (split_joint,) = self.effect(direction, name, partway)
        ig = per_component(self.integrated(direction, name, end)[None])[index]
        slope = slopes[:, index].tolist()
        # Two independent sums of the same thing, captum's and ours.
        assert abs(numpy.dot(WEIGHTS, slope) - ig) < 2e-6 * max(map(abs, slope)), (name, direction)
        return {
            "component": [kind, layer, index],
            "direction": direction,
            "metric": metric,
            "slope": slope,
            "layer_slope": slopes.sum(dim=1).tolist(),
            "ig": ig,
            "joint": self.effect(direction, name, end)[0],
            "lo": lo,
            "hi": hi,
            "cut": until,
            "split_ig": split[index],
            "split_joint": split_joint,
            "split_delta": sum(split) - split_joint,
        }

    def positions(self, kind, layer, index, direction):
        name = site_of(kind, layer)
        _, start, end, _ = self.sides(direction, name)
        n_pos = start.shape[1]
        values = start.repeat([n_pos] + [1] * (start.dim() - 1))
        for p in range(n_pos):
            values[p, p, index] = end[0, p, index]
        ig = self.integrated(direction, name, end)[:, index]
        return {
            "component": [kind, layer, index],
            "direction": direction,
            "ap": self.effect(direction, name, values),
            "ig": (ig.sum(-1) if ig.dim() == 2 else ig).tolist(),
        }

    def stream(self, stream, direction):
        out = {"stream": stream, "direction": direction, "ap": [], "ig": [], "joint": [], "convergence_delta": []}
        for layer in range(self.lens.cfg.n_layers):
            name = f"blocks.{layer}.hook_{stream}"
            _, start, end, _ = self.sides(direction, name)
            values = start.repeat(start.shape[1], 1, 1)
            for p in range(start.shape[1]):
                values[p, p] = end[0, p]
            ig = self.integrated(direction, name, end).sum(-1)
            (joint,) = self.effect(direction, name, end)
            out["ap"].append(self.effect(direction, name, values))
            out["ig"].append(ig.tolist())
            out["joint"].append(joint)
            out["convergence_delta"].append(ig.sum().item() - joint)
        return out

    def pattern(self, layer, head):
        rows = {side: self.cache[side][f"blocks.{layer}.attn.hook_pattern"][0, head].tolist() for side in self.tokens}
        return {"layer": layer, "head": head} | rows

    def ablated(self, side, components, put_in):
        """The metric of one side's run; `put_in(name, activation)` gives the constants for a whole activation."""
        parts = {}
        for kind, layer, index in components:
            parts.setdefault(site_of(kind, layer), []).append(index)

        def hook(act, hook):
            changed = act.clone()
            changed[:, :, parts[hook.name]] = put_in(hook.name, act)[:, :, parts[hook.name]]
            return changed

        with torch.no_grad():
            logits = self.lens.run_with_hooks(self.tokens[side], fwd_hooks=[(name, hook) for name in parts])
            return self.metric(logits).item()

    def sets(self):
        """Sets of components: single ones, several of one kind, of both kinds and of several layers, a whole layer, none."""
        n_layers = self.lens.cfg.n_layers
        of = {kind: self.order(kind, "ap") for kind in SITES}
        heads = [["heads", *divmod(place, self.width("heads"))] for place in of["heads"]]
        neurons = [["neurons", *divmod(place, self.width("neurons"))] for place in of["neurons"]]
        apart = [next(head for head in heads if head[1] == layer) for layer in (0, n_layers - 1)]
        mixed = apart + [[n for n in neurons if n[1] == i % n_layers][i // n_layers] for i in range(5)]
        layer = heads[0][1]
        whole = [["heads", layer, head] for head in range(self.width("heads"))]
        return [heads[:1], neurons[:1], heads[1:2], heads[:3], mixed, whole, []]

    def order(self, kind, method):
        scores = self.tables[kind, method]
        return sorted(range(len(scores)), key=lambda place: -abs(scores[place]))

    def ablation(self, mean):
        def kept_first(name, act):
            values = mean[name].expand_as(act).clone()
            values[:, 0] = act[:, 0]
            return values

        sets, runs = self.sets(), []
        for replacement in ("other_run", "zero", "mean"):
            for direction, (side, other, _) in DIRECTIONS.items():
                put_in = {
                    "other_run": lambda name, _act, other=other: self.cache[other][name],
                    "zero": lambda _name, act: torch.zeros_like(act),
                    "mean": kept_first,
                }[replacement]
                after = [self.ablated(side, components, put_in) for components in sets]
                runs.append({"with": replacement, "direction": direction, "before": self.ld[side], "after": after})
        return {"sets": sets, "runs": runs}

    def faithfulness(self, kind, first_sizes):
        orders = [self.order(kind, method) for method in ("ig", "ap")]
        n = len(orders[0])
        sizes = [size for size in first_sizes if size < n] + [n]
        metric = []
        for order in orders:
            others = [[[kind, *divmod(place, self.width(kind))] for place in order[size:]] for size in sizes]
            metric.append([self.ablated("clean", o, lambda name, _act: self.cache["corrupted"][name]) for o in others])
        return {"kind": kind, "orders": orders, "sizes": sizes, "metric": metric}

    def expected(self, mean):
        self.tables = {(kind, method): self.table(kind, method) for kind in SITES for method in ("ap", "ig")}
        largest = {kind: self.largest(kind) for kind in SITES}
        chosen = [(kind, *largest[kind], direction) for kind in SITES for direction in DIRECTIONS]
        return {
            "name": self.case["name"],
            "logit_diff_clean": self.ld["clean"],
            "logit_diff_corrupted": self.ld["corrupted"],
            "integrand": [self.integrand(*what) for what in chosen],
            "positions": [self.positions(*what) for what in chosen],
            "streams": [self.stream(stream, direction) for stream in STREAMS for direction in DIRECTIONS],
            "pattern": self.pattern(*largest["heads"]),
            "ablation": self.ablation(mean),
            "faithfulness": [self.faithfulness("heads", [0, 1, 2, 4]), self.faithfulness("neurons", [0, 1, 8])],
        }


def means(runs):
    """Mean activations: every token of every prompt counts once, the first of each prompt not at all."""
    names = [site_of(kind, layer) for kind in SITES for layer in range(runs[0].lens.cfg.n_layers)]
    prompts = [run.cache[side] for run in runs for side in run.tokens]
    return {name: torch.cat([cache[name][0, 1:] for cache in prompts]).mean(dim=0) for name in names}


def rounded(value):
    """The same JSON value with 10 significant digits."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(entry) for entry in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value


def differences(where, got, stored, scale):
    """Differences of two JSON values. Names, places and sizes must be equal, numbers near."""
    if isinstance(stored, dict):
        if got.keys() != stored.keys():
            return [f"{where}: other fields"]
        return [line for key in stored for line in differences(f"{where}.{key}", got[key], stored[key], scale)]
    if isinstance(stored, list) and any(isinstance(entry, (dict, list, str, int)) for entry in stored):
        if len(got) != len(stored):
            return [f"{where}: {len(got)} entries, stored {len(stored)}"]
        pairs = enumerate(zip(got, stored, strict=True))
        return [line for i, (new, old) in pairs for line in differences(f"{where}[{i}]", new, old, scale)]
    if isinstance(stored, float) or (isinstance(stored, list) and stored):
        return compare(where, got, stored, scale)
    return [] if got == stored else [f"{where}: {got}, stored {stored}"]


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
        runs = [LabCase(published, lens, case) for case in json.loads((folder / "cases.json").read_text())]
        mean = means(runs)
        prompts = [tokens[0].tolist() for run in runs for tokens in run.tokens.values()]
        assert all(ids[0] == 0 for ids in prompts), "the mean leaves out what is taken to be the same token everywhere"
        cases = [run.expected(mean) for run in runs]
        fresh = rounded({"alphas": ALPHAS, "weights": WEIGHTS, "prompts": prompts, "cases": cases})
        file = LAB / f"{folder.resolve().name}.json"
        if options.write:
            LAB.mkdir(exist_ok=True)
            file.write_text(json.dumps(fresh, separators=(",", ":")) + "\n")
            continue
        stored = json.loads(file.read_text())
        for run, new, old in zip(runs, fresh.pop("cases"), stored.pop("cases"), strict=True):
            scale = max(map(abs, run.ld.values()))
            wrong += differences(f"{file.name} {new['name']}", new, old, scale)
        wrong += differences(file.name, fresh, stored, 1.0)
        print(f"{file}: {len(runs)} cases compared, {len(wrong)} differences so far")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
