// dist/ on a port of its own, below a base path, as a static host would serve it.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";

export const DIST = fileURLToPath(new URL("../../../dist/", import.meta.url));
/** The same page with a worker that can be made to fail; `cargo xtask test` builds it. */
export const FAULTS = fileURLToPath(new URL("../../../target/dist-faults/", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
};
/** Brotli as servers use it while a visitor waits: its default, for files that are packed once, takes a minute for the worker. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
const PACK = { gzip: gzipSync, br: (body) => brotliCompressSync(body, BROTLI), deflate: deflateSync };

/** First byte and byte after the last of a `Range` header of one range; `undefined` if there is none. */
function asked(header, size) {
  const [, from, to] = header?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
  return from === undefined ? undefined : [Number(from), to === "" ? size : Number(to) + 1];
}

/**
 * Serves a folder below `base`: `{ url, requests, close }`.
 *
 * `files` are served besides those of the folder, or instead of them: by relative path a body, or a function that
 * makes one at each request, or `null` for one that is not there. `requests` grows by `{ method, path, range, bytes,
 * file, sent }` for each request, `bytes` being what it brought along, `file` and `sent` what it got. With `cache` the
 * browser may keep what it has got. A server on the `port` of one that was closed is the same one to a browser. `host` is what kind of host it is:
 *
 * - `length: false`: it does not say how long a file is; `close: true`: nor where it ends, but hangs up;
 * - `ranges`: `"known"`, `"star"` (of unknown size), `"short"` (never more than 20,000 bytes), `"strict"` (416 where the
 *   end is behind the file's), `"packed"` (of the packed bytes); otherwise it ignores them;
 * - `pack`: `"gzip"`, `"br"` or `"deflate"`, where the browser takes that;
 * - `types`: content types by extension, `""` for none, `"*"` for all others;
 * - `missing: "page"`: the page in place of what is not there; `slash: false`: the page at `base` without its slash, too;
 * - `redirect`: the status that sends every file but the page elsewhere on the host;
 * - `headers`: more of them; `cut(file, number)`: whether that answer, from 0, breaks off in the middle;
 * - `rate`: at most so many bytes a second, of all answers together; `delay`: milliseconds before each. A browser's own brakes hold
 *   back a page, but neither its workers nor what keeps it.
 */
export async function serve(base = "/", { faults = false, dist = faults ? FAULTS : DIST, files = {}, cache = false, host = {}, port = 0 } = {}) {
  const requests = [];
  /** The body of a file, or `null`. */
  async function found(inside) {
    if (Object.hasOwn(files, inside)) {
      const body = files[inside];
      return body === null ? null : Buffer.from(typeof body === "function" ? body() : body);
    }
    const file = join(dist, inside);
    return file.startsWith(dist) ? readFile(file).catch(() => null) : null;
  }
  const type_of = (inside) => {
    const extension = extname(inside);
    return host.types?.[extension] ?? host.types?.["*"] ?? TYPES[extension] ?? "application/octet-stream";
  };

  /** Bodies that were packed once, since that takes longer than a slow line. */
  const packed = new Map();
  /** When the line is free again. */
  let free = 0;
  /** Sends a body as a slow line would: in pieces, and one after the other with those of other answers. */
  async function trickle(response, body) {
    const PIECE = 8192;
    for (let from = 0; from < body.length && !response.destroyed; from += PIECE) {
      const piece = body.subarray(from, from + PIECE);
      free = Math.max(free, Date.now()) + (1000 * piece.length) / host.rate;
      await new Promise((go) => setTimeout(go, free - Date.now()));
      response.write(piece);
    }
    response.end();
  }

  async function answer(request, response, record) {
    if (host.delay) await new Promise((go) => setTimeout(go, host.delay));
    const { pathname, search } = new URL(request.url, "http://localhost");
    const path = decodeURIComponent(pathname);
    const moved = path.replace(/^(.*)\/moved\//, "$1/");
    const is_base = host.slash === false && `${path}/` === base;
    const below = moved.startsWith(base) ? normalize(moved.slice(base.length)) : "..";
    let inside = is_base || below === "." || below === "" ? "index.html" : below;
    if (host.redirect && inside !== "index.html" && moved === path) {
      const location = `${base}moved/${inside}${search}`;
      return void response.writeHead(host.redirect, { location }).end("moved");
    }
    let body = await found(inside);
    if (!body && host.missing === "page") {
      inside = "index.html";
      body = await found(inside);
    }
    if (!body) return void response.writeHead(404).end("not found");

    const type = type_of(inside);
    const headers = { ...(type && { "content-type": type }), ...(cache && { "cache-control": "max-age=3600" }), ...host.headers };
    const range = host.ranges && asked(request.headers.range, body.length);
    let status = 200;
    // Some pack what they have been asked for a range of, and cut that.
    const packs = host.pack && (!range || host.ranges === "packed") && (host.ranges === "packed" || request.headers["accept-encoding"]?.includes(host.pack));
    if (packs) {
      body = (host.rate && packed.get(inside)) || PACK[host.pack](body);
      if (host.rate) packed.set(inside, body);
      headers["content-encoding"] = host.pack;
    }
    if (range) {
      const size = body.length;
      const [start, wanted] = range;
      if (start >= size || (host.ranges === "strict" && wanted > size)) {
        return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
      }
      const end = Math.min(wanted, size, host.ranges === "short" ? start + 20_000 : Infinity);
      body = body.subarray(start, end);
      status = 206;
      headers["content-range"] = `bytes ${start}-${end - 1}/${host.ranges === "star" ? "*" : size}`;
    }
    const number = requests.filter((other) => other.file === inside).length;
    Object.assign(record, { file: inside, sent: body.length });
    if (host.length !== false && !host.close) headers["content-length"] = body.length;
    if (host.close) {
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
    }
    response.writeHead(status, headers);
    if (host.cut?.(inside, number)) {
      response.write(body.subarray(0, body.length / 2));
      return void setTimeout(() => response.destroy(), 50);
    }
    if (host.rate) return trickle(response, body);
    // In two pieces, so that without a length it is sent in chunks.
    response.write(body.subarray(0, 1000));
    response.end(body.subarray(1000));
  }

  const server = createServer((request, response) => {
    const record = { method: request.method, path: request.url, range: request.headers.range, bytes: 0 };
    requests.push(record);
    request.on("data", (chunk) => (record.bytes += chunk.length));
    answer(request, response, record).catch(() => response.destroy());
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}${base}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, requests, close };
}
