// How fast a model of GPT-2 small's full size runs in Chromium on the CPU. A program and no test: it prints what the page says of
// this device, and how long the heads take, at fixed steps and at those that are found by themselves.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { full_size } from "./support/native.mjs";
import { by, launch, PATIENCE, remember, status } from "./support/page.mjs";
import { choose, in_use, site } from "./support/site.mjs";

const here = await site({ folder: full_size() });
const profile = mkdtempSync(join(tmpdir(), "twinbeam-bench-full-"));
const context = await launch({ profile });
try {
  await remember(context);
  const page = await context.newPage();
  page.setDefaultTimeout(10 * PATIENCE);
  await page.goto(here.url);
  await status(page, "done");
  await choose(page, here.model);
  await in_use(page, here.model, "kept in this browser");
  await by(page, "speed").locator("summary").click();
  await by(page, "bench").click();
  await by(page, "bench-result").waitFor();
  console.log(await by(page, "bench-result").innerText());
  for (const auto of [false, true]) {
    await by(page, "steps-auto").setChecked(auto);
    await page.locator("[data-testid=run]:enabled").waitFor();
    const begun = Date.now();
    await by(page, "run").click();
    await page.locator("[data-testid=status][data-state=running]").waitFor();
    await status(page, "done");
    console.log(`heads, both directions, ${auto ? "auto" : "50 steps"}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  }
} finally {
  await context.close();
  await here.close();
  rmSync(profile, { recursive: true, force: true });
}
