// What several workers gain in Chromium, on a model of GPT-2 small's size and on the bundled one. A program and no test: it prints the
// seconds of each table with one worker and with as many as are named (2 unless told), in turns, and what two pages at once
// reach, which is what the machine's cores have to give.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { full_size } from "./support/native.mjs";
import { by, launch, PATIENCE, remember, saved, status } from "./support/page.mjs";
import { choose, in_use, site } from "./support/site.mjs";

const MOST = Number(process.argv[2] ?? 2);
const STEPS = process.argv[3] ?? "20";

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

/** Seconds per table of a run of the heads in both directions. */
async function run(page, steps) {
  await by(page, "steps").fill(steps);
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await page.locator("[data-testid=status][data-state=running]").waitFor();
  await status(page, "done");
  const { seconds } = JSON.parse(await saved(page, "export-json"));
  return { seconds, said: await by(page, "device-report").innerText() };
}

const sum = (seconds) => seconds.reduce((all, { seconds }) => all + seconds, 0);

const here = await site({ folder: full_size() });
const profile = mkdtempSync(join(tmpdir(), "twinbeam-bench-workers-"));
const context = await launch({ profile });
try {
  await remember(context);
  const one = await opened(context, here, 1, here.model);
  const many = await opened(context, here, MOST, here.model);
  // The first run starts the members.
  await run(many, `${Number(STEPS) - 1}`);
  for (let turn = 0; turn < 3; turn += 1) {
    const steps = `${Number(STEPS) + turn}`;
    const [a, b] = [await run(one, steps), await run(many, steps)];
    console.log(`turn ${turn}: one ${sum(a.seconds).toFixed(2)} s, ${MOST} workers ${sum(b.seconds).toFixed(2)} s: ${(sum(a.seconds) / sum(b.seconds)).toFixed(2)} x`);
    for (const [i, { of, seconds }] of a.seconds.entries()) {
      console.log(`  ${JSON.stringify(of)}: ${seconds.toFixed(2)} -> ${b.seconds[i].seconds.toFixed(2)} s, ${(seconds / b.seconds[i].seconds).toFixed(2)} x`);
    }
    console.log(`  ${b.said}`);
  }
  // What two cores have to give: the same job in two pages at once, each with one worker.
  await many.close();
  const other = await opened(context, here, 1, here.model);
  const alone = sum((await run(one, "31")).seconds);
  const [a, b] = await Promise.all([run(one, "32"), run(other, "32")]);
  const both = Math.max(sum(a.seconds), sum(b.seconds));
  console.log(`two pages at once: ${alone.toFixed(2)} s alone, ${both.toFixed(2)} s beside another: the machine gives ${((2 * alone) / both).toFixed(2)} x`);
} finally {
  await context.close();
  await here.close();
  rmSync(profile, { recursive: true, force: true });
}
