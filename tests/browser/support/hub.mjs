// A server with the Hub's layout: `/ORG/REPO/resolve/COMMIT/FILE` answers with a redirect, for large files to a signed
// address on another host that expires. It counts what it is asked for, and fails where a test tells it to.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";

export const REPO = "someone/some-model";
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const FOLDER = `/${REPO}/resolve/${COMMIT}/`;
/** What the Hub's own servers let a page of another origin read. */
const EXPOSED = "Accept-Ranges, Content-Range, Content-Type, Content-Disposition, ETag, X-Cache";
/**
 * Milliseconds that a signed address can be used from the first time on: a browser may ask twice at once, the page must ask the
 * Hub again. A browser on a busy machine may take longer to follow a redirect at all, and no address of the Hub's is that short-lived.
 */
const SIGNED = 400;
const PAGE = "<!doctype html><title>429 Too Many Requests</title><p>We had to rate limit you.";

/** A file that is on disk or in memory: `{ size, stream(start, end) }`, the end not included. */
function entry(file) {
  if (Buffer.isBuffer(file)) {
    return { size: file.length, stream: (start, end) => Readable.from([file.subarray(start, end)]) };
  }
  const size = statSync(file).size;
  // A range of nothing cannot be said to a file's stream.
  return { size, stream: (start, end) => (start < end ? createReadStream(file, { start, end: end - 1 }) : Readable.from([])) };
}

/** Passes bytes on: not faster than `rate` bytes a second, the byte at `flip` changed, `cut` or `stall` after so many. */
function spoiled({ rate, flip, cut, stall }, start, response) {
  let [at, sent] = [start, 0];
  return new Transform({
    async transform(chunk, _encoding, done) {
      let bytes = Buffer.from(chunk);
      if (flip !== undefined && flip >= at && flip < at + bytes.length) bytes[flip - at] ^= 1;
      const left = (cut ?? stall ?? Infinity) - sent;
      bytes = bytes.subarray(0, left);
      const step = rate ? Math.max(1024, rate / 20) : bytes.length;
      for (let from = 0; from < bytes.length; from += step) {
        const piece = bytes.subarray(from, from + step);
        this.push(piece);
        if (rate) await new Promise((go) => setTimeout(go, (1000 * piece.length) / rate));
      }
      [at, sent] = [at + chunk.length, sent + bytes.length];
      if (left > chunk.length) done();
      // Given time to send what it has; then the line breaks, or nothing comes any more.
      else if (cut !== undefined) setTimeout(() => response.destroy(), 100);
    },
  });
}

