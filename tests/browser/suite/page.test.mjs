// What a visitor does, in a real browser, on the release build, by the CPU.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { print } from "../support/link.mjs";
import { compare } from "../support/native.mjs";
import { AT_NOTEBOOK, EXAMPLES, NOTEBOOK, by, difference, launch, no_faults, open, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const [FIRST] = EXAMPLES;
const as_case = ({ clean, corrupted, answer, wrong }) => ({ name: "case", clean, corrupted, answer: answer[0], wrong: wrong[0] });

let browser, server;
before(async () => {
  browser = await launch();
  server = await serve("/some/folder/");
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Opens the page with the first figure drawn, tests it, and looks for errors on the console. */
async function visit(address, body, options) {
  const visited = await open(browser, address, options);
  await status(visited.page, "done");
  await body(visited.page);
  assert.deepEqual(visited.errors, []);
  await visited.close();
}

test("the first figure is there without a click, with the numbers of the command line", async () => {
  const [native] = compare([as_case(FIRST)]);
  await visit(`${server.url}?device=cpu`, async (page) => {
    assert.equal(await by(page, "prompt-clean").inputValue(), FIRST.clean);
    for (const direction of ["noising", "denoising"]) {
      await by(page, "direction").selectOption(direction);
      for (const method of ["ig", "ap"]) {
        const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method][direction]);
        assert.ok(off < 1e-4, `${method} ${direction} is off by ${off} of the largest score`);
      }
      const deltas = await by(page, "convergence").locator("[data-layer]").count();
      assert.equal(deltas, native.heads.ig[direction].length);
    }
    for (const side of ["clean", "corrupted"]) {
      const shown = Number(await by(page, `metric-${side}`).getAttribute("data-value"));
      assert.ok(Math.abs(shown - native.logit_diff[side]) < 1e-4, `${side}: ${shown}`);
      assert.match(await by(page, `metric-${side}`).innerText(), /logits/);
    }
    assert.match(await by(page, "device-report").innerText(), /CPU/);
  });
});

test("edited inputs mark the maps, Run makes them anew, and the address holds the experiment", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    const before = await table(page, "heatmap-ap-heads");
    const example = EXAMPLES.find((example) => example.clean.startsWith("When Kate"));
    await by(page, "prompt-clean").fill(example.clean);
    await status(page, "stale");
    assert.equal(await by(page, "run").isDisabled(), true, "prompts of unequal length or mismatch cannot run");
    await by(page, "prompt-corrupted").fill(example.corrupted);
    await by(page, "answer").fill(example.answer[0]);
    await by(page, "wrong").fill(example.wrong[0]);
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
    const shown = await table(page, "heatmap-ap-heads");
    const [native] = compare([as_case(example)]);
    assert.ok(difference(shown, native.heads.ap.noising) < 1e-4);
    assert.ok(difference(before, native.heads.ap.noising) > 1e-2, "the maps were of other prompts before");

    const link = page.url();
    assert.match(link, /#v1=/);
    await visit(link, async (again) => {
      assert.equal(await by(again, "prompt-clean").inputValue(), example.clean);
      assert.equal(await by(again, "answer").inputValue(), example.answer[0]);
      assert.deepEqual(await table(again, "heatmap-ap-heads"), shown, "a link gives the same numbers, bit for bit");
    });

    await page.goBack();
    await page.waitForFunction((text) => document.querySelector("[data-testid=prompt-clean]").value === text, NOTEBOOK.clean);
    await status(page, "done");
    assert.deepEqual(await table(page, "heatmap-ap-heads"), before);
  });
});

test("metric and steps are what the command line is given", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    await by(page, "steps").fill("3");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
    const [native] = compare([as_case(NOTEBOOK)], { steps: 3 });
    assert.ok(difference(await table(page, "heatmap-ig-heads"), native.heads.ig.noising) < 1e-4);
    await by(page, "metric").selectOption("kl");
    await status(page, "stale");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
    assert.match(await by(page, "metric-corrupted").innerText(), /nats/);
    assert.equal(Number(await by(page, "metric-clean").getAttribute("data-value")), 0);
  });
});

