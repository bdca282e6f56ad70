// The story: the tour by keyboard alone, with the figure's own numbers; the terms; what the examples say of themselves.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EXAMPLES, by, eventually, launch, no_faults, open, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

let browser, server;
before(async () => {
  browser = await launch();
  server = await serve();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const number = async (page, testid) => {
  const element = by(page, "tour").getByTestId(testid);
  await element.and(page.locator("[data-value]")).waitFor();
  return Number(await element.getAttribute("data-value"));
};
const step = (page, n) => page.locator(`[data-testid=tour][data-step='${n}']`).waitFor();
const focused = (page) => page.evaluate(() => document.activeElement?.dataset?.testid ?? document.activeElement?.tagName);

/** Tabs, back unless it is said otherwise, until an element has the focus. */
async function tab_to(page, testid, key = "Shift+Tab") {
  for (let n = 0; n < 40; n++) {
    if ((await focused(page)) === testid) return;
    await page.keyboard.press(key);
  }
  assert.fail(`Tab does not lead to ${testid}`);
}

async function tour_has_no_faults(page) {
  await no_faults(page, "[data-testid=tour]");
}

/** The cell of a map that the tour points at, with its two scores. */
async function pointed(page) {
  const head = by(page, "tour-head");
  await head.waitFor();
  const [layer, index] = [Number(await head.getAttribute("data-layer")), Number(await head.getAttribute("data-head"))];
  const cell = by(page, "heatmap-ap-heads").locator(`[data-layer='${layer}'][data-head='${index}']`);
  // On a phone the other map may be the one that is seen.
  await cell.and(page.locator("[aria-selected=true]")).waitFor({ state: "attached" });
  const [ig, ap] = [(await table(page, "heatmap-ig-heads"))[layer][index], (await table(page, "heatmap-ap-heads"))[layer][index]];
  assert.deepEqual([await number(page, "tour-ig"), await number(page, "tour-ap")], [ig, ap], "the maps' own numbers");
  return { layer, index, ig, ap };
}

test("?tour leads through five steps by keyboard alone, with the maps' numbers, and without a fault of axe", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu&tour`, { viewport: { width: 1280, height: 800 } });
  await step(page, 1);
  await eventually(async () => assert.equal(await focused(page), "tour-next"));

  // Two inputs: what one of them costs is its AP, and IG adds up.
  const clean = await number(page, "toy-output");
  await tab_to(page, "toy-input-1");
  await page.keyboard.press("Space");
  const without_first = await number(page, "toy-output");
  await tab_to(page, "toy-input-2", "Tab");
  await page.keyboard.press("Space");
  const gap = clean - (await number(page, "toy-output"));
  assert.ok(Math.abs((clean - without_first) / gap - (await number(page, "toy-ap-1"))) < 1e-9);
  assert.ok(Math.abs((await number(page, "toy-ig-1")) + (await number(page, "toy-ig-2")) - 1) < 1e-9);
  assert.match(await by(page, "toy-says").innerText(), /164 % in all/);
  await tour_has_no_faults(page);

  // What the methods do: it plays once by itself, and the area ends at the map's number.
  await page.keyboard.press("ArrowRight");
  await step(page, 2);
  await eventually(async () => assert.equal(await focused(page), "tour-next", "what had the focus is gone"));
  await status(page, "done");
  await page.locator("[data-testid=alpha]:enabled").waitFor();
  await eventually(async () => assert.equal(await number(page, "tour-ig-now"), await number(page, "tour-ig")));
  const [ig_now, ap_now] = [await number(page, "tour-ig-now"), await number(page, "tour-ap-now")];
  assert.deepEqual([ig_now, ap_now], [await number(page, "tour-ig"), await number(page, "tour-ap")]);
  const maps = [(await table(page, "heatmap-ig-heads")).flat(), (await table(page, "heatmap-ap-heads")).flat()];
  assert.ok(maps[0].some((ig, place) => ig === ig_now && maps[1][place] === ap_now), "one head's two scores");
  await tab_to(page, "alpha");
  await page.keyboard.press("Home");
  assert.deepEqual([await number(page, "tour-ig-now"), await number(page, "tour-ap-now")], [0, 0]);
  await page.keyboard.press("ArrowRight");
  await step(page, 2);
  const little = await number(page, "tour-ig-now");
  assert.ok(Math.abs(little) > 0 && Math.abs(little) < Math.abs(ig_now), "the area has begun to grow");
  assert.equal(await number(page, "tour-ap-now"), ap_now, "AP is there at once");
  await tour_has_no_faults(page);

  // Where both agree, and where they do not.
  await tab_to(page, "tour-next", "Tab");
  await page.keyboard.press("Enter");
  await step(page, 3);
  const agree = await pointed(page);
  assert.ok(Math.abs(agree.ig - agree.ap) < 0.1 * Math.abs(agree.ap), "nearly the same");
  assert.match(await by(page, "tour").innerText(), /nearly the same/);
  await tour_has_no_faults(page);
  assert.equal(await focused(page), "tour-next");
  await page.keyboard.press("Enter");
  await step(page, 4);
  await eventually(async () => assert.equal(await by(page, "prompt-clean").inputValue(), EXAMPLES[0].clean));
  await status(page, "done");
  const differ = await pointed(page);
  assert.ok(Math.abs(differ.ig - differ.ap) > 0.2 * Math.abs(differ.ap));
  const row = (rows) => rows[differ.layer].reduce((sum, score) => sum + score, 0);
  const solo = row(await table(page, "heatmap-ap-heads"));
  assert.ok((await by(page, "tour").innerText()).includes(`come to +${solo.toFixed(2)} logits in all`));
  await tour_has_no_faults(page);

  // Test it.
  await page.keyboard.press("ArrowRight");
  await step(page, 5);
  await tab_to(page, "tour-replace");
  await page.keyboard.press("Enter");
  const share = await number(page, "tour-replaced");
  const percent = (await by(page, "tour-replaced").innerText()).match(/takes ([\d.]+) % of the gap/);
  assert.ok(share > 0.5 && Math.abs(100 * share - Number(percent?.[1])) <= 0.5, `${share}: ${percent}`);
  await tour_has_no_faults(page);
  await page.keyboard.press("ArrowLeft");
  await step(page, 4);
  await eventually(async () => assert.equal(await focused(page), "tour-next"));

  await page.keyboard.press("Escape");
  assert.equal(await by(page, "tour").count(), 0);
  assert.equal(await focused(page), "tour-start");
  assert.ok(!page.url().includes("tour"), "a reload does not begin it anew");
  assert.ok(page.url().includes("device=cpu"), page.url());
  assert.deepEqual(errors, []);
  await close();
});

test("what was typed comes back at the end, a term says what it means, and with less motion the slider goes by steps", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu`, { reducedMotion: "reduce", viewport: { width: 390, height: 844 } });
  await status(page, "done");
  assert.equal(await by(page, "example-shows").innerText(), EXAMPLES[0].shows);
  await by(page, "prompt-clean").fill("My own words");
  await by(page, "tour-start").click();
  await by(page, "tour-dot").nth(2).click();
  await pointed(page);
  assert.notEqual(await by(page, "prompt-clean").inputValue(), "My own words");
  assert.equal(await by(page, "tour-end").getAttribute("aria-label"), "End the tour, back to your prompts");

  await by(page, "tour-back").click();
  await step(page, 2);
  await page.locator("[data-testid=alpha-stop]:enabled").first().waitFor();
  assert.equal(await by(page, "alpha").inputValue(), "0", "nothing moves by itself");
  assert.equal(await by(page, "alpha-play").count(), 0);
  for (const [place, at] of ["0", "0.25", "0.5", "0.75", "1"].entries()) {
    await by(page, "alpha-stop").nth(place).click();
    assert.equal(await by(page, "alpha").inputValue(), at);
  }
  assert.equal(await number(page, "tour-ig-now"), await number(page, "tour-ig"));
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);

  const term = by(page, "tour").locator("[data-term=ap]");
  await term.click();
  assert.match(await by(page, "term-note").innerText(), /one component at a time/);
  const box = await by(page, "term-note").boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.y >= 0, JSON.stringify(box));
  await page.keyboard.press("Escape");
  assert.equal(await by(page, "term-note").count(), 0);
  assert.equal(await by(page, "tour").count(), 1, "Escape has closed the note only");
  for (const button of await by(page, "tour").locator("button:not([data-term], .link)").all()) {
    const { width, height } = await button.boundingBox();
    assert.ok(Math.min(width, height) >= 31.5, `${await button.innerText()}: ${width} x ${height}`);
  }

  await by(page, "tour-end").click();
  assert.equal(await by(page, "prompt-clean").inputValue(), "My own words");
  await status(page, "stale");
  await by(page, "glossary").locator("summary").click();
  const terms = await by(page, "glossary").locator("dt").allInnerTexts();
  for (const word of ["integrated gradients (IG)", "residual stream", "gap", "convergence delta"]) assert.ok(terms.includes(word), word);
  assert.deepEqual(errors, []);
  await close();
});

