// The page with a list of models whose files are on a hub, and what a browser keeps of them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMIT, hub, listed } from "./hub.mjs";
import { MINI } from "./native.mjs";
import { stamped } from "./offline.mjs";
import { AT_NOTEBOOK, by, open, status } from "./page.mjs";
import { DIST, FAULTS, serve } from "./server.mjs";

const [BUNDLED] = JSON.parse(readFileSync(new URL("../../../assets/models.json", import.meta.url), "utf8")).models;
const NAMES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/**
 * Starts the page and the hub: `{ url, hub, shelf, close }`.
 *
 * `folder` is the model's on the hub, `entry` what the list says of it besides its sizes. With `faults` the worker is
 * the one that can be made to fail. `files` gives more files of the server's for its
 * models, and `scripts` names those of them that run before the page's own.
 */
export async function site({ folder = MINI, entry = {}, faults = false, files: more = () => ({}), scripts = [] } = {}) {
  const there = readdirSync(folder);
  const remote = await hub(Object.fromEntries(NAMES.filter((name) => there.includes(name)).map((name) => [name, join(folder, name)])));
  const model = listed(folder, entry);
  const models = { hub: remote.url, models: [BUNDLED, model] };
  // The page's policy names the real hub: here the one of the test.
  const page = readFileSync(join(faults ? FAULTS : DIST, "index.html"), "utf8");
  const allowed = page.replace("https://*.hf.co", `https://*.hf.co ${remote.origins.join(" ")}`);
  assert.ok(page !== allowed, "the policy does not name the Hub");
  const tags = scripts.map((name) => `<script defer src="${name}"></script>`).join("");
  const scripted = allowed.replace("<title", `${tags}<title`);
  const files = { "index.html": scripted, "models.json": JSON.stringify(models) };
  files["sw.js"] = stamped(files, faults ? FAULTS : DIST);
  Object.assign(files, more([model, BUNDLED]));
  const server = await serve("/", { faults, files });
  return {
    url: `${server.url}?device=cpu${AT_NOTEBOOK}`,
    requests: server.requests,
    hub: remote,
    model,
    shelf: `${model.id}-${COMMIT.slice(0, 12)}`,
    close: () => Promise.all([remote.close(), server.close()]),
  };
}

/** Opens the page of a site in a context of its own, with the bundled model's figure drawn. */
export async function visit(browser, { url }, body, options = {}) {
  const visited = await open(browser, url, options);
  try {
    await status(visited.page, "done");
    await body(visited.page, visited.errors);
  } finally {
    await visited.close();
  }
}

/** Another tab of the same browser. */
export async function another(page, { url }) {
  const tab = await page.context().newPage();
  await tab.goto(url);
  await status(tab, "done");
  return tab;
}

/** Points at a model in the menu and, where it would be fetched, says yes. */
export async function choose(page, { id, title }) {
  await by(page, "model-select").selectOption(id);
  const load = by(page, "model-load");
  const arrives = page.locator("[data-testid=load-progress], [data-testid=model-load]");
  // A model that is kept may have arrived before anybody looks.
  const is_here = page.locator("[data-testid=model-report]", { hasText: `${title}:` });
  await arrives.or(is_here).first().waitFor();
  if (await load.isVisible()) await load.click();
}

/** Waits until a model is in use; a notice of something else is the test's error. */
export async function in_use(page, { title }, words = "") {
  const report = page.locator("[data-testid=model-report]", { hasText: `${title}:` });
  const failed = page.locator("[data-testid=notice]", { hasText: `${title} is not loaded` });
  await report.or(failed).first().waitFor();
  assert.equal(await failed.count(), 0, await by(page, "notice").allInnerTexts().then((texts) => texts.join()));
  assert.ok((await report.innerText()).includes(words), `${await report.innerText()} has no "${words}"`);
}

/** Waits for a notice, and gives all of its words. */
export async function notice(page, words) {
  const found = page.locator("[data-testid=notice]", { hasText: words });
  await found.waitFor();
  return found.innerText();
}

/** What the browser keeps: entries of a model's journal, empty if there is none. */
export const journal = (page, shelf) =>
  page.evaluate(async (shelf) => {
    try {
      const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
      const file = await (await models.getDirectoryHandle(shelf)).getFileHandle("journal");
      const text = await (await file.getFile()).text();
      return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    } catch (error) {
      if (error.name === "NotFoundError") return [];
      throw error;
    }
  }, shelf);

export const is_complete = (entries) => entries.some(({ entry }) => entry === "complete");

/** Changes one bit of what the browser keeps, in the middle of the largest piece. */
export async function damage(page, shelf) {
  const pieces = (await journal(page, shelf)).filter(({ entry }) => entry === "piece");
  const largest = pieces.reduce((one, other) => (other.end - other.start > one.end - one.start ? other : one));
  await page.evaluate(
    async ([shelf, position]) => {
      const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
      const file = await (await models.getDirectoryHandle(shelf)).getFileHandle("data");
      const [byte] = new Uint8Array(await (await file.getFile()).slice(position, position + 1).arrayBuffer());
      const writer = await file.createWritable({ keepExistingData: true });
      await writer.write({ type: "write", position, data: new Uint8Array([byte ^ 1]) });
      await writer.close();
    },
    [shelf, largest.at + Math.floor((largest.end - largest.start) / 2)],
  );
  return largest;
}
