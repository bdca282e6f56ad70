// Tokens in a real browser: special ones shown as such, what is said before a run, and token ids in place of text.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compare, MINI } from "../support/native.mjs";
import { AT_NOTEBOOK, NOTEBOOK, by, difference, launch, open, status, table, type } from "../support/page.mjs";
import { serve } from "../support/server.mjs";
import { in_use, notice } from "../support/site.mjs";

const BOS = "<|endoftext|>";
const CONFIG = JSON.parse(readFileSync(join(MINI, "config.json"), "utf8"));
const { vocab, merges } = JSON.parse(readFileSync(join(MINI, "tokenizer.json"), "utf8")).model;

let browser, server, folder;
before(async () => {
  browser = await launch();
  server = await serve("/");
  folder = mkdtempSync(join(tmpdir(), "twinbeam-tokens-"));
});
after(async () => {
  await browser?.close();
  await server?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** Opens the page with the bundled model's figure drawn, tests it, and looks for errors on the console. */
async function visit(body, address = `${server.url}?device=cpu${AT_NOTEBOOK}`) {
  const visited = await open(browser, address);
  try {
    await status(visited.page, "done");
    await body(visited.page);
    assert.deepEqual(visited.errors, []);
  } finally {
    await visited.close();
  }
}

/** Loads the bundled model's weights with other small files: texts by name; its configuration unless there is another. */
async function load(page, texts) {
  const paths = Object.entries({ "config.json": JSON.stringify(CONFIG), ...texts }).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  await by(page, "local-files").setInputFiles([...paths, join(MINI, "model.safetensors")]);
  await in_use(page, { title: "local files" });
}

/** Runs what is typed, and compares both maps with the command line's. */
async function runs_as(page, entry) {
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  const [native] = compare([{ name: "case", ...entry }]);
  for (const method of ["ig", "ap"]) {
    const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method].noising);
    assert.ok(off < 1e-4, `${method} is off by ${off} of the largest score`);
  }
}

const row = (page, side) => by(page, `token-row-${side}`).locator("td.token");

test("a special token between two turns is one, marked, in one column, and gives the command line's numbers", async () => {
  await visit(async (page) => {
    const asked = {
      clean: `Kate gave Tom a ring${BOS}Tom gave it to`,
      corrupted: `Kate gave Tom a ring${BOS}Kate gave it to`,
      answer: " Kate",
      wrong: " Tom",
    };
    await by(page, "prompt-clean").fill(asked.clean);
    await by(page, "prompt-corrupted").fill(asked.corrupted);
    await by(page, "answer").fill(asked.answer);
    await by(page, "wrong").fill(asked.wrong);
    for (const side of ["clean", "corrupted"]) await page.locator(`[data-testid=token-row-${side}] td.special`).waitFor();
    await page.locator(".token-table:not(.waiting)").waitFor();
    const places = [];
    for (const side of ["clean", "corrupted"]) {
      const special = await row(page, side).evaluateAll((cells) =>
        cells.flatMap((cell, place) => (cell.classList.contains("special") ? [[place, cell.innerText.split(/\s+/).join(" "), cell.dataset.tokenId]] : [])),
      );
      assert.equal(special.length, 1, `${JSON.stringify(special)}`);
      assert.deepEqual(special[0].slice(1), [`special token ${BOS}`, "0"]);
      assert.match(await row(page, side).nth(special[0][0]).getAttribute("title"), /special/);
      assert.equal(await row(page, side).first().innerText(), "BOS", "the one in front is still that");
      places.push(special[0][0]);
    }
    assert.equal(places[0], places[1], "both stand in one column");
    if (await page.locator("[data-testid=run]:enabled").count()) await runs_as(page, asked);
    else await notice(page, /differ in length/);
  });
});

test("a trailing space and an answer without its space are said before a run, and mended by a click", async () => {
  await visit(async (page) => {
    const hints = (field) => by(page, `hints-${field}`);
    assert.equal(await hints("clean").innerText(), "");
    await by(page, "prompt-clean").fill(`${NOTEBOOK.clean} `);
    await hints("clean").getByText("Ends in a space").waitFor();
    await hints("clean").getByRole("button").click();
    await page.waitForFunction(() => document.querySelector("[data-testid=hints-clean]").innerText === "");
    assert.equal(await by(page, "prompt-clean").inputValue(), NOTEBOOK.clean);

    // Both "The" and " The" are one token, so that nothing else would say it.
    assert.ok("The" in vocab && "ĠThe" in vocab);
    await by(page, "answer").fill("The");
    await hints("answer").getByText("begins without a space").waitFor();
    await page.locator("[data-testid=run]:enabled").waitFor();
    await hints("answer").getByRole("button", { name: "use “·The”" }).click();
    await page.waitForFunction(() => document.querySelector("[data-testid=hints-answer]").innerText === "");
    assert.equal(await by(page, "answer").inputValue(), " The");

    await by(page, "prompt-corrupted").fill(NOTEBOOK.corrupted.replace("store", "cafe\u0301"));
    await hints("corrupted").getByText("accents as separate characters").waitFor();
  });
});

