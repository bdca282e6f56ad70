// What a job asks of a GPU: dispatches, submissions and read-backs, by phase and per step. A program and no test: on Chromium's
// software adapter, where times mean nothing and counts are those of every adapter.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { by, launch, open, PATIENCE, run_on_gpu, status, type } from "./support/page.mjs";
import { DIST, serve } from "./support/server.mjs";

const SMALL = { clean: "A robin is a kind of", corrupted: "A salmon is a kind of", answer: " bird", wrong: " fish" };
const LAYERS = 4;
const COUNTED = ["dispatches", "submissions", "reads", "buffers", "uploads", "pipelines"];

/** In the worker, before its program: counts calls, and says how many there were when it says something. */
function count() {
  const counts = { dispatches: 0, submissions: 0, reads: 0, buffers: 0, uploads: 0, pipelines: 0 };
  const wrap = (type, method, what) => {
    const plain = globalThis[type]?.prototype[method];
    if (plain) {
      globalThis[type].prototype[method] = function (...given) {
        counts[what] += 1;
        return plain.apply(this, given);
      };
    }
  };
  wrap("GPUComputePassEncoder", "dispatchWorkgroups", "dispatches");
  wrap("GPUComputePassEncoder", "dispatchWorkgroupsIndirect", "dispatches");
  wrap("GPUQueue", "submit", "submissions");
  wrap("GPUQueue", "writeBuffer", "uploads");
  wrap("GPUBuffer", "mapAsync", "reads");
  wrap("GPUDevice", "createBuffer", "buffers");
  wrap("GPUDevice", "createComputePipeline", "pipelines");
  wrap("GPUDevice", "createComputePipelineAsync", "pipelines");
  const channel = new BroadcastChannel("counts");
  const plain = globalThis.postMessage;
  globalThis.postMessage = (message, ...rest) => {
    channel.postMessage({ message: typeof message === "string" ? message.slice(0, 200) : "", counts: { ...counts } });
    plain.call(globalThis, message, ...rest);
  };
}

function listen() {
  globalThis.heard = [];
  new BroadcastChannel("counts").onmessage = ({ data }) => globalThis.heard.push(data);
}

/** Counts between messages, added up by the phase that the later message names; checks by the CPU cost the GPU nothing. */
function by_phase(heard) {
  const phases = {};
  let before;
  for (const { message, counts } of heard) {
    const phase = /"phase":"(\w+)","done":(\d+)/.exec(message);
    if (phase && before) {
      const sum = (phases[phase[1]] ??= { steps: 0, ...Object.fromEntries(COUNTED.map((what) => [what, 0])) });
      sum.steps += counts.reads > before.reads ? 1 : 0;
      COUNTED.forEach((what) => (sum[what] += counts[what] - before[what]));
    }
    before = counts;
  }
  return phases;
}

const worker = `(${count})();\n${readFileSync(join(DIST, "worker.js"), "utf8")}`;
const server = await serve("/", { files: { "worker.js": worker } });
const browser = await launch({ gpu: true });
try {
  const { page, close } = await open(browser, `${server.url}?device=cpu`);
  await status(page, "done");
  await type(page, SMALL, 4);
  page.setDefaultTimeout(10 * PATIENCE);
  await page.evaluate(listen);
  await run_on_gpu(page, "software adapter");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
  const phases = by_phase(await page.evaluate(() => globalThis.heard));
  console.log(`${LAYERS} layers, both directions; a step ends with a read`);
  console.log("phase".padEnd(12), "steps".padStart(6), ...COUNTED.map((what) => what.padStart(12)), "dispatches per step".padStart(22));
  for (const [phase, sum] of Object.entries(phases)) {
    const row = COUNTED.map((what) => `${sum[what]}`.padStart(12));
    console.log(phase.padEnd(12), `${sum.steps}`.padStart(6), ...row, (sum.dispatches / Math.max(sum.steps, 1)).toFixed(0).padStart(22));
  }
  await close();
} finally {
  await browser.close();
  await server.close();
}
