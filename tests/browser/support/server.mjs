// dist/ on a port of its own, below a base path, as a static host would serve it.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const DIST = fileURLToPath(new URL("../../../dist/", import.meta.url));
/** The same page with a worker that can be made to fail; `cargo xtask test` builds it. */
export const FAULTS = fileURLToPath(new URL("../../../target/dist-faults/", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Serves a folder below `base`: `{ url, requests, close }`.
 *
 * `files` are served besides those of the folder, or instead of them: by relative path a body, or a function that
 * makes one at each request. `requests` grows by `{ method, path, bytes }` for each request, `bytes` being what it sent.
 * With `cache` the browser may keep what it has got.
 */
export async function serve(base = "/", { faults = false, dist = faults ? FAULTS : DIST, files = {}, cache = false } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const record = { method: request.method, path: request.url, bytes: 0 };
    requests.push(record);
    request.on("data", (chunk) => (record.bytes += chunk.length));
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const below = path.startsWith(base) ? normalize(path.slice(base.length)) : "..";
    const inside = below === "." || below === "" ? "index.html" : below;
    const type = TYPES[extname(inside)] ?? "application/octet-stream";
    const headers = { "content-type": type, ...(cache && { "cache-control": "max-age=3600" }) };
    if (Object.hasOwn(files, inside)) {
      const body = files[inside];
      response.writeHead(200, headers).end(typeof body === "function" ? body() : body);
      return;
    }
    const file = join(dist, inside);
    const found = file.startsWith(dist) && (await stat(file).catch(() => null));
    if (!found || !found.isFile()) {
      response.writeHead(404).end("not found");
      return;
    }
    response.writeHead(200, { ...headers, "content-length": found.size });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}${base}`;
  return { url, requests, close: () => new Promise((resolve) => server.close(resolve)) };
}
