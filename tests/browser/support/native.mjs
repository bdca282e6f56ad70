// The same numbers from the command line, in double precision.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** `twinbeam compare` on the bundled model; one entry per case, with its neurons if they are wanted. */
export function compare(cases, { steps = 50, neurons = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "twinbeam-"));
  try {
    const [input, output] = [join(folder, "cases.json"), join(folder, "out.json")];
    writeFileSync(input, JSON.stringify(cases));
    const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
    execFileSync(
      join(target, "release/twinbeam"),
      ["compare", "--model", "assets/models/mini", "--cases", input, "--out", output, "--n-steps", `${steps}`, ...(neurons ? ["--neurons"] : [])],
      { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] },
    );
    return JSON.parse(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
