"""Recomputes edges, parts of heads, direct effects and circuits with TransformerLens, in float64.

    python make_circuits.py --check ../fixtures/tiny-gpt2 ../fixtures/hub-layout
    python make_circuits.py --write ../fixtures/tiny-gpt2 ../fixtures/hub-layout

A folder's numbers are in ../fixtures/circuits/FOLDER.json; ../fixtures/README.md says what each field means, and the
section "Circuits" of ../../docs/METHODS.md what is computed. Everything is done by its definition: one full run for
each edge, each replaced part and each point of a line, and a circuit is run head by head from the model's weights.
Scores are in the metric's unit, positive supports the clean behaviour in both directions; `metric` is the metric.
"""

import argparse
import json
import random
import sys
from pathlib import Path

import numpy
import torch

from make_fixtures import Case, load
from make_lab import DIRECTIONS, differences

N_STEPS = 10
SHARES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
PARTS = {"q": "attn.hook_q", "k": "attn.hook_k", "v": "attn.hook_v", "pattern": "attn.hook_pattern"}
RANDOM_SHARES = [0.05, 0.15, 0.3, 0.5, 0.7, 0.9]
PINNED_EDGES = 4
LENS_HEADS = 2
LENS_TOKENS = 5
CIRCUITS = Path(__file__).parent.parent / "fixtures" / "circuits"
# Enough for a sum of IG to be what it converges to.
N_STEPS_CONVERGED = 200
# What numbers that must be equal may be off by, as a share of the metric.
EXACT, CONVERGED = 1e-12, 1e-10


def line(n_steps):
    """Gauss-Legendre nodes from 0 to 1, and their weights."""
    nodes, weights = (column.tolist() for column in numpy.polynomial.legendre.leggauss(n_steps))
    return [(0.5 + node / 2, weight / 2) for node, weight in zip(nodes, weights, strict=True)]


def head_of(layer, head):
    return f"L{layer}H{head}"


class Graph:
    """Senders, receivers and edges of a model, in the order in which they are stored."""

    def __init__(self, n_layers, n_heads):
        self.senders, self.receivers, self.edges = ["embed"], [], []
        for layer in range(n_layers):
            heads = [head_of(layer, head) for head in range(n_heads)]
            for head in heads:
                for part in "qkv":
                    self.reads(f"{head}.{part}")
            self.senders += heads
            self.reads(f"M{layer}")
            self.senders.append(f"M{layer}")
        self.reads("logits")

    def reads(self, receiver):
        """A receiver that reads everything that was written before it."""
        self.receivers.append(receiver)
        self.edges += [(sender, receiver) for sender in self.senders]

    def connected(self, chosen):
        """Those of the chosen edges that are on a path from the embeddings to the logits."""
        # Queries, keys and values are three receivers, and one sender.
        ends = {i: (self.edges[i][0], self.edges[i][1].split(".")[0]) for i in chosen}
        from_embed = closure("embed", ends.values())
        to_logits = closure("logits", [(end, start) for start, end in ends.values()])
        return sorted(i for i, (start, end) in ends.items() if start in from_embed and end in to_logits)

    def circuit(self, order, k):
        """What is connected of the shortest beginning of an order that has at least k connected edges."""
        beginnings = (self.connected(order[:n]) for n in range(k, len(order) + 1))
        return next(edges for edges in beginnings if len(edges) >= k)


def closure(start, edges):
    """All nodes that can be reached from one."""
    edges, reached, size = list(edges), {start}, 0
    while len(reached) > size:
        size = len(reached)
        reached |= {end for begin, end in edges if begin in reached}
    return reached