test("prompts of unequal length and answers of two tokens say what to change, and Run is off", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    await by(page, "prompt-corrupted").fill(`${NOTEBOOK.corrupted} the`);
    await page.locator("[data-testid=notice]", { hasText: "differ in length" }).waitFor();
    assert.equal(await by(page, "run").isDisabled(), true);
    const cells = by(page, "token-row-clean").locator("td");
    assert.equal(await cells.count(), await by(page, "token-row-corrupted").locator("td").count(), "common columns");
    assert.equal(await by(page, "token-row-clean").locator("td.absent").count(), 1);
    await by(page, "prompt-corrupted").fill(NOTEBOOK.corrupted);
    await by(page, "answer").fill("John");
    await page.locator("[data-testid=notice]", { hasText: "is not one token" }).waitFor();
    assert.equal(await by(page, "run").isDisabled(), true);
    await page.getByRole("button", { name: "use “·John”" }).click();
    assert.equal(await by(page, "answer").inputValue(), " John");
    await page.locator("[data-testid=run]:enabled").waitFor();
    assert.equal(await by(page, "token-row-clean").locator("td.differs").count(), 1);
    const tokens = await cells.count();
    await by(page, "bos").click();
    await page.waitForFunction((n) => document.querySelectorAll("[data-testid=token-row-clean] td").length === n, tokens - 1);
  });
});

test("a damaged link shows the first example and says so", async () => {
  await visit(`${server.url}?device=cpu#v1=bm90IGEgbGluaw`, async (page) => {
    assert.equal(await by(page, "prompt-clean").inputValue(), FIRST.clean);
    assert.match(await by(page, "notice").innerText(), /damaged/);
  });
});

test("every example runs, and the model solves it", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    for (const [index, example] of EXAMPLES.entries()) {
      await by(page, "example-select").selectOption(`${index}`);
      await page.waitForFunction((text) => document.querySelector("[data-testid=prompt-clean]").value === text, example.clean);
      await status(page, "done");
      const [clean, corrupted] = await Promise.all(
        ["clean", "corrupted"].map(async (side) => Number(await by(page, `metric-${side}`).getAttribute("data-value"))),
      );
      assert.ok(clean > 0, `${example.title}: clean ${clean}`);
      // A third of all the probability, or a logit.
      const [metric, least] = example.metric === "prob_diff" ? ["prob_diff", 0.33] : ["logit_diff", 1];
      assert.equal(await by(page, "metric").inputValue(), metric);
      assert.ok(clean - corrupted > least, `${example.title}: clean ${clean}, corrupted ${corrupted}`);
    }
  });
});

test("maps can be read by keyboard, cell by cell, and axe finds no fault", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await visit(
      `${server.url}?device=cpu${AT_NOTEBOOK}`,
      async (page) => {
        const cell = (map, layer, head) => by(page, `heatmap-${map}-heads`).locator(`[data-layer='${layer}'][data-head='${head}']`);
        await cell("ig", 0, 0).focus();
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowRight");
        const name = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
        assert.match(name, /^layer 1, head 1: IG [+−]?\d+\.\d+, AP [+−]?\d+\.\d+ logits$/);
        assert.match(await cell("ap", 1, 1).getAttribute("class"), /marked/, "the same cell is marked in the other map");
        assert.match(await by(page, "readout").innerText(), /L1H1/);
        await no_faults(page);
      },
      { colorScheme },
    );
  }
});

test("one head can be followed through three maps, pinned, and read in every unit", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    const cell = (map, layer, head) => by(page, `heatmap-${map}-heads`).locator(`[data-layer='${layer}'][data-head='${head}']`);
    const [ig, ap] = [await table(page, "heatmap-ig-heads"), await table(page, "heatmap-ap-heads")];
    const minus = ig.map((row, layer) => row.map((score, head) => score - ap[layer][head]));
    assert.ok(difference(await table(page, "heatmap-diff-heads"), minus) < 1e-6);

    await cell("diff", 0, 7).click();
    for (const map of ["ig", "ap", "diff"]) {
      assert.equal(await cell(map, 0, 7).getAttribute("aria-selected"), "true", map);
    }
    assert.match(await by(page, "card").innerText(), /L0H7/);
    assert.match(await by(page, "card").innerText(), /of 32/);
    await page.keyboard.press("PageDown");
    await page.keyboard.press("Home");
    assert.match(await by(page, "readout").innerText(), /L3H0/);
    assert.match(await by(page, "card").innerText(), /L0H7/, "the pin stays");
    await page.keyboard.press("Enter");
    assert.match(await by(page, "card").innerText(), /L3H0/);
    await page.keyboard.press("Escape");
    assert.equal(await by(page, "card").count(), 0);

    const [clean, corrupted] = await Promise.all(
      ["clean", "corrupted"].map(async (side) => Number(await by(page, `metric-${side}`).getAttribute("data-value"))),
    );
    await by(page, "unit").selectOption("share");
    const shares = ap.map((row) => row.map((score) => score / (clean - corrupted)));
    assert.ok(difference(await table(page, "heatmap-ap-heads"), shares) < 1e-5);
    await by(page, "unit").selectOption("notebook");
    const tokens = await by(page, "token-row-clean").locator("td").count();
    const means = ig.map((row) => row.map((score) => score / (128 * tokens)));
    assert.ok(difference(await table(page, "heatmap-ig-heads"), means) < 1e-5);
    const turned = shares.map((row) => row.map((score) => -score));
    assert.ok(difference(await table(page, "heatmap-ap-heads"), turned) < 1e-5);
    assert.equal(await by(page, "scale").isDisabled(), true);
    assert.equal(await cell("diff", 0, 7).getAttribute("data-value"), null, "there is no difference of two units");
    await by(page, "unit").selectOption("metric");
    await by(page, "scale").selectOption("own");
    const ends = await page.locator(".maps .legend").allInnerTexts();
    assert.equal(new Set(ends).size, 3, ends.join());
  });
});

