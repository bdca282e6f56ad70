// The same numbers from the command line.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
/** Where tests keep what is made once and is large. */
export const KEPT = join(TARGET, "tmp");
export const MINI = join(ROOT, "assets/models/mini");

/** Runs the command line and waits for it. */
export function twinbeam(...options) {
  execFileSync(join(TARGET, "release/twinbeam"), options, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

/** Folder of a random model of GPT-2 small's full size; it is made once. */
export function full_size() {
  const folder = join(KEPT, "gpt2-random");
  if (!existsSync(folder)) {
    const unfinished = `${folder}-unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    twinbeam("synth", "--size", "gpt2", "--masks", "--std", "0.1", "--tokenizer", join(MINI, "tokenizer.json"), "--out", unfinished);
    renameSync(unfinished, folder);
  }
  return folder;
}

/**
 * `twinbeam compare` on a model, the bundled one unless it is named; one entry per case, with its neurons if they are
 * wanted. In double precision for small models, unless `precision` says otherwise.
 */
export function compare(cases, { model = MINI, steps = 50, neurons = false, precision = "auto", direction = "both" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "twinbeam-"));
  try {
    const [input, output] = [join(folder, "cases.json"), join(folder, "out.json")];
    writeFileSync(input, JSON.stringify(cases));
    const where = ["--model", model, "--cases", input, "--out", output];
    const how = ["--n-steps", `${steps}`, "--precision", precision, "--direction", direction];
    twinbeam("compare", ...where, ...how, ...(neurons ? ["--neurons"] : []));
    return JSON.parse(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
