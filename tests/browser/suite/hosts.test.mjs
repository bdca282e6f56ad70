// The page from any static host, and from none: it computes, or says in a sentence what is in the way.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { compare, MINI } from "../support/native.mjs";
import { EXAMPLES, by, difference, launch, open, status, table } from "../support/page.mjs";
import { DIST, serve } from "../support/server.mjs";

const WEIGHTS = "models/mini/model.safetensors";

let browser, native;
before(async () => {
  browser = await launch();
  const { clean, corrupted, answer, wrong } = EXAMPLES[0];
  [native] = compare([{ name: "case", clean, corrupted, answer: answer[0], wrong: wrong[0] }]);
});
after(() => browser?.close());

/** Serves the page as a kind of host does, and opens it at an address below the base path. */
async function visit(host, { base = "/", at = "?device=cpu", files = {}, options = {} }, body) {
  const server = await serve(base, { host, files });
  try {
    const visited = await open(browser, new URL(at, server.url).href, options);
    await body(visited.page, server, visited.errors);
    await visited.close();
  } finally {
    await server.close();
  }
}

const starts = (page, words) => page.locator("#starting", { hasText: words }).waitFor({ timeout: 30_000 });

const KINDS = {
  "without a length": { length: false },
  "without a length, with ranges": { length: false, ranges: "known" },
  "that hangs up at the end, and forbids to keep anything": { close: true, headers: { "cache-control": "no-store" } },
  "with ranges and a weak tag": { ranges: "known", headers: { etag: 'W/"1"', "accept-ranges": "bytes" } },
  "with ranges of unknown size": { ranges: "star" },
  "with ranges shorter than they were asked for": { ranges: "short" },
  "with no range behind the end": { ranges: "strict" },
  "that packs with gzip": { pack: "gzip" },
  "that packs with brotli, without a length": { pack: "br", length: false },
  "that packs with deflate and cuts what it has packed": { pack: "deflate", ranges: "packed" },
  "that knows no types": { types: { ".js": "application/javascript", "*": "application/octet-stream", ".html": "text/html", ".css": "text/css" } },
  "that calls programs text, and all else a web page": { types: { ".js": "text/javascript", ".wasm": "text/plain", ".css": "text/css", "*": "text/html" } },
  "that names no type but of pages, scripts and styles": { types: { ".wasm": "", ".json": "", ".safetensors": "" } },
  "that redirects for good": { redirect: 301 },
  "that redirects for now": { redirect: 307 },
  "that sends its page for what it does not have": { missing: "page" },
  "whose connection breaks once": { length: false, cut: (file, number) => file === WEIGHTS && number === 0 },
};
for (const [kind, host] of Object.entries(KINDS)) {
  test(`from a host ${kind} the first figure has the right numbers`, async () => {
    await visit(host, { base: "/some/folder/" }, async (page, server) => {
      await status(page, "done");
      for (const method of ["ig", "ap"]) {
        const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method].noising);
        assert.ok(off < 1e-4, `${method} is off by ${off} of the largest score`);
      }
      assert.equal(await by(page, "notice").innerText(), "");
      assert.ok(server.requests.some(({ file }) => file === WEIGHTS));
    });
  });
}

test("the address may name the page, and have a query and no list of models", async () => {
  for (const missing of ["404", "page"]) {
    await visit({ missing }, { base: "/a b/", at: "index.html?device=cpu&utm=1", files: { "models.json": null } }, async (page) => {
      await status(page, "done");
      assert.ok(difference(await table(page, "heatmap-ap-heads"), native.heads.ap.noising) < 1e-4);
      assert.equal(await by(page, "notice").innerText(), "", "the list that the page was built with is as good");
      assert.match(await by(page, "model-select").innerText(), /GPT-2 small/);
    });
  }
});

test("a model that is not the one the page was built with is named, and not used", async () => {
  const weights = readFileSync(join(MINI, "model.safetensors"));
  weights[weights.length - 2] ^= 1;
  await visit({ length: false }, { files: { [WEIGHTS]: weights } }, async (page) => {
    await page.locator("[data-testid=notice]", { hasText: "sha256" }).waitFor();
    assert.equal(await page.locator("[data-testid=status][data-state=done]").count(), 0);
  });
});

for (const [what, file, words] of [
  ["weights", WEIGHTS, /model\.safetensors.*a web page came in its place/s],
  ["script of the worker", "worker.js", /a web page in place of worker\.js/],
  ["program of the worker", "worker_bg.wasm", /a web page in place of worker_bg\.wasm/],
]) {
  test(`where the page comes in place of the ${what}, that is said`, async () => {
    await visit({ missing: "page" }, { files: { [file]: null } }, async (page) => {
      await page.locator("[data-testid=notice]", { hasText: words }).first().waitFor();
    });
  });
}

test("scripts that the server calls something else are named", async () => {
  await visit({ types: { ".js": "text/plain" } }, {}, (page) => starts(page, /sends \S+\.js as “text\/plain”.*“text\/javascript”/s));
  await visit({ types: { ".js": "" } }, {}, (page) => starts(page, /sends \S+\.js without a type.*“text\/javascript”/s));
});

test("parts of the page that are not there are named", async () => {
  const html = readFileSync(join(DIST, "index.html"), "utf8");
  const [script] = html.match(/[\w-]+\.js(?=" crossorigin)/) ?? [];
  const [code] = html.match(/[\w-]+_bg\.wasm/) ?? [];
  assert.ok(script && code, "the page names its parts");
  const answers = (name) => new RegExp(`server answers 404 for ${name.replaceAll(".", "\\.")}`);
  await visit({}, { files: { [script]: null } }, (page) => starts(page, answers(script)));
  await visit({}, { files: { [code]: null } }, (page) => starts(page, answers(code)));
  await visit({ missing: "page" }, { files: { [script]: null } }, (page) => starts(page, /as “text\/html.*if the file is there/s));
  await visit({ missing: "page" }, { files: { [code]: null } }, (page) => starts(page, `sends a web page in place of ${code}`));
});

test("below a base path without its slash the page says what its address has to end in", async () => {
  await visit({ slash: false }, { base: "/twinbeam/", at: "/twinbeam" }, async (page) => {
    assert.match(await page.locator("#starting").innerText(), /address ends in “\/”/);
  });
});

test("from a disk, without JavaScript and without WebAssembly a sentence says so", async () => {
  const disk = await open(browser, pathToFileURL(join(DIST, "index.html")).href);
  await starts(disk.page, /opened from a disk, and wants a server: run “python3 -m http\.server”.*“cargo xtask serve”/s);
  await disk.close();
  const deaf = await open(browser, pathToFileURL(join(DIST, "index.html")).href, { javaScriptEnabled: false });
  await deaf.page.locator(".late").waitFor();
  assert.match(await deaf.page.locator("#starting").innerText(), /needs JavaScript and WebAssembly, and a server/);
  await deaf.close();

  const server = await serve();
  const { page, close } = await open(browser, "about:blank");
  await page.addInitScript(() => delete globalThis.WebAssembly);
  await page.goto(server.url);
  await starts(page, /needs WebAssembly/);
  await close();
  await server.close();
});
