// The same numbers from the command line.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
/** Where tests keep what is made once and is large. */
const KEPT = join(TARGET, "tmp");
export const MINI = join(ROOT, "assets/models/mini");

/** Runs the command line and waits for it. */
export function twinbeam(...options) {
  execFileSync(join(TARGET, "release/twinbeam"), options, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

/**
 * Folder of a model with random weights by its name, made once by `twinbeam synth` with the given options. It gets its name when it is whole,
 * so that two suites at once find all of it or nothing.
 */
export function random_model(name, ...options) {
  const folder = join(KEPT, name);
  if (existsSync(folder)) return folder;
  mkdirSync(KEPT, { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  try {
    twinbeam("synth", ...options, "--tokenizer", join(MINI, "tokenizer.json"), "--out", unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another suite has made it meanwhile.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Folder of a random model of GPT-2 small's full size. */
export const full_size = () => random_model("gpt2-random", "--size", "gpt2", "--masks", "--std", "0.1");

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

/** All edges of the bundled model in both directions, and circuits of them, by `twinbeam edges`; one entry per case. */
export function edges(cases) {
  const folder = mkdtempSync(join(tmpdir(), "twinbeam-"));
  try {
    const [input, output] = [join(folder, "cases.json"), join(folder, "out.json")];
    writeFileSync(input, JSON.stringify(cases));
    twinbeam("edges", "--model", MINI, "--cases", input, "--out", output, "--exact", "all");
    return JSON.parse(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
