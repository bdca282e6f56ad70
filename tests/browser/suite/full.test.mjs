// A model of GPT-2 small's full size, with random weights: fetched, run on the CPU, and loaded again without a network.
// It takes minutes, so it is one test, and it says how long each part took.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sha256 } from "../support/hub.mjs";
import { compare, full_size } from "../support/native.mjs";
import { NOTEBOOK, PATIENCE, by, difference, launch, status, table } from "../support/page.mjs";
import { choose, in_use, site } from "../support/site.mjs";

/** A phone-sized core would need as long. */
const LONG = 10 * PATIENCE;
/** Bytes of the masks that files of GPT-2 hold: one triangle of 1024 positions per layer, never fetched. */
const MASKS = 12 * 1024 * 1024 * 4;

test("a model of the full size is fetched, agrees with the command line, and is there again without a network", { timeout: 3 * LONG }, async () => {
  const folder = full_size();
  const { clean, corrupted, answer, wrong } = NOTEBOOK;
  const cases = [{ name: "notebook", clean, corrupted, answer: answer[0], wrong: wrong[0] }];
  const [native] = compare(cases, { model: folder, precision: "f32", direction: "noising" });
  const here = await site({ folder, entry: { sha256: await sha256(join(folder, "model.safetensors")) } });
  const profile = mkdtempSync(join(tmpdir(), "twinbeam-full-"));
  const times = {};
  const timed = async (what, body) => {
    const begun = Date.now();
    await body();
    times[what] = (Date.now() - begun) / 1000;
  };
  try {
    await visit(profile, here, async (page) => {
      const { hub } = here;
      await timed("fetched, from the click to ready", async () => {
        await choose(page, here.model);
        await in_use(page, here.model, "(verified), kept in this browser");
      });
      const fetched = hub.served("model.safetensors");
      assert.ok(fetched < here.model.file_bytes - MASKS + 2e6, `${fetched} bytes: the masks were fetched too`);
      await timed("heads", async () => {
        await page.locator("[data-testid=run]:enabled").waitFor();
        await by(page, "run").click();
        await page.locator("[data-testid=status][data-state=done], [data-testid=status][data-state=error]").first().waitFor();
        await status(page, "done");
      });
      for (const method of ["ig", "ap"]) {
        const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method].noising);
        console.log(`${method}: off by ${off.toExponential(1)} of the largest score`);
        assert.ok(off < 1e-4, `${method} is off by ${off} of the largest score`);
      }
    });
    await here.hub.close();
    await visit(profile, here, async (page) => {
      await timed("from storage, from the choice to ready", async () => {
        await choose(page, here.model);
        await in_use(page, here.model, "(verified), kept in this browser");
      });
    });
    console.log(times);
    // On a GPU the weights are in its own memory. Nothing is computed here: the adapter is a program on the CPU.
    const context = await launch({ profile, gpu: true });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(LONG);
      await page.goto(here.url);
      await status(page, "done");
      await choose(page, here.model);
      await in_use(page, here.model, "(verified)");
      await by(page, "settings-open").click();
      await by(page, "device").selectOption("gpu");
      await page.locator("[data-testid=device-report]", { hasText: "software adapter" }).waitFor();
      const report = by(page, "model-report");
      console.log("GPU:", (await report.getAttribute("title")).replaceAll("\n", ", "));
      const memory = Number(await by(page, "device-report").getAttribute("data-gpu-memory-bytes"));
      assert.ok(memory > 0 && memory <= 350e6, `${memory} bytes of memory for a model that is on the GPU`);
    } finally {
      await context.close();
    }
  } finally {
    await here.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

/** A visit by a browser that keeps its files on the disk, as a visitor's does; says what loading took at its end. */
async function visit(profile, { url, model }, body) {
  const context = await launch({ profile });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(LONG);
    await page.goto(url);
    await status(page, "done");
    await body(page);
    const report = by(page, "model-report");
    console.log((await report.getAttribute("title")).replaceAll("\n", ", "));
    const [memory, weights] = [Number(await report.getAttribute("data-memory-bytes")), model.file_bytes - MASKS];
    console.log(`memory: ${(memory / weights).toFixed(3)} of the weights`);
    assert.ok(memory <= 1.2 * weights, `${memory} bytes of memory for ${weights} of weights`);
  } finally {
    await context.close();
  }
}