test("what examples say of themselves is so", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu`);
  await status(page, "done");
  // "Heads of layer 0 need each other, and IG finds L0H7 where AP does not." Three layers take part.
  const found = (map) =>
    by(page, `heatmap-${map}-heads`)
      .locator("td.found")
      .evaluateAll((cells) => cells.map(({ dataset: { layer, head } }) => `${layer}.${head}`));
  const [ig, ap] = [await found("ig"), await found("ap")];
  assert.ok(ig.includes("0.7") && !ap.includes("0.7"), `${ig} and ${ap}`);
  const sum = (row) => row.reduce((sum, score) => sum + score, 0);
  const [together, alone] = [sum((await table(page, "heatmap-ig-heads"))[0]), sum((await table(page, "heatmap-ap-heads"))[0])];
  assert.ok(together > 3 * alone && alone > 0, `${alone} one by one, ${together} together`);
  const sizes = (await table(page, "heatmap-ig-heads")).map((row) => row.reduce((sum, score) => sum + Math.abs(score), 0));
  assert.equal(sizes.filter((size) => size > 0.3 * Math.max(...sizes)).length, 3, `${sizes}`);

  // "The methods agree: ... the same four are found", with nearly the same scores.
  const agreed = EXAMPLES.findIndex(({ shows }) => shows.startsWith("The methods agree"));
  await by(page, "example-select").selectOption(`${agreed}`);
  await eventually(async () => assert.equal(await by(page, "example-shows").innerText(), EXAMPLES[agreed].shows));
  await status(page, "done");
  assert.deepEqual((await found("ig")).sort(), (await found("ap")).sort());
  const [igs, aps] = [(await table(page, "heatmap-ig-heads")).flat(), (await table(page, "heatmap-ap-heads")).flat()];
  const worst = Math.max(...igs.map((score, place) => Math.abs(score - aps[place])));
  assert.ok(worst < 0.1 * Math.max(...aps.map(Math.abs)), `${worst}`);
  assert.deepEqual(errors, []);
  await close();
});
