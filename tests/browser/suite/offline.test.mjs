// The page without a network: what a first visit keeps of it, how it opens then, and how a newer build takes its place.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sha256 } from "../support/hub.mjs";
import { compare, MINI } from "../support/native.mjs";
import {
  another_build, build_of, build_on, caches_of, evict, is_kept, is_not_kept, KEPT, opens_again, tab, UNSTAMPED,
} from "../support/offline.mjs";
import { AT_NOTEBOOK, by, difference, eventually, launch, NOTEBOOK, open, PATIENCE, status, table } from "../support/page.mjs";
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
    assert.deepEqual(server.requests.map(({ path }) => path).filter((path) => !path.endsWith("/sw.js")), [], "a second visit fetches nothing of the page");
    await eventually(() => assert.ok(server.requests.some(({ file, sent }) => file === "sw.js" && sent), "whether there is a newer build is asked"));
    const second = server.requests.reduce((sum, { sent }) => sum + sent, 0);
    console.log(`bytes sent, packed: first visit ${first}, second ${second}`);
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

test("what holds in every engine holds here: the page is kept, and opens with the same figure when its server is gone", async () => {
  const server = await serve("/a b/", { cache: true });
  const { page, close } = await open(browser, "about:blank", KEPT);
  const as_tab = (page) => ({ goto: (url) => page.goto(url), run: (script, ...values) => page.evaluate(script, values[0]) });
  const another = async () => as_tab(await page.context().newPage());
  await opens_again({ tab: as_tab(page), another, url: `${server.url}?device=cpu`, closes: server.close });
  await close();
});

test("a model that the browser keeps is used without a network, by its link", async () => {
  const weights = "model.safetensors";
  const here = await site({ entry: { sha256: await sha256(join(MINI, weights)) } });
  const { page, close } = await open(browser, here.url, KEPT);
  try {
    await status(page, "done");
    await is_kept(page);
    await choose(page, here.model);
    await in_use(page, here.model, "(verified), kept in this browser");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await is_right(page);
    await page.waitForFunction(() => location.hash.length > 1000);
    const link = page.url();
    await here.close();
    await page.close();
    const offline = await tab({ context: () => page.context() }, link);
    await in_use(offline.page, here.model, "kept in this browser");
    await is_right(offline.page);
    assert.match(await by(offline.page, "model-report").getAttribute("title"), /Over the network: 0 B/);
    assert.deepEqual(offline.errors, []);
  } finally {
    await close();
    await here.close().catch(() => {});
  }
});

const TYPED = "When Kate and Tom came home, Tom gave a ring to";

/** Puts other files on a server, as somebody does who uploads another build. */
const upload = (files, others) => Object.assign(files, others);

test("a newer build on the server asks, changes nothing by itself, and keeps edits and figure when it is loaded", async () => {
  const other = another_build();
  await visit({ base: "/twinbeam/" }, async ({ page, url, files, errors }) => {
    const old = await build_on(page);
    assert.notEqual(old, other.build);
    await page.waitForFunction(() => location.hash.length > 1000);
    upload(files, other.files);
    const { page: second } = await tab(page, url);
    await by(second, "newer").filter({ hasText: "A newer version of this page is ready" }).waitFor();
    assert.equal(await build_on(second), old, "until it is asked for the old one is shown");
    await is_right(second);

    await by(second, "prompt-clean").fill(TYPED);
    await status(second, "stale");
    // The old one computes as ever, with all of its parts.
    await by(second, "device").selectOption("auto");
    await status(second, "done", "stale");
    assert.equal(await by(second, "notice").locator("[data-testid=reload]").count(), 0);
    await second.evaluate(() => (globalThis.is_this_load = true));
    await second.waitForTimeout(500);
    assert.ok(await second.evaluate(() => globalThis.is_this_load), "nothing is loaded by itself");

    await Promise.all([second.waitForEvent("load"), by(second, "load-newer").click()]);
    await status(second, "done", "stale");
    assert.equal(await build_on(second), other.build);
    assert.equal(await by(second, "prompt-clean").inputValue(), TYPED, "the edits are back");
    await by(second, "drop-draft").click();
    await is_right(second);
    await is_kept(second);
    assert.equal(await by(second, "newer").count(), 0);
    assert.equal(Object.keys(await caches_of(second)).length, 1, "the build before is thrown away");

    // The first tab goes on as it was, and is told.
    await by(page, "newer").filter({ hasText: "in use in another tab" }).waitFor();
    assert.equal(await build_on(page), old);
    await is_right(page);
    await by(page, "newer").getByRole("button", { name: "Dismiss" }).click();
    assert.equal(await by(page, "newer").count(), 0);
    await page.reload();
    await is_right(page);
    assert.equal(await build_on(page), other.build);
    assert.deepEqual(errors, []);
  });
});

