# %% [markdown]
# # A figure of Twinbeam, computed again
#
# `result.json` beside this notebook holds the scores that the page has shown. Here TransformerLens 3.9 and captum 0.9
# compute them anew in double precision, without any code of the page, and the two are compared.
#
# - **AP**, activation patching: the effect of replacing one head (at `hook_z`) or one neuron (at `hook_post`), at all
#   positions, by its value in the other run.
# - **IG**, integrated gradients: all heads (or neurons) of a layer move together on the straight line from their
#   corrupted to their clean activations, everything upstream stays as in the run that is changed.
# - **Noising** changes the clean run, **denoising** the corrupted one. Unit: that of the metric (logits for
#   `logit_diff`). Sign: positive supports the clean behaviour, in both directions.
#
# Needed: `pip install transformer-lens==3.9.0 captum==0.9.0` and, for the pictures, `matplotlib`. Nothing else is
# fetched if `MODEL` is a folder. Run all cells; those before the maps print the differences, and fail if one is too
# large.

# %%
import contextlib
import hashlib
import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import torch
from captum.attr import IntegratedGradients
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions.gpt2 import convert_gpt2_weights
from transformers import GPT2Config, GPT2LMHeadModel

# A folder with config.json, model.safetensors and tokenizer.json, the address of such a folder, or the name of a
# repository of the Hugging Face hub and its commit.
MODEL = "MODEL_SOURCE"
REVISION = "MODEL_COMMIT"
EXPERIMENT = json.loads("EXPERIMENT_JSON")

RESULT = json.loads(Path("result.json").read_text(encoding="utf-8"))
assert RESULT["experiment"] == EXPERIMENT, "result.json is of another experiment"
METRIC = EXPERIMENT["metric"]
# Less of the divergence is more of the clean behaviour.
SIGN = -1.0 if METRIC == "kl" else 1.0
DIRECTIONS = ["noising", "denoising"]
SITES = {"heads": "attn.hook_z", "neurons": "mlp.hook_post"}
STRONGEST = 20
BATCH = 32
# Differences that are let pass: as a share of the largest score of a table, and as a share of the metric, of which
# scores are small differences. The rounding of a GPU, or of a CPU; that of a link comes on top.
TOLERANCE, ROUNDING = (2e-3, 4e-5) if RESULT["device"]["gpu"] else (1e-4, 2e-6)
TOLERANCE += RESULT["rounded_to"] or 0.0

# %% [markdown]
# ## The model, nothing folded or centred, and the tokens

# %%
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
TOKENIZER_FILES = ["tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"]


def folder_of(source):
    """The folder with the model's files."""
    if Path(source).is_dir():
        return Path(source)
    if not source.startswith(("http://", "https://")):
        from huggingface_hub import snapshot_download

        names = ["config.json", "model*.safetensors", INDEX, *TOKENIZER_FILES]
        return Path(snapshot_download(source, revision=REVISION, allow_patterns=names))
    folder = Path("model")
    folder.mkdir(exist_ok=True)

    def fetch(name):
        if not (folder / name).exists():
            with urllib.request.urlopen(source.rstrip("/") + "/" + name) as answer:
                (folder / name).write_bytes(answer.read())

    fetch("config.json")
    for name in TOKENIZER_FILES:
        # Which of them there are differs, and prompts of token ids need none.
        with contextlib.suppress(urllib.error.HTTPError):
            fetch(name)
    try:
        fetch(WEIGHTS)
    except urllib.error.HTTPError:
        fetch(INDEX)
        for name in shards(folder):
            fetch(name)
    return folder


def shards(folder):
    """Names of the files that hold the weights: one, or those that an index lists."""
    if (folder / WEIGHTS).exists():
        return [WEIGHTS]
    return sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8-sig"))["weight_map"].values()))


