"""Models that are in memory, against a GPT-2 of the tests' own in float64."""

import json

import numpy as np
import pytest
from tokenizers import Tokenizer

import gpt2
import twinbeam
from conftest import CLEAN, CORRUPTED, MINI, PAIR

CLEAN_IDS = [0, 5, 9, 13, 22, 7, 3]
CORRUPTED_IDS = [0, 5, 9, 14, 22, 7, 3]
ANSWER, WRONG = 11, 17


class Config:
    tie_word_embeddings = True

    def __init__(self, fields):
        self.fields = fields

    def to_dict(self):
        return self.fields


class InMemory:
    """As much of a model of transformers as is looked at."""

    def __init__(self, config, parameters):
        self.config = Config(config)
        self.parameters = parameters

    def state_dict(self):
        head = {"lm_head.weight": self.parameters["wte.weight"]}
        return {"transformer." + name: value for name, value in self.parameters.items()} | head


def metric(config, parameters, ids, replaced=None):
    logits, _ = gpt2.run(config, parameters, ids, replaced)
    return logits[ANSWER] - logits[WRONG]


def test_a_model_in_memory_is_the_definition_in_float64():
    config, parameters = gpt2.random()
    model = twinbeam.from_transformers(InMemory(config, parameters), precision="float64")
    assert model.shape["d_mlp"] == 64
    result = model.compare(CLEAN_IDS, CORRUPTED_IDS, ANSWER, WRONG, neurons=True)
    sides = {"noising": (CLEAN_IDS, CORRUPTED_IDS), "denoising": (CORRUPTED_IDS, CLEAN_IDS)}
    runs = {name: gpt2.run(config, parameters, ids) for name, (ids, _) in sides.items()}
    clean, corrupted = (metric(config, parameters, ids) for ids in (CLEAN_IDS, CORRUPTED_IDS))
    # The runs are handed on in float32.
    assert result.clean.logit_diff == pytest.approx(clean, rel=1e-6)
    assert result.corrupted.logit_diff == pytest.approx(corrupted, rel=1e-6)
    for direction, (changed, _) in sides.items():
        other = runs["denoising" if direction == "noising" else "noising"][1]
        sign = -1 if direction == "noising" else 1
        before = metric(config, parameters, changed)
        for kind, site, tables in [("heads", "z", result.heads), ("neurons", "post", result.neurons)]:
            got = getattr(tables, direction).ap
            reference = np.array(
                [
                    [
                        sign * (metric(config, parameters, changed, {at: other[at]}) - before)
                        for at in [(site, layer, index) for index in range(got.shape[1])]
                    ]
                    for layer in range(got.shape[0])
                ]
            )
            off = np.abs(got - reference).max() / np.abs(reference).max()
            assert off < 1e-6, (direction, kind, off)
            # What the integral claims: its parts come to the joint patch.
            table = getattr(tables, direction)
            joint = [
                metric(
                    config,
                    parameters,
                    changed,
                    {(site, layer, i): other[site, layer, i] for i in range(got.shape[1])},
                )
                for layer in range(got.shape[0])
            ]
            assert table.joint == pytest.approx(sign * (np.array(joint) - before), rel=1e-5, abs=1e-6)
            assert table.ig.sum(1) == pytest.approx(table.joint, abs=1e-3 * abs(clean - corrupted))


def test_the_bundled_model_in_memory_is_the_one_on_the_disk(mini, result):
    from safetensors_of import tensors

    config = json.loads((MINI / "config.json").read_text())
    tokenizer = Tokenizer.from_file(str(MINI / "tokenizer.json"))
    own = InMemory(config, tensors(MINI / "model.safetensors"))
    own.state_dict = lambda: own.parameters
    model = twinbeam.from_transformers(own, tokenizer)
    again = model.compare(**PAIR, n_steps=10)
    for table in ("ap", "ig", "ig_zero"):
        np.testing.assert_array_equal(getattr(again.heads, table), getattr(result.heads, table))