test("a newer build that nobody asks for is there at the next visit", async () => {
  const other = another_build();
  await visit({ base: "/twinbeam/" }, async ({ page, url, files }) => {
    const folder = new URL("./", url).href;
    // On the same server, and none of the page's: it keeps no build in use, and can see which one is next.
    const beside = await page.context().newPage();
    await beside.goto(new URL("/elsewhere", url).href);
    const waits = () => beside.evaluate(async (folder) => !!(await navigator.serviceWorker.getRegistration(folder)).waiting, folder);
    upload(files, other.files);
    const { page: second } = await tab(page, url);
    await by(second, "newer").waitFor();
    assert.ok(await waits());
    await page.close();
    await second.close();
    // When the last tab has gone the browser puts the newer one in its place, in its own time.
    await eventually(async () => assert.ok(!(await waits())));
    const third = await tab(beside, url);
    assert.equal(await build_on(third.page), other.build);
    await is_right(third.page);
  });
});

test("what the browser has thrown away of a build is fetched again", async () => {
  await visit({}, async ({ page, url, server }) => {
    assert.equal(await evict(page, "worker_bg.wasm"), 1);
    assert.equal(await evict(page, "tokenizer.json"), 1);
    const again = await tab(page, url);
    await is_right(again.page);
    await is_kept(again.page);
    const [kept] = Object.values(await caches_of(page));
    assert.equal(kept.length, Object.keys(FILES).length);
    await server.close();
    await is_right((await tab(page, url)).page);
  });
});

test("a build of which a part is gone here and on the server makes room for the server's, in one reload", async () => {
  const other = another_build();
  // A broken upload of another build, which a browser cannot keep.
  const { "sw.js": _stamp, ...parts } = other.files;
  await visit({ cache: false }, async ({ page, url, files }) => {
    upload(files, { ...parts, "sw.js": `${other.files["sw.js"]}\nthrow new Error("broken");` });
    assert.equal(await evict(page, "worker_bg.wasm"), 1);
    const tab_of = await page.context().newPage();
    tab_of.setDefaultTimeout(PATIENCE);
    await tab_of.goto(url);
    // The page is kept, its worker is not: the two are told apart, and the next load is of the server's.
    await by(tab_of, "notice").filter({ hasText: "The page has been updated" }).waitFor();
    await by(tab_of, "reload").click();
    await is_right(tab_of);
    assert.equal(await build_on(tab_of), other.build);
  });
});

test("a copy that does not start is thrown away, and the next load is the server's", async () => {
  await visit({}, async ({ page, url }) => {
    const [program] = Object.keys(FILES).filter((name) => /^twinbeam-web-.*\.wasm$/.test(name));
    assert.equal(await evict(page, program, "no program"), 1);
    const broken = await page.context().newPage();
    broken.setDefaultTimeout(PATIENCE);
    await broken.goto(url);
    await broken.locator("#starting", { hasText: /could not start.*came from what this browser keeps: reload it/s }).waitFor();
    await broken.reload();
    await is_right(broken);
    await is_kept(broken);
  });
});

