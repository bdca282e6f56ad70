// What the page's worker asks of a GPU and how long it takes, through Dawn, which is Chromium's WebGPU:
//
//     node dawn/bench.mjs DIST [MODEL | --full] [--kernels]
//
// DIST is the built page; MODEL a folder with a model of GPT-2 small's size, which is then timed as well, and `--full` the one that tests
// keep, made by the command line. `--kernels` times every kernel on the GPU in place of the whole. Counts are those of every
// adapter, and time in WebAssembly is the machine's; times of a software adapter mean nothing else.
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { find_adapter } from "./adapter.mjs";
import { watch_kernels } from "./kernels.mjs";
import { COUNTED, Phases, watch_gpu, watch_wasm } from "./meter.mjs";
import { start } from "./worker.mjs";

/** Two tokens differ, and four steps: small enough for a software adapter, and the same job everywhere. */
const SMALL = { clean: "A robin is a kind of", corrupted: "A salmon is a kind of", answer: [" bird"], wrong: [" fish"], n_steps: 4 };
const NOTEBOOK = {
  clean: "After John and Mary went to the store, Mary gave a bottle of milk to",
  corrupted: "After John and Mary went to the store, John gave a bottle of milk to",
  answer: [" John"],
  wrong: [" Mary"],
  n_steps: 50,
};
/** What the project aims at: milliseconds in WebAssembly per dispatch, the check included. */
const MOST_WASM_MS = 0.15;

/** Kernels that are listed. */
const LISTED = 25;

const asked = process.argv.slice(2);
const wants_kernels = asked.includes("--kernels");
const [page, model] = asked.filter((one) => one !== "--kernels");
if (!page) throw new Error("which folder holds the built page?");
const dist = resolve(page);
const { gpu, classes, name, is_software } = await find_adapter();
Object.assign(globalThis, classes);
const kernels = wants_kernels ? watch_kernels(classes) : undefined;
watch_gpu(classes);
watch_wasm();
console.log(`adapter: ${name}; ${availableParallelism()} cores; ${new Date().toISOString().slice(0, 10)}`);
if (is_software) console.log("A software adapter: seconds mean nothing. Counts and seconds in WebAssembly do.");

/** A large model's folder, if one is asked for. */
async function large_model() {
  if (!model) return undefined;
  return model === "--full" ? (await import("../support/native.mjs")).full_size() : resolve(model);
}

const full = await large_model();
let phases = new Phases();
const heard = (kind, { phase }) => phases.mark(kind === "progress" ? phase : undefined);
const folders = { mini: join(dist, "models/mini"), ...(full ? { full } : {}) };
const worker = await start({ dist, folders, gpu, heard });
console.log(`build: ${worker.build}`);

function print(title, n_layers) {
  const digits = { wasm: 2, seconds: 2 };
  const columns = ["steps", ...COUNTED, "wasm", "seconds"];
  const row = (label, sum) => [label.padEnd(14), ...columns.map((what) => sum[what].toFixed(digits[what] ?? 0).padStart(12))].join("");
  const all = phases.all();
  console.log(`\n${title}`);
  console.log(["phase".padEnd(14), ...columns.map((what) => (what === "wasm" ? "s in wasm" : what).padStart(12))].join(""));
  for (const [phase, sum] of phases.sums) console.log(row(phase, sum));
  console.log(row("all", all));
  const ratios = [];
  const patches = phases.sums.get("ap_heads");
  if (n_layers && patches?.steps) ratios.push(`${(patches.dispatches / patches.steps / n_layers).toFixed(1)} dispatches per block forward`);
  if (all.dispatches) {
    const wasm = (1000 * all.wasm) / all.dispatches;
    ratios.push(`${wasm.toFixed(3)} ms in wasm per dispatch (aim: at most ${MOST_WASM_MS})`);
  }
  if (all.seconds) ratios.push(`${((0.05 * all.reads) / all.seconds).toFixed(2)} reads per 50 ms`);
  if (ratios.length) console.log(ratios.join("; "));
}

/** What the GPU did since the last time: by kernel, and by kernel and number of workgroups. */
async function print_kernels() {
  const times = await kernels.times();
  const all = times.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const list = (rows) => {
    for (const { name, count, nanoseconds } of rows.sort((a, b) => b.nanoseconds - a.nanoseconds).slice(0, LISTED)) {
      const share = ((100 * nanoseconds) / all).toFixed(1).padStart(5);
      const each = (nanoseconds / count / 1000).toFixed(1).padStart(9);
      console.log(`${share} %  ${`${count}`.padStart(6)} times ${each} us  ${name}`);
    }
  };
  console.log(`in kernels: ${(all / 1e9).toFixed(3)} s`);
  const of_kernel = new Map();
  for (const { kernel, count, nanoseconds } of times) {
    const sum = of_kernel.get(kernel) ?? { name: kernel, count: 0, nanoseconds: 0 };
    of_kernel.set(kernel, { name: kernel, count: sum.count + count, nanoseconds: sum.nanoseconds + nanoseconds });
  }
  list([...of_kernel.values()]);
  console.log("by workgroups:");
  list(times.map((time) => ({ ...time, name: `${time.kernel} (${time.grid})` })));
  await kernels.clear();
}

async function load(model) {
  phases = new Phases();
  // As a visitor's page does it, which compiles what is needed and measures the speed. A software adapter is only taken where it is chosen.
  const { shape, device } = await worker.load(model, model, is_software ? "gpu" : "auto");
  phases.mark();
  print(`${model}: until it is ready on ${device.name}`);
  return shape.n_layers;
}

let job = 0;
async function run(title, model, n_layers, prompts, kind) {
  phases = new Phases();
  const experiment = { model, prepend_bos: true, metric: "logit_diff", ...prompts };
  const request = { run: { job: ++job, experiment, first: "noising", kinds: [kind] } };
  const { seconds, checked } = await worker.ask(request, ["done"]);
  phases.mark();
  print(title, n_layers);
  console.log("the worker's own seconds:", seconds.map(([part, time]) => `${part} ${time.toFixed(2)}`).join(", "));
  if (checked) console.log("checked on the CPU:", JSON.stringify(checked));
  if (kernels) await print_kernels();
}

async function both(model, n_layers, prompts, what) {
  await run(`${model}, ${what}: heads, the first time`, model, n_layers, prompts, "heads");
  await run(`${model}, ${what}: heads again`, model, n_layers, prompts, "heads");
  await run(`${model}, ${what}: neurons`, model, n_layers, prompts, "neurons");
}

const n_layers = await load("mini");
await both("mini", n_layers, SMALL, "two tokens of one prompt, 4 steps, both directions");
if (!is_software) await both("mini", n_layers, NOTEBOOK, "the notebook's pair, 50 steps, both directions");
if (full) await both("full", await load("full"), NOTEBOOK, "the notebook's pair, 50 steps, both directions");
process.exit(0);