async function listen(handle) {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/**
 * Starts a hub with the given files, by name a path or a `Buffer`:
 * `{ url, origins, requests, rule, fault, served(), close }`.
 *
 * `requests` grows by `{ file, range, bytes }` for every answer that is no redirect, `bytes` being what was sent of the
 * body. `rule({ file, range, number })`, which a test may set, is asked before each of them and may return
 *
 * - `{ status, headers, body }`: that answer, the body a web page unless it is given;
 * - `{ gone: true }`: no answer; `{ html: true }`: a web page in place of the file;
 * - `{ whole: true }`: all of it where a range was asked for; `{ gzip: true }`: that, compressed;
 * - `{ content_range }`: that header; `{ less }`, `{ more }`: so many bytes fewer or more than was asked for;
 * - `{ flip, cut, stall, rate }`: see `spoiled`.
 *
 * `fault` is a fault of the worker's that it is to ask for, `gpu_fault` one of the worker's with a GPU; that is not counted.
 */
export async function hub(files) {
  const state = { requests: [], rule: undefined, fault: undefined, gpu_fault: undefined };
  /** When each signed address expires; infinite until it is used. */
  const signed = new Map();

  /** The answer itself, from either host. */
  async function answer(request, response, file) {
    const [, from, to] = request.headers.range?.match(/^bytes=(\d+)-(\d+)$/) ?? [];
    const range = from === undefined ? undefined : [Number(from), Number(to) + 1];
    const record = { file, range, bytes: 0 };
    const number = state.requests.filter((other) => other.file === file).length;
    state.requests.push(record);
    const fault = state.rule?.({ file, range, number }) ?? {};
    const headers = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": EXPOSED,
      "accept-ranges": "bytes",
      "cache-control": "public, max-age=31536000",
      "content-type": file.endsWith(".json") ? "text/plain; charset=utf-8" : "application/octet-stream",
    };
    const html = { ...headers, "content-type": "text/html; charset=utf-8" };
    if (fault.gone) return void response.destroy();
    if (fault.html) return void response.writeHead(200, html).end(PAGE);
    if (fault.status) return void response.writeHead(fault.status, { ...html, ...fault.headers }).end(fault.body ?? PAGE);
    if (!Object.hasOwn(files, file)) return void response.writeHead(404, html).end("Entry not found");

    const { size, stream } = entry(files[file]);
    if (fault.gzip) {
      const packed = gzipSync(Buffer.concat(await stream(0, size).toArray()));
      record.bytes = packed.length;
      response.writeHead(200, { ...headers, "content-encoding": "gzip", "content-length": packed.length }).end(packed);
      return;
    }
    if (range && range[0] >= size) {
      return void response.writeHead(416, { ...headers, "content-range": `bytes */${size}` }).end();
    }
    const is_part = range && !fault.whole;
    const [start, end] = is_part ? [range[0], Math.min(range[1], size)] : [0, size];
    if (is_part) headers["content-range"] = fault.content_range ?? `bytes ${start}-${end - 1}/${size}`;
    // Without a length an answer ends where it ends.
    if (!fault.less && !fault.more) headers["content-length"] = end - start;
    response.writeHead(is_part ? 206 : 200, headers);
    response.flushHeaders();
    const count = new Transform({
      transform(chunk, _encoding, done) {
        record.bytes += chunk.length;
        done(null, chunk);
      },
      flush(done) {
        done(null, fault.more ? Buffer.alloc(fault.more) : undefined);
      },
    });
    await pipeline(stream(start, end - (fault.less ?? 0)), spoiled(fault, start, response), count, response);
  }

  const cdn = await listen(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://cdn");
    const signature = searchParams.get("Signature");
    const is_fresh = Date.now() < signed.get(signature);
    if (is_fresh) signed.set(signature, Math.min(signed.get(signature), Date.now() + SIGNED));
    if (request.method !== "GET" || !is_fresh) {
      return void response.writeHead(403, { "access-control-allow-origin": "*" }).end("<Error><Code>AccessDenied</Code></Error>");
    }
    await answer(request, response, pathname.slice(1));
  });
  const front = await listen(async (request, response) => {
    const path = new URL(request.url, "http://hub").pathname;
    const file = path.slice(path.lastIndexOf("/") + 1);
    const cors = { "access-control-allow-origin": request.headers.origin ?? "*", vary: "Origin" };
    if (request.method !== "GET") {
      // A page that asks first asks for more than it needs.
      state.requests.push({ file, method: request.method, bytes: 0 });
      return void response.writeHead(405).end();
    }
    if (file === "gpu-fault.txt") {
      return void response.writeHead(200, { ...cors, "content-type": "text/plain" }).end(state.gpu_fault ?? "");
    }
    if (file === "fault.txt") {
      return void response.writeHead(state.fault ? 200 : 404, { ...cors, "content-type": "text/plain" }).end(state.fault ?? "");
    }
    if (path === `/api/resolve-cache/${file}`) return answer(request, response, file);
    if (path !== `${FOLDER}${file}`) return void response.writeHead(404, cors).end("Repository not found");
    if (file.endsWith(".json")) return void response.writeHead(307, { ...cors, location: `/api/resolve-cache/${file}` }).end();
    const signature = randomUUID();
    signed.set(signature, Infinity);
    response.writeHead(302, { ...cors, location: `${cdn.url}/${file}?Signature=${signature}` }).end();
  });

  return Object.assign(state, {
    url: `${front.url}/`,
    origins: [front.url, cdn.url],
    /** Bytes that were sent of a file, or of all. */
    served: (file) => state.requests.filter((one) => !file || one.file === file).reduce((sum, { bytes }) => sum + bytes, 0),
    close: () => Promise.all([front.close(), cdn.close()]),
  });
}

/** A catalog's entry for a folder's files as they are on a hub. */
export function listed(folder, more = {}) {
  const config = JSON.parse(readFileSync(`${folder}/config.json`, "utf8"));
  const { n_layer, n_head, n_embd, n_inner, n_ctx, n_positions, vocab_size } = config;
  return {
    id: "some-model",
    title: "Some model",
    repo: REPO,
    commit: COMMIT,
    shape: {
      n_layers: n_layer,
      n_heads: n_head,
      d_model: n_embd,
      d_head: n_embd / n_head,
      d_mlp: n_inner ?? 4 * n_embd,
      n_ctx: n_ctx ?? n_positions,
      d_vocab: vocab_size,
    },
    file_bytes: statSync(`${folder}/model.safetensors`).size,
    ...more,
  };
}

/** Digest of a file, in hexadecimal. */
export async function sha256(file) {
  const digest = createHash("sha256");
  await pipeline(createReadStream(file), digest);
  return digest.digest("hex");
}
