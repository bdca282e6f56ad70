// Saves the page's bundle of one case, as a visitor would by its button. A program and no test: `cargo xtask bundle` runs it, and
// tests/reference/run_notebook.py computes the numbers again from what it saves.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { MINI } from "./support/native.mjs";
import { by, launch, open, saved_bytes, status } from "./support/page.mjs";
import { choose, in_use, site } from "./support/site.mjs";

const [, , from, ...options] = process.argv;
const { values } = parseArgs({
  args: options,
  options: {
    model: { type: "string" },
    cases: { type: "string" },
    out: { type: "string" },
    metric: { type: "string" },
    steps: { type: "string" },
  },
});
if (!values.cases || !values.out) throw new Error("--cases FILE and --out FILE are needed");
const [case_] = JSON.parse(readFileSync(resolve(from, values.cases), "utf8"));
const folder = values.model && resolve(from, values.model);

const here = await site({ folder: folder ?? MINI });
const browser = await launch();
try {
  const { page, errors } = await open(browser, here.url);
  await status(page, "done");
  if (folder) {
    await choose(page, here.model);
    await in_use(page, here.model);
  }
  await by(page, "prompt-clean").fill(case_.clean);
  await by(page, "prompt-corrupted").fill(case_.corrupted);
  await by(page, "answer").fill(case_.answer);
  await by(page, "wrong").fill(case_.wrong);
  if (values.metric) await by(page, "metric").selectOption(values.metric);
  if (values.steps === "auto") await by(page, "steps-auto").check();
  else if (values.steps) await by(page, "steps").fill(values.steps);
  // It can be pressed once what was typed has been looked at.
  const run = page.locator("[data-testid=run]:enabled");
  await run.waitFor();
  await run.click();
  await status(page, "done");
  // Small models have their neurons computed behind the heads, of others they are only offered.
  const ended = ["done", "offered"].map((state) => `[data-testid=neuron-status][data-state=${state}]`);
  await page.locator(ended.join(",")).waitFor();
  writeFileSync(resolve(from, values.out), await saved_bytes(page, "export-bundle"));
  if (errors.length) throw new Error(errors.join("\n"));
} finally {
  await browser.close();
  await here.close();
}
