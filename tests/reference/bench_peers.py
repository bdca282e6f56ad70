"""Times TransformerLens and captum and Twinbeam on the same model and prompts, in turn, and prints ratios.

    python bench_peers.py --twinbeam ../../target/release/twinbeam --model FOLDER [--cases FILE]

Heads are patched at `hook_z`, one forward pass each; neurons at `hook_post` likewise, of which a sample stands for all, since each
pass costs the same. IG is timed in two ways, at a sample of the 24 sites: as the notebook (docs/METHODS.md#the-notebook) does it (captum's
`LayerIntegratedGradients` on `attn.hook_result`, and on `mlp.hook_post`), and as the fixtures are made (`IntegratedGradients`
over the activation itself, the fastest way that was found for the peers). Twinbeam runs before and after them, since a machine's
speed wanders. Both in float32, on as many threads as there are cores. Run by hand in an environment made from requirements.txt.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from captum.attr import LayerIntegratedGradients
from make_fixtures import STEPS, Case, load

# The shape of the pair of the notebook (docs/METHODS.md#the-notebook): 17 tokens that differ at the eleventh.
PAIR = {
    "name": "notebook-like",
    "clean_ids": list(range(17)),
    "corrupted_ids": [*range(10), 17, *range(11, 17)],
    "answer_id": 18,
    "wrong_id": 19,
}
SAMPLED_NEURONS = 60


def peak():
    """Operations per second of the fastest of some matrix products of the model's shapes."""
    best = 0.0
    for m, k, n in ((1024, 1024, 1024), (2048, 768, 3072), (2048, 3072, 768)):
        a, b = torch.randn(m, k), torch.randn(k, n)
        end = time.perf_counter() + 0.7
        while time.perf_counter() < end:
            begun = time.perf_counter()
            torch.mm(a, b)
            best = max(best, 2 * m * k * n / (time.perf_counter() - begun))
    return best


def timed(work):
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def peers(case, cfg):
    """Seconds of each part, all of it, and the scores for a comparison."""
    (seconds_heads, (ap, _)) = timed(lambda: case.patch("heads", "noising"))
    # `patch` also replaces whole layers: one pass more for each.
    seconds = {"ap_heads": seconds_heads * cfg.n_heads / (cfg.n_heads + 1)}

    def some_neurons():
        for i in range(SAMPLED_NEURONS):
            layer, neuron = i % cfg.n_layers, i * 37 % cfg.d_mlp
            name = f"blocks.{layer}.mlp.hook_post"
            values = case.cache["clean"][name].clone()
            values[:, :, neuron] = case.cache["corrupted"][name][:, :, neuron]
            with torch.no_grad():
                case.replaced("clean", name, values)

    sampled, _ = timed(some_neurons)
    seconds["ap_neurons"] = sampled * cfg.n_layers * cfg.d_mlp / SAMPLED_NEURONS
    # Their gradients reach back to the layer: the first and the last cost together what two of the others do.
    case.layers = sorted({0, cfg.n_layers - 1})
    for site, seconds_of_site in notebook_ig(case).items():
        seconds[f"ig_{site}, notebook"] = seconds_of_site * cfg.n_layers / len(case.layers)
    ig = {}
    for site in ("heads", "neurons"):
        sampled, (ig[site], _) = timed(lambda site=site: case.integrate(site, "clean", "corrupted", "clean"))
        seconds[f"ig_{site}"] = sampled * cfg.n_layers / len(case.layers)
    return seconds, ap, ig


def notebook_ig(case):
    """Seconds of captum's layer IG at the sampled layers, the clean run upstream."""
    lens, tokens = case.lens, case.tokens
    lens.set_use_attn_result(True)
    seconds = {}
    for site, module in (("heads", "attn.hook_result"), ("neurons", "mlp.hook_post")):

        def some(module=module):
            for layer in case.layers:
                point = lens.mod_dict[f"blocks.{layer}.{module}"]
                ig = LayerIntegratedGradients(lambda ids: case.metric(lens(ids)), point)
                ig.attribute(
                    tokens["clean"],
                    baselines=tokens["corrupted"],
                    n_steps=STEPS,
                    method="gausslegendre",
                    attribute_to_layer_input=False,
                )

        seconds[site], _ = timed(some)
    lens.set_use_attn_result(False)
    return seconds


