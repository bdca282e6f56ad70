// What a browser keeps, in every engine: a model that is fetched once and read again without a network, and the words
// for a browser that keeps nothing.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../engines/machine.mjs";
import { sha256 } from "../hub.mjs";
import { MINI } from "../native.mjs";
import { AT_NOTEBOOK } from "../page.mjs";
import { DIST, serve } from "../server.mjs";
import { site } from "../site.mjs";
import { at, attribute, choose, click, says, status, text, until, visit } from "../tab.mjs";
import { agrees } from "./figure.mjs";

const WEIGHTS = "model.safetensors";

/** The page of a site whose list has a copy of the bundled model on a hub. */
const with_hub = async () => site({ entry: { sha256: await sha256(join(MINI, WEIGHTS)) } });

/** Points at a model in the menu and says yes to fetching it, where that is asked. */
async function take(tab, { id }) {
  await choose(tab, "model-select", id);
  const next = await until(tab, "an offer or a model that arrives", (names) => names.find((css) => document.querySelector(css)), [at("model-load"), at("load-progress")]);
  if (next === at("model-load")) await click(tab, "model-load");
}

/** Has the model in use compute the pair, with the command line's numbers. */
async function computes(tab, native) {
  await click(tab, "run");
  // Neurons may be done, too, by the time that a busy driver looks.
  await says(tab, "status", /^(Heads done|Done)/);
  await status(tab, "done");
  await agrees(tab, native.notebook, ["noising"]);
}

const in_use = (tab, { title }) => says(tab, "model-report", new RegExp(`^${title}:`));

/** What the page has in its private storage: names of folders of models. */
const shelves = (tab) =>
  tab.run(async () => {
    const root = await navigator.storage.getDirectory();
    const names = [];
    for await (const name of (await root.getDirectoryHandle("models")).keys()) names.push(name);
    return names;
  });

async function kept({ engine, options, native }) {
  const here = await with_hub();
  const profile = folder("profile");
  const start = () => engine.start({ ...options, profile: profile.path });
  let browser = await start();
  try {
    const link = await visit(browser, here.url, async (tab) => {
      await status(tab, "done");
      await choose(tab, "model-select", here.model.id);
      assert.match(await text(tab, "model-offer"), /once; kept in this browser/);
      assert.deepEqual(here.hub.requests, [], "pointing at a model fetches nothing");
      await click(tab, "model-load");
      assert.match(await in_use(tab, here.model), /\(verified\), kept in this browser/);
      await computes(tab, native);
      assert.deepEqual(await shelves(tab), [here.shelf]);
      return tab.url();
    });
    await browser.close();
    // From here on no hub answers.
    await here.hub.close();
    browser = await start();
    await visit(browser, link, async (tab) => {
      assert.match(await in_use(tab, here.model), /kept in this browser/);
      await status(tab, "done");
      await agrees(tab, native.notebook, ["noising"]);
      assert.match(await attribute(tab, "model-report", "title"), /Over the network: 0 B/);
    });
  } finally {
    await browser.close();
    profile.remove();
    await here.close();
  }
}

async function not_kept({ engine, options, native }) {
  const here = await with_hub();
  const browser = await engine.start({ ...options, ...engine.forgetful });
  try {
    await visit(browser, here.url, async (tab) => {
      await status(tab, "done");
      await click(tab, `${at("own-files")} summary`);
      await says(tab, "storage", /This browser keeps no files for this page, as in a private window/);
      await choose(tab, "model-select", here.model.id);
      assert.match(await text(tab, "model-offer"), /the browser refuses to keep it: it will be in memory until/);
      await click(tab, "model-load");
      assert.match(await in_use(tab, here.model), /\(verified\), in memory only/);
      await says(tab, "notice", /runs from memory.*(this browser offers no private storage here|SecurityError).*It is lost when another model is chosen/is);
      await computes(tab, native);
    });
  } finally {
    await browser.close();
    await here.close();
  }
}

/** A network that is gone while a model arrives is waited for, and it goes on from where it broke. */
async function breaks({ browser, native }) {
  const here = await with_hub();
  try {
    await visit(browser, here.url, async (tab) => {
      await status(tab, "done");
      here.hub.rule = ({ file, number }) => file === WEIGHTS && number < 2 && { rate: 2_000_000, cut: 1_000_000 };
      // It is said for a second or two, which a busy driver may not see by looking now and then.
      await tab.run((css) => {
        globalThis.heard = [];
        const hear = () => globalThis.heard.push(document.querySelector(css)?.innerText ?? "");
        new MutationObserver(hear).observe(document.body, { subtree: true, childList: true, characterData: true });
      }, at("load-progress"));
      await take(tab, here.model);
      await until(tab, "a word about the broken line", () => globalThis.heard.some((text) => /is asked again/.test(text)));
      assert.match(await in_use(tab, here.model), /\(verified\)/);
      await computes(tab, native);
      const served = here.hub.served(WEIGHTS);
      // WebKit sends no range to another origin once the page is kept, so that it begins anew each time; others go on.
      const again = here.hub.requests.some(({ range }) => range) ? 6 * 64 * 1024 : 2_000_000;
      assert.ok(served <= here.model.file_bytes + again, `${served} bytes for ${here.model.file_bytes}: what had come was fetched again`);
    });
  } finally {
    await here.close();
  }
}

/** Where the page keeps itself: whether this build does is a matter of its program for that. */
const KEEPS_ITSELF = existsSync(join(DIST, "sw.js"));

async function offline({ browser, native }) {
  const server = await serve("/some/folder/", { cache: true });
  try {
    await visit(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, async (tab) => {
      await status(tab, "done");
      await says(tab, "page-kept", /opens without a network/);
      await server.close();
      await tab.reload();
      await says(tab, "status", /^Heads done|^Done/);
      await status(tab, "done");
      await agrees(tab, native.notebook, ["noising"]);
      assert.equal(await tab.run((css) => document.querySelector(css).innerText, at("notice")), "");
      // Whether there is a newer build is asked all the same.
    }, { expected: /sw\.js|Failed to load|ERR_|NetworkError/ });
  } finally {
    await server.close();
  }
}

export const KEEPING = [
  { name: "a model is fetched once, kept, and read again at the next visit without its server", run: kept, needs: "keeps" },
  { name: "where nothing is kept a model runs from memory, and the page says so before and afterwards", run: not_kept, needs: "forgetful" },
  { name: "a line that breaks while a model arrives is said, and it goes on where it broke", run: breaks },
  ...(KEEPS_ITSELF ? [{ name: "the page opens again without its server, and computes", run: offline }] : []),
];
