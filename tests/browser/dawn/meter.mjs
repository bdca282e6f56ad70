// Counts what a program asks of WebGPU, and the time that it spends in WebAssembly; by phases of a job.

/** Calls that are counted, by what they are. */
const CALLS = {
  dispatches: ["GPUComputePassEncoder.dispatchWorkgroups", "GPUComputePassEncoder.dispatchWorkgroupsIndirect"],
  submissions: ["GPUQueue.submit"],
  reads: ["GPUBuffer.mapAsync"],
  pipelines: ["GPUDevice.createComputePipeline", "GPUDevice.createComputePipelineAsync"],
};
export const COUNTED = Object.keys(CALLS);

const now = () => performance.now() / 1000;
const total = { ...Object.fromEntries(COUNTED.map((what) => [what, 0])), wasm: 0, seconds: 0 };

/** How deep in WebAssembly the program is, and since when; time in WebGPU on the way is none of its own. */
let [depth, entered, elsewhere] = [0, 0, 0];

function time_wasm(call) {
  return function (...given) {
    if (depth++ === 0) [entered, elsewhere] = [now(), 0];
    try {
      return call(...given);
    } finally {
      if (--depth === 0) total.wasm += now() - entered - elsewhere;
    }
  };
}

/** Buffers that are being waited for: several at once are one wait. */
let awaited = 0;

function count(what, result) {
  if (what !== "reads") {
    total[what] += 1;
    return;
  }
  total.reads += awaited === 0 ? 1 : 0;
  awaited += 1;
  const over = () => (awaited -= 1);
  result.then(over, over);
}

function time_gpu(call, what) {
  const counted = function (...given) {
    const result = call.apply(this, given);
    if (what) count(what, result);
    return result;
  };
  return function (...given) {
    if (depth === 0) return counted.apply(this, given);
    const begun = now();
    try {
      return counted.apply(this, given);
    } finally {
      elsewhere += now() - begun;
    }
  };
}

/** Watches all methods of WebGPU's classes. */
export function watch_gpu(classes) {
  for (const [type, { prototype }] of Object.entries(classes)) {
    for (const name of Object.getOwnPropertyNames(prototype ?? {})) {
      const { value, configurable } = Object.getOwnPropertyDescriptor(prototype, name);
      const is_method = type.startsWith("GPU") && name !== "constructor" && typeof value === "function";
      if (!is_method || !configurable) continue;
      const what = COUNTED.find((one) => CALLS[one].includes(`${type}.${name}`));
      Object.defineProperty(prototype, name, { value: time_gpu(value, what), configurable: true, writable: true });
    }
  }
}

/** Watches the functions of every WebAssembly program that is started from now on. */
export function watch_wasm() {
  const plain = WebAssembly.instantiate;
  WebAssembly.instantiate = async (...given) => {
    const made = await plain.apply(WebAssembly, given);
    // Of a compiled module: Node's own programs. The worker is made of bytes.
    if (made instanceof WebAssembly.Instance) return made;
    const { instance, module } = made;
    const watched = Object.entries(instance.exports).map(([name, one]) => [name, typeof one === "function" ? time_wasm(one) : one]);
    return { instance: { exports: Object.fromEntries(watched) }, module };
  };
}

/** Adds up by phase: `mark(phase)` closes what happened since the last mark, and no phase means the one before. */
export class Phases {
  constructor() {
    this.sums = new Map();
    this.phase = "start";
    this.before = { ...total, seconds: now() };
  }

  mark(phase) {
    this.phase = phase ?? this.phase;
    const after = { ...total, seconds: now() };
    const sum = this.sums.get(this.phase) ?? { steps: 0 };
    for (const what of Object.keys(total)) sum[what] = (sum[what] ?? 0) + after[what] - this.before[what];
    // A step of a job ends with a read.
    sum.steps += after.reads > this.before.reads ? 1 : 0;
    this.sums.set(this.phase, sum);
    this.before = after;
  }

  /** Of all phases together. */
  all() {
    const all = { steps: 0, ...Object.fromEntries(Object.keys(total).map((what) => [what, 0])) };
    for (const sum of this.sums.values()) for (const what of Object.keys(all)) all[what] += sum[what];
    return all;
  }
}