class SomeLayers(Case):
    """A case of which IG is taken at some layers only."""

    layers = None

    def each(self, site):
        for layer, entry in enumerate(super().each(site)):
            if self.layers is None or layer in self.layers:
                yield entry


def twinbeam(program, model, cases, folder):
    out = folder / "bench.json"
    command = [program, "bench", "--model", model, "--cases", cases, "--precision", "f32", "--json", out]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    memory = 0
    while process.poll() is None:
        # Not by rusage, in which a child begins with what its parent has.
        memory = max(memory, most_memory(process.pid))
        time.sleep(0.2)
    if process.returncode:
        sys.exit(f"twinbeam ended with {process.returncode}")
    return json.loads(out.read_text()), memory


def most_memory(pid):
    """Most memory that a process has had, in bytes, as Linux tells it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return 1024 * int(found[0]) if found else 0


def name_of(part):
    ((kind, components),) = part.items()
    return f"{kind}_{components}"


def agreement(program, model, cases, folder, ap, ig, layers):
    """Largest difference of the two programs' scores, relative to the largest score."""
    out = folder / "scores.json"
    command = [program, "compare", "--model", model, "--cases", cases, "--precision", "f32", "--direction", "noising"]
    command += ["--n-steps", STEPS, "--out", out]
    subprocess.run([str(word) for word in command], check=True, stderr=subprocess.DEVNULL)
    ours = json.loads(out.read_text())[0]["heads"]

    def off(ours, theirs):
        ours, theirs = torch.tensor(ours), torch.tensor(theirs)
        return ((ours - theirs).abs().max() / theirs.abs().max()).item()

    # captum integrates from the corrupted values to the clean ones: the same sign as ours.
    some = [ours["ig"]["noising"][layer] for layer in layers]
    return off(ours["ap"]["noising"], ap), off(some, ig["heads"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twinbeam", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--cases", type=Path, help="a list of cases as `twinbeam compare` takes it, of token ids; the first counts")
    options = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    torch.set_default_dtype(torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        cases = options.cases or folder / "cases.json"
        if options.cases is None:
            cases.write_text(json.dumps([PAIR]))
        pair = json.loads(cases.read_text())[0]
        peaks = [peak()]
        ours = [twinbeam(options.twinbeam, options.model, cases, folder)]
        published, lens = load(options.model, torch.float32)
        case = SomeLayers(published, lens, pair)
        theirs, ap, ig = peers(case, lens.cfg)
        ours.append(twinbeam(options.twinbeam, options.model, cases, folder))
        peaks.append(peak())
        off_ap, off_ig = agreement(options.twinbeam, options.model, cases, folder, ap, ig, case.layers)
    reports = [report for report, _ in ours]
    best = max(peaks + [report["peak"] for report in reports])
    print(f"{lens.cfg.n_layers} layers, d_model {lens.cfg.d_model}, {len(pair['clean_ids'])} tokens, {os.cpu_count()} cores")
    print(f"matrix products: {best / 1e9:.0f} GFLOP/s at most; largest memory of twinbeam: {max(m for _, m in ours) / 1e9:.2f} GB")
    print(f"scores of heads differ by {off_ap:.0e} (AP) and {off_ig:.0e} (IG) of the largest")
    print(f"{'':22} {'peers, s':>10} {'twinbeam, s':>12} {'ratio':>7} {'GFLOP/s':>8} {'of peak':>8}")
    for rows in zip(*(report["rows"] for report in reports), strict=True):
        part = name_of(rows[0]["part"])
        seconds = [row["seconds"] * row["all_flops"] / row["flops"] for row in rows]
        mean = sum(seconds) / len(seconds)
        speed = rows[0]["all_flops"] / mean
        for name in (name for name in theirs if name.split(",")[0] == part):
            ratio = theirs[name] / mean
            print(f"{name:22} {theirs[name]:10.1f} {mean:12.2f} {ratio:7.0f} {speed / 1e9:8.0f} {speed / best:8.0%}")
    if max(off_ap, off_ig) > 1e-3:
        sys.exit("the two programs disagree")


if __name__ == "__main__":
    main()
