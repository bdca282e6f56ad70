"""A random model against transformers in float64: patches and integrals of heads and neurons, in both directions.

It is transformers' GPT-2 on JAX, which weighs a tenth of what PyTorch does. The fourth version is the last that has it.
"""

import functools

import jax
import numpy as np
import pytest

jax.config.update("jax_enable_x64", True)

import flax.linen as nn  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import transformers  # noqa: E402
from flax.traverse_util import flatten_dict  # noqa: E402

import twinbeam  # noqa: E402

CLEAN = [0, 5, 9, 13, 22, 7, 3]
CORRUPTED = [0, 5, 9, 14, 22, 7, 3]
ANSWER, WRONG = 11, 17
LAYERS, HEADS, D_MODEL, D_MLP, STEPS = 2, 4, 32, 128, 20
WIDTHS = {"z": D_MODEL, "post": D_MLP}
# What a component is made of: eight numbers of a head at each token, one of a neuron.
PARTS = {"z": HEADS, "post": D_MLP}


@pytest.fixture(scope="module")
def reference():
    config = transformers.GPT2Config(
        n_layer=LAYERS, n_head=HEADS, n_embd=D_MODEL, n_positions=16, vocab_size=40, bos_token_id=0
    )
    model = transformers.FlaxGPT2LMHeadModel(config, seed=1, dtype=jnp.float64)
    rng = np.random.default_rng(1)
    # A fresh model has no biases and norms of one: here each number is drawn.
    model.params = jax.tree.map(lambda values: rng.normal(0.1, 0.3, values.shape).astype("f4"), model.params)
    return model


class Checkpoint:
    """The model under the names that a checkpoint has, in which matrices are ``[in, out]``."""

    def __init__(self, reference):
        self.config = reference.config
        self.parameters = {}
        for path, value in flatten_dict(reference.params).items():
            *module, name = path
            value = np.asarray(value)
            name = {"kernel": "weight", "scale": "weight", "embedding": "weight"}.get(name, name)
            self.parameters[".".join([*module, name])] = value.T if path[-1] == "kernel" else value

    def state_dict(self):
        return self.parameters


class Runs:
    """Runs of the reference in float64, in which heads and neurons can be replaced."""

    def __init__(self, reference):
        exact = jax.tree.map(lambda values: jnp.asarray(values, jnp.float64), reference.params)
        self.module, self.parameters = reference.module, {"params": exact}

    def _logits(self, ids, put, masks):
        seen = {}

        def meet(go_on, args, kwargs, context):
            *_, layer, block, name = ("", "", "", *context.module.path)
            site = {"attn": "z", "mlp": "post"}.get(block)
            if context.method_name == "__call__" and name == "c_proj" and site:
                at = int(layer)
                seen[site, at] = args[0][0]
                args = (jnp.where(masks[site][at], put[site][at], args[0]), *args[1:])
            return go_on(*args, **kwargs)

        with nn.intercept_methods(meet):
            out = self.module.apply(
                self.parameters, jnp.array([ids]), jnp.ones((1, len(ids)), "i4"), jnp.arange(len(ids))[None]
            )
        stacked = {site: jnp.stack([seen[site, layer] for layer in range(LAYERS)]) for site in WIDTHS}
        return out.logits[0, -1], stacked

    @functools.partial(jax.jit, static_argnums=(0, 1))
    def metric(self, ids, put, masks):
        """Logit difference, and what heads and neurons are: ``[n_layers, n_pos, width]``."""
        last, seen = self._logits(ids, put, masks)
        return last[ANSWER] - last[WRONG], seen

    @functools.partial(jax.jit, static_argnums=(0, 1))
    def gradient(self, ids, put, masks):
        return jax.grad(lambda put: self.metric(ids, put, masks)[0])(put)

    @staticmethod
    def masks(site=None, layer=0, part=slice(None)):
        """Which numbers are replaced: those of one component, of a layer, or none."""
        masks = {site: np.zeros((LAYERS, PARTS[site], width // PARTS[site]), bool) for site, width in WIDTHS.items()}
        if site:
            masks[site][layer, part] = True
        return {site: jnp.asarray(mask.reshape(LAYERS, -1)) for site, mask in masks.items()}


def test_transformers_finds_the_same_in_float64(reference):
    result = twinbeam.from_transformers(Checkpoint(reference), precision="float64").compare(
        CLEAN, CORRUPTED, ANSWER, WRONG, neurons=True, n_steps=STEPS
    )
    runs, nothing = Runs(reference), Runs.masks()
    idle = {site: jnp.zeros((LAYERS, len(CLEAN), width)) for site, width in WIDTHS.items()}
    ids = {"noising": tuple(CLEAN), "denoising": tuple(CORRUPTED)}
    (clean, of_clean), (corrupted, of_corrupted) = (runs.metric(of, idle, nothing) for of in ids.values())
    # The runs are handed on in float32.
    assert result.clean.logit_diff == pytest.approx(float(clean), rel=1e-6)
    assert result.corrupted.logit_diff == pytest.approx(float(corrupted), rel=1e-6)
    assert abs(clean - corrupted) > 0.01, "the pair differs"
    difference = {site: of_clean[site] - of_corrupted[site] for site in WIDTHS}
    nodes, weights = np.polynomial.legendre.leggauss(STEPS)
    for direction, changed, other, before, sign in [
        ("noising", ids["noising"], of_corrupted, clean, -1),
        ("denoising", ids["denoising"], of_clean, corrupted, 1),
    ]:
        for site, tables in [("z", result.heads), ("post", result.neurons)]:
            found = getattr(tables, direction)
            ap = np.empty((LAYERS, PARTS[site]))
            ig, joint = np.zeros_like(ap), np.empty(LAYERS)
            for layer in range(LAYERS):
                for part in range(PARTS[site]):
                    value, _ = runs.metric(changed, other, runs.masks(site, layer, part))
                    ap[layer, part] = sign * (value - before)
                whole = runs.masks(site, layer)
                joint[layer] = sign * (runs.metric(changed, other, whole)[0] - before)
                for alpha, weight in zip((1 + nodes) / 2, weights / 2, strict=True):
                    put = {site: of_corrupted[site] + alpha * difference[site] for site in WIDTHS}
                    slope = runs.gradient(changed, put, whole)[site][layer] * difference[site][layer]
                    ig[layer] += weight * np.asarray(slope).reshape(len(CLEAN), PARTS[site], -1).sum((0, 2))
            for name, expected in [("ap", ap), ("ig", ig), ("joint", joint)]:
                off = np.abs(getattr(found, name) - expected).max() / np.abs(expected).max()
                assert off < 1e-6, (direction, site, name, off)
