"""The package against TransformerLens and captum in float64, on the references that the repository has."""

import numpy as np
import pytest

import twinbeam
from conftest import FIXTURES, expected

TOLERANCE = 1e-6


def close(what, got, reference):
    reference = np.asarray(reference, np.float64)
    assert got.shape == reference.shape, what
    assert got.dtype == np.float32
    off = np.abs(got - reference).max() / np.abs(reference).max()
    assert off < TOLERANCE, f"{what} is off by {off} of the largest"


@pytest.mark.parametrize("folder", ["tiny-gpt2", "hub-layout"])
def test_every_table_is_the_references(folder):
    model = twinbeam.load(FIXTURES / folder, precision="float64")
    assert model.precision == "float64"
    cases = expected(folder)
    assert cases
    for case in cases:
        result = model.compare(
            case["clean_ids"], case["corrupted_ids"], case["answer_id"], case["wrong_id"], neurons=True
        )
        d = case["logit_diff_clean"] - case["logit_diff_corrupted"]
        # The runs are handed on in float32.
        assert abs(result.gap - d) < 1e-6 * abs(case["logit_diff_clean"])
        heads, neurons = result.heads, result.neurons
        zero = {
            "heads.noising.ap": -d * np.array(case["ap_heads_noising"]),
            "heads.denoising.ap": d * np.array(case["ap_heads_denoising"]),
            "heads.noising.ig": case["ig_heads_sum"],
            "heads.denoising.ig": -np.array(case["ig_heads_reverse_sum"]),
            "heads.noising.ig_zero": case["ig_heads_zero_baseline_sum"],
            "heads.noising.joint": case["joint_heads_noising"],
            "heads.denoising.joint": case["joint_heads_denoising"],
            "neurons.noising.ap": -d * np.array(case["ap_neurons_noising"]),
            "neurons.denoising.ap": d * np.array(case["ap_neurons_denoising"]),
            "neurons.noising.ig": case["ig_neurons_sum"],
            "neurons.denoising.ig": -np.array(case["ig_neurons_reverse_sum"]),
            "neurons.noising.atp": case["atp_neurons_noising"],
            "neurons.denoising.joint": case["joint_neurons_denoising"],
        }
        for name, reference in zero.items():
            kind, direction, table = name.split(".")
            tables = heads if kind == "heads" else neurons
            close(f"{case['case']['name']} {name}", getattr(getattr(tables, direction), table), reference)
        for side, run in [("clean", result.clean), ("corrupted", result.corrupted)]:
            reference = case["metrics"][side]
            assert run.n_pos == case["seq"]
            assert run.logit_diff == pytest.approx(reference["logit_diff"], rel=1e-6)
            assert run.prob_answer == pytest.approx(reference["prob_answer"], rel=1e-6)
            assert run.log_prob == pytest.approx(reference["log_prob_answer"], rel=1e-6)
