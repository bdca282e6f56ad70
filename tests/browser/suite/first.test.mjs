// The first screen: what is on it at every size, what it looks like, and that all of it can be reached by keyboard and thumb.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { by, launch, no_faults, open, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

/** Pictures of each size, for people to look at. */
const PICTURES = fileURLToPath(new URL("../test-results/", import.meta.url));
const MAPS = ["heatmap-ig-heads", "heatmap-ap-heads", "heatmap-diff-heads"];

let browser, server;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
  server = await serve();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Opens the page at a size, as a new visitor, with the figure drawn. */
async function visit([width, height], body, options = {}) {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu`, {
    settings: false,
    viewport: { width, height },
    ...options,
  });
  await status(page, "done");
  await page.evaluate(() => document.fonts.ready);
  await by(page, "figure-claim").locator("[data-component]").first().waitFor();
  await body(page);
  const scheme = options.colorScheme ?? "light";
  await page.screenshot({ path: `${PICTURES}first-${width}-${scheme}.png` });
  assert.deepEqual(errors, []);
  await close();
}

const box = (locator) => locator.boundingBox();

/** Fails unless an element lies on the screen as a whole. */
async function on_screen(page, name, locator) {
  const { width, height } = page.viewportSize();
  const at = await box(locator);
  assert.ok(at, `${name} is not there`);
  const inside = at.x >= 0 && at.y >= 0 && at.x + at.width <= width + 1 && at.y + at.height <= height;
  assert.ok(inside, `${name} is not on the first ${width} x ${height} px: ${JSON.stringify(at)}`);
}

test("at 1280 x 800 the question, both prompts, the answers, three equal maps and what they say are seen at once", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await visit(
      [1280, 800],
      async (page) => {
        await on_screen(page, "the question", page.locator("h1"));
        for (const side of ["clean", "corrupted"]) {
          await on_screen(page, `the ${side} prompt`, by(page, `token-row-${side}`));
          await on_screen(page, `how likely its answers are`, page.locator(`.likelihoods.${side}`));
        }
        for (const name of [...MAPS, "answer", "wrong", "figure-claim", "readout", "settings-open"]) await on_screen(page, name, by(page, name));
        const maps = await Promise.all(MAPS.map((map) => box(by(page, map))));
        const [first] = maps;
        for (const { y, width, height } of maps) {
          assert.ok(Math.abs(width - first.width) < 1 && Math.abs(height - first.height) < 1, "the grids are of one size");
          assert.equal(y, first.y, "they begin at one height");
        }
        const cell = await box(by(page, MAPS[0]).locator("td").first());
        assert.ok(cell.height >= 43 && cell.width >= 43, `a cell is ${cell.width} x ${cell.height} px`);
        // What the sentence names is what the maps hold.
        const [named] = await by(page, "figure-claim").locator("[data-component]").allInnerTexts();
        await by(page, "figure-claim").locator("[data-component]").first().click();
        const pinned = by(page, MAPS[0]).locator("td.pinned");
        const { layer, head } = await pinned.evaluate((cell) => ({ ...cell.dataset }));
        assert.deepEqual(named.match(/\d+/g), [layer, head]);
        await page.keyboard.press("Escape");
      },
      { colorScheme },
    );
  }
});

test("the likelihoods at the ends of the rows are those of the runs", async () => {
  await visit([1280, 800], async (page) => {
    const share = (side, place) =>
      page.locator(`.likelihoods.${side} .pill`).nth(place).getAttribute("data-share").then(Number);
    assert.ok((await share("clean", 0)) > (await share("clean", 1)), "the clean prompt has the answer");
    assert.ok((await share("corrupted", 1)) > (await share("corrupted", 0)), "the corrupted one has the other");
    const difference = Math.log((await share("clean", 0)) / (await share("clean", 1)));
    const metric = Number(await by(page, "metric-clean").getAttribute("data-value"));
    // The logarithm of a ratio of probabilities is the difference of logits.
    assert.ok(Math.abs(difference - metric) < 1e-2 * Math.abs(metric), `${difference} and ${metric}`);
  });
});

test("a phone shows one prompt, one map and the readout, and the others are a tap away", async () => {
  await visit(
    [390, 844],
    async (page) => {
      await on_screen(page, "the map", by(page, MAPS[0]));
      await on_screen(page, "the readout", by(page, "readout"));
      assert.equal(await by(page, MAPS[1]).isVisible(), false);
      await by(page, "show-ap").tap();
      await on_screen(page, "the other map", by(page, MAPS[1]));
      assert.equal(await by(page, MAPS[0]).isVisible(), false);
      assert.equal(await by(page, "token-row-corrupted").isVisible(), false);
      await by(page, "swap-side").tap();
      assert.equal(await by(page, "token-row-corrupted").isVisible(), true);
      assert.equal(await by(page, "token-row-clean").isVisible(), false);
      // What differs leads back.
      await by(page, "token-row-corrupted").locator("td.differs").first().tap();
      assert.equal(await by(page, "token-row-clean").isVisible(), true);
      await by(page, "token-row-clean").locator("td").nth(1).tap();
      assert.equal(await page.evaluate(() => document.activeElement.id), "prompt-clean");
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
    },
    { hasTouch: true, isMobile: true },
  );
});

test("on a large screen and for a projector the maps grow", async () => {
  const sizes = {};
  for (const size of [[820, 1180], [1280, 800], [1920, 1080]]) {
    await visit(size, async (page) => {
      sizes[size[0]] = await box(by(page, MAPS[0]).locator("td").first());
      if (size[0] !== 1280) return;
      await by(page, "settings-open").click();
      await by(page, "projector").check();
      await by(page, "settings-open").click();
      sizes.projector = await box(by(page, MAPS[0]).locator("td").first());
      await page.reload();
      await status(page, "done");
      assert.ok(await by(page, "settings-open").isVisible());
      assert.match(await page.evaluate(() => document.documentElement.className), /projector/, "it is remembered");
    });
  }
  assert.ok(sizes[1920].height > 1.2 * sizes[1280].height && sizes[1920].width > 1.2 * sizes[1280].width, JSON.stringify(sizes));
  assert.ok(sizes.projector.height > 1.2 * sizes[1280].height, JSON.stringify(sizes));
});

test("settings open and close by keyboard and give the focus back", async () => {
  await visit([1280, 800], async (page) => {
    assert.equal(await by(page, "settings").isVisible(), false);
    await by(page, "settings-open").focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.id === "settings");
    for (const name of ["metric", "steps", "steps-auto", "device", "speed", "own-files", "bos", "written"]) {
      assert.equal(await by(page, name).isVisible(), true, name);
    }
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.activeElement.id === "settings-open");
    assert.equal(await by(page, "settings").isVisible(), false);
  });
});

test("the first thing that a key reaches leads to the figure", async () => {
  await visit([1280, 800], async (page) => {
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.closest("[data-testid]").dataset.testid), MAPS[0]);
  });
});

test("everything that is touched is as high as a thumb, and axe finds no fault with the settings open", async () => {
  await visit([1280, 800], async (page) => {
    await by(page, "settings-open").click();
    const low = await page.evaluate(() => {
      const touched = [...document.querySelectorAll("button, select, summary, input:not([type=checkbox], [type=range])")];
      // A word of a sentence is as high as its line, and a term can be touched around it.
      const counted = touched.filter((element) => element.checkVisibility({ opacityProperty: true }) && !element.matches(".link, .skip, .term *"));
      return counted
        .filter((element) => element.getBoundingClientRect().height < 31.5)
        .map((element) => `${element.dataset.testid ?? element.innerText}: ${element.getBoundingClientRect().height}`);
    });
    assert.deepEqual(low, []);
    await no_faults(page);
  });
});

test("rows that are longer than the screen show where they begin to differ", async () => {
  await visit([1280, 800], async (page) => {
    const long = (name) => `${"The keys near the old cabinet by the door of the house and the garden ".repeat(3)}and ${name} gave a book to`;
    await by(page, "prompt-clean").fill(long("Mary"));
    await by(page, "prompt-corrupted").fill(long("John"));
    await page.evaluate(() => document.activeElement.blur());
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=token-row-clean] td").length > 40);
    const differs = by(page, "token-row-clean").locator("td.differs").first();
    await page.waitForFunction(() => document.querySelector(".rows").scrollLeft > 0);
    const [cell, rows] = await Promise.all([box(differs), box(page.locator(".rows"))]);
    assert.ok(cell.x > rows.x && cell.x + cell.width < rows.x + rows.width, JSON.stringify({ cell, rows }));
  });
});