test("two runs that hardly differ have no shares, and the page says why", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    await by(page, "prompt-corrupted").fill(NOTEBOOK.clean);
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
    await by(page, "unit").selectOption("share");
    await page.getByText("the runs differ by 0.000 logits only").waitFor();
    assert.ok((await table(page, "heatmap-ap-heads")).flat().every((score) => score === 0));
  });
});

test("a gap the wrong way round and an integral that has not converged are marked, each with a way on", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    assert.equal(await by(page, "marks").count(), 0);
    const ap = await table(page, "heatmap-ap-heads");
    await by(page, "answer").fill(NOTEBOOK.wrong[0]);
    await by(page, "wrong").fill(NOTEBOOK.answer[0]);
    await by(page, "steps").fill("1");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
    const number = async (testid) => +(await by(page, testid).innerText()).replaceAll("−", "-").match(/-?\d+\.\d+/)[0];
    const marks = await by(page, "marks").innerText();
    const [, gap] = marks.match(/clean run shows less of the behaviour.*gap is −(\d+\.\d+) logits/s);
    const between = (await number("metric-corrupted")) - (await number("metric-clean"));
    assert.ok(Math.abs(gap - between) < 0.02, `${gap} for ${between}`);
    assert.match(marks, /have not converged: the scores of layer \d/);
    await by(page, "swap-answers").click();
    await page.locator("[data-testid=marks]", { hasText: "less of the behaviour" }).waitFor({ state: "detached" });
    await status(page, "done");
    assert.equal(await by(page, "answer").inputValue(), NOTEBOOK.answer[0]);
    assert.deepEqual(await table(page, "heatmap-ap-heads"), ap, "AP does not depend on the steps");
  });
});

test("the readout follows the pointer, whatever its events say of movement, and no page that scrolls", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    const cell = (layer, head) => by(page, "heatmap-ap-heads").locator(`[data-layer='${layer}'][data-head='${head}']`);
    const readout = by(page, "readout");
    // As browsers do that do not know how far the pointer came.
    await page.evaluate(() => {
      for (const name of ["movementX", "movementY"]) Object.defineProperty(MouseEvent.prototype, name, { get: () => 0 });
    });
    await cell(0, 2).hover();
    assert.match(await readout.innerText(), /^L0H2:/);
    await cell(2, 5).hover();
    assert.match(await readout.innerText(), /^L2H5:/);
    await page.mouse.move(5, 5);
    await page.locator("[data-testid=readout]", { hasText: "Point at a head" }).waitFor();

    // Keys have come somewhere, and the page scrolls under the pointer that rests on the map.
    await cell(1, 3).hover();
    await cell(3, 0).focus();
    assert.match(await readout.innerText(), /^L3H0:/);
    await page.evaluate(() => scrollBy(0, 40));
    await page.waitForTimeout(400);
    assert.match(await readout.innerText(), /^L3H0:/);
    // What has come to lie under it counts once it moves.
    const box = await cell(1, 6).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    assert.match(await readout.innerText(), /^L1H6:/);
  });
});