def digest_of(folder):
    """SHA-256 of the weights; of several files it is that of the list of theirs, as sha256sum prints it."""
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in shards(folder)}
    if WEIGHTS in digests:
        return digests[WEIGHTS]
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()).hexdigest()


def tokenizer_of(folder):
    """The model's tokenizer, from its one file or from the two that GPT-2 was published with."""
    if (folder / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8-sig"))
    else:
        from transformers import GPT2TokenizerFast

        tokenizer = GPT2TokenizerFast.from_pretrained(folder).backend_tokenizer
    # Both are for batches of other sizes.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


# What wraps a module, and what holds a GPT-2, in the names of its parameters.
WRAPPERS = ["_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]
HOLDERS = ["transformer", "module", "model", "base_model", "pretrained_model"]
OTHER_HEADS = ("multiple_choice_head.", "v_head.")
# Names of functions in a configuration that are not names of the one that GPT-2 was published with.
FUNCTIONS = {"gelu": "gelu", "gelu_python": "gelu", "relu": "relu"}


def bare(name):
    parts = [part for part in name.split(".") if part not in WRAPPERS]
    while parts[0] in HOLDERS:
        parts = parts[1:]
    return ".".join(parts)


def load(folder):
    config = GPT2Config.from_json_file(folder / "config.json")
    config._attn_implementation = "eager"
    published = GPT2LMHeadModel(config).eval()
    masks = (".attn.bias", ".attn.masked_bias")
    weights = {bare(name): t for file in shards(folder) for name, t in load_file(folder / file).items()}
    head = weights.pop("lm_head.weight", None)
    weights.setdefault("wte.weight", head)
    weights = {name: t for name, t in weights.items() if not name.endswith(masks) and not name.startswith(OTHER_HEADS)}
    missing, extra = published.transformer.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith(masks)]
    assert not missing and not extra, (missing, extra)
    # Whatever the configuration says: another head would not have run.
    published.lm_head.weight = published.transformer.wte.weight
    lens = HookedTransformer(
        HookedTransformerConfig(
            n_layers=config.n_layer,
            d_model=config.n_embd,
            n_ctx=config.n_positions,
            d_head=config.n_embd // config.n_head,
            n_heads=config.n_head,
            d_mlp=config.n_inner or 4 * config.n_embd,
            d_vocab=config.vocab_size,
            act_fn=FUNCTIONS.get(config.activation_function, "gelu_new"),
            use_attn_scale=config.scale_attn_weights,
            scale_attn_by_inverse_layer_idx=config.scale_attn_by_inverse_layer_idx,
            eps=config.layer_norm_epsilon,
            normalization_type="LN",
            device="cpu",
            dtype=torch.float64,
        )
    )
    lens.load_and_process_state_dict(
        convert_gpt2_weights(published, lens.cfg),
        fold_ln=False,
        center_writing_weights=False,
        center_unembed=False,
        fold_value_biases=False,
    )
    return lens.to(torch.float64).eval()


folder = folder_of(MODEL)
digest = digest_of(folder)
if not digest.startswith(RESULT["model_sha256"]):
    print(f"Warning: sha256 of the weights in {folder} is {digest}, the page had {RESULT['model_sha256']}.")
    print("The page hashes the file with the causal masks as they must be; else these are other weights.")
    print("The scores below decide.")
lens = load(folder)
for parameter in lens.parameters():
    parameter.requires_grad_(False)

written = EXPERIMENT.get("written", "text")
config = json.loads((folder / "config.json").read_text(encoding="utf-8-sig"))
tokenizer = tokenizer_of(folder) if written != "ids" else None


def token_in_front():
    """The tokenizer's beginning-of-sequence token, as TransformerLens takes it, else that of config.json."""
    name = "<|endoftext|>"
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        if (folder / file).exists():
            said = json.loads((folder / file).read_text(encoding="utf-8-sig")).get("bos_token")
            name = (said["content"] if isinstance(said, dict) else said) or name
    bos = tokenizer.token_to_id(name)
    bos = config.get("bos_token_id") if bos is None else bos
    return config["vocab_size"] - 1 if bos is None else bos


def ids_of(text, are_ids):
    if are_ids:
        return [int(word.lstrip("#")) for word in re.split(r"[\s,;\[\]]+", text) if word]
    return tokenizer.encode(text, add_special_tokens=False).ids


def one_token(text):
    ids = ids_of(text, written != "text")
    assert len(ids) == 1, f"{text!r} is not one token"
    return ids[0]


bos = [token_in_front()] if EXPERIMENT["prepend_bos"] and written != "ids" else []
tokens = {side: torch.tensor([bos + ids_of(EXPERIMENT[side], written == "ids")]) for side in ("clean", "corrupted")}
answer = [one_token(text) for text in EXPERIMENT["answer"]]
wrong = [one_token(text) for text in EXPERIMENT["wrong"]]
assert tokens["clean"].shape == tokens["corrupted"].shape
print(f"{tokens['clean'].shape[1]} tokens, answers {answer}, wrong answers {wrong}")

# %% [markdown]
# ## Both runs

# %%
with torch.no_grad():
    runs = {side: lens.run_with_cache(ids) for side, ids in tokens.items()}
clean_log_probs = runs["clean"][0][:, -1].log_softmax(-1)


def metric(logits):
    """The metric at the last token; `[batch, pos, d_vocab]` to `[batch]`."""
    last = logits[:, -1]
    log_probs = last.log_softmax(-1)
    if METRIC == "logit_diff":
        return last[:, answer].mean(-1) - last[:, wrong].mean(-1)
    if METRIC == "prob_diff":
        return log_probs[:, answer].exp().sum(-1) - log_probs[:, wrong].exp().sum(-1)
    if METRIC == "log_prob":
        return log_probs[:, answer].logsumexp(-1)
    return (clean_log_probs.exp() * (clean_log_probs - log_probs)).sum(-1)


value = {side: metric(logits).item() for side, (logits, _) in runs.items()}
print({side: f"{number:+.6f} {RESULT['unit']}" for side, number in value.items()})

# %% [markdown]
# ## The two methods

# %%
def ends(site, layer):
    """Clean and corrupted activations of a layer."""
    name = f"blocks.{layer}.{SITES[site]}"
    return name, runs["clean"][1][name], runs["corrupted"][1][name]


def measure(direction, site, layer, values):
    """The metric of the run that is changed with the activations of a layer replaced; `values` is a batch."""
    side = "clean" if direction == "noising" else "corrupted"
    stream = runs[side][1][f"blocks.{layer}.hook_resid_pre"].expand(len(values), -1, -1)
    name = f"blocks.{layer}.{SITES[site]}"
    logits = lens.run_with_hooks(stream, start_at_layer=layer, fwd_hooks=[(name, lambda act, hook: values)])
    return metric(logits)


def activation_patching(direction, site, layer, indices):
    _, clean, corrupted = ends(site, layer)
    base, other, before = (
        (clean, corrupted, value["clean"]) if direction == "noising" else (corrupted, clean, value["corrupted"])
    )
    scores = []
    for start in range(0, len(indices), BATCH):
        part = indices[start : start + BATCH]
        values = base.repeat(len(part), *[1] * (base.dim() - 1))
        for row, index in enumerate(part):
            values[row, :, index] = other[0, :, index]
        with torch.no_grad():
            change = measure(direction, site, layer, values) - before
        scores += (SIGN * (-change if direction == "noising" else change)).tolist()
    return scores


def clenshaw_curtis(points):
    """Nodes and weights on [0, 1], both ends included."""
    n = points - 1
    angles = [torch.pi * j / n for j in range(points)]
    nodes, weights = [], []
    for j, angle in enumerate(torch.tensor(angles, dtype=torch.float64)):
        k = torch.arange(1, n // 2 + 1, dtype=torch.float64)
        b = torch.where(2 * k == n, 1.0, 2.0).to(torch.float64)
        series = (b / (4 * k * k - 1) * torch.cos(2 * k * angle)).sum()
        end = 1.0 if j in (0, n) else 2.0
        nodes.append(((1 - torch.cos(angle)) / 2).item())
        weights.append((end / n * (1 - series) / 2).item())
    return nodes, weights


def integrated_gradients(direction, site, layer, points):
    """The scores of all components of a layer. With a fixed number of steps by captum; where the page has found it
    by itself ("auto"), by the page's nodes, which captum does not have."""
    _, clean, corrupted = ends(site, layer)

    def forward(values):
        return SIGN * measure(direction, site, layer, values)

    if isinstance(EXPERIMENT["n_steps"], int):
        scores = IntegratedGradients(forward).attribute(
            clean, baselines=corrupted, n_steps=points, method="gausslegendre", internal_batch_size=BATCH
        )
    else:
        slope = torch.zeros_like(clean)
        nodes, weights = (torch.tensor(numbers, dtype=torch.float64) for numbers in clenshaw_curtis(points))
        shape = [-1] + [1] * (clean.dim() - 1)
        for start in range(0, points, BATCH):
            part = slice(start, start + BATCH)
            values = corrupted + nodes[part].reshape(shape) * (clean - corrupted)
            values.requires_grad_(True)
            gradients = torch.autograd.grad(forward(values).sum(), values)[0]
            slope += (weights[part].reshape(shape) * gradients).sum(0, keepdim=True)
        scores = (clean - corrupted) * slope
    scores = scores.sum(dim=(0, 1))
    return (scores.sum(-1) if scores.dim() == 2 else scores).tolist()


# %% [markdown]
# ## The comparison

# %%
def table_of(kind, method, direction):
    is_it = lambda t: (t["kind"], t["method"], t["direction"]) == (kind, method, direction)
    return next((table for table in RESULT["tables"] if is_it(table)), None)


def points_of(table, layer):
    if table["n_steps"]:
        return table["n_steps"][layer]
    return EXPERIMENT["n_steps"] if isinstance(EXPERIMENT["n_steps"], int) else 257


def again(table, wanted):
    """Scores of the wanted places of a table, computed anew."""
    width, scores = table["width"], {}
    for layer in sorted({place // width for place in wanted}):
        places = [place for place in wanted if place // width == layer]
        indices = [place % width for place in places]
        if table["method"] == "ap":
            found = activation_patching(table["direction"], table["kind"], layer, indices)
        else:
            row = integrated_gradients(table["direction"], table["kind"], layer, points_of(table, layer))
            found = [row[index] for index in indices]
        scores |= dict(zip(places, found, strict=True))
    return scores


def strongest(table):
    known = [place for place, score in enumerate(table["values"]) if score]
    return sorted(known, key=lambda place: -abs(table["values"][place]))[:STRONGEST]


size = max(map(abs, value.values()))


def allowed_of(table, largest):
    """What the scores of a table may differ by, in the metric's unit."""
    allowed = max(TOLERANCE * largest, ROUNDING * size)
    if isinstance(EXPERIMENT["n_steps"], int) or table["n_steps"] or table["method"] == "ap":
        return allowed
    # A link does not say how many points "auto" took: then its own tolerance, a share of the gap, comes on top.
    millionths = int(EXPERIMENT["n_steps"].partition(":")[2] or 1000)
    return allowed + 1e-6 * millionths * abs(RESULT["gap"])


checks, fresh = [], {}
for side in tokens:
    off = abs(value[side] - RESULT[side]["metrics"][METRIC])
    checks.append((f"{METRIC}, {side} run", 1, off, size, TOLERANCE * size))
for kind in SITES:
    for direction in DIRECTIONS:
        tables = [table for method in ("ig", "ap") if (table := table_of(kind, method, direction))]
        if kind == "heads":
            places = {place for table in tables for place in range(len(table["values"]))}
        else:
            places = {place for table in tables for place in strongest(table)}
        for table in tables:
            known = [place for place in sorted(places) if table["values"][place] is not None]
            scores = again(table, known)
            fresh[kind, table["method"], direction] = scores
            off = max((abs(scores[place] - table["values"][place]) for place in known), default=0.0)
            largest = max((abs(score) for score in table["values"] if score is not None), default=0.0)
            name = f"{table['method'].upper()} of {kind}, {direction}"
            checks.append((name, len(known), off, largest, allowed_of(table, largest)))

for name, n, off, largest, allowed in checks:
    share = f"{off / largest:.1e} of the largest" if largest else "all are 0"
    print(f"{name:26} {n:4} numbers, worst difference {off:.1e} {RESULT['unit']}, {share} (allowed: {allowed:.1e})")
assert all(off <= allowed for _, _, off, _, allowed in checks), "the two differ by more than rounding explains"

# %% [markdown]
# ## One level deeper
#
# Where the page has computed them, a sample of these by hooks: queries, keys, values, patterns and MLP outputs, each
# replaced by itself; what goes straight to the logits, exactly and with the final LayerNorm frozen (DLA); the tokens
# that a head writes; and edges by path patching, everything between the two ends frozen.

# %%
PARTS = {
    "query": "attn.hook_q",
    "key": "attn.hook_k",
    "value": "attn.hook_v",
    "pattern": "attn.hook_pattern",
    "mlp_out": "hook_mlp_out",
}
N_LAYERS, N_HEADS = lens.cfg.n_layers, lens.cfg.n_heads
LAST = f"blocks.{N_LAYERS - 1}.hook_resid_post"
# Of each list so many numbers are computed again, the largest first.
SAMPLE = 8
deeper = []


def answers(name):
    """What was found for closer questions of a kind, if they were asked."""
    return [of["found"][name] for of in RESULT.get("lab", []) if name in of["found"]]


def sides(direction):
    return ("clean", "corrupted") if direction == "noising" else ("corrupted", "clean")


def effect(direction, logits):
    """What a change of the run does to the metric; positive supports the clean behaviour."""
    change = SIGN * (metric(logits).item() - value[sides(direction)[0]])
    return -change if direction == "noising" else change


def replaced(direction, activations):
    """The effect of other values of activations, by their names."""
    hooks = [(name, lambda act, hook, values=values: values) for name, values in activations.items()]
    with torch.no_grad():
        return effect(direction, lens.run_with_hooks(tokens[sides(direction)[0]], fwd_hooks=hooks))


def part_of(direction, part, layer, head):
    """The name of a part and its values with those of one head, or of all of the layer, from the other run."""
    here, there = (runs[side][1][f"blocks.{layer}.{PARTS[part]}"] for side in sides(direction))
    if head is None or part == "mlp_out":
        return f"blocks.{layer}.{PARTS[part]}", there
    values = here.clone()
    of_head = (slice(None), head) if part == "pattern" else (slice(None), slice(None), head)
    values[of_head] = there[of_head]
    return f"blocks.{layer}.{PARTS[part]}", values


def final(stream):
    """Logits of the stream behind the last layer."""
    with torch.no_grad():
        return lens.unembed(lens.ln_final(stream))


def writes(side, sender):
    """What a node adds to the residual stream of a run: `("embed",)`, `("head", layer, head)` and so on."""
    cache, (kind, *place) = runs[side][1], sender
    if kind == "embed":
        return cache["hook_embed"]
    if kind == "mlp":
        return cache[f"blocks.{place[0]}.hook_mlp_out"]
    layer, index = place
    if kind == "head":
        return cache[f"blocks.{layer}.attn.hook_z"][:, :, index] @ lens.W_O[layer, index]
    return cache[f"blocks.{layer}.mlp.hook_post"][:, :, index, None] * lens.W_out[layer, index]


def change_of(direction, sender):
    side, other = sides(direction)
    return writes(other, sender) - writes(side, sender)


def frozen(side, vector):
    """A part of the last token's stream through the final LayerNorm, whose scale is that of the run."""
    scale = runs[side][1]["ln_final.hook_scale"][0, -1]
    return (vector - vector.mean()) / scale * lens.ln_final.w


def path_patching(direction, sender, receiver):
    """The effect of the sender's change on what one receiver reads; all between them stays."""
    side, delta = sides(direction)[0], change_of(direction, sender)
    cache, (kind, *place) = runs[side][1], receiver
    if kind == "logits":
        return effect(direction, final(cache[LAST] + delta))
    block, name = lens.blocks[place[0]], f"blocks.{place[0]}"
    with torch.no_grad():
        if kind == "mlp":
            values = block.mlp(block.ln2(cache[f"{name}.hook_resid_mid"] + delta))
            return replaced(direction, {f"{name}.hook_mlp_out": values})
        _, head, port = place
        letter, name = port[0].upper(), f"{name}.{PARTS[port]}"
        weight, bias = (getattr(block.attn, f"{of}_{letter}")[head] for of in "Wb")
        values = cache[name].clone()
        values[:, :, head] = block.ln1(cache[f"blocks.{place[0]}.hook_resid_pre"] + delta) @ weight + bias
    return replaced(direction, {name: values})


def all_edges():
    """Senders and receivers of all edges, in the page's order."""
    senders = [("embed",)]
    edges = []
    for layer in range(N_LAYERS):
        ports = [("head", layer, head, port) for head in range(N_HEADS) for port in ("query", "key", "value")]
        edges += [(sender, receiver) for receiver in ports for sender in senders]
        senders += [("head", layer, head) for head in range(N_HEADS)]
        edges += [(sender, ("mlp", layer)) for sender in senders]
        senders.append(("mlp", layer))
    return edges + [(sender, ("logits",)) for sender in senders]


def largest_of(values, n=SAMPLE):
    return sorted(range(len(values)), key=lambda place: -abs(values[place]))[:n]


def hold(name, pairs, largest, more=0.0):
    """Notes how far numbers of the page are from those computed here."""
    off = max((abs(page - here) for page, here in pairs), default=0.0)
    deeper.append((name, len(pairs), off, largest, max(TOLERANCE * largest, ROUNDING * size) + more))


def size_of(values):
    return max(map(abs, values), default=0.0)


for maps in answers("parts"):
    for found in maps:
        part = found["part"]["port"] if isinstance(found["part"], dict) else found["part"]
        direction, width = found["direction"], found["width"]
        pairs = [
            (found["ap"][place], replaced(direction, dict([part_of(direction, part, *divmod(place, width))])))
            for place in largest_of(found["ap"])
        ]
        hold(f"AP of {part}, {direction}", pairs, size_of(found["ap"]))
        # A layer's integrals add up to its joint effect, but for what they say that they are off by.
        for layer in largest_of(found["joint"], 1):
            joint = replaced(direction, dict([part_of(direction, part, layer, None)]))
            total = sum(found["ig"][layer * width : (layer + 1) * width])
            hold(f"{part} of layer {layer} together", [(found["joint"][layer], joint)], abs(joint))
            delta = abs(found["convergence_delta"][layer])
            hold(f"IG of {part}, layer {layer}, summed", [(total, joint)], abs(joint), delta)
    # Queries, keys and values together are the head's output.
    if maps and (table := table_of("heads", "ap", maps[0]["direction"])):
        pairs = []
        for place in strongest(table)[:SAMPLE]:
            here = (maps[0]["direction"], *divmod(place, table["width"]))
            three = dict(part_of(here[0], port, *here[1:]) for port in ("query", "key", "value"))
            pairs.append((table["values"][place], replaced(here[0], three)))
        hold("q, k and v together", pairs, size_of([score for score in table["values"] if score is not None]))

for found in answers("direct"):
    direction = found["direction"]
    side = sides(direction)[0]
    readout = lens.W_U[:, answer].mean(-1) - lens.W_U[:, wrong].mean(-1)
    for kinds, kind, width in [("heads", "head", N_HEADS), ("mlps", "mlp", 1), ("neurons", "neuron", lens.cfg.d_mlp)]:
        exact, dla = found[kinds]["exact"], found[kinds]["dla"]
        senders = {place: (kind, *divmod(place, width)[: 1 if kind == "mlp" else 2]) for place in largest_of(exact)}
        pairs = [(exact[at], path_patching(direction, sender, ("logits",))) for at, sender in senders.items()]
        hold(f"direct effect of {kinds}, {direction}", pairs, size_of(exact))
        if dla is not None:
            turn = -1.0 if direction == "noising" else 1.0
            estimate = lambda sender: turn * (frozen(side, change_of(direction, sender)[0, -1]) @ readout).item()
            pairs = [(dla[at], estimate(sender)) for at, sender in senders.items()]
            hold(f"DLA of {kinds}, {direction}", pairs, size_of(dla))

for found in answers("lens"):
    for side in tokens:
        logits = frozen(side, writes(side, ("head", found["layer"], found["head"]))[0, -1]) @ lens.W_U
        listed = found[side]["raised"] + found[side]["lowered"]
        pairs = [(token["logits"], logits[token["id"]].item()) for token in listed]
        pairs += [(found[side]["raised"][0]["logits"], logits.max().item())]
        pairs += [(found[side]["lowered"][0]["logits"], logits.min().item())]
        hold(f"lens of L{found['layer']}H{found['head']}, {side}", pairs, logits.abs().max().item())

for found in answers("patch_edges"):
    edges, direction = all_edges(), found["direction"]
    pairs = [
        (found["exact"][at], path_patching(direction, *edges[found["edges"][at]])) for at in largest_of(found["exact"])
    ]
    hold(f"edges, {direction}", pairs, size_of(found["exact"]))

for name, n, off, largest, allowed in deeper:
    print(f"{name:36} {n:4} numbers, worst difference {off:.1e}, largest {largest:.1e} (allowed: {allowed:.1e})")
assert all(off <= allowed for _, _, off, _, allowed in deeper), "the two differ by more than rounding explains"

# %% [markdown]
# ## The maps

# %%
try:
    import matplotlib.pyplot as plt
except ImportError:
    print("no matplotlib, no pictures")
else:
    width = RESULT["model_shape"]["n_heads"]
    # As the page had it on the screen: this direction, and each method in its unit.
    direction = RESULT["view"]["direction"]
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), constrained_layout=True)
    grids, units = {}, {}
    for name in ("IG", "AP"):
        scores = fresh.get(("heads", name.lower(), direction), {})
        table = table_of("heads", name.lower(), direction)
        shown = table["shown"] if table else {"factor": 1.0, "unit": RESULT["unit"]}
        grid = [shown["factor"] * scores[place] for place in sorted(scores)]
        grids[name], units[name] = torch.tensor(grid).reshape(-1, width), shown["unit"]
    limits = {name: (grid.abs().max().item() if grid.numel() else 0.0) or 1.0 for name, grid in grids.items()}
    if units["IG"] == units["AP"] and RESULT["view"]["scale"] == "shared":
        limits = dict.fromkeys(limits, max(limits.values()))
    for axis, (name, grid) in zip(axes, grids.items(), strict=True):
        image = axis.imshow(grid, cmap="RdBu_r", vmin=-limits[name], vmax=limits[name])
        axis.set(title=f"{name}, {direction}", xlabel="head", ylabel="layer")
        figure.colorbar(image, ax=axis, label=units[name])
    plt.show()
