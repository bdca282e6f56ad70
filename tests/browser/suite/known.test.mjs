// What the list of models says of one: heads with a known role, and which list is used.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sha256 } from "../support/hub.mjs";
import { MINI } from "../support/native.mjs";
import { by, launch, open, saved, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";
import { choose, in_use, notice, site, visit } from "../support/site.mjs";

const LIST = JSON.parse(readFileSync(new URL("../../../assets/models.json", import.meta.url), "utf8"));
const HEADS = [
  { layer: 0, head: 7, class: "Name Mover", role: "moves a name" },
  { layer: 2, head: 1, class: "Negative Name Mover", role: "moves it away" },
];
const known_heads = { task: "Indirect object identification", source: "Somebody (2022)", heads: HEADS };

let browser, digest;
before(async () => {
  browser = await launch();
  digest = await sha256(join(MINI, "model.safetensors"));
});
after(() => browser?.close());

/** Cells that say what their head is known for, `layer.head class`. */
const marked = (page, testid) =>
  by(page, testid)
    .locator("[data-known]")
    .evaluateAll((cells) => cells.map(({ dataset }) => `${dataset.layer}.${dataset.head} ${dataset.known}`));

test("known heads are marked in both maps, with class and role, and as known, not as expected", async () => {
  const here = await site({ entry: { sha256: digest, known_heads } });
  try {
    await visit(browser, here, async (page) => {
      assert.equal(await by(page, "known-legend").count(), 0, "nothing is known of the bundled model");
      await choose(page, here.model);
      await in_use(page, here.model, "(verified)");
      await page.locator("[data-testid=run]:enabled").waitFor();
      await by(page, "run").click();
      await status(page, "done");
      for (const method of ["ig", "ap"]) {
        assert.deepEqual(await marked(page, `heatmap-${method}-heads`), ["0.7 Name Mover", "2.1 Negative Name Mover"]);
      }
      const legend = await by(page, "known-legend").innerText();
      for (const words of ["Name Mover", "Negative Name Mover", "Indirect object identification", "(Somebody 2022)", "should"]) {
        assert.ok(legend.includes(words), `${legend} has no "${words}"`);
      }
      await by(page, "heatmap-ap-heads").locator("[data-layer='2'][data-head='1']").click();
      assert.match(await by(page, "known-role").innerText(), /Negative Name Mover.*moves it away/s);
      const record = JSON.parse(await saved(page, "export-json"));
      assert.equal(JSON.stringify(record).includes("Negative Name Mover"), true);
    });
  } finally {
    await here.close();
  }
});

test("what is known of a model is not said of other weights", async () => {
  const here = await site({ entry: { sha256: "ab".repeat(32), known_heads } });
  try {
    await visit(browser, here, async (page) => {
      await choose(page, here.model);
      await by(page, "use-all-the-same").click();
      await in_use(page, here.model, "(not the expected weights)");
      await page.locator("[data-testid=run]:enabled").waitFor();
      await by(page, "run").click();
      await status(page, "done");
      assert.deepEqual(await marked(page, "heatmap-ap-heads"), []);
      assert.equal(await by(page, "known-legend").count(), 0);
    });
  } finally {
    await here.close();
  }
});

test("another list of models is taken from the page's own site only, and a broken one is named", async () => {
  const mine = { ...LIST, models: [LIST.models[0], { ...LIST.models[1], id: "mine", title: "A model of mine", base: "https://example.org/mine/" }] };
  const server = await serve("/", { files: { "lists/mine.json": JSON.stringify(mine), "lists/broken.json": '{"hub": 1}' } });
  const titles = (page) => by(page, "model-select").locator("option").allInnerTexts().then((all) => all.join());
  const foreign = await serve("/", { files: { "mine.json": JSON.stringify(mine) } });
  try {
    for (const [list, words, title] of [
      // The bundled model's folder is relative to the list, and is not there: the list is used all the same.
      ["lists/mine.json", null, "A model of mine"],
      ["lists/broken.json", /not a list of models/, "GPT-2 small"],
      ["lists/none.json", /404/, "GPT-2 small"],
      [`${foreign.url}mine.json`, /site|host|origin/i, "GPT-2 small"],
    ]) {
      const { page, close } = await open(browser, `${server.url}?device=cpu&models=${encodeURIComponent(list)}`);
      if (words) await notice(page, words);
      await by(page, "model-select").locator("option", { hasText: title }).first().waitFor({ state: "attached" });
      assert.ok((await titles(page)).includes(title));
      await close();
    }
    assert.deepEqual(foreign.requests, [], "another site is not asked");
  } finally {
    await server.close();
    await foreign.close();
  }
});