test("every text is in the unit on the screen, and the difference has one explanation", async () => {
  await visit(`${server.url}?device=cpu${AT_NOTEBOOK}`, async (page) => {
    const reading = by(page, "reading");
    const head = reading.getByRole("button", { name: /^L\dH\d: IG/ }).first();
    const words = () => head.innerText();
    assert.match(await words(), /logits$/);
    assert.match(await reading.innerText(), /Positive, drawn warm, supports the clean behaviour/);
    await head.click();
    const card = by(page, "card");
    const why = "IG − AP is what a head does together with the other heads of its layer and not alone";
    for (const place of [card, reading]) assert.ok((await place.innerText()).includes(why));
    await by(page, "unit").selectOption("share");
    assert.match(await words(), /of the gap$/);
    await by(page, "unit").selectOption("notebook");
    assert.match(await words(), /mean over positions and d_model, AP −[\d.]+ of the gap, notebook’s sign$/);
    for (const place of [card, reading, by(page, "sign")]) assert.match(await place.innerText(), /AP of noising negative, drawn cold/);
    assert.match(await reading.innerText(), /Another unit has a third map/);
    await by(page, "direction").selectOption("denoising");
    assert.match(await words(), /AP \+[\d.]+ of the gap, notebook’s sign$/);
    for (const place of [card, reading, by(page, "sign")]) assert.doesNotMatch(await place.innerText(), /negative/);
    for (const place of [card, reading]) assert.doesNotMatch(await place.innerText(), /saturat/);
  });
});

test("edits that were not run survive a reload, belong to their link, and can be let go", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  const figure = await table(page, "heatmap-ap-heads");
  await page.waitForFunction(() => location.hash.length > 600);
  await by(page, "prompt-clean").fill(`${NOTEBOOK.clean} him`);
  await by(page, "answer").fill(" Anna");
  await page.reload();
  const clean = () => by(page, "prompt-clean").inputValue();
  assert.equal(await clean(), `${NOTEBOOK.clean} him`);
  assert.equal(await by(page, "answer").inputValue(), " Anna");
  await page.locator("[data-testid=notice]", { hasText: "Your edits are back" }).waitFor();
  // The figure is the address's, computed anew, and out of date.
  await page.locator(".results[data-source=device]").waitFor();
  await status(page, "stale");
  assert.deepEqual(await table(page, "heatmap-ap-heads"), figure);
  assert.equal(await by(page, "link-mark").getAttribute("data-verdict"), "agrees");
  await by(page, "drop-draft").click();
  assert.equal(await clean(), NOTEBOOK.clean);
  await status(page, "done");
  await page.reload();
  await status(page, "done");
  assert.equal(await clean(), NOTEBOOK.clean, "they are gone for good");

  // Another link is shown as it is.
  await by(page, "prompt-clean").fill("Something else");
  // By way of another page: this one could still write its own address between a change of it and a reload.
  await page.goto("about:blank");
  await page.goto(`${server.url}?device=cpu${print({ n_steps: 7 })}`);
  await page.waitForFunction(() => document.querySelector("[data-testid=steps]")?.value === "7");
  assert.equal(await clean(), NOTEBOOK.clean);
  await status(page, "done");

  // What was run is no draft.
  await by(page, "steps").fill("9");
  await page.locator("[data-testid=drop-edits]:visible").waitFor();
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  assert.equal(await by(page, "drop-edits").isVisible(), false);
  await page.reload();
  await status(page, "done");
  assert.equal(await by(page, "steps").inputValue(), "9");
  assert.doesNotMatch(await by(page, "notice").innerText(), /edits/);
  assert.deepEqual(errors, []);
  await close();
});

test("a browser that keeps nothing shows the page all the same", async () => {
  const { page, errors, close } = await open(browser, "about:blank");
  await page.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(globalThis, name, {
        get() {
          throw new DOMException("refused", "SecurityError");
        },
      });
    }
  });
  await page.goto(`${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  await by(page, "settings-open").click();
  await by(page, "auto-run").uncheck();
  await by(page, "steps").fill("9");
  await status(page, "stale");
  await page.reload();
  await status(page, "done");
  assert.equal(await by(page, "steps").inputValue(), "50");
  assert.deepEqual(errors, []);
  await close();
});

test("nothing is wider than a phone", async () => {
  await visit(
    `${server.url}?device=cpu${AT_NOTEBOOK}`,
    async (page) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 380, `${width} px`);
    },
    { viewport: { width: 380, height: 800 } },
  );
});
