// What a visitor downloads before the first figure, and what the page must not hold. Opens nothing but dist/.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { WRAPPED, wrappers } from "../support/wasm.mjs";

const DIST = fileURLToPath(new URL("../../../dist/", import.meta.url));
/** Bytes with gzip, as most servers send them. */
const BUDGET = JSON.parse(readFileSync(new URL("../../budget.json", import.meta.url), "utf8"));

/** Which part of the first view a file belongs to; `undefined` for what is not fetched. */
function part(file) {
  if (file.startsWith("models/mini/")) {
    return file.endsWith("MODEL_CARD.md") ? undefined : "model";
  }
  // For those who show a link to the page: no visitor fetches it.
  if (file === "card.png") return undefined;
  if (file.startsWith("fonts/")) {
    return file.endsWith(".woff2") ? "page" : undefined;
  }
  // Fetched behind the first figure.
  if (file === "sw.js") return undefined;
  // Only whoever makes a preview of a link fetches the card.
  if (!file.includes("/") && file !== "card.png") {
    return file.startsWith("worker") ? "worker" : "page";
  }
  return undefined;
}

const files = readdirSync(DIST, { recursive: true }).filter((file) => statSync(join(DIST, file)).isFile());

test("page, worker and model stay within their budgets", () => {
  const sums = Object.fromEntries(Object.keys(BUDGET).map((name) => [name, 0]));
  for (const file of files.filter(part)) {
    sums[part(file)] += gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length;
  }
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
  for (const [name, bytes] of Object.entries(sums)) {
    console.log(`${name}: ${kilobytes(bytes)} of ${kilobytes(BUDGET[name])}`);
  }
  for (const [name, bytes] of Object.entries(sums)) {
    assert.ok(bytes > 0, `no file of the ${name} is in dist/`);
    assert.ok(bytes <= BUDGET[name], `the ${name} has ${bytes} bytes with gzip, at most ${BUDGET[name]} are allowed`);
  }
});

test("no call into the page or the worker runs static constructors again", () => {
  const programs = files.filter((file) => file.endsWith(".wasm"));
  assert.equal(programs.length, 2, `${programs}`);
  for (const program of programs) {
    const wrapped = wrappers(readFileSync(join(DIST, program)));
    assert.deepEqual(wrapped, [], `${program}: a linker has wrapped these exports, see crates/constructors`);
  }
  // The reader of programs sees a wrapper where there is one.
  assert.deepEqual(wrappers(WRAPPED), ["a", "b"]);
});

test("the page has a policy from its first line on, and nothing in it that the policy forbids", () => {
  const pages = files.filter((file) => file.endsWith(".html"));
  assert.deepEqual(pages, ["index.html"]);
  const html = readFileSync(join(DIST, "index.html"), "utf8").replace(/<!--.*?-->/gs, "");
  const [, content] = html.match(/<head>\s*<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"/) ?? [];
  assert.ok(content, "the head does not begin with a content security policy");
  const policy = Object.fromEntries(
    content.split(";").map((directive) => {
      const [name, ...sources] = directive.trim().split(/\s+/);
      return [name, sources.join(" ")];
    }),
  );
  assert.equal(policy["default-src"], "'none'");
  assert.equal(policy["script-src"], "'self' 'wasm-unsafe-eval'");
  assert.equal(policy["style-src"], "'self'");
  assert.equal(policy["connect-src"], "'self' https://huggingface.co https://*.huggingface.co https://*.hf.co");

  assert.deepEqual(html.match(/<script(?![^>]*\ssrc=)[^>]*>/g), null, "a script inside the page");
  assert.deepEqual(html.match(/<style[\s>]|\sstyle\s*=/g), null, "a style inside the page");
  assert.deepEqual(html.match(/\son\w+\s*=/g), null, "a handler inside the page");
  assert.deepEqual(html.replace(content, "").match(/https?:|(href|src)="\/\//g), null, "an address of another host");
});
