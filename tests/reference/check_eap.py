"""Compares the committed numbers of circuits with what TransformerLens 4.3 has of them, written by other hands.

    python check_eap.py ../fixtures/tiny-gpt2 ../fixtures/hub-layout

TransformerLens 4.3 scores edges by gradients (EAP, without integrated gradients), patches the paths from one head to
another exactly, and measures the faithfulness of a set of edges. Its edges are of single positions, of which each of
ours is the sum. It takes gradients in the corrupted run, towards the clean one, which is our denoising; with the two
prompts exchanged and the sign turned it is our noising. It needs an environment of its own, since the other scripts
need TransformerLens 3.9:

    python3.11 -m venv ../../target/eap && ../../target/eap/bin/pip install transformer-lens==4.3.0 torch==2.15.0 transformers==5.23.0
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.tools.analysis import EdgeAttributionConfig, attribution_patch, faithfulness
from transformer_lens.tools.analysis import get_act_patch_direct_path
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

# Relative to the largest number of a table; everything is in float64, but for what 4.3 itself rounds.
TOLERANCE = 1e-9


def load(folder):
    published = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    # Prompts are token ids, but a bridge is not built without a tokenizer.
    words = WordLevel({str(token): token for token in range(published.config.vocab_size)}, unk_token="0")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(words), eos_token="0", unk_token="0")
    return TransformerBridge.boot_transformers(
        "gpt2", hf_model=published, tokenizer=tokenizer, dtype=torch.float64, device="cpu"
    )


def name_of(node):
    """Our name of a node of theirs."""
    parts = {"q_input": ".q", "k_input": ".k", "v_input": ".v", "attn_head_out": ""}
    if node.kind in parts:
        return f"L{node.layer}H{node.head}{parts[node.kind]}"
    return f"M{node.layer}" if node.kind.startswith("mlp") else node.kind


class Theirs:
    def __init__(self, model, case):
        self.model, self.case = model, case
        self.tokens = {side: torch.tensor([case[f"{side}_ids"]]) for side in ("clean", "corrupted")}

    def metric(self, logits):
        return logits[0, -1, self.case["answer_id"]] - logits[0, -1, self.case["wrong_id"]]

    def edges(self, to, at):
        """EAP of single positions, by our names; the gradient is taken in the run `at`."""
        config = EdgeAttributionConfig(granularity="edge")
        return attribution_patch(self.model, self.tokens[to], self.tokens[at], self.metric, config).edge_scores

    def eap(self, direction, order):
        to, at, sign = ("clean", "corrupted", 1) if direction == "denoising" else ("corrupted", "clean", -1)
        sums = {edge: 0.0 for edge in order}
        for (sender, receiver), score in self.edges(to, at).items():
            sums[name_of(sender), name_of(receiver)] += sign * score
        return list(sums.values())

    def paths(self, direction, n_layers, n_heads):
        """Exact effects of all edges from a head to a head."""
        to, at, sign = ("clean", "corrupted", 1) if direction == "denoising" else ("corrupted", "clean", -1)
        caches = {side: self.model.run_with_cache(tokens)[1] for side, tokens in self.tokens.items()}
        with torch.no_grad():
            before = self.metric(self.model(self.tokens[at])).item()
        out = {}
        for part in "qkv":
            for layer, head in [(layer, head) for layer in range(n_layers) for head in range(n_heads)]:
                found = get_act_patch_direct_path(
                    self.model, self.tokens[at], caches[to], caches[at], self.metric, layer, head, part, verbose=False
                )
                for to_layer in range(layer + 1, n_layers):
                    for to_head in range(n_heads):
                        effect = sign * (found[to_layer, to_head].item() - before)
                        out[f"L{layer}H{head}", f"L{to_layer}H{to_head}.{part}"] = effect
        return out

    def circuit(self, edges, by_name):
        """The metric of the run with a circuit."""
        chosen = [pair for edge in edges for pair in by_name[edge]]
        found = faithfulness(self.model, self.tokens["clean"], self.tokens["corrupted"], self.metric, chosen)
        return found.corrupt_metric + found.recovered * (found.full_metric - found.corrupt_metric)


def off(got, stored):
    got, stored = torch.tensor(got), torch.tensor(stored)
    return ((got - stored).abs().max() / stored.abs().max()).item()


def compared(folder):
    """How far each table of a folder is from theirs."""
    stored = json.loads((folder.parent / "circuits" / f"{folder.name}.json").read_text())
    order = [tuple(edge) for edge in stored["edges"]]
    model = load(folder)
    for case, ours in zip(json.loads((folder / "cases.json").read_text()), stored["cases"], strict=True):
        assert case["name"] == ours["name"]
        theirs = Theirs(model, case)
        for direction in ("noising", "denoising"):
            edges = ours[direction]["edges"]
            yield f"{case['name']} EAP {direction}", off(theirs.eap(direction, order), edges["eap"]), len(order)
            paths = theirs.paths(direction, model.cfg.n_layers, model.cfg.n_heads)
            exact = [edges["exact"][order.index(edge)] for edge in paths]
            yield f"{case['name']} paths {direction}", off(list(paths.values()), exact), len(exact)
        by_name = {edge: [] for edge in order}
        for pair in theirs.edges("clean", "corrupted"):
            by_name[tuple(map(name_of, pair))].append(pair)
        found = [theirs.circuit([order[i] for i in one["edges"]], by_name) for one in ours["circuits"]]
        yield f"{case['name']} circuits", off(found, [one["metric"] for one in ours["circuits"]]), len(found)


def main():
    torch.set_default_dtype(torch.float64)
    folders = [Path(argument).resolve() for argument in sys.argv[1:]]
    if not folders:
        sys.exit(__doc__)
    tables = [(f"{folder.name} {what}", far, count) for folder in folders for what, far, count in compared(folder)]
    for what, far, count in tables:
        print(f"{what}: {count} numbers, off by {far:.1e} of the largest")
    sys.exit(any(far > TOLERANCE for _, far, _ in tables))


if __name__ == "__main__":
    main()