class CircuitCase(Case):
    """What this section of the methods says of one case."""

    name_of_metric = "logit_diff"

    def __init__(self, published, lens, case):
        super().__init__(published, lens, case)
        self.layers, self.heads = range(lens.cfg.n_layers), range(lens.cfg.n_heads)
        self.graph = Graph(lens.cfg.n_layers, lens.cfg.n_heads)
        self.gap = self.ld["clean"] - self.ld["corrupted"]
        self.scale = max(map(abs, self.ld.values()))
        self.writes = {side: self.written(cache) for side, cache in self.cache.items()}

    def written(self, cache):
        """What each sender adds to the residual stream, `[pos, d_model]`."""
        out = {"embed": cache["hook_embed"][0]}
        for layer in self.layers:
            out |= {head_of(layer, head): cache[f"blocks.{layer}.attn.hook_result"][0, :, head] for head in self.heads}
            out[f"M{layer}"] = cache[f"blocks.{layer}.hook_mlp_out"][0]
        assert list(out) == self.graph.senders
        return out

    def delta(self, direction, sender):
        side, other, _ = DIRECTIONS[direction]
        return self.writes[other][sender] - self.writes[side][sender]

    def place(self, receiver):
        """The hook of the stream that a receiver reads, before its LayerNorm, and where in its tensor that is."""
        if receiver == "logits":
            return f"blocks.{self.layers[-1]}.hook_resid_post", (0,)
        if receiver.startswith("M"):
            return f"blocks.{receiver[1:]}.hook_mlp_in", (0,)
        (layer, head), part = receiver[1:-2].split("H"), receiver[-1]
        return f"blocks.{layer}.hook_{part}_input", (0, slice(None), int(head))

    def replaced_one(self, side, name, where, value):
        """The metric of one run in which one part of one activation is another."""
        return self.replaced_all(side, [(name, where, value)])

    def replaced_all(self, side, changes):
        def hook_with(where, value):
            def hook(act, hook):
                changed = act.clone()
                changed[where] = value
                return changed

            return hook

        hooks = [(name, hook_with(where, value)) for name, where, value in changes]
        with torch.no_grad():
            return self.metric(self.lens.run_with_hooks(self.tokens[side], fwd_hooks=hooks)).item()

    # Edges

    def path_patched(self, direction, receiver, change):
        """The effect of a change that one receiver alone reads."""
        side, _, sign = DIRECTIONS[direction]
        name, where = self.place(receiver)
        value = self.cache[side][name][where] + change
        return sign * (self.replaced_one(side, name, where, value) - self.ld[side])

    def gradients(self, side, embedding):
        """The gradient of the metric with respect to the stream of each receiver, in a run with this embedding."""
        names = {self.place(receiver)[0] for receiver in self.graph.receivers}
        kept = {}

        def keep(act, hook):
            kept[hook.name] = act

        hooks = [("hook_embed", lambda _act, hook: embedding), *((name, keep) for name in names)]
        metric = self.metric(self.lens.run_with_hooks(self.tokens[side], fwd_hooks=hooks))
        found = dict(zip(kept, torch.autograd.grad(metric.sum(), list(kept.values())), strict=True))
        places = {receiver: self.place(receiver) for receiver in self.graph.receivers}
        return {receiver: found[name][where] for receiver, (name, where) in places.items()}

    def mean_gradients(self, direction):
        """The mean of the gradients on the line of the embeddings."""
        side, other, _ = DIRECTIONS[direction]
        start, end = (self.cache[which]["hook_embed"] for which in (side, other))
        points = [(weight, self.gradients(side, start + node * (end - start))) for node, weight in line(N_STEPS)]
        return {receiver: sum(w * point[receiver] for w, point in points) for receiver in self.graph.receivers}

    def linear_edges(self, direction, gradients):
        """Of each edge the sender's change times a gradient, by position."""
        sign = DIRECTIONS[direction][2]
        return [sign * (self.delta(direction, s) * gradients[r]).sum(-1) for s, r in self.graph.edges]

    def edges(self, direction):
        side = DIRECTIONS[direction][0]
        exact = [self.path_patched(direction, r, self.delta(direction, s)) for s, r in self.graph.edges]
        eap = self.linear_edges(direction, self.gradients(side, self.cache[side]["hook_embed"]))
        eap_ig = self.linear_edges(direction, self.mean_gradients(direction))
        by_position = {"eap": eap, "eap_ig": eap_ig}
        sums = {method: [row.sum().item() for row in rows] for method, rows in by_position.items()}
        of_embed = sum(sums["eap_ig"][i] for i, (sender, _) in enumerate(self.graph.edges) if sender == "embed")
        return {"exact": exact} | sums | {"eap_ig_delta": of_embed - self.gap}, by_position

    def pinned(self, direction, exact, by_position):
        """The strongest edges by position: the sender's change at that position only, and shares of the estimates."""
        out = []
        for i in strongest(exact)[:PINNED_EDGES]:
            sender, receiver = self.graph.edges[i]
            delta = self.delta(direction, sender)
            one = {"edge": [sender, receiver], "exact": []}
            for p in range(len(delta)):
                change = torch.zeros_like(delta)
                change[p] = delta[p]
                one["exact"].append(self.path_patched(direction, receiver, change))
            out.append(one | {method: rows[i].tolist() for method, rows in by_position.items()})
        return out

    # Parts of a head, and the MLP

    def slope(self, side, name, values):
        values = values.clone().requires_grad_(True)
        return torch.autograd.grad(self.replaced(side, name, values).sum(), values)[0]

    def estimates(self, direction, name):
        """IG and AtP of an activation, elementwise."""
        side, other, sign = DIRECTIONS[direction]
        start, end = self.cache[side][name], self.cache[other][name]
        mean = sum(w * self.slope(side, name, start + node * (end - start)) for node, w in line(N_STEPS))
        return sign * (end - start) * mean, sign * (end - start) * self.slope(side, name, start)

    def converged(self, direction, name):
        """The sum of IG of a whole activation with many nodes, all in one batch."""
        side, other, sign = DIRECTIONS[direction]
        start, end = self.cache[side][name], self.cache[other][name]
        shape = [N_STEPS_CONVERGED] + [1] * (start.dim() - 1)
        nodes, weights = (torch.tensor(column).reshape(shape) for column in zip(*line(N_STEPS_CONVERGED), strict=True))
        return (sign * (end - start) * weights * self.slope(side, name, start + nodes * (end - start))).sum().item()

    def effect(self, direction, name, where):
        side, other, sign = DIRECTIONS[direction]
        return sign * (self.replaced_one(side, name, where, self.cache[other][name][where]) - self.ld[side])

    def part(self, direction, site):
        out = {"ap": [], "ig": [], "atp": [], "joint": []}
        for layer in self.layers:
            name = f"blocks.{layer}.{site}"
            # A pattern is [batch, head, query, key], everything else [batch, pos, head, d_head].
            places = [(0, head) if site == PARTS["pattern"] else (0, slice(None), head) for head in self.heads]
            ig, atp = self.estimates(direction, name)
            out["ap"].append([self.effect(direction, name, where) for where in places])
            out["ig"].append([ig[where].sum().item() for where in places])
            out["atp"].append([atp[where].sum().item() for where in places])
            out["joint"].append(self.effect(direction, name, (0,)))
        return out

    def mlp(self, direction):
        names = [f"blocks.{layer}.hook_mlp_out" for layer in self.layers]
        estimates = [self.estimates(direction, name) for name in names]
        return {
            "ap": [self.effect(direction, name, (0,)) for name in names],
            "ig": [ig.sum().item() for ig, _ in estimates],
            "atp": [atp.sum().item() for _, atp in estimates],
        }

    # Direct effects

    def through_scale(self, side, written):
        """What is written at the last position, in the logits: the final LayerNorm's scale stays as in that run."""
        scale = self.cache[side]["ln_final.hook_scale"][0, -1]
        with torch.no_grad():
            return (written - written.mean()) / scale * self.lens.ln_final.w @ self.lens.W_U

    def dla(self, direction, delta):
        side, _, sign = DIRECTIONS[direction]
        logits = sign * self.through_scale(side, delta[-1])
        return (logits[self.case["answer_id"]] - logits[self.case["wrong_id"]]).item()

    def neuron_delta(self, direction, layer, neuron):
        side, other, _ = DIRECTIONS[direction]
        post = {which: self.cache[which][f"blocks.{layer}.mlp.hook_post"][0, :, neuron] for which in self.cache}
        return (post[other] - post[side])[:, None] * self.lens.W_out[layer, neuron].detach()

    def direct(self, direction):
        """Exact direct effects and DLA, by layer."""
        heads, mlps, neurons = [], [], []
        for layer in self.layers:
            heads.append([self.delta(direction, head_of(layer, head)) for head in self.heads])
            mlps.append(self.delta(direction, f"M{layer}"))
            neurons.append([self.neuron_delta(direction, layer, n) for n in range(self.lens.cfg.d_mlp)])
        methods = {"exact": lambda delta: self.path_patched(direction, "logits", delta)}
        methods["dla"] = lambda delta: self.dla(direction, delta)
        return {
            "heads": {name: [[of(delta) for delta in row] for row in heads] for name, of in methods.items()},
            "mlps": {name: [of(delta) for delta in mlps] for name, of in methods.items()},
            "neurons": {name: [[of(delta) for delta in row] for row in neurons] for name, of in methods.items()},
        }

    def logit_lens(self, exact):
        """The tokens that the heads with the largest direct effects raise and lower most."""
        out = []
        for place in strongest([score for row in exact for score in row])[:LENS_HEADS]:
            layer, head = divmod(place, len(self.heads))
            for side in self.tokens:
                logits = self.through_scale(side, self.writes[side][head_of(layer, head)][-1]).tolist()
                by_size = sorted(enumerate(logits), key=lambda entry: -entry[1])
                raised, lowered = by_size[:LENS_TOKENS], by_size[::-1][:LENS_TOKENS]
                out.append({"head": head_of(layer, head), "side": side, "raised": raised, "lowered": lowered})
        return out

    # Circuits

    @torch.no_grad()
    def run_by_hand(self, side, stream):
        """The metric of a run from the weights, head by head; `stream(receiver, now)` is what a receiver reads."""
        lens, blocks = self.lens, self.lens.blocks
        now = {"embed": self.writes[side]["embed"]}
        n_pos = len(now["embed"])
        unseen = torch.ones(n_pos, n_pos, dtype=torch.bool).triu(1)
        for layer in self.layers:
            attn, mlp, ln1 = blocks[layer].attn, blocks[layer].mlp, blocks[layer].ln1
            written = {}
            for head in self.heads:
                name = head_of(layer, head)
                q = self.norm(stream(f"{name}.q", now), ln1) @ attn.W_Q[head] + attn.b_Q[head]
                k = self.norm(stream(f"{name}.k", now), ln1) @ attn.W_K[head] + attn.b_K[head]
                v = self.norm(stream(f"{name}.v", now), ln1) @ attn.W_V[head] + attn.b_V[head]
                scores = (q @ k.T / lens.cfg.d_head**0.5).masked_fill(unseen, -torch.inf)
                written[name] = scores.softmax(-1) @ v @ attn.W_O[head]
            now |= written
            pre = self.norm(stream(f"M{layer}", now), blocks[layer].ln2) @ mlp.W_in + mlp.b_in
            post = 0.5 * pre * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (pre + 0.044715 * pre**3)))
            now[f"M{layer}"] = post @ mlp.W_out + mlp.b_out
        logits = self.norm(stream("logits", now), lens.ln_final) @ lens.W_U + lens.b_U
        return self.metric(logits[None]).item()

    def norm(self, x, ln):
        x = x - x.mean(-1, keepdim=True)
        return x / (x.pow(2).mean(-1, keepdim=True) + self.lens.cfg.eps).sqrt() * ln.w + ln.b

    def stream(self, side, receiver, now, senders):
        """The stream that a receiver reads in a stored run, plus what these senders write now and not then."""
        name, where = self.place(receiver)
        return self.cache[side][name][where] + sum(now[sender] - self.writes[side][sender] for sender in senders)

    def circuit(self, chosen):
        """The metric of a run in which receivers read the corrupted stream, changed along the chosen edges only."""
        read = {receiver: [] for receiver in self.graph.receivers}
        for sender, receiver in (self.graph.edges[i] for i in chosen):
            read[receiver].append(sender)
        return self.run_by_hand("clean", lambda r, now: self.stream("corrupted", r, now, read[r]))

    def path_by_hand(self, direction, changed, delta):
        """Path patching once more: everything is read as it is written, and one receiver reads a change besides."""
        side, _, sign = DIRECTIONS[direction]

        def stream(receiver, now):
            everything = self.stream(side, receiver, now, [s for s, r in self.graph.edges if r == receiver])
            return everything + delta if receiver == changed else everything

        return sign * (self.run_by_hand(side, stream) - self.ld[side])

    def faithfulness(self, metric):
        return (metric - self.ld["corrupted"]) / self.gap

    def circuits(self, seed, exact):
        order, draw, n = strongest(exact), random.Random(seed), len(self.graph.edges)
        sets = {"none": [], "all": list(range(n)), "strongest, not pruned": sorted(order[: n // 8])}
        sets |= {f"strongest {k}": self.graph.circuit(order, k) for k in (1, 6, n // 4)}
        sets |= {f"random {share}": sorted(draw.sample(range(n), int(share * n))) for share in RANDOM_SHARES}
        out = []
        for name, edges in sets.items():
            one = {"name": name, "edges": edges, "connected": self.graph.connected(edges)}
            one["metric"] = self.circuit(edges)
            if name == "strongest 6":
                one["metric_without"] = [self.circuit([e for e in edges if e != edge]) for edge in edges]
            out.append(one)
        return out

    def curve(self, scores):
        order, n = strongest(scores), len(self.graph.edges)
        k = [max(1, int(share * n)) for share in SHARES]
        # MIB keeps the strongest k, which may be none, and lets what is not connected go.
        kept = [self.graph.connected(order[: int(share * n)]) for share in SHARES]
        circuits = [self.graph.circuit(order, size) for size in k]
        return {"order": order, "k": k} | self.along(circuits) | {"mib": self.along(kept)}

    def along(self, circuits):
        metric = [self.circuit(edges) for edges in circuits]
        faithfulness = [self.faithfulness(one) for one in metric]
        return {
            "sizes": [len(edges) for edges in circuits],
            "metric": metric,
            "faithfulness": faithfulness,
            "cpr": area(faithfulness),
            "cmd": area([abs(1 - one) for one in faithfulness]),
        }

    # Everything

    def directed(self, direction):
        edges, by_position = self.edges(direction)
        return {
            "edges": edges,
            "positions": self.pinned(direction, edges["exact"], by_position),
            "parts": {part: self.part(direction, site) for part, site in PARTS.items()},
            "mlp": self.mlp(direction),
            "direct": self.direct(direction),
        }

    def expected(self, seed):
        out = {
            "name": self.case["name"],
            "metric": self.name_of_metric,
            "logit_diff_clean": self.ld["clean"],
            "logit_diff_corrupted": self.ld["corrupted"],
        }
        out |= {direction: self.directed(direction) for direction in DIRECTIONS}
        noising = out["noising"]
        out["lens"] = self.logit_lens(noising["direct"]["heads"]["exact"])
        out["circuits"] = self.circuits(seed, noising["edges"]["exact"])
        out["curves"] = {method: self.curve(noising["edges"][method]) for method in ("exact", "eap_ig")}
        self.verify(out)
        return out

    def verify(self, out):
        """What must hold of these numbers, whatever they are."""
        for direction in DIRECTIONS:
            self.verify_edges(direction, out[direction]["edges"])
            self.verify_parts(direction, out[direction])
        metric = {one["name"]: one["metric"] for one in out["circuits"]}
        self.equal(metric["all"], self.ld["clean"])
        self.equal(metric["none"], self.ld["corrupted"])
        for one in out["circuits"]:
            self.equal(self.circuit(one["connected"]), one["metric"])
        for curve in out["curves"].values():
            assert sorted(curve["order"]) == list(range(len(self.graph.edges)))
            self.equal(curve["faithfulness"][-1] * self.gap, self.gap)

    def verify_edges(self, direction, edges):
        sums = {sender: {"eap": 0.0, "eap_ig": 0.0} for sender in self.graph.senders}
        for i, (sender, _) in enumerate(self.graph.edges):
            for method in sums[sender]:
                sums[sender][method] += edges[method][i]
        self.equal(sums["embed"]["eap"], self.estimates(direction, "hook_embed")[1].sum().item())
        for layer in self.layers:
            atp = self.estimates(direction, f"blocks.{layer}.attn.hook_z")[1]
            for head in self.heads:
                self.equal(sums[head_of(layer, head)]["eap"], atp[0, :, head].sum().item())
            atp = self.estimates(direction, f"blocks.{layer}.hook_mlp_out")[1]
            self.equal(sums[f"M{layer}"]["eap"], atp.sum().item())
        self.equal(sums["embed"]["eap_ig"], self.estimates(direction, "hook_embed")[0].sum().item())
        self.equal(self.converged(direction, "hook_embed"), self.gap, CONVERGED)
        for i in range(0, len(self.graph.edges), 5):
            sender, receiver = self.graph.edges[i]
            self.equal(self.path_by_hand(direction, receiver, self.delta(direction, sender)), edges["exact"][i])

    def verify_parts(self, direction, out):
        side, other, sign = DIRECTIONS[direction]
        for layer in self.layers:
            for head in self.heads:
                where = (0, slice(None), head)
                names = [f"blocks.{layer}.{PARTS[part]}" for part in "qkv"]
                together = self.replaced_all(side, [(name, where, self.cache[other][name][where]) for name in names])
                output = self.effect(direction, f"blocks.{layer}.attn.hook_z", where)
                self.equal(sign * (together - self.ld[side]), output)
            joint = {f"blocks.{layer}.{site}": out["parts"][part]["joint"][layer] for part, site in PARTS.items()}
            joint[f"blocks.{layer}.hook_mlp_out"] = out["mlp"]["ap"][layer]
            for name, effect in joint.items():
                self.equal(self.converged(direction, name), effect, CONVERGED)

    def equal(self, got, wanted, within=EXACT):
        off = abs(got - wanted) / self.scale
        assert off <= within, f"{self.case['name']}: {got}, not {wanted}, off by {off:.1e} of the metric"


class ProbCase(CircuitCase):
    """The same case with a metric that is not linear in the logits."""

    name_of_metric = "prob_diff"

    def metric(self, logits):
        last = logits[:, -1].softmax(-1)
        return last[:, self.case["answer_id"]] - last[:, self.case["wrong_id"]]

    def expected_edges(self):
        edges, _ = self.edges("noising")
        self.verify_edges("noising", edges)
        sides = {f"{self.name_of_metric}_{side}": value for side, value in self.ld.items()}
        return {"name": self.case["name"], "metric": self.name_of_metric} | sides | {"noising": {"edges": edges}}


def strongest(scores):
    """Places by size, the largest first, ties by place."""
    return sorted(range(len(scores)), key=lambda place: -abs(scores[place]))


def area(heights):
    """By trapezoids over MIB's shares of all edges, from the first share on."""
    points = list(zip(SHARES, heights, strict=True))
    return sum((x - w) * (a + b) / 2 for (w, a), (x, b) in zip(points, points[1:]))


def rounded(value):
    """The same JSON value with 12 significant digits."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(entry) for entry in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


def fresh_numbers(folder):
    """All numbers of a folder, and the scale of each case."""
    published, lens = load(folder)
    lens.set_use_attn_result(True)
    lens.set_use_split_qkv_input(True)
    lens.set_use_hook_mlp_in(True)
    cases = json.loads((folder / "cases.json").read_text())
    runs = [CircuitCase(published, lens, case) for case in cases]
    graph = runs[0].graph
    fresh = {
        "model": folder.name,
        "n_steps": N_STEPS,
        "shares": SHARES,
        "senders": graph.senders,
        "receivers": graph.receivers,
        "edges": graph.edges,
        "cases": [run.expected(seed) for seed, run in enumerate(runs)],
        "nonlinear": [ProbCase(published, lens, cases[0]).expected_edges()],
    }
    return rounded(fresh), [run.scale for run in runs]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true")
    action.add_argument("--write", action="store_true")
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    # The matrices are too small to be shared out.
    torch.set_num_threads(1)
    assert len(Graph(12, 12).edges) == 32491, "edges of GPT-2 small as the literature counts them"
    wrong = []
    for folder in options.folders:
        folder = folder.resolve()
        fresh, scales = fresh_numbers(folder)
        file = CIRCUITS / f"{folder.name}.json"
        if options.write:
            CIRCUITS.mkdir(exist_ok=True)
            file.write_text(json.dumps(fresh, separators=(",", ":")) + "\n")
            continue
        stored = json.loads(file.read_text())
        for scale, new, old in zip(scales, fresh.pop("cases"), stored.pop("cases"), strict=True):
            # Effects of single edges are small: a thousandth of the metric is what they are measured against.
            wrong += differences(f"{file.name} {new['name']}", new, old, scale / 1000)
        wrong += differences(file.name, fresh, stored, 1e-3)
        print(f"{file}: {len(scales)} cases compared, {len(wrong)} differences so far")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
