"""Times path patching of edges by a loop of TransformerLens's hooks, and Twinbeam's, on one model and pair of prompts.

    python bench_edges.py --model FOLDER [--twinbeam PROGRAM] [--top N] [--cases FILE] [--sample N]

The loop does what METHODS says of an edge: a run in which one receiver reads its stream with the sender's change added.
It is given its best: what a run writes is kept beforehand, the changed queries, keys or values are computed outside of
the run for their one head, and one hook puts them in, so that nothing is split or repeated for the sake of hooks. Each
run costs about the same whatever the edge, so a random sample stands for all; it is taken in both directions. `--top N`
has Twinbeam patch the N strongest edges only, and its time is then not comparable with the loop's. Both in float32, on
as many threads as there are cores. Without `--twinbeam` the loop alone is timed. On a machine with other work, time the
loop with `--threads 1` and read the processor time: a single thread waits for no other, and all cores can at best share
that time. Run by hand in an environment made from requirements.txt.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from bench_peers import PAIR, timed
from make_circuits import CircuitCase
from make_fixtures import load
from make_lab import DIRECTIONS

BLOCK = 5


class LoopCase(CircuitCase):
    """Edges by the fastest loop that was found: one run for each, from the tokens on, with one hook."""

    def stream_of(self, side, receiver):
        if receiver == "logits":
            name = f"blocks.{self.layers[-1]}.hook_resid_post"
        elif receiver.startswith("M"):
            name = f"blocks.{receiver[1:]}.hook_resid_mid"
        else:
            name = f"blocks.{receiver[1:].split('H')[0]}.hook_resid_pre"
        return self.cache[side][name][0]

    def path_patched(self, direction, receiver, change):
        side, _, sign = DIRECTIONS[direction]
        with torch.no_grad():
            name, where, value = self.put_in(receiver, self.stream_of(side, receiver) + change)
        return sign * (self.replaced_one(side, name, where, value) - self.ld[side])

    def put_in(self, receiver, stream):
        """The hook's name, the place in it and the activation that a receiver makes of a stream."""
        if receiver == "logits":
            return f"blocks.{self.layers[-1]}.hook_resid_post", (0,), stream
        if receiver.startswith("M"):
            block = self.lens.blocks[int(receiver[1:])]
            return f"blocks.{receiver[1:]}.hook_mlp_out", (0,), block.mlp(block.ln2(stream[None]))[0]
        (layer, head), part = receiver[1:-2].split("H"), receiver[-1]
        block = self.lens.blocks[int(layer)]
        weight, bias = (getattr(block.attn, f"{kind}_{part.upper()}")[int(head)] for kind in "Wb")
        return f"blocks.{layer}.attn.hook_{part}", (0, slice(None), int(head)), block.ln1(stream) @ weight + bias

    def written(self, cache):
        for layer in self.layers:
            z = cache[f"blocks.{layer}.attn.hook_z"]
            result = torch.einsum("bphd,hdm->bphm", z, self.lens.W_O[layer]).detach()
            cache.cache_dict[f"blocks.{layer}.attn.hook_result"] = result
        return super().written(cache)


def loop(case, n):
    """Seconds per edge of each block of the sample, seconds of all cores per edge, and the sampled effects."""
    draw = random.Random(0)
    edges = [(direction, *edge) for direction in DIRECTIONS for edge in draw.sample(case.graph.edges, n)]
    draw.shuffle(edges)

    def one(direction, sender, receiver):
        return case.path_patched(direction, receiver, case.delta(direction, sender))

    for edge in edges[:BLOCK]:
        one(*edge)
    seconds, effects, begun = [], [], time.process_time()
    for start in range(0, len(edges), BLOCK):
        block = edges[start : start + BLOCK]
        took, scores = timed(lambda block=block: [one(*edge) for edge in block])
        seconds.append(took / len(block))
        effects += zip(block, scores, strict=True)
    return seconds, (time.process_time() - begun) / len(edges), effects


def twinbeam(options, cases, folder):
    """Seconds of Twinbeam's command, and its effects by direction, sender and receiver."""
    out = folder / "edges.json"
    command = [options.twinbeam, "edges", "--model", options.model, "--cases", cases, "--precision", "f32", "--no-circuits"]
    command += ["--exact", "top", "--top", options.top] if options.top else ["--exact", "all"]
    command += ["--out", out]
    seconds, _ = timed(lambda: subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL))
    case = json.loads(out.read_text())[0]
    exact = {(d, edge["from"], edge["to"]): edge.get("exact") for d in DIRECTIONS for edge in case[d]["edges"]}
    return seconds, exact


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--twinbeam", type=Path)
    parser.add_argument("--top", type=int, help="Twinbeam patches only so many edges")
    parser.add_argument("--cases", type=Path, help="a list of cases of token ids; the first counts")
    parser.add_argument("--sample", type=int, default=100, help="edges of each direction that the loop patches")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the loop")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_default_dtype(torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        cases = options.cases or folder / "cases.json"
        if options.cases is None:
            cases.write_text(json.dumps([PAIR]))
        pair = json.loads(cases.read_text())[0]
        published, lens = load(options.model, torch.float32)
        case = LoopCase(published, lens, pair)
        n = len(case.graph.edges)
        print(f"{lens.cfg.n_layers} layers, d_model {lens.cfg.d_model}, {len(pair['clean_ids'])} tokens, {n} edges")
        print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {options.sample} edges of each direction")
        print(f"load of the machine: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
        seconds, work, effects = loop(case, options.sample)
        mean, least = sum(seconds) / len(seconds), min(seconds)
        print(f"loop: {mean:.4f} s an edge, {least:.4f} s in the fastest block of {BLOCK}, {work:.4f} s of processors")
        print(f"loop, all edges of one direction: {mean * n:.0f} s, of both: {2 * mean * n:.0f} s")
        if not options.twinbeam:
            return
        ours, exact = twinbeam(options, cases, folder)
        patched = sum(score is not None for score in exact.values())
        print(f"twinbeam: {ours:.1f} s with loading and estimates, {patched} of {2 * n} edges patched")
        if patched == 2 * n:
            print(f"ratio: {2 * mean * n / ours:.0f}, by the fastest block {2 * least * n / ours:.0f}")
        pairs = [(exact[edge], score) for edge, score in effects if exact.get(edge) is not None]
        if not pairs:
            sys.exit("none of the sampled edges was patched, so nothing could be compared")
        off = max(abs(a - b) for a, b in pairs) / max(abs(b) for _, b in pairs)
        print(f"effects differ by {off:.0e} of the largest of {len(pairs)} sampled edges")
        if off > 1e-3:
            sys.exit("the two programs disagree")


if __name__ == "__main__":
    main()
