"""Recomputes what the lab's statistics must be, with SciPy and NumPy, and a gate whose attributions have a closed form.

    python make_statistics.py --check
    python make_statistics.py --write

The numbers are in ../fixtures/lab/statistics.json; ../fixtures/README.md says what each field means. Needs no model: score tables come
from ../fixtures/tiny-gpt2/expected.json.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy
from scipy import integrate, special, stats

FIXTURES = Path(__file__).parent.parent / "fixtures"
FILE = FIXTURES / "lab" / "statistics.json"
QUANTILES = [0.5, 0.8, 0.9, 0.95, 0.99]
CONFIDENCE = 0.95
RESAMPLES = 99_999
FEWER, SEEDS = 10_000, 200
TOLERANCE = 1e-9
# The weights of the AND gate in a later notebook of the comparison (docs/METHODS.md#the-notebook); OR is its mirror image: f_or(x) = 1 - f_and(1 - x).
WEIGHTS, BIAS = (3.0482, 3.0556), -4.7946


def head_tables():
    """IG and AP of the heads of tiny-gpt2's first case in logits, positive supports the clean behaviour, by place."""
    case = json.loads((FIXTURES / "tiny-gpt2" / "expected.json").read_text())[0]
    gap = case["logit_diff_clean"] - case["logit_diff_corrupted"]
    # Signs of the fixture, see ../fixtures/README.md.
    signed = {
        ("ig", "noising"): ("ig_heads_sum", 1.0),
        ("ig", "denoising"): ("ig_heads_reverse_sum", -1.0),
        ("ap", "noising"): ("ap_heads_noising", -gap),
        ("ap", "denoising"): ("ap_heads_denoising", gap),
    }
    return {key: rounded((sign * numpy.array(case[field]).ravel()).tolist()) for key, (field, sign) in signed.items()}


def ordered(values):
    """Places by size, largest first, ties by place."""
    return sorted(range(len(values)), key=lambda place: -abs(values[place]))


def percentile(values, q):
    sizes = numpy.abs(values)
    threshold = numpy.quantile(sizes, q)
    return {"threshold": float(threshold), "places": numpy.flatnonzero(sizes >= threshold).tolist()}


def overlap(ig, ap):
    out = {"intersection": [], "share": [], "jaccard": []}
    of_ig, of_ap = ordered(ig), ordered(ap)
    for k in range(1, len(ig) + 1):
        a, b = set(of_ig[:k]), set(of_ap[:k])
        out["intersection"].append(len(a & b))
        out["share"].append(len(a & b) / k)
        out["jaccard"].append(len(a & b) / len(a | b))
    return out


def agreement(name, ig, ap):
    """AP against IG, item by item."""
    constant = {side: len(set(values)) == 1 for side, values in (("ig", ig), ("ap", ap))}
    line = None if constant["ig"] else stats.linregress(ig, ap)
    both = not any(constant.values())
    difference = numpy.subtract(ig, ap)
    middle, sd = difference.mean(), difference.std(ddof=1)
    return {
        "name": name,
        "ig": ig,
        "ap": ap,
        "pearson": float(stats.pearsonr(ig, ap).statistic) if both else None,
        "spearman": float(stats.spearmanr(ig, ap).statistic) if both else None,
        "slope": line and float(line.slope),
        "intercept": line and float(line.intercept),
        "bland_altman": {
            "mean": (numpy.add(ig, ap) / 2).tolist(),
            "difference": difference.tolist(),
            "mean_difference": float(middle),
            "sd": float(sd),
            "lower": float(middle - 1.96 * sd),
            "upper": float(middle + 1.96 * sd),
        },
        "percentiles": [{"q": q, "ig": percentile(ig, q), "ap": percentile(ap, q)} for q in QUANTILES],
        "overlap": overlap(ig, ap),
    }


def agreements(tables):
    rng = numpy.random.default_rng(20)
    shared = rng.normal(size=200)
    # One decimal: many ties, equal sizes of both signs among them, and zeros.
    ig = (shared + 0.3 * rng.normal(size=200)).round(1) + 0.0
    ap = (0.8 * shared + 0.4 * rng.normal(size=200)).round(1) + 0.0
    cases = [(f"tiny-gpt2 case0 heads {d}", tables["ig", d], tables["ap", d]) for d in ("noising", "denoising")]
    cases += [
        ("200 values with ties", ig.tolist(), ap.tolist()),
        ("two values", [1.0, -2.0], [0.5, 3.0]),
        ("constant IG", [0.25] * 5, [1.0, -2.0, 0.5, 0.0, 3.0]),
        ("constant AP", [1.0, -2.0, 0.5, 0.0, 3.0], [0.25] * 5),
        ("zeros", [0.0] * 4, [0.0] * 4),
    ]
    return [agreement(*case) for case in cases]


def interval(values, n, seed):
    made = stats.bootstrap(
        (values,),
        numpy.mean,
        n_resamples=n,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=numpy.random.default_rng(seed),
    )
    return [float(end) for end in made.confidence_interval]