class Lens:
    """As much of a model of TransformerLens as is looked at; ``bridge``: of its version 4."""

    compatibility_mode = False

    def __init__(self, config, parameters, bridge):
        heads, d = config["n_head"], config["n_embd"]

        class cfg:
            n_layers, n_heads, d_model, d_mlp = config["n_layer"], heads, d, 4 * d
            n_ctx, d_vocab, eps = config["n_positions"], config["vocab_size"], config["layer_norm_epsilon"]
            act_fn, normalization_type = "gelu_new", "LN"

        self.cfg, self.blocks = cfg, []
        p, weight, bias = parameters, *((".weight", ".bias") if bridge else (".w", ".b"))
        wte = p["wte.weight"]
        state = (
            {"embed.weight": wte, "pos_embed.weight": p["wpe.weight"], "unembed.weight": wte}
            if bridge
            else {"embed.W_E": wte, "pos_embed.W_pos": p["wpe.weight"], "unembed.W_U": wte.T}
        )
        state["unembed.bias" if bridge else "unembed.b_U"] = np.zeros(len(wte), np.float32)
        state |= {f"ln_final{weight}": p["ln_f.weight"], f"ln_final{bias}": p["ln_f.bias"]}
        for layer in range(cfg.n_layers):
            old, new = f"h.{layer}.", f"blocks.{layer}."
            for n in "12":
                state |= {
                    new + f"ln{n}{weight}": p[old + f"ln_{n}.weight"],
                    new + f"ln{n}{bias}": p[old + f"ln_{n}.bias"],
                }
            qkv = np.split(p[old + "attn.c_attn.weight"], 3, axis=1)
            biases = np.split(p[old + "attn.c_attn.bias"], 3)
            for part, w, b in zip("qkv", qkv, biases, strict=True):
                if bridge:
                    state |= {new + f"attn.{part}.weight": w.T, new + f"attn.{part}.bias": b}
                else:
                    by_head = w.reshape(d, heads, -1).transpose(1, 0, 2)
                    state |= {
                        new + f"attn.W_{part.upper()}": by_head,
                        new + f"attn.b_{part.upper()}": b.reshape(heads, -1),
                    }
            of_head = p[old + "attn.c_proj.weight"]
            names = {"attn.c_proj": ("attn.o", "attn.W_O", "attn.b_O"), "mlp.c_fc": ("mlp.in", "mlp.W_in", "mlp.b_in"),
                     "mlp.c_proj": ("mlp.out", "mlp.W_out", "mlp.b_out")}  # fmt: skip
            for name, (of_bridge, hooked_weight, hooked_bias) in names.items():
                w, b = p[old + name + ".weight"], p[old + name + ".bias"]
                if not bridge and name == "attn.c_proj":
                    w = of_head.reshape(heads, -1, d)
                keys = (of_bridge + ".weight", of_bridge + ".bias") if bridge else (hooked_weight, hooked_bias)
                state |= {new + keys[0]: w, new + keys[1]: b}
        self.state = state

    def state_dict(self):
        return self.state


@pytest.mark.parametrize("bridge", [False, True])
def test_a_model_of_transformer_lens_is_the_same_model(bridge):
    config, parameters = gpt2.random(seed=3)
    of_transformers = twinbeam.from_transformers(InMemory(config, parameters))
    of_lens = twinbeam.from_transformers(Lens(config, parameters, bridge))
    ask = (CLEAN_IDS, CORRUPTED_IDS, ANSWER, WRONG)
    expected, found = (model.compare(*ask, neurons=True) for model in (of_transformers, of_lens))
    np.testing.assert_array_equal(found.heads.ap, expected.heads.ap)
    np.testing.assert_array_equal(found.neurons.ig, expected.neurons.ig)
    changed = Lens(config, parameters, bridge)
    changed.state["unembed.bias" if bridge else "unembed.b_U"] += 1
    folded, compatible = Lens(config, parameters, bridge), Lens(config, parameters, bridge)
    folded.cfg.normalization_type = "LNPre"
    compatible.compatibility_mode = True
    for model in (changed, folded, compatible):
        with pytest.raises(twinbeam.ModelError, match="from_pretrained_no_processing"):
            twinbeam.from_transformer_lens(model)


@pytest.mark.parametrize("bridge", [False, True])
def test_what_transformer_lens_has_and_gpt2_has_not_is_refused(bridge):
    config, parameters = gpt2.random(seed=3)

    def lens(**changes):
        model = Lens(config, parameters, bridge)
        for name, value in changes.items():
            setattr(model.cfg, name, value)
        return model

    own = twinbeam.from_transformers(InMemory({**config, "scale_attn_by_inverse_layer_idx": True}, parameters))
    ask = (CLEAN_IDS, CORRUPTED_IDS, ANSWER, WRONG)
    scaled = twinbeam.from_transformers(
        lens(scale_attn_by_inverse_layer_idx=True, original_architecture="GPT2LMHeadModel")
    )
    np.testing.assert_array_equal(scaled.compare(*ask).heads.ap, own.compare(*ask).heads.ap)
    for name, value in [
        ("original_architecture", "GPTNeoForCausalLM"), ("use_attn_scale", False), ("use_local_attn", True),
        ("attn_scale", 3.0), ("positional_embedding_type", "rotary"), ("n_key_value_heads", 1),
    ]:  # fmt: skip
        with pytest.raises(twinbeam.ModelError, match=f"no GPT-2: its configuration has {name}"):
            twinbeam.from_transformers(lens(**{name: value}))
    if not bridge:
        folded = lens()
        for layer in range(config["n_layer"]):
            folded.state[f"blocks.{layer}.attn.b_V"] = np.zeros_like(folded.state[f"blocks.{layer}.attn.b_V"])
        with pytest.raises(twinbeam.ModelError, match="folded"):
            twinbeam.from_transformers(folded)


