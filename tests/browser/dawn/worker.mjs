// The page's worker in Node: what it takes from a browser, and what it says. It is the only one: where the page's worker has a GPU
// computed with in a second one beside it, this is the second, and nothing here checks it.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

const ORIGIN = "http://twinbeam.test/";
/** Milliseconds for which an answer is waited. */
const PATIENCE = 20 * 60 * 1000;

/** A file of a folder, or a part of it, as a server answers. */
function answer(path, range) {
  let file;
  try {
    file = openSync(path);
  } catch {
    return new Response("", { status: 404 });
  }
  try {
    const { size } = fstatSync(file);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    const [from, to] = first === undefined ? [0, size] : [Number(first), Math.min(Number(last) + 1, size)];
    const body = Buffer.alloc(to - from);
    readSync(file, body, 0, body.length, from);
    const type = extname(path) === ".json" ? "application/json" : "application/octet-stream";
    const headers = { "content-type": type, "content-length": `${body.length}` };
    if (first !== undefined) headers["content-range"] = `bytes ${from}-${to - 1}/${size}`;
    return new Response(body, { status: first === undefined ? 200 : 206, headers });
  } finally {
    closeSync(file);
  }
}

/**
 * Starts the worker of `dist`. `heard(kind, event)` is told of everything it says; the result's `ask(request, kinds)` sends a
 * request and waits for an event of one of the kinds, of any job, and `load(model, folder, device)` loads a model on
 * the GPU, whose speed is measured where the device is "auto". `folders` are
 * served below their names.
 */
export async function start({ dist, folders, gpu, heard }) {
  const waiting = new Set();
  Object.defineProperty(globalThis, "navigator", { value: { gpu, hardwareConcurrency: 4, userAgent: "node" }, configurable: true });
  Object.assign(globalThis, { self: globalThis, location: new URL(ORIGIN), WorkerGlobalScope: class {}, DedicatedWorkerGlobalScope: class {} });
  globalThis.fetch = async (asked, options) => {
    const { pathname } = new URL(asked.url ?? asked);
    const headers = asked.headers ?? new Headers(options?.headers);
    const [, folder, ...rest] = pathname.split("/");
    return answer(join(folders[folder] ?? dist, ...(folders[folder] ? rest : [folder, ...rest])), headers.get("range"));
  };
  globalThis.postMessage = (message) => {
    // What is no text is meant for a worker that checks.
    if (typeof message !== "string") return;
    const event = JSON.parse(message);
    const [kind, value] = typeof event === "string" ? [event, {}] : Object.entries(event)[0];
    heard(kind, value);
    for (const wait of waiting) if (wait.kinds.includes(kind)) wait.done({ kind, value });
  };
  const next = (kinds) => new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error(`the worker has not said ${kinds} for a long time`)), PATIENCE);
    const wait = { kinds, done: (event) => (clearTimeout(patience), waiting.delete(wait), resolve(event)) };
    waiting.add(wait);
  });
  const started = next(["started", "panicked"]);
  const { default: init } = await import(pathToFileURL(join(dist, "worker.js")));
  const program = readFileSync(join(dist, "worker_bg.wasm"));
  await init({ module_or_path: program });
  const { kind, value } = await started;
  if (kind !== "started") throw new Error(`the worker ended: ${value.message}`);
  const ask = async (request, kinds) => {
    const answered = next([...kinds, "failed", "panicked"]);
    globalThis.onmessage({ data: JSON.stringify(request) });
    const { kind, value } = await answered;
    if (!kinds.includes(kind)) throw new Error(`${kind}: ${JSON.stringify(value)}`);
    return value;
  };
  const has_second = program.includes("load_on_gpu");
  const load = async (model, folder, device) => {
    const files = { address: { base: `${ORIGIN}${folder}/`, shelf: null } };
    const expected = { sha256: null, any_digest: false, published: null };
    const request = { load: { model, files, expected, device, speeds: [] } };
    const answer = await ask(has_second ? { load_on_gpu: { load: request } } : request, ["loaded", "gpu"]);
    if (!answer.shape) throw new Error(`no GPU is used: ${JSON.stringify(answer)}`);
    return answer;
  };
  return { build: value.build, load, ask };
}