def samples():
    rng = numpy.random.default_rng(21)
    drawn = {
        "five": rng.normal(1.0, 0.5, size=5),
        "twenty, skewed": rng.lognormal(0.0, 1.0, size=20),
        "a hundred": rng.normal(-0.2, 1.0, size=100),
    }
    out = []
    for name, values in drawn.items():
        values = values.round(4)
        low, high = interval(values, RESAMPLES, 0)
        # The largest, not the standard deviation: the mean of few values has few bootstrap values to jump between.
        others = numpy.array([interval(values, FEWER, seed) for seed in range(1, SEEDS + 1)])
        errors = numpy.abs(others - [low, high]).max(axis=0)
        bootstrap = {"confidence": CONFIDENCE, "n_resamples": RESAMPLES, "low": low, "high": high}
        bootstrap |= {"low_error": float(errors[0]), "high_error": float(errors[1])}
        out.append(
            {
                "name": name,
                "values": values.tolist(),
                "mean": float(values.mean()),
                "sd": float(values.std(ddof=1)),
                "bootstrap": bootstrap,
            }
        )
    return out


def asymmetry(name, noising, denoising):
    difference = numpy.subtract(noising, denoising)
    largest = numpy.abs(difference).max()
    score = (difference / largest).tolist() if largest > 0 else None
    return {"name": name, "noising": noising, "denoising": denoising, "score": score}


def asymmetries(tables):
    cases = [(f"tiny-gpt2 case0 heads {m}", tables[m, "noising"], tables[m, "denoising"]) for m in ("ap", "ig")]
    # The later notebooks (docs/METHODS.md#the-notebook) divide by the largest difference rather than by the largest size: this pair tells them apart.
    cases += [("largest is negative", [1.0, 0.0, 2.0], [0.5, 4.0, 2.0]), ("equal", [1.0, -2.0], [1.0, -2.0])]
    return [asymmetry(*case) for case in cases]


def gate(name, bias):
    """A neuron with two inputs: clean (1, 1), corrupted (0, 0)."""

    def f(x):
        return float(special.expit(numpy.dot(WEIGHTS, x) + bias))

    def on_the_line(t, i):
        value = f((t, t))
        return WEIGHTS[i] * value * (1 - value)

    both, neither = f((1, 1)), f((0, 0))
    alone = [f((1, 0)), f((0, 1))]
    gap = both - neither
    ig = [integrate.quad(on_the_line, 0, 1, args=(i,), epsabs=1e-14, epsrel=1e-13)[0] for i in range(2)]
    # The inputs move together on a straight line, so that IG divides the gap in the ratio of the weights.
    assert all(math.isclose(ig[i], gap * WEIGHTS[i] / sum(WEIGHTS), rel_tol=1e-12) for i in range(2))
    raw = {
        "ap_noising": [both - alone[1], both - alone[0]],
        "ap_denoising": [alone[0] - neither, alone[1] - neither],
        "ig": ig,
    }
    return {
        "name": name,
        "w": list(WEIGHTS),
        "b": bias,
        "f": {"00": neither, "10": alone[0], "01": alone[1], "11": both},
        "gap": gap,
        "raw": raw,
        "share": {method: [value / gap for value in values] for method, values in raw.items()},
    }


def rounded(value):
    """The same JSON value with 10 significant digits."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value


def differences(where, got, stored):
    """Differences of two JSON values, as lines of text."""
    if isinstance(stored, dict) and isinstance(got, dict) and got.keys() == stored.keys():
        # NumPy does not promise the same draws for ever: an interval may move by what it moves by between seeds.
        if "low_error" in stored:
            allowed = {"low": stored["low_error"], "high": stored["high_error"]}
            lines = [f"{where}.{end}" for end, error in allowed.items() if abs(got[end] - stored[end]) > error]
            rest = [key for key in stored if key in ("confidence", "n_resamples")]
            return lines + [line for key in rest for line in differences(f"{where}.{key}", got[key], stored[key])]
        return [line for key in stored for line in differences(f"{where}.{key}", got[key], stored[key])]
    if isinstance(stored, list) and isinstance(got, list) and len(got) == len(stored):
        pairs = enumerate(zip(got, stored, strict=True))
        return [line for i, (new, old) in pairs for line in differences(f"{where}[{i}]", new, old)]
    if isinstance(stored, float) and isinstance(got, float):
        near = math.isclose(got, stored, rel_tol=TOLERANCE, abs_tol=1e-14)
        return [] if near else [f"{where}: {got}, stored {stored}"]
    return [] if got == stored else [f"{where}: {got}, stored {stored}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true")
    action.add_argument("--write", action="store_true")
    options = parser.parse_args()
    tables = head_tables()
    fresh = rounded(
        {
            "agreement": agreements(tables),
            "samples": samples(),
            "asymmetry": asymmetries(tables),
            "gates": [gate("and", BIAS), gate("or", -sum(WEIGHTS) - BIAS)],
        }
    )
    if options.write:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(fresh, separators=(",", ":")) + "\n")
        return
    wrong = differences(FILE.name, fresh, json.loads(FILE.read_text()))
    print(f"{FILE}: {len(wrong)} differences")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