test("a kept worker that does not start is thrown away, and the next try is the server's", async () => {
  await visit({}, async ({ page, url }) => {
    assert.equal(await evict(page, "worker_bg.wasm", "no program"), 1);
    const broken = await page.context().newPage();
    broken.setDefaultTimeout(PATIENCE);
    await broken.goto(url);
    await by(broken, "try-again").waitFor();
    await broken.waitForFunction(async () => (await caches.keys()).length === 0);
    await by(broken, "try-again").click();
    // What it says of the try before is an error.
    await broken.locator("[data-testid=status][data-state=done]").waitFor();
    await is_right(broken);
  });
});

test("a newer build that cannot be kept is said to be there, and comes from the server", async () => {
  const other = another_build();
  // A host that changes pages on their way: what comes is not what the build is made of.
  const index = `${other.files["index.html"]}<!-- counted -->`;
  await visit({ cache: false }, async ({ page, url, files }) => {
    upload(files, { ...other.files, "index.html": index });
    const { page: second } = await tab(page, url);
    await by(second, "newer").filter({ hasText: "which this browser could not keep" }).waitFor();
    assert.notEqual(await build_on(second), other.build);
    await Promise.all([second.waitForEvent("load"), by(second, "load-newer").click()]);
    await is_right(second);
    assert.equal(await build_on(second), other.build);
  });
});

test("a copy that is cut off on its way is none, and the next visit completes it", async () => {
  let broken = true;
  // The page reads it once, and what keeps the page a second time, since this server forbids to keep it otherwise.
  const list = readFileSync(join(DIST, "models.json"));
  let asked = 0;
  const files = { "models.json": () => (broken && ++asked > 1 ? "cut off" : list) };
  await visit({ files, cache: false, host: { headers: { "cache-control": "no-store" } }, kept: is_not_kept }, async ({ page, url, errors }) => {
    await is_right(page);
    assert.deepEqual(await caches_of(page), {}, "nothing of it is left");
    assert.deepEqual(errors, []);
    broken = false;
    const again = await tab(page, url);
    await is_kept(again.page);
    assert.equal(await again.page.evaluate(async () => (await caches.keys()).length), 1);
  });
});

test("a browser without room for the page, and one without service workers, say so, and show the page", async () => {
  const server = await serve("/", { cache: true });
  const small = await open(browser, "about:blank", KEPT);
  const session = await small.page.context().newCDPSession(small.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(server.url).origin, quotaSize: 1_000_000 });
  await small.page.goto(server.url + QUERY);
  await is_right(small.page);
  await is_not_kept(small.page);
  assert.equal(await by(small.page, "notice").innerText(), "");
  assert.deepEqual(small.errors, []);
  await small.close();

  const plain = await open(browser, server.url.replace("127.0.0.1", "elsewhere.test") + QUERY, KEPT);
  await is_right(plain.page);
  await is_not_kept(plain.page);
  assert.deepEqual(plain.errors, []);
  await plain.close();
  await server.close();
});

test("other pages of the origin, their caches and what they fetch are left alone", async () => {
  await visit({ base: "/one/" }, async ({ page, url, server, files }) => {
    const origin = new URL(url).origin;
    const theirs = ["theirs", `twinbeam ${origin}/ 0`, `twinbeam ${origin}/one/two/ 0`, `twinbeam ${origin}/on 0`];
    await page.evaluate(async (names) => {
      for (const name of names) await (await caches.open(name)).put("/theirs", new Response("theirs"));
    }, theirs);
    const other = another_build();
    upload(files, other.files);
    const second = (await tab(page, url)).page;
    await by(second, "load-newer").click();
    await second.waitForFunction((build) => document.querySelector("footer.foot")?.innerText.includes(build), other.build);
    await is_kept(second);
    const names = Object.keys(await caches_of(second));
    assert.equal(names.length, theirs.length + 1);
    for (const name of theirs) assert.ok(names.includes(name), name);
    // What is not of the build goes to the server, ranges and queries too.
    server.requests.length = 0;
    const answers = await second.evaluate(async () => {
      const get = async (address, options) => (await fetch(address, options)).status;
      return [await get("/elsewhere"), await get("card.png"), await get("models.json?other"), await get("worker.js", { method: "POST" })];
    });
    assert.deepEqual(answers, [404, 200, 200, 200]);
    assert.deepEqual(server.requests.map(({ path }) => path), ["/elsewhere", "/one/card.png", "/one/models.json?other", "/one/worker.js"]);
    // A page beside the folder is not ours.
    await second.goto(`${origin}/elsewhere`);
    assert.equal(await second.evaluate(() => navigator.serviceWorker.controller), null);
  });
});

