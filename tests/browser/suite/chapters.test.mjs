// The chapters of the lab: their list, their addresses, and sentences that are made of the figure's numbers and tested by a
// click.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse, print } from "../support/link.mjs";
import { by, chapter, eventually, launch, no_faults, open, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const CHAPTERS = ["why", "agreement", "directions", "positions", "ablate", "paths", "batch"];

let browser, server, page, errors, close;
before(async () => {
  browser = await launch();
  server = await serve();
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu`));
  await status(page, "done");
});
after(async () => {
  assert.deepEqual(errors, []);
  await close?.();
  await browser?.close();
  await server?.close();
});

const claim = () => by(page, "finding").innerText();
const open_now = () => page.locator(".chapters a[aria-current]").evaluateAll((links) => links.map(({ dataset }) => dataset.testid));
/** A number as the page writes it. */
const number = (text) => Number(text.replace("\u2212", "-"));

/** Ranks from 0, equals by their mean. */
function ranks(values) {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    return below + (values.filter((other) => other === value).length - 1) / 2;
  });
}
function correlation(xs, ys) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const sum = (f) => xs.reduce((total, x, i) => total + f(x - mx, ys[i] - my), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_x, y) => y * y));
}

test("one chapter is open at a time, and the keyboard gets to each", async () => {
  assert.deepEqual(await open_now(), ["chapter-why"]);
  await by(page, "chapter-why").focus();
  for (const name of CHAPTERS.slice(1)) {
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await by(page, `panel-${name}`).waitFor();
    assert.deepEqual(await open_now(), [`chapter-${name}`]);
    assert.equal(await page.locator(".panel").count(), 1, name);
    assert.notEqual(await claim(), "", `${name} begins with a sentence`);
  }
});

test("a chapter has an address: Back and Forward, a reload, its link, its name alone, and links of old", async () => {
  await chapter(page, "agreement");
  await chapter(page, "directions");
  const ran = await by(page, "status").getAttribute("data-state");
  await page.goBack();
  await by(page, "panel-agreement").waitFor();
  assert.equal(await by(page, "status").getAttribute("data-state"), ran, "a step back computes nothing");
  await page.goForward();
  await by(page, "panel-directions").waitFor();
  assert.deepEqual(parse(page.url()).view.open, ["directions"]);
  await page.reload();
  await by(page, "panel-directions").waitFor();
  await status(page, "done");
  await by(page, "chapter-batch").hover();
  const href = await by(page, "chapter-batch").getAttribute("href");
  assert.deepEqual(parse(new URL(href, page.url()).href).view.open, ["batch"]);
  for (const [fragment, name] of [["#positions", "positions"], [print({ view: { open: ["agreement", "why", "directions", "ablate"] } }), "ablate"]]) {
    const other = await open(browser, `${server.url}?device=cpu${fragment}`);
    await by(other.page, `panel-${name}`).waitFor();
    assert.deepEqual(other.errors, []);
    await other.close();
  }
});

test("sentences say what the maps say, and a click tests them", async () => {
  const [ig, ap] = await Promise.all(["heatmap-ig-heads", "heatmap-ap-heads"].map((map) => table(page, map)));
  const width = ig[0].length;
  const apart = ig.flat().map((score, i) => score - ap.flat()[i]);
  const most = apart.reduce((best, by, i) => (Math.abs(by) > Math.abs(apart[best]) ? i : best), 0);
  const name = `L${Math.floor(most / width)}H${most % width}`;

  await chapter(page, "agreement");
  const [, spearman] = (await claim()).match(/Spearman ([\u2212\d.]+)\./);
  assert.ok(Math.abs(number(spearman) - correlation(ranks(ig.flat()), ranks(ap.flat()))) < 0.0051, spearman);
  const [, at, by_how_much] = (await claim()).match(/part most at (L\dH\d), where IG \u2212 AP is ([+\u2212][\d.]+) logits/);
  assert.equal(at, name);
  assert.ok(Math.abs(number(by_how_much) - apart[most]) < 0.006, by_how_much);

  await chapter(page, "why");
  const why = await claim();
  assert.ok(why.startsWith(`${name} `), why);
  const shown = async (testid) => Number(await by(page, testid).getAttribute("data-value"));
  assert.ok(Math.abs((await shown("ladder-interaction")) - apart[most]) < 1e-4);
  const [, alone, with_layer] = why.match(/([+\u2212][\d.]+) logits by AP, ([+\u2212][\d.]+) by IG/);
  assert.ok(Math.abs(number(alone) - ap.flat()[most]) < 0.006 && Math.abs(number(with_layer) - ig.flat()[most]) < 0.006, why);

  // One click replaces the whole layer, and says by how much: what the table beneath says too.
  await by(page, "finding-test").click();
  await by(page, "panel-ablate").waitFor();
  await page.locator("[data-testid=ablate-share][data-value]").waitFor();
  assert.equal(await shown("ablate-n"), width);
  const share = 100 * (await shown("ablate-share"));
  const [, says] = (await claim()).match(/(?:takes|adds) ([\d.]+) % of the gap/);
  assert.ok(Math.abs(Number(says) - Math.abs(share)) <= 0.51, `${await claim()} / ${share}`);
  await page.goBack();
  await by(page, "panel-why").waitFor();

  await chapter(page, "positions");
  await page.locator("[data-testid=finding]", { hasText: /act most at position \d+|acts most/ }).waitFor();
  const [, position] = (await claim()).match(/position (\d+)/);
  const columns = await by(page, "positions").locator("[data-row='0'][data-value]").evaluateAll((cells) => cells.map(({ dataset }) => Number(dataset.value)));
  const largest = columns.reduce((best, value, i) => (Math.abs(value) > Math.abs(columns[best]) ? i : best), 0);
  assert.equal(Number(position), largest);
  await by(page, "finding-test").click();
  await eventually(async () => assert.equal(parse(page.url()).direction, "denoising"));
  await page.goBack();

  await chapter(page, "batch");
  assert.match(await claim(), /One click runs 20 pairs/);
  await by(page, "batch-n").fill("3");
  await by(page, "batch-n").press("Tab");
  await by(page, "batch-draw").click();
  await page.locator("[data-testid=finding]", { hasText: "the 3 pairs in the field" }).waitFor();
  await by(page, "finding-test").click();
  await page.locator("[data-testid=finding]", { hasText: "Over 3 pairs only" }).waitFor();
  const mean = await shown("batch-spearman");
  const [, average] = (await claim()).match(/correlate at ([+\u2212][\d.]+) on average/);
  assert.ok(Math.abs(number(average) - mean) < 0.00051, `${average} / ${mean}`);
  assert.match(await by(page, "batch-caution").innerText(), /3 pairs are few/);
  const differences = await by(page, "batch-mean-diff").locator("[data-value]").count();
  assert.equal(differences, ig.flat().length);
});

for (const [colorScheme, width] of [["light", 1280], ["dark", 390]]) {
  test(`${colorScheme}, ${width} px: every chapter is without fault, and every button as high as a finger is wide`, async () => {
    const { page, errors, close } = await open(browser, `${server.url}?device=cpu`, { colorScheme, viewport: { width, height: 844 } });
    await status(page, "done");
    for (const name of CHAPTERS) {
      await chapter(page, name);
      await no_faults(page, ".lab", name);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${name}: ${overflow} px wider than the window`);
      const small = await page.locator(".lab").evaluate((lab) =>
        [...lab.querySelectorAll("button, select, summary, .chapters a")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 31.5)
          .map((one) => one.outerHTML.slice(0, 120)),
      );
      assert.deepEqual(small, [], name);
    }
    assert.deepEqual(errors, []);
    await close();
  });
}
