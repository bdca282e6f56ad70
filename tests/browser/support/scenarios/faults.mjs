// What ends early in every engine: a run that is cancelled, a worker that dies, a GPU that is not there.
import assert from "node:assert/strict";
import { serve } from "../server.mjs";
import { at, attribute, choose, click, fill, says, status, table, text, until, value, visit } from "../tab.mjs";

async function cancel({ browser, server }) {
  await visit(browser, `${server.url}?device=cpu`, async (tab) => {
    await status(tab, "done");
    const figure = await table(tab, "heatmap-ap-heads");
    await fill(tab, "steps", "300");
    await until(tab, "Run", (css) => !document.querySelector(css).disabled, at("run"));
    // By a script: a driver takes longer from one click to the next than a fast device takes for the run.
    await tab.run(([run, cancel, status]) => new Promise((pressed) => {
      document.querySelector(run).click();
      const timer = setInterval(() => {
        const button = document.querySelector(cancel);
        if (document.querySelector(status).dataset.state !== "running" || !button || button.disabled) return;
        clearInterval(timer);
        button.click();
        pressed(true);
      }, 2);
    }), ["run", "cancel", "status"].map(at));
    await says(tab, "notice", /Stopped/);
    assert.deepEqual(await table(tab, "heatmap-ap-heads"), figure, "the figure before it is back");
    await status(tab, "stale");
    await fill(tab, "steps", "5");
    await click(tab, "run");
    await status(tab, "done");
  });
}

async function dead_worker({ browser }) {
  // The first worker that asks gets the fault; the one that replaces it gets none.
  const faults = ["trap"];
  const files = { "models/mini/fault.txt": () => faults.pop() ?? "", "models/mini/gpu-fault.txt": () => "" };
  const server = await serve("/", { faults: true, files });
  try {
    await visit(browser, `${server.url}?device=cpu`, async (tab) => {
      await says(tab, "notice", /stopped and has been restarted/);
      assert.equal(await attribute(tab, "status", "data-state"), "error");
      const prompt = "When Kate and Tom came home, Tom gave a ring to";
      await fill(tab, "prompt-clean", prompt);
      // The worker that replaces it reads what is typed.
      await says(tab, `${at("token-row-clean")} td`, /Kate/);
      assert.equal(await value(tab, "prompt-clean"), prompt);
      await choose(tab, "example-select", "0");
      await status(tab, "done");
      assert.ok((await table(tab, "heatmap-ap-heads")).flat().every(Number.isFinite));
    });
    assert.deepEqual(faults, [], "the worker asked for its fault");
  } finally {
    await server.close();
  }
}

/** Where there is no WebGPU the page computes on the CPU and says why; a GPU that was asked for is said aloud to be missing. */
async function no_gpu({ browser, server }) {
  await visit(browser, server.url, async (tab) => {
    await status(tab, "done");
    assert.equal(await tab.run(async () => Boolean(await navigator.gpu?.requestAdapter())), false, "it has a GPU: nothing was tested");
    const words = await text(tab, "device-report");
    assert.match(words, /^CPU.*No usable GPU: this browser offers none by WebGPU/s);
    assert.doesNotMatch(words, /Firefox|WebKit|Safari|Chrom/, "a browser is not judged by its name");
  });
  await visit(browser, `${server.url}?device=gpu`, async (tab) => {
    await says(tab, "notice", /The GPU cannot be used, so the CPU computes.*This browser offers none by WebGPU/s);
    await status(tab, "done");
  });
}

export const FAULTS = [
  { name: "a run is cancelled, the figure before it comes back, and the page goes on", run: cancel },
  { name: "a worker that dies is replaced, what is typed is kept, and the page says so", run: dead_worker },
  { name: "without WebGPU the CPU computes, and the page says that this browser offers none", run: no_gpu },
];