test("a folder that another program had before, and one that has another program now", async () => {
  const theirs = `addEventListener("install", () => skipWaiting());
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    addEventListener("fetch", (event) => event.respondWith(event.request.url.includes("old.html") ? new Response("old") : fetch(event.request)));`;
  const files = { "old.html": "<!doctype html>", "theirs.js": theirs };
  const server = await serve("/", { files, cache: false });
  const { page, close } = await open(browser, `${server.url}old.html`, KEPT);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register("theirs.js");
    await new Promise((done) => (navigator.serviceWorker.controller ? done() : navigator.serviceWorker.addEventListener("controllerchange", done)));
    await (await caches.open("theirs")).put("/theirs", new Response("theirs"));
  });
  await page.goto(server.url + QUERY);
  await is_right(page);
  await by(page, "load-newer").click();
  await is_kept(page);
  await is_right(page);
  assert.ok(Object.keys(await caches_of(page)).includes("theirs"));

  // Now the folder is somebody else's, who knows nothing of service workers.
  for (const name of Object.keys(FILES)) files[name] = null;
  Object.assign(files, { "index.html": "<!doctype html><title>Somebody else's</title>", "sw.js": null });
  const { page: second } = await tab(page, server.url + QUERY);
  await by(second, "newer").filter({ hasText: "The server does not offer to keep this page any more" }).waitFor();
  await Promise.all([second.waitForEvent("load"), by(second, "newer").locator("[data-testid=reload]").click()]);
  assert.equal(await second.title(), "Somebody else's");
  assert.deepEqual(Object.keys(await caches_of(second)), ["theirs"]);
  await close();
  await server.close();
});

test("a page that is served to whoever works on it is not kept, and takes the place of one that was", async () => {
  await visit({}, async ({ page, url, files, server }) => {
    upload(files, { "sw.js": UNSTAMPED });
    const { page: second } = await tab(page, url);
    await by(second, "newer").filter({ hasText: "in use in another tab" }).waitFor();
    await second.waitForFunction(async () => (await caches.keys()).length === 0);
    server.requests.length = 0;
    await second.reload();
    await is_right(second);
    await is_not_kept(second);
    assert.ok(server.requests.some(({ file }) => file === "index.html"), "the page comes from the server");
    // Nobody holds on to it any more: it is gone.
    const other = await page.context().newPage();
    await Promise.all([page.close(), second.close()]);
    await other.goto(`${new URL(url).origin}/models.json`);
    await eventually(async () => assert.equal(await other.evaluate(() => navigator.serviceWorker.getRegistration()), undefined));
  });
});

test("a frame in another page is not kept by itself", async () => {
  await visit({}, async ({ page, url }) => {
    await page.waitForFunction(() => location.hash.length > 1000);
    const link = page.url();
    const alone = await open(browser, `${new URL(url).origin}/?embed${new URL(link).hash}`, KEPT);
    await by(alone.page, "heatmap-ap-heads").waitFor();
    await alone.page.waitForTimeout(1000);
    assert.equal(await alone.page.evaluate(() => navigator.serviceWorker.getRegistration()), undefined);
    assert.deepEqual(await caches_of(alone.page), {});
    await alone.close();
  });
});
