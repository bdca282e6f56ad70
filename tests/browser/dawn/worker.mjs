// The page's worker in Node: what it takes from a browser, and what it says. It is a worker of its own here, the only program.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

const ORIGIN = "http://twinbeam.test/";

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
 * request and waits for an event of one of the kinds, of any job. `folders` are served below their names.
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
    const event = JSON.parse(message);
    const [kind, value] = typeof event === "string" ? [event, {}] : Object.entries(event)[0];
    heard(kind, value);
    for (const wait of waiting) if (wait.kinds.includes(kind)) wait.done({ kind, value });
  };
  const next = (kinds) => new Promise((resolve) => {
    const wait = { kinds, done: (event) => (waiting.delete(wait), resolve(event)) };
    waiting.add(wait);
  });
  const started = next(["started", "panicked"]);
  const { default: init } = await import(pathToFileURL(join(dist, "worker.js")));
  await init({ module_or_path: readFileSync(join(dist, "worker_bg.wasm")) });
  const { kind, value } = await started;
  if (kind !== "started") throw new Error(`the worker ended: ${value.message}`);
  const ask = async (request, kinds) => {
    const answered = next([...kinds, "failed", "panicked"]);
    globalThis.onmessage({ data: JSON.stringify(request) });
    const { kind, value } = await answered;
    if (!kinds.includes(kind)) throw new Error(`${kind}: ${JSON.stringify(value)}`);
    return value;
  };
  return { build: value.build, address: (folder) => `${ORIGIN}${folder}/`, ask };
}
