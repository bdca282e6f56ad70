"""GPT-2 in float64 in a page of NumPy, one run at a time: the definition that the tests hold the engine against."""

import numpy as np


def random(n_layer=2, n_head=2, n_embd=16, n_ctx=12, n_vocab=29, seed=0):
    """A random GPT-2: its configuration, and its parameters in float32 under the checkpoint's names."""
    rng = np.random.default_rng(seed)
    config = {
        "model_type": "gpt2", "n_layer": n_layer, "n_head": n_head, "n_embd": n_embd, "n_inner": None,
        "n_positions": n_ctx, "vocab_size": n_vocab, "layer_norm_epsilon": 1e-5,
        "activation_function": "gelu_new", "bos_token_id": 0, "eos_token_id": 0, "tie_word_embeddings": True,
    }  # fmt: skip
    shapes = {"wte.weight": (n_vocab, n_embd), "wpe.weight": (n_ctx, n_embd)}
    for layer in range(n_layer):
        h = f"h.{layer}."
        shapes |= {
            f"{h}attn.c_attn.weight": (n_embd, 3 * n_embd), f"{h}attn.c_attn.bias": (3 * n_embd,),
            f"{h}attn.c_proj.weight": (n_embd, n_embd), f"{h}attn.c_proj.bias": (n_embd,),
            f"{h}mlp.c_fc.weight": (n_embd, 4 * n_embd), f"{h}mlp.c_fc.bias": (4 * n_embd,),
            f"{h}mlp.c_proj.weight": (4 * n_embd, n_embd), f"{h}mlp.c_proj.bias": (n_embd,),
        }  # fmt: skip
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{h}{norm}.weight": (n_embd,), f"{h}{norm}.bias": (n_embd,)}
    shapes |= {"ln_f.weight": (n_embd,), "ln_f.bias": (n_embd,)}
    parameters = {name: rng.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()}
    return config, parameters


def run(config, parameters, ids, replaced=None):
    """Logits of the last token, and what each head and neuron is at each token.

    ``replaced``: values of ``("z", layer, head)`` or ``("post", layer, neuron)`` that are put in, ``[n_pos, ...]``.
    """
    replaced = replaced or {}
    p = {name: value.astype(np.float64) for name, value in parameters.items()}
    n_head, d = config["n_head"], config["n_embd"]
    d_head, n = d // n_head, len(ids)
    seen = {}

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + config["layer_norm_epsilon"])
        return x * p[name + ".weight"] + p[name + ".bias"]

    x = p["wte.weight"][ids] + p["wpe.weight"][:n]
    for layer in range(config["n_layer"]):
        h = f"h.{layer}."
        qkv = norm(x, h + "ln_1") @ p[h + "attn.c_attn.weight"] + p[h + "attn.c_attn.bias"]
        q, k, v = (part.reshape(n, n_head, d_head) for part in np.split(qkv, 3, axis=-1))
        z = np.empty((n, n_head, d_head))
        for head in range(n_head):
            scores = q[:, head] @ k[:, head].T / np.sqrt(d_head)
            scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            own = weights / weights.sum(-1, keepdims=True) @ v[:, head]
            seen["z", layer, head] = own
            z[:, head] = replaced.get(("z", layer, head), own)
        x = x + z.reshape(n, d) @ p[h + "attn.c_proj.weight"] + p[h + "attn.c_proj.bias"]
        pre = norm(x, h + "ln_2") @ p[h + "mlp.c_fc.weight"] + p[h + "mlp.c_fc.bias"]
        post = 0.5 * pre * (1 + np.tanh(np.sqrt(2 / np.pi) * (pre + 0.044715 * pre**3)))
        for neuron in range(post.shape[-1]):
            seen["post", layer, neuron] = post[:, neuron].copy()
            post[:, neuron] = replaced.get(("post", layer, neuron), post[:, neuron])
        x = x + post @ p[h + "mlp.c_proj.weight"] + p[h + "mlp.c_proj.bias"]
    return norm(x, "ln_f")[-1] @ p["wte.weight"].T, seen