def test_weights_are_what_they_are_said_to_be():
    config, parameters = gpt2.random()
    untied = InMemory(config, parameters)
    state = untied.state_dict()
    untied.state_dict = lambda: state | {"lm_head.weight": 3 * state["lm_head.weight"]}
    with pytest.raises(twinbeam.ModelError, match=r"lm_head\.weight"):
        twinbeam.from_transformers(untied)
    for dtype in ("int8", "complex64", "float8"):
        quantised = InMemory(config, parameters)
        name = "transformer.h.0.attn.c_attn.weight"
        changed = state | {name: Typed(state[name], dtype)}
        quantised.state_dict = lambda changed=changed: changed
        with pytest.raises(twinbeam.ModelError, match=f"{name} is of type {dtype}"):
            twinbeam.from_transformers(quantised)


class Typed:
    """As much of a tensor as is looked at before it is refused."""

    def __init__(self, values, dtype):
        self.values, self.dtype = values, f"torch.{dtype}"


class Fast:
    """As much of a fast tokenizer of transformers as is looked at."""

    def __init__(self, backend, bos):
        self.backend_tokenizer, self.bos_token = backend, bos


def test_the_tokenizers_own_beginning_is_kept(tmp_path):
    from safetensors_of import tensors

    for file in MINI.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"bos_token": "."}')
    config = json.loads((MINI / "config.json").read_text())
    own = InMemory(config, tensors(MINI / "model.safetensors"))
    own.state_dict = lambda: own.parameters
    tokenizer = Tokenizer.from_file(str(MINI / "tokenizer.json"))
    found = [
        model.compare(**PAIR, n_steps=2)
        for model in (
            twinbeam.load(tmp_path), twinbeam.from_transformers(own, Fast(tokenizer, ".")),
            twinbeam.from_transformers(own, tokenizer),
        )
    ]  # fmt: skip
    np.testing.assert_array_equal(found[1].heads.ap, found[0].heads.ap)
    assert found[2].gap != found[0].gap, "it says another thing"


def test_what_is_no_such_model_is_refused_with_the_way_out():
    with pytest.raises(twinbeam.ModelError, match="give a GPT2LMHeadModel"):
        twinbeam.from_transformers(object())
    config, parameters = gpt2.random()
    with pytest.raises(twinbeam.ModelError, match="model_type"):
        twinbeam.from_transformers(InMemory({**config, "model_type": "llama"}, parameters))
    fewer = {name: value for name, value in parameters.items() if name != "h.1.ln_2.bias"}
    with pytest.raises(twinbeam.ModelError, match=r"h\.1\.ln_2\.bias"):
        twinbeam.from_transformers(InMemory(config, fewer))
    model = twinbeam.from_transformers(InMemory(config, parameters))
    with pytest.raises(twinbeam.InputError, match="only be given as token ids"):
        model.compare(CLEAN, CORRUPTED, " Kate", " Tom")
    with pytest.raises(twinbeam.ModelError, match="use_fast=True"):
        twinbeam.from_transformers(InMemory(config, parameters), tokenizer=3)


def test_a_model_of_pytorch_says_the_same_in_float64():
    # PyTorch is gigabytes, so the tests do not install it: this runs where it is, test_transformers.py everywhere.
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        n_layer=2, n_head=4, n_embd=32, n_positions=16, vocab_size=40, initializer_range=0.3, bos_token_id=0
    )
    reference = transformers.GPT2LMHeadModel(config).eval()
    model = twinbeam.from_transformers(reference, precision="float64")
    result = model.compare(CLEAN_IDS, CORRUPTED_IDS, ANSWER, WRONG)
    reference = reference.double()
    zs = {}

    def logits(ids, put=None):
        hooks = []
        for layer, block in enumerate(reference.transformer.h):

            def hook(_module, inputs, layer=layer):
                z = inputs[0].clone()
                if put is None:
                    zs[layer] = z
                elif put[0] == layer:
                    _, head, values = put
                    z[..., head * 8 : (head + 1) * 8] = values[..., head * 8 : (head + 1) * 8]
                return (z,)

            hooks.append(block.attn.c_proj.register_forward_pre_hook(hook))
        with torch.no_grad():
            last = reference(torch.tensor([ids])).logits[0, -1]
        for hook in hooks:
            hook.remove()
        return (last[ANSWER] - last[WRONG]).item()

    before = logits(CLEAN_IDS)
    corrupted = logits(CORRUPTED_IDS)
    other = dict(zs)
    assert result.clean.logit_diff == pytest.approx(before, rel=1e-6)
    assert result.corrupted.logit_diff == pytest.approx(corrupted, rel=1e-6)
    patched = [[before - logits(CLEAN_IDS, (layer, head, other[layer])) for head in range(4)] for layer in range(2)]
    off = np.abs(result.heads.noising.ap - patched).max() / np.abs(patched).max()
    assert off < 1e-6
