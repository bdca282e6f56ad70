// The page without a network: what a first visit keeps of it, how it opens then, and how a newer build takes its place.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sha256 } from "../support/hub.mjs";
import { compare, MINI } from "../support/native.mjs";
import {
  another_build, build_of, build_on, caches_of, evict, is_kept, is_not_kept, KEPT, stamped, tab, UNSTAMPED,
} from "../support/offline.mjs";
import { AT_NOTEBOOK, by, difference, launch, NOTEBOOK, open, PATIENCE, status, table } from "../support/page.mjs";
import { DIST, serve } from "../support/server.mjs";
import { choose, in_use, site } from "../support/site.mjs";

const QUERY = `?device=cpu${AT_NOTEBOOK}`;
const { name: NAME, files: FILES } = build_of(readFileSync(join(DIST, "sw.js"), "utf8"));

let browser, native;
before(async () => {
  browser = await launch({ more: ["--host-resolver-rules=MAP elsewhere.test 127.0.0.1"] });
  const { clean, corrupted, answer, wrong } = NOTEBOOK;
  [native] = compare([{ name: "notebook", clean, corrupted, answer: answer[0], wrong: wrong[0] }]);
});
after(() => browser?.close());

async function is_right(page) {
  await status(page, "done");
  for (const method of ["ig", "ap"]) {
    const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method].noising);
    assert.ok(off < 1e-4, `${method} is off by ${off} of the largest score`);
  }
}

/** A visit of a server of its own, with the figure drawn and the page kept. */
async function visit({ base = "/", files = {}, host = {}, cache = true, kept = is_kept, at = QUERY, ...options }, body) {
  const server = await serve(base, { files, host, cache });
  const { page, errors, close } = await open(browser, server.url + at, { ...KEPT, ...options });
  try {
    await status(page, "done");
    await kept(page);
    await body({ page, errors, server, files, url: server.url + at });
  } finally {
    await close();
    await server.close();
  }
}

test("a first visit keeps the page and fetches no file of it twice; the next one needs no network", async () => {
  // As most servers send it: packed, a browser takes the largest file into its cache even where that is in memory.
  await visit({ base: "/some/folder/", host: { pack: "gzip" } }, async ({ page, errors, server, url }) => {
    await is_right(page);
    const sent = {};
    for (const { file, sent: bytes } of server.requests) (sent[file] ??= []).push(bytes);
    // The page itself is small, and may be known by its folder's name with a query only.
    const twice = Object.entries(sent).filter(([file, all]) => all.length > 1 && !["index.html", "sw.js"].includes(file));
    assert.deepEqual(twice, []);
    const first = server.requests.reduce((sum, { sent }) => sum + sent, 0);
    const kept = await caches_of(page);
    const folder = `${new URL(url).origin}/some/folder/`;
    assert.deepEqual(Object.keys(kept), [`twinbeam ${folder} ${NAME}`]);
    assert.deepEqual(Object.values(kept)[0].sort(), Object.entries(FILES).map(([name, digest]) => `${folder}${name}?${digest}`).sort());
    assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.ready).scope), folder);
    const link = page.url();
    await page.waitForFunction(() => location.hash.length > 1000);
    const with_result = page.url();

    server.requests.length = 0;
    const online = await tab(page, url);
    await is_right(online.page);
    await is_kept(online.page);
    assert.deepEqual(server.requests.map(({ file }) => file).filter((file) => file !== "sw.js"), [], "a second visit fetches nothing of the page");
    const second = server.requests.reduce((sum, { sent }) => sum + sent, 0);
    console.log(`bytes sent, not packed: first visit ${first}, second ${second}`);
    await online.page.close();

    await server.close();
    await page.close();
    for (const address of [url, link, folder, `${folder}index.html?utm=1`]) {
      const offline = await tab(page, address);
      if (address === url) await is_right(offline.page);
      assert.equal(await by(offline.page, "notice").innerText(), "");
      await is_kept(offline.page);
      assert.deepEqual(offline.errors, []);
      await offline.page.close();
    }
    const linked = await tab(page, with_result);
    await by(linked.page, "link-mark").filter({ hasText: "the link’s numbers agree" }).waitFor();
    await is_right(linked.page);
    assert.deepEqual(errors, []);
  });
});
