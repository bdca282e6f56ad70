// WebGPU in an engine that has it under automation: slow on a software adapter, so a small pair only.
import assert from "node:assert/strict";
import { software_driver } from "../../dawn/driver.mjs";
import { compare } from "../native.mjs";
import { difference, PATIENCE } from "../page.mjs";
import { choose, click, fill, says, status, table, visit } from "../tab.mjs";

// Two tokens and BOS, as in gpu.test.mjs: what matters here is that the device computes what the CPU computes.
const SMALL = { clean: "A robin is a kind of", corrupted: "A salmon is a kind of", answer: " bird", wrong: " fish" };

async function on_the_gpu({ engine, options, server }) {
  const browser = await engine.start({ ...options, gpu: true });
  try {
    await visit(browser, `${server.url}?device=cpu`, async (tab) => {
      tab.patience = 5 * PATIENCE;
      const has_adapter = await tab.run(async () => Boolean(await navigator.gpu?.requestAdapter()));
      assert.ok(has_adapter, `this ${engine.name} has no WebGPU adapter, so nothing was tested`);
      await status(tab, "done");
      await fill(tab, "prompt-clean", SMALL.clean);
      await fill(tab, "prompt-corrupted", SMALL.corrupted);
      await fill(tab, "answer", SMALL.answer);
      await fill(tab, "wrong", SMALL.wrong);
      await fill(tab, "steps", "4");
      await click(tab, "run");
      await status(tab, "done");
      await choose(tab, "device", "gpu");
      await says(tab, "device-report", /^GPU \(.*Passed its self-test/s);
      await status(tab, "done");
      await says(tab, "gpu-check", /A sample of \d+ numbers was computed again on the CPU: the worst is off by [\d.]+ %/);
      const [native] = compare([{ name: "small", ...SMALL }], { steps: 4 });
      for (const method of ["ig", "ap"]) {
        const off = difference(await table(tab, `heatmap-${method}-heads`), native.heads[method].noising);
        assert.ok(off < 2e-3, `${method} is off by ${off} of the largest score`);
      }
    });
  } finally {
    await browser.close();
  }
}

/** Nothing, where no driver gives this machine an adapter. */
export const GPU = software_driver() ? [{ name: "WebGPU, where it is switched on, agrees with the CPU", run: on_the_gpu, limit: 12 * PATIENCE }] : [];
