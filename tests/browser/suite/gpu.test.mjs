// The same on WebGPU, on Chromium's software adapter: slow, so a small case only.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compare } from "../support/native.mjs";
import { by, confirmed, difference, launch, open, PATIENCE, run_on_gpu, status, table, type } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

// Two tokens and BOS; what matters here is that the device computes what the CPU computes.
const SMALL = { clean: "A robin is a kind of", corrupted: "A salmon is a kind of", answer: " bird", wrong: " fish" };

let browser, server;
before(async () => {
  browser = await launch({ gpu: true });
  server = await serve();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

test("WebGPU agrees with the CPU", { timeout: 10 * PATIENCE }, async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu`);
  const adapter = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
  assert.ok(adapter, "this Chromium has no WebGPU adapter, so nothing was tested");
  await status(page, "done");
  await type(page, SMALL, 4);
  await by(page, "run").click();
  await status(page, "done");

  page.setDefaultTimeout(5 * PATIENCE);
  await run_on_gpu(page, "software adapter");

  assert.match(await confirmed(page), /the worst is off by [\d.]+ %/);
  const [native] = compare([{ name: "small", ...SMALL }], { steps: 4 });
  for (const method of ["ig", "ap"]) {
    const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method].noising);
    console.log(`${method}: off by ${off.toExponential(1)} of the largest score`);
    assert.ok(off < 2e-3, `${method} is off by ${off} of the largest score`);
  }
  assert.deepEqual(errors, []);
  await close();
});

test("a software adapter is not taken unless it is chosen", async () => {
  const { page, close } = await open(browser, server.url);
  await status(page, "done");
  assert.match(await by(page, "device-report").innerText(), /CPU.*software/is);
  await close();
});
