// What is pointed at is said beside it, and what is pinned stays: by mouse, by keys and by touch.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse, print } from "../support/link.mjs";
import { by, eventually, launch, no_faults, open, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

let browser, server, visited, page;
before(async () => {
  browser = await launch();
  server = await serve();
  visited = await open(browser, `${server.url}?device=cpu`);
  page = visited.page;
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
});
after(async () => {
  await visited?.close();
  await browser?.close();
  await server?.close();
});

const cell = (map, layer, head, on = page) =>
  by(on, `heatmap-${map}-heads`).locator(`[data-layer='${layer}'][data-head='${head}']`);
const value = async (testid, on = page) => Number(await by(on, testid).getAttribute("data-value"));
const tooltip = () => by(page, "tooltip");

/** The tooltip is within the window, and leaves a rectangle free. */
async function is_beside(box, on = page) {
  const tip = await by(on, "tooltip").boundingBox();
  const { width, height } = on.viewportSize();
  assert.ok(tip.x >= 0 && tip.y >= 0 && tip.x + tip.width <= width && tip.y + tip.height <= height, JSON.stringify(tip));
  const is_off = tip.x + tip.width <= box.x || tip.x >= box.x + box.width || tip.y + tip.height <= box.y || tip.y >= box.y + box.height;
  assert.ok(is_off, `${JSON.stringify(tip)} over ${JSON.stringify(box)}`);
}

async function no_fault(on) {
  await no_faults(on);
}

test("what the pointer rests on is said beside it, with the numbers of both directions", async () => {
  const tables = {};
  for (const direction of ["denoising", "noising"]) {
    await by(page, "direction").selectOption(direction);
    tables[direction] = [await table(page, "heatmap-ig-heads"), await table(page, "heatmap-ap-heads")];
  }
  const corners = [["ig", 0, 0], ["ap", 3, 7], ["diff", 2, 5]];
  for (const [map, layer, head] of corners) {
    await cell(map, layer, head).hover();
    await tooltip().filter({ hasText: `L${layer}H${head}` }).waitFor();
    const said = await Promise.all(["tooltip-ig", "tooltip-ap", "tooltip-other-ig", "tooltip-other-ap"].map((id) => value(id)));
    const expected = ["noising", "denoising"].flatMap((d) => tables[d].map((rows) => rows[layer][head]));
    assert.deepEqual(said, expected);
    assert.match(await tooltip().innerText(), /part of its layer\s+\d+ %\s+\d+ %\s+rank by size\s+\d+ of 32\s+\d+ of 32/);
    await is_beside(await cell(map, layer, head).boundingBox());
    assert.match(await by(page, "readout").innerText(), new RegExp(`^L${layer}H${head}:`));
    // Asked of the model once the pointer rests.
    await eventually(async () => assert.match(await by(page, "tooltip-attends").innerText(), /\d %/));
  }
  await page.mouse.move(3, 3);
  await tooltip().waitFor({ state: "hidden" });
  assert.match(await by(page, "readout").innerText(), /^Point at a head/);
});

test("neurons, lists and plots name what they show in the same way, and a pin moves the readout", async () => {
  const map = by(page, "heatmap-ap-neurons");
  await map.hover({ position: { x: 50, y: 10 } });
  await tooltip().filter({ hasText: /L0N\d+/ }).waitFor();
  const entry = by(page, "top-diff").locator("[data-neuron]").nth(2);
  const name = await entry.innerText();
  assert.match(name, /^L\dN\d+$/);
  await entry.hover();
  await tooltip().filter({ hasText: name }).waitFor();
  await entry.click();
  await page.mouse.move(3, 3);
  await tooltip().waitFor({ state: "hidden" });
  assert.ok((await by(page, "readout-neurons").innerText()).startsWith(`${name}:`), "readout and pin are one");
  assert.equal(await by(page, "card").locator("h3").innerText(), name);

  const bar = by(page, "ladder").locator("[data-at='0']");
  await bar.scrollIntoViewIfNeeded();
  await bar.hover({ force: true });
  await tooltip().filter({ hasText: name }).waitFor();
  assert.equal(await value("tooltip-ap"), await value("step-ap"));
});

test("keys show it, Escape hides it and then unpins, and one key leads to the panel and back", async () => {
  await page.mouse.move(3, 3);
  await cell("ig", 0, 6).focus();
  await page.keyboard.press("ArrowRight");
  await tooltip().filter({ hasText: "L0H7" }).waitFor();
  await is_beside(await cell("ig", 0, 7).boundingBox());
  await page.keyboard.press("Enter");
  await tooltip().waitFor({ state: "hidden" });
  const card = by(page, "card");
  assert.equal(await card.count(), 1, "there is one panel");
  assert.equal(await card.locator("h3").innerText(), "L0H7");
  await page.keyboard.press("p");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "card");
  await page.keyboard.press("p");
  const at = () => page.evaluate(() => ({ ...document.activeElement.dataset }));
  assert.deepEqual([(await at()).layer, (await at()).head], ["0", "7"]);
  await page.keyboard.press("ArrowDown");
  await tooltip().filter({ hasText: "L1H7" }).waitFor();
  await page.keyboard.press("Escape");
  await tooltip().waitFor({ state: "hidden" });
  assert.equal(await card.locator("h3").innerText(), "L0H7", "the first Escape is for the tooltip");
  await page.keyboard.press("Escape");
  assert.equal(await card.count(), 0);
});

