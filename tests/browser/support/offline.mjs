// The page as a browser keeps it: what it has of it, another build of it, and a server that goes and comes back.
// Nothing here is of one browser: a scenario takes whatever `launch` has opened.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { by, PATIENCE, status } from "./page.mjs";
import { DIST } from "./server.mjs";

/** What a context must allow for the page to be kept. */
export const KEPT = { serviceWorkers: "allow" };

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
/** The statement that holds the build, as `cargo xtask seal` writes it. */
const BUILD = /\nconst BUILD = \{ name: "(\w+)", files: (\{.*?\}) \};\n/;

/** Name and files of the build that a service worker is of. */
export function build_of(script) {
  const [, name, files] = script.match(BUILD) ?? assert.fail("the service worker has no build");
  return { name, files: JSON.parse(files) };
}

/** The service worker of a built page in which these files are others; one that is `null` is not there. */
export function stamped(others, dist = DIST) {
  const script = readFileSync(join(dist, "sw.js"), "utf8");
  const { files } = build_of(script);
  for (const [file, body] of Object.entries(others)) {
    if (body === null) delete files[file];
    else files[file] = digest(body);
  }
  const list = JSON.stringify(files);
  return script.replace(BUILD, () => `\nconst BUILD = { name: "${digest(list).slice(0, 16)}", files: ${list} };\n`);
}

/** A service worker of no build, as it stands in the sources. */
export const UNSTAMPED = readFileSync(new URL("../../../web/sw.js", import.meta.url), "utf8");

/**
 * The files in which another build differs: its page and its worker have another name in them, and the page's program another name,
 * as a program that was built anew has. `{ build, files }`.
 */
export function another_build(dist = DIST) {
  const names = readdirSync(dist);
  const page = names.find((name) => /^twinbeam-web-\w+_bg\.wasm$/.test(name));
  const [, build] = readFileSync(join(dist, page), "latin1").match(/(\d+\.\d+\.\d+-[0-9a-f]{10}(?:-changed)?)/) ?? [];
  assert.ok(build, "the page's program does not say of which build it is");
  const renamed = build.replace(/-[0-9a-f]{10}/, "-otherbuild");
  const hash = page.match(/^twinbeam-web-(\w+)_bg\.wasm$/)[1];
  const other = [...hash].reverse().join("");
  const files = {};
  for (const name of names.filter((name) => /\.(html|js|wasm)$/.test(name) && name !== "sw.js")) {
    const text = readFileSync(join(dist, name), "latin1");
    const changed = text.replaceAll(build, renamed).replaceAll(hash, other);
    const new_name = name.replace(hash, other);
    if (changed === text && new_name === name) continue;
    if (new_name !== name) files[name] = null;
    files[new_name] = Buffer.from(changed, "latin1");
  }
  assert.ok(files["index.html"] && files["worker_bg.wasm"] && files[page] === null, Object.keys(files).join());
  return { build: renamed, files: { ...files, "sw.js": stamped(files, dist) } };
}

/** Waits until the browser says that it keeps the page. */
export const is_kept = (page) => by(page, "page-kept").filter({ hasText: "opens without a network" }).waitFor();
/** Waits until it says that it does not. */
export const is_not_kept = (page) => by(page, "page-kept").filter({ hasText: "does not keep the page" }).waitFor();

/**
 * Another tab of a page's browser, with its figure drawn: `{ page, errors }`. That there is no network for the question whether
 * there is a newer build is no error; for anything else it is.
 */
export async function tab(page, url) {
  const other = await page.context().newPage();
  other.setDefaultTimeout(PATIENCE);
  const errors = [];
  other.on("pageerror", (error) => errors.push(`${error}`));
  other.on("console", (message) => {
    if (message.type() !== "error") return;
    const { url } = message.location();
    if (!url.endsWith("/sw.js")) errors.push(`${url}: ${message.text()}`);
  });
  await other.goto(url);
  await status(other, "done");
  return { page: other, errors };
}

/** Of which build a page is, as it says itself. */
export const build_on = async (page) => (await page.locator("footer.foot").innerText()).match(/Twinbeam (\S+),/)[1];

/** Names of all caches of the origin, and of the files in each. */
export const caches_of = (page) =>
  page.evaluate(async () => {
    const found = {};
    for (const name of await caches.keys()) {
      const keys = await (await caches.open(name)).keys();
      found[name] = keys.map(({ url }) => url);
    }
    return found;
  });

/** Takes a file out of what is kept, as a browser does that needs room; `body`: something else comes in its place. */
export const evict = (page, file, body) =>
  page.evaluate(
    async ([file, body]) => {
      let n = 0;
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const { url } of await cache.keys()) {
          if (new URL(url).pathname.split("/").pop() !== file) continue;
          if (body === undefined) await cache.delete(url);
          else await cache.put(url, new Response(body, { headers: { "content-type": "application/wasm" } }));
          n += 1;
        }
      }
      return n;
    },
    [file, body],
  );

/** Waits for something that a tab's page gives. */
async function until(tab, what, script, ...values) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    // The page may just be on its way.
    const found = await tab.run(script, ...values).catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) assert.fail(`${what} was waited for in vain`);
    await new Promise((go) => setTimeout(go, 100));
  }
}

/**
 * What holds in any engine that has service workers: a page is kept once its figure is drawn, and opens with the same figure when its
 * server is gone. `tab`, and `another()` of the same browser, have `goto(url)` and `run(script, ...values)`, which gives what a function that
 * closes over nothing gives in the page. `closes` ends the server.
 */
export async function opens_again({ tab, another, url, closes }) {
  const figure = () => {
    const state = document.querySelector("[data-testid=status]")?.dataset.state;
    const cells = [...document.querySelectorAll("[data-testid=heatmap-ap-heads] [data-layer][data-head]")];
    return state === "done" && cells.length > 0 && cells.map(({ dataset }) => dataset.value);
  };
  const said = () => document.querySelector("[data-testid=page-kept]")?.innerText;
  await tab.goto(url);
  const first = await until(tab, "the figure", figure);
  assert.match(await until(tab, "what is kept", said), /opens without a network/);
  await closes();
  const again = await another();
  await again.goto(url);
  assert.deepEqual(await until(again, "the figure without a server", figure), first);
  assert.match(await until(again, "what is kept", said), /opens without a network/);
  assert.equal(await again.run(() => document.querySelector("[data-testid=notice]").innerText), "");
}
