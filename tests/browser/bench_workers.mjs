// What several workers gain in Chromium, on a model of GPT-2 small's size. A program and no test: it prints how long the heads take and
// how many neurons are patched with one worker and with as many as are named (2 unless told), in turns, and what two pages at
// once reach, which is what the machine's cores have to give.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { full_size } from "./support/native.mjs";
import { by, launch, PATIENCE, remember, status } from "./support/page.mjs";
import { choose, in_use, site } from "./support/site.mjs";

const MOST = Number(process.argv[2] ?? 2);
const STEPS = Number(process.argv[3] ?? 20);
/** Neurons that are waited for. */
const NEURONS = 1500;

/** A page with a model in use, computed by so many workers. */
async function opened(context, here, workers, model) {
  const page = await context.newPage();
  page.setDefaultTimeout(10 * PATIENCE);
  await page.goto(here.url.replace("device=cpu", `device=cpu&workers=${workers}`));
  await status(page, "done");
  if (model) {
    await choose(page, model);
    await in_use(page, model, "kept in this browser");
  }
  return page;
}

/** Seconds of the heads, both directions. */
async function heads(page, steps) {
  await by(page, "steps").fill(steps);
  await page.locator("[data-testid=run]:enabled").waitFor();
  const begun = Date.now();
  await by(page, "run").click();
  await page.locator("[data-testid=status][data-state=running]").waitFor();
  await status(page, "done");
  return (Date.now() - begun) / 1000;
}

/** Neurons that are patched per second, once their integrals are there. What is said grows by some hundred at a time. */
async function neurons(page) {
  await by(page, "run-neurons").click();
  const patched = async () => Number((await by(page, "neuron-status").innerText()).match(/([\d,]+) of [\d,]+/)?.[1].replaceAll(",", "") ?? 0);
  const at_least = async (n) => {
    for (;;) {
      const now = await patched();
      if (now >= n) return [now, Date.now()];
      await new Promise((go) => setTimeout(go, 20));
    }
  };
  const [from, begun] = await at_least(1);
  const [to, ended] = await at_least(from + NEURONS);
  await by(page, "cancel").click();
  await page.locator("[data-testid=run]").waitFor();
  return (1000 * (to - from)) / (ended - begun);
}

const here = await site({ folder: full_size() });
const profile = mkdtempSync(join(tmpdir(), "twinbeam-bench-workers-"));
const context = await launch({ profile });
try {
  await remember(context);
  const one = await opened(context, here, 1, here.model);
  const many = await opened(context, here, MOST, here.model);
  // The first run starts the members.
  await heads(many, `${STEPS - 1}`);
  console.log(await by(many, "device-report").innerText());
  for (let turn = 0; turn < 3; turn += 1) {
    const [a, b] = [await heads(one, `${STEPS + turn}`), await heads(many, `${STEPS + turn}`)];
    console.log(`heads: ${a.toFixed(1)} s with one, ${b.toFixed(1)} s with ${MOST} workers: ${(a / b).toFixed(2)} x`);
  }
  for (let turn = 0; turn < 2; turn += 1) {
    const [a, b] = [await neurons(one), await neurons(many)];
    console.log(`neurons a second: ${a.toFixed(1)} with one, ${b.toFixed(1)} with ${MOST} workers: ${(b / a).toFixed(2)} x`);
  }
  // What two cores have to give: the same job in two pages at once, each with one worker.
  await many.close();
  const other = await opened(context, here, 1, here.model);
  await heads(other, `${STEPS - 1}`);
  const alone = await heads(one, `${STEPS + 5}`);
  const both = Math.max(...(await Promise.all([heads(one, `${STEPS + 6}`), heads(other, `${STEPS + 6}`)])));
  console.log(`two pages at once: ${alone.toFixed(1)} s alone, ${both.toFixed(1)} s beside another: the machine gives ${((2 * alone) / both).toFixed(2)} x`);
} finally {
  await context.close();
  await here.close();
  rmSync(profile, { recursive: true, force: true });
}