test("the panel climbs from AP to IG, says what the head reads in both runs, and leads into the lab", async () => {
  await cell("ap", 0, 7).click();
  const [ig, ap] = await Promise.all(["ig", "ap"].map(async (map) => Number(await cell(map, 0, 7).getAttribute("data-value"))));
  const [first, step, last] = await Promise.all(["step-ap", "step-diff", "step-ig"].map((id) => value(id)));
  assert.deepEqual([first, last], [ap, ig]);
  assert.ok(Math.abs(first + step - last) < 1e-6 && Math.abs(step - (ig - ap)) < 1e-6, `${first} + ${step} is ${last}`);
  assert.ok(Math.abs((await value("step-curvature")) + (await value("step-atp")) - ig) < 1e-6);
  const before = await by(page, "pinned-place").boundingBox();
  for (const side of ["clean", "corrupted"]) {
    await eventually(async () => assert.match(await by(page, `attends-${side}`).innerText(), /(“.+”|BOS) \d+ %/));
  }
  const place = by(page, "pinned-place");
  assert.ok((await place.locator(".residual-clean").count()) > 0 && (await place.locator(".residual-corrupted").count()) > 0);
  assert.equal((await place.boundingBox()).height, before.height, "nothing moves when the answer comes");
  // What the arcs show is the last row of the pattern in the lab.
  await by(page, "pinned-why").click();
  await by(page, "attention-pattern").waitFor();
  const row = await by(page, "pattern-clean").locator("[data-row]").evaluateAll((cells) => {
    const all = cells.map(({ dataset: { row, value } }) => [Number(row), Number(value)]);
    const last = Math.max(...all.map(([row]) => row));
    return all.filter(([row]) => row === last).map(([, value]) => value);
  });
  const largest = Math.round(100 * Math.max(...row));
  assert.match(await by(page, "attends-clean").innerText(), new RegExp(` ${largest} %`));
  await by(page, "pinned-test").click();
  await by(page, "ablation").filter({ hasText: "selected" }).waitFor();
  assert.match(await by(page, "ablate-set").locator("option[value=selected]").innerText(), /\(1\)/);
  await cell("ig", 2, 2).hover();
  await tooltip().filter({ hasText: "L2H2" }).waitFor();
  await no_fault(page);
  assert.deepEqual(visited.errors, []);
});

test("a link from before the short names opens with its pin, and a wide screen has a column for it", async () => {
  const fields = parse(page.url());
  fields.view = { pinned: { kind: "neurons", layer: 2, index: 361 }, selected: [{ kind: "heads", layer: 0, index: 7 }] };
  const again = await open(browser, "about:blank", { viewport: { width: 1920, height: 1080 }, colorScheme: "dark" });
  await again.page.goto(`${server.url}?device=cpu${print(fields)}`);
  await status(again.page, "done");
  const card = by(again.page, "card");
  assert.equal(await card.locator("h3").innerText(), "L2N361");
  const readout = await by(again.page, "readout").boundingBox();
  assert.ok((await card.boundingBox()).x >= readout.x + readout.width, "beside what is said");
  await by(again.page, "heatmap-ap-neurons").scrollIntoViewIfNeeded();
  assert.ok((await card.boundingBox()).y >= 0, "it stays");
  await no_fault(again.page);
  await again.close();
});

test("a tap says it off the finger, and pins; what is touched in the panel is large enough", async () => {
  const phone = await open(browser, `${server.url}?device=cpu`, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const on = phone.page;
  await status(on, "done");
  await cell("ig", 3, 1, on).scrollIntoViewIfNeeded();
  const box = await cell("ig", 3, 1, on).boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await on.touchscreen.tap(x, y);
  await by(on, "tooltip").filter({ hasText: "L3H1" }).waitFor();
  await is_beside({ x: x - 20, y: y - 20, width: 40, height: 40 }, on);
  assert.equal(await by(on, "card").locator("h3").innerText(), "L3H1");
  assert.match(await by(on, "readout").innerText(), /^L3H1:/);
  for (const button of await by(on, "card").getByRole("button").all()) {
    const { width, height } = await button.boundingBox();
    assert.ok(width >= 32 && height >= 32, `${await button.innerText()}: ${width} x ${height}`);
  }
  const wide = await on.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide} px`);
  await phone.close();
});