test("text turns into token ids and back, with the same numbers, and a link keeps the ids", async () => {
  await visit(async (page) => {
    const figure = await table(page, "heatmap-ap-heads");
    await page.locator("[data-testid=written]:enabled").click();
    const ids = await by(page, "prompt-clean").inputValue();
    assert.match(ids, /^0( \d+)+$/, "BOS is the first of them");
    assert.equal(await by(page, "bos").isVisible(), false);
    await page.locator("[data-testid=run]:enabled").click();
    await status(page, "done");
    assert.deepEqual(await table(page, "heatmap-ap-heads"), figure);
    const link = page.url();
    await visit(async (again) => {
      assert.equal(await by(again, "prompt-clean").inputValue(), ids);
      assert.equal(await by(again, "written").getAttribute("aria-pressed"), "true");
      assert.deepEqual(await table(again, "heatmap-ap-heads"), figure);
    }, link);
    await page.locator("[data-testid=written]:enabled").click();
    assert.equal(await by(page, "prompt-clean").inputValue(), NOTEBOOK.clean);
    assert.equal(await by(page, "answer").inputValue(), NOTEBOOK.answer[0]);
    assert.equal(await by(page, "bos").getAttribute("aria-pressed"), "true");
  });
});

test("a model without a tokenizer takes token ids, to the numbers of the command line, and text waits", async () => {
  await visit(async (page) => {
    const of = (text) => text.match(/ ?[A-Za-z]+|,/g).map((word) => vocab[word.replace(" ", "Ġ")]);
    const ids = {
      clean: [0, ...of(NOTEBOOK.clean)].join(" "),
      corrupted: [0, ...of(NOTEBOOK.corrupted)].join(", "),
      answer: `${of(NOTEBOOK.answer[0])}`,
      wrong: `#${of(NOTEBOOK.wrong[0])}`,
    };
    await load(page, {});
    assert.equal(await by(page, "prompt-clean").inputValue(), "");
    assert.match(await by(page, "prompt-clean").getAttribute("placeholder"), /^\d+ \d+/);
    assert.equal(await by(page, "written").isDisabled(), true);
    await by(page, "example-select").selectOption("1");
    await notice(page, /Examples are text/);
    assert.equal(await by(page, "prompt-clean").inputValue(), "");

    await by(page, "prompt-clean").fill("0 word");
    await notice(page, /“word” is not a token id/);
    await type(page, ids, 50);
    assert.match(await row(page, "clean").first().innerText(), /^#0$/);
    await runs_as(page, { clean: NOTEBOOK.clean, corrupted: NOTEBOOK.corrupted, answer: NOTEBOOK.answer[0], wrong: NOTEBOOK.wrong[0] });

    await by(page, "model-select").selectOption("mini");
    await page.locator("[data-testid=model-report]", { hasText: "Bundled model" }).waitFor();
    await page.waitForFunction((text) => document.querySelector("[data-testid=prompt-clean]").value === text, NOTEBOOK.clean);
    assert.equal(await by(page, "written").getAttribute("aria-pressed"), "false");
  });
});

test("tokens apart are read, and a BOS that the files disagree about is named beside its switch", async () => {
  await visit(async (page) => {
    const lines = merges.map(([first, second]) => `${first} ${second}\n`);
    await load(page, {
      "config.json": JSON.stringify({ ...CONFIG, bos_token_id: 5 }),
      "vocab.json": JSON.stringify(vocab),
      "merges.txt": `#version: 0.2\n${lines.join("")}`,
    });
    await by(page, "tokenizer-notes").getByText("config.json names token 5").waitFor();
    assert.equal(await row(page, "clean").first().getAttribute("data-token-id"), "0", "the tokenizer's is used");
    await runs_as(page, { clean: NOTEBOOK.clean, corrupted: NOTEBOOK.corrupted, answer: NOTEBOOK.answer[0], wrong: NOTEBOOK.wrong[0] });
    await by(page, "bos").click();
    await page.waitForFunction(() => document.querySelector("[data-testid=tokenizer-notes]").innerText === "");
  });
});
