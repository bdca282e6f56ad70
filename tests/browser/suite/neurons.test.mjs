// MLP neurons: their numbers, and ways to find one among thousands.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { compare } from "../support/native.mjs";
import { by, difference, launch, open, saved, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const [NOTEBOOK] = JSON.parse(readFileSync(new URL("../../../assets/examples.json", import.meta.url), "utf8"));

let browser, server, page, errors, close, native;
before(async () => {
  browser = await launch();
  server = await serve();
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu`));
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
  const { clean, corrupted, answer, wrong } = NOTEBOOK;
  [native] = compare([{ name: "case", clean, corrupted, answer: answer[0], wrong: wrong[0] }], { neurons: true });
});
after(async () => {
  assert.deepEqual(errors, []);
  await close?.();
  await browser?.close();
  await server?.close();
});

const listed = (list) =>
  by(page, list)
    .locator("[data-neuron]")
    .evaluateAll((links) => links.map(({ dataset: { layer, neuron, value } }) => [+layer, +neuron, +value]));

test("every neuron has the command line's scores, by both methods and in both directions", async () => {
  const { tables } = JSON.parse(await saved(page, "export-json"));
  let n = 0;
  for (const { kind, method, direction, width, values } of tables) {
    if (kind !== "neurons") continue;
    const rows = native.neurons[method][direction];
    const got = rows.map((_row, layer) => values.slice(layer * width, (layer + 1) * width));
    const off = difference(got, rows);
    assert.ok(off < 1e-4, `${method} ${direction} is off by ${off} of the largest score`);
    n += 1;
  }
  assert.equal(n, 6, "IG, AP and AtP in both directions");
});

test("the lists name the strongest, and a click goes there", async () => {
  const scores = native.neurons.ap.noising.flatMap((row, layer) => row.map((score, index) => [layer, index, score]));
  scores.sort(([, , a], [, , b]) => Math.abs(b) - Math.abs(a));
  const top = await listed("top-ap");
  assert.deepEqual(top.map(([layer, index]) => [layer, index]), scores.slice(0, 10).map(([layer, index]) => [layer, index]));
  const diff = await listed("top-diff");
  const apart = ([layer, index]) => native.neurons.ig.noising[layer][index] - native.neurons.ap.noising[layer][index];
  for (const entry of diff) assert.ok(Math.abs(entry[2] - apart(entry)) < 1e-4);

  const [layer, index] = top[3];
  await by(page, "top-ap").locator(`[data-layer='${layer}'][data-neuron='${index}']`).click();
  const card = page.locator(".neurons [data-testid=card]");
  assert.match(await card.innerText(), new RegExp(`Layer ${layer} neuron ${index}`));
  assert.match(await card.innerText(), /of 2048/);
});

test("zoom, keys and pointer lead to any neuron", async () => {
  const map = by(page, "heatmap-ig-neurons");
  await map.focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Home");
  for (let i = 0; i < 12; i++) await page.keyboard.press("+");
  const range = await by(page, "neurons-in-view").innerText();
  assert.match(range, /^0 to \d+ of 512$/);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const readout = by(page, "readout-neurons");
  assert.match(await readout.innerText(), /layer 1 neuron 1: IG [+−]?\d+\.\d+, AP [+−]?\d+\.\d+ logits; IG − AP/);
  const name = await map.getAttribute("aria-label");
  assert.match(name, /Integrated gradients of neurons: layer 1 neuron 1:/);
  await page.keyboard.press("End");
  await page.keyboard.press("PageDown");
  assert.match(await readout.innerText(), /layer 3 neuron 511/);
  assert.match(await by(page, "neurons-in-view").innerText(), /to 511 of 512$/);
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".neurons [data-testid=card]").innerText(), /Layer 3 neuron 511/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".neurons [data-testid=card]").count(), 0);

  await page.keyboard.press("0");
  assert.equal(await by(page, "neurons-in-view").innerText(), "all 512");
  // The pointer reads the same cell that it points at: the second of four rows, in the middle.
  const box = await map.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + (1.5 / 4) * box.height);
  const [, layer, index, ig] = (await readout.innerText()).match(/layer (\d) neuron (\d+): IG ([+−]?[\d.]+)/);
  assert.equal(layer, "1");
  assert.ok(Math.abs(index - 256) <= 2, index);
  const score = native.neurons.ig.noising[layer][index];
  assert.ok(Math.abs(Number(ig.replace("−", "-")) - score) < 1e-3, `${ig} is ${score}`);

  // A drag moves along, and Ctrl with the wheel zooms.
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -300);
  await page.keyboard.up("Control");
  await page.waitForFunction(() => !document.querySelector("[data-testid=neurons-in-view]").textContent.startsWith("all"));
  const before = await by(page, "neurons-in-view").innerText();
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 120, box.y + (1.5 / 4) * box.height, { steps: 4 });
  await page.mouse.up();
  assert.notEqual(await by(page, "neurons-in-view").innerText(), before);
  assert.equal(await page.locator(".neurons [data-testid=card]").count(), 0, "a drag is not a click");
});

test("an extreme is drawn however many neurons share its column", async () => {
  await by(page, "heatmap-ap-neurons").focus();
  await page.keyboard.press("0");
  // As narrow as a phone: several neurons to a column.
  await page.setViewportSize({ width: 380, height: 800 });
  const [[layer, index, value]] = await listed("top-ap");
  const seen = await by(page, "heatmap-ap-neurons").evaluate(
    (canvas, [layer, index]) => {
      const column = Math.floor((index / 512) * canvas.width);
      const { data } = canvas.getContext("2d").getImageData(0, layer, canvas.width, 1);
      const at = (x) => [...data.slice(4 * x, 4 * x + 3)];
      return { columns: canvas.width, here: [column - 1, column, column + 1].map(at) };
    },
    [layer, index],
  );
  assert.ok(seen.columns < 512, `${seen.columns} columns`);
  const warm = ([r, , b]) => (value > 0 ? r - b : b - r);
  assert.ok(Math.max(...seen.here.map(warm)) > 60, `${seen.here}`);
  await page.setViewportSize({ width: 1280, height: 900 });
});

test("all of them stand in a table too, in any order", async () => {
  await by(page, "table-neurons-switch").click();
  await by(page, "table-neurons-order").selectOption("size of AP");
  const first = await by(page, "table-neurons").locator("tbody tr").first().innerText();
  const [[layer, index]] = await listed("top-ap");
  assert.match(first, new RegExp(`^${layer}\\s+${index}\\s`));
  await page.getByRole("button", { name: "Next" }).click();
  assert.match(await page.locator(".neurons .table-tools").innerText(), /page 2 of \d+/);
  await by(page, "table-neurons-switch").click();
});
