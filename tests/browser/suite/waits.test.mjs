// What a visitor waits for at most after pressing Cancel.
// Runs alone: each test holds a time of two or three seconds, of which the page itself waits more than one for an answer.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sha256 } from "../support/hub.mjs";
import { MINI } from "../support/native.mjs";
import { by, goes_on, launch, open, PATIENCE, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";
import { choose, in_use, is_complete, journal, site, visit } from "../support/site.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** The page of a server, until a test of it is done. */
async function on(server, body) {
  try {
    const { page, errors, close } = await open(browser, `${server.url}?device=cpu`);
    await body(page);
    await close();
    return errors;
  } finally {
    await server.close();
  }
}

test("a run can be cancelled, and the page goes on", async () => {
  const errors = await on(await serve("/some/folder/"), async (page) => {
    await status(page, "done");
    const figure = await table(page, "heatmap-ap-heads");
    await by(page, "steps").fill("300");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await by(page, "cancel").click();
    // A run so short that it was done first is not a cancelled one.
    await page.locator("[data-testid=notice]", { hasText: "Stopped" }).waitFor({ timeout: 3000 });
    assert.deepEqual(await table(page, "heatmap-ap-heads"), figure, "the figure before it is back");
    await status(page, "stale");
    await by(page, "steps").fill("5");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
  });
  assert.deepEqual(errors, []);
});

test("a worker that hangs is noticed, and Cancel replaces it within 2 s", { timeout: 4 * PATIENCE }, async () => {
  // The first worker that asks gets the fault; the one that replaces it gets none.
  const faults = ["hang"];
  const files = { "models/mini/fault.txt": () => faults.pop() ?? "", "models/mini/gpu-fault.txt": () => "" };
  await on(await serve("/", { faults: true, files }), async (page) => {
    page.setDefaultTimeout(3 * PATIENCE);
    const notice = (words) => page.locator("[data-testid=notice]", { hasText: words }).waitFor();
    await notice(/No word from the computing part/);
    assert.equal(await by(page, "status").getAttribute("data-state"), "running");
    await goes_on(page, async () => {
      const begun = Date.now();
      await by(page, "cancel").click();
      await notice(/did not answer and was restarted/);
      assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
    });
  });
});

test("the bundled model runs while another arrives, and Cancel stops that within 2 s", async () => {
  const weights = "model.safetensors";
  const here = await site({ entry: { sha256: await sha256(join(MINI, weights)) } });
  try {
    await visit(browser, here, async (page) => {
      const { hub, model, shelf } = here;
      hub.rule = ({ file }) => file === weights && { rate: 100_000 };
      await choose(page, model);
      await page.locator("[data-testid=load-progress]:not([data-done='0'])").waitFor();
      await by(page, "steps").fill("5");
      await page.locator("[data-testid=run]:enabled").waitFor();
      await by(page, "run").click();
      await status(page, "done");
      assert.match(await by(page, "load-progress").innerText(), /Bundled model stays in use until then/);

      const begun = Date.now();
      await by(page, "load-cancel").click();
      await by(page, "load-progress").waitFor({ state: "detached" });
      assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
      const asked = hub.requests.length;
      await page.waitForTimeout(1000);
      assert.equal(hub.requests.length, asked, "nothing is asked for any more");
      assert.equal(is_complete(await journal(page, shelf)), false);
      assert.match(await by(page, "model-report").innerText(), /^Bundled model/);

      hub.rule = undefined;
      await choose(page, model);
      await in_use(page, model, "(verified)");
    });
  } finally {
    await here.close();
  }
});
