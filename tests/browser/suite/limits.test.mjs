// A GPU that binds no more than every GPU must: an embedding of 138 MB on bindings of at most 134 (128 MiB); GPT-2's own has 154. The body is
// small, since the adapter is a program on the CPU.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, random_model } from "../support/native.mjs";
import { by, confirmed, difference, launch, open, PATIENCE, run_on_gpu, status, table, type } from "../support/page.mjs";
import { choose, in_use, site } from "../support/site.mjs";

const SMALL = { clean: "A robin is a kind of", corrupted: "A salmon is a kind of", answer: " bird", wrong: " fish" };

test("a model with an embedding larger than a binding runs within what WebGPU guarantees", { timeout: 10 * PATIENCE }, async () => {
  const folder = random_model("wide-vocabulary", "--size", "mini", "--vocab", "270000", "--std", "0.2");
  const here = await site({ folder, faults: true });
  const browser = await launch({ gpu: true });
  try {
    const { page, errors } = await open(browser, here.url);
    await status(page, "done");
    await choose(page, here.model);
    await in_use(page, here.model);
    await type(page, SMALL, 4);

    page.setDefaultTimeout(8 * PATIENCE);
    here.hub.gpu_fault = "limits";
    await run_on_gpu(page, "limited");
    // The model is too large for double precision, and the second worker has read it from what the browser keeps.
    await confirmed(page);
    const [native] = compare([{ name: "small", ...SMALL }], { model: folder, steps: 4 });
    for (const method of ["ig", "ap"]) {
      const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method].noising);
      console.log(`${method}: off by ${off.toExponential(1)} of the largest score`);
      assert.ok(off < 2e-3, `${method} is off by ${off} of the largest score`);
    }
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
    await here.close();
  }
});
