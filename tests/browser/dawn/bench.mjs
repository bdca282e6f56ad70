// What the page's worker asks of a GPU and how long it takes, through Dawn, which is Chromium's WebGPU:
//
//     node dawn/bench.mjs DIST [MODEL | --full]
//
// DIST is the built page; MODEL a folder with a model of GPT-2 small's size, which is then timed as well, and `--full` the one that tests
// keep, made by the command line. Counts are those of every
// adapter, and time in WebAssembly is the machine's; times of a software adapter mean nothing else.
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { find_adapter } from "./adapter.mjs";
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

const [page, model] = process.argv.slice(2);
if (!page) throw new Error("which folder holds the built page?");
const dist = resolve(page);
const { gpu, classes, name, is_software } = await find_adapter();
Object.assign(globalThis, classes);
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

async function load(model) {
  phases = new Phases();
  const { shape, device } = await worker.load(model, model);
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
