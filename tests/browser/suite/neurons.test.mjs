// MLP neurons: their numbers, and ways to find one among thousands.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compare } from "../support/native.mjs";
import { AT_NOTEBOOK, NOTEBOOK, by, difference, launch, link_of, open, saved, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";


let browser, server, page, errors, close, native;
before(async () => {
  browser = await launch();
  server = await serve();
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`));
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
  assert.match(await card.innerText(), new RegExp(`L${layer}N${index}`));
  assert.match(await card.innerText(), /of 2048/);

  // Wherever keys or pointer have been, what is said is of what was chosen.
  await by(page, "heatmap-ig-neurons").focus();
  await page.keyboard.press("ArrowRight");
  const readout = by(page, "readout-neurons");
  assert.doesNotMatch(await readout.innerText(), new RegExp(`^L${layer}N${index}:`));
  const [other, at] = top[4];
  await by(page, "top-ap").locator(`[data-layer='${other}'][data-neuron='${at}']`).click();
  assert.match(await readout.innerText(), new RegExp(`^L${other}N${at}:`));
  assert.match(await card.innerText(), new RegExp(`L${other}N${at}`));
});

test("the neurons in view and the pin travel with the link", async () => {
  await by(page, "heatmap-ig-neurons").focus();
  for (let i = 0; i < 8; i++) await page.keyboard.press("+");
  const range = await by(page, "neurons-in-view").innerText();
  assert.match(range, /^\d+ to \d+ of 512$/);
  const href = await link_of(page);
  const again = await open(browser, "about:blank");
  await again.page.goto(href.replace("#", "?device=cpu#"));
  await status(again.page, "done");
  assert.equal(await by(again.page, "neurons-in-view").innerText(), range);
  await again.close();
  await page.keyboard.press("0");
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
  assert.match(await readout.innerText(), /L1N1: IG [+−]?\d+\.\d+, AP [+−]?\d+\.\d+ logits; IG − AP/);
  const name = await map.getAttribute("aria-label");
  assert.match(name, /Integrated gradients of neurons: layer 1, neuron 1:/);
  await page.keyboard.press("End");
  await page.keyboard.press("PageDown");
  assert.match(await readout.innerText(), /L3N511/);
  assert.match(await by(page, "neurons-in-view").innerText(), /to 511 of 512$/);
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".neurons [data-testid=card]").innerText(), /L3N511/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".neurons [data-testid=card]").count(), 0);

  await page.keyboard.press("0");
  assert.equal(await by(page, "neurons-in-view").innerText(), "all 512");
  // The pointer reads the same cell that it points at: the second of four rows, in the middle.
  const box = await map.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + (1.5 / 4) * box.height);
  const [, layer, index, ig] = (await readout.innerText()).match(/L(\d)N(\d+): IG ([+−]?[\d.]+)/);
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
      // Two rows of pixels to a layer.
      const { data } = canvas.getContext("2d").getImageData(0, 2 * layer, canvas.width, 1);
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
  assert.match(first, new RegExp(`^L${layer}N${index}\\s`));
  await page.getByRole("button", { name: "Next" }).click();
  assert.match(await page.locator(".neurons .table-tools").innerText(), /page 2 of \d+/);
  await by(page, "table-neurons-switch").click();
});

/**
 * Notes what the page says of its progress with neurons, each time that it changes. With `stops` it cancels as soon as
 * the first neurons are patched, once.
 */
function watch(stops) {
  globalThis.seen = [];
  let stopped = !stops;
  const value = (testid) => {
    const found = document.querySelector(`[data-testid=${testid}]`);
    return found ? Number(found.dataset.value) : null;
  };
  new MutationObserver(() => {
    const exact = value("neurons-exact");
    if (exact === null) return;
    const { total } = document.querySelector("[data-testid=neurons-exact]").dataset;
    const now = { exact, total: Number(total), missed: value("neurons-missed"), share: value("neurons-missed-share") };
    if (JSON.stringify(now) !== JSON.stringify(globalThis.seen.at(-1))) globalThis.seen.push(now);
    const cancel = document.querySelector("[data-testid=cancel]");
    if (!stopped && !cancel.disabled) {
      stopped = true;
      cancel.click();
    }
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

/** Opens the page anew and watches its neurons; `ends` are the states in which they may come to rest. */
async function watched({ stops, ends }, body) {
  const visited = await open(browser, "about:blank", { settings: false });
  try {
    await visited.page.addInitScript(watch, stops);
    await visited.page.goto(`${server.url}?device=cpu${AT_NOTEBOOK}`);
    await status(visited.page, "done");
    const state = (name) => `[data-testid=neuron-status][data-state=${name}]`;
    await visited.page.locator(ends.map(state).join(",")).waitFor();
    await body(visited.page);
    assert.deepEqual(visited.errors, []);
  } finally {
    await visited.close();
  }
}

const MAPS = ["ig", "ap", "diff"];

/** Neurons of each map that are not exact. */
const screened = (page) => Promise.all(MAPS.map(async (map) => Number(await by(page, `heatmap-${map}-neurons`).getAttribute("data-screened"))));

const captions = (page) => Promise.all(MAPS.map((map) => by(page, `top-${map}`).locator("caption").innerText()));

/** Lines of a CSV that are of neurons, as `[method, direction, layer, index, score]`. */
function neurons_of(csv) {
  const rows = csv.split("\r\n").filter((line) => line.startsWith("neurons,"));
  return rows.map((line) => line.split(",").slice(1, 6));
}

/** Opacity of both halves of a neuron in a map that shows all of them, more than two columns of pixels to each. */
const halves = (page, map, [layer, index]) =>
  by(page, `heatmap-${map}-neurons`).evaluate(
    (canvas, [layer, index]) => {
      if (canvas.width < 2 * 512) throw new Error(`${canvas.width} columns`);
      const column = Math.floor(((index + 0.5) / 512) * canvas.width);
      const { data } = canvas.getContext("2d").getImageData(column, 2 * layer, 1, 2);
      return [data[3], data[7]];
    },
    [layer, index],
  );

test("while neurons are patched the page says how many are exact, and at the end all are", async () => {
  await watched({ stops: false, ends: ["done"] }, async (page) => {
    const seen = await page.evaluate(() => globalThis.seen);
    assert.ok(seen.length >= 4, `${JSON.stringify(seen)}: a word for each round at least`);
    let before = 0;
    for (const { exact, total, missed, share } of seen) {
      assert.equal(total, 2048);
      assert.ok(exact >= before && exact <= total, `${exact} of ${total} after ${before}`);
      if (missed !== null) assert.ok(missed >= 0 && missed <= total - exact, `${missed} missed, ${exact} exact`);
      if (share !== null) assert.ok(share >= 0 && share <= 1, `${share}`);
      before = exact;
    }
    assert.ok(seen[0].exact < 2048, "the first word comes before the last neuron");
    assert.ok(seen.some(({ missed, share }) => missed !== null && share !== null), "a sample says what may be missed");
    assert.deepEqual(await screened(page), [0, 0, 0]);
    for (const caption of await captions(page)) assert.doesNotMatch(caption, /so far/);
    assert.equal(await by(page, "neurons-exact").count(), 0);
    assert.equal(await by(page, "note-ap-neurons").innerText(), "");
    assert.match(await by(page, "agreement-neurons").innerText(), /^Over all 2048 neurons/);
    const csv = await saved(page, "export-csv");
    assert.doesNotMatch(csv, /in part:/);
    assert.ok(neurons_of(csv).every(([, , , , score]) => score !== ""));
  });
});

test("neurons that are stopped midway leave what is exact, marked as a part, and begin anew on request", async () => {
  await watched({ stops: true, ends: ["stopped", "done"] }, async (page) => {
    const words = by(page, "neuron-status");
    assert.match(await words.innerText(), /^Stopped\. Patched exactly: \d+ of 2048 \(/);
    await page.locator("[data-testid=notice]", { hasText: "What was computed of the neurons stays" }).waitFor();
    const exact = Number(await by(page, "neurons-exact").getAttribute("data-value"));
    assert.ok(exact > 0 && exact < 2048, `${exact} of 2048`);
    assert.deepEqual(await screened(page), [0, 2048 - exact, 2048 - exact]);

    // In the files, a score of AP is one that was computed.
    const csv = await saved(page, "export-csv");
    assert.match(csv, new RegExp(`# in part: AP exact for ${exact} of 2048 neurons, noising`));
    assert.match(csv, /# in part: AP exact for 0 of 2048 neurons, denoising/);
    const rows = neurons_of(csv).filter(([method, direction]) => method === "ap" && direction === "noising");
    assert.equal(rows.length, 2048);
    const patched = rows.filter(([, , , , score]) => score !== "");
    const empty = rows.filter(([, , , , score]) => score === "");
    assert.equal(patched.length, exact);
    assert.ok(!neurons_of(csv).some(([method, direction]) => method === "ap" && direction === "denoising"));
    const largest = Math.max(...native.neurons.ap.noising.flat().map(Math.abs));
    for (const [, , layer, index, score] of patched) {
      const off = Math.abs(Number(score) - native.neurons.ap.noising[layer][index]) / largest;
      assert.ok(off < 1e-4, `layer ${layer} neuron ${index} is off by ${off} of the largest score`);
    }
    const { tables, partial } = JSON.parse(await saved(page, "export-json"));
    assert.deepEqual(partial.map(({ direction, coverage }) => [direction, coverage.exact, coverage.total]), [
      ["noising", exact, 2048],
      ["denoising", 0, 2048],
    ]);
    const ap = tables.find(({ kind, method, direction }) => kind === "neurons" && method === "ap" && direction === "noising");
    assert.deepEqual(ap.values.map((score) => (score === null ? "" : Number(score))), rows.map(([, , , , score]) => (score === "" ? "" : Number(score))));

    // The lists name exact ones only, and say that they are not final.
    const [by_ig, by_ap, by_diff] = await captions(page);
    assert.doesNotMatch(by_ig, /so far/, "every layer was integrated");
    for (const caption of [by_ap, by_diff]) assert.match(caption, /so far/);
    const has_score = new Set(patched.map(([, , layer, index]) => `${layer}.${index}`));
    for (const list of ["top-ap", "top-diff"]) {
      const named = await by(page, list).locator("[data-neuron]").evaluateAll((links) => links.map(({ dataset: { layer, neuron } }) => `${layer}.${neuron}`));
      assert.equal(named.length, 10);
      for (const name of named) assert.ok(has_score.has(name), `${list}: ${name}`);
    }
    assert.match(await by(page, "agreement-neurons").innerText(), new RegExp(`^Over the ${exact} of 2048 neurons patched so far`));

    // An exact neuron has all of its height, one that is not the lower half, and a difference that is not known none.
    assert.match(await by(page, "note-ap-neurons").innerText(), /not patched yet, IG’s score stands in/);
    const place = ([, , layer, index]) => [Number(layer), Number(index)];
    const not_yet = place(empty[Math.floor(empty.length / 2)]);
    assert.deepEqual(await halves(page, "ap", place(patched[0])), [255, 255]);
    assert.deepEqual(await halves(page, "ap", not_yet), [0, 255]);
    assert.deepEqual(await halves(page, "diff", place(patched[0])), [255, 255]);
    assert.deepEqual(await halves(page, "diff", not_yet), [0, 0]);

    // It says so in words too.
    const map = by(page, "heatmap-ap-neurons");
    const { width, height } = await map.evaluate((canvas) => ({ width: canvas.clientWidth, height: canvas.clientHeight }));
    const [layer, index] = not_yet;
    await map.hover({ position: { x: ((index + 0.5) / 512) * width, y: ((layer + 0.75) / 4) * height } });
    assert.match(await by(page, "readout-neurons").innerText(), /^L\dN\d+: AP not patched yet \(IG: [+−]?[\d.]+ logits\)$/);

    const again = by(page, "run-neurons");
    assert.equal(await again.innerText(), "Start again");
    await again.click();
    await words.and(page.locator("[data-state=done]")).waitFor();
    assert.deepEqual(await screened(page), [0, 0, 0]);
    const { tables: whole } = JSON.parse(await saved(page, "export-json"));
    for (const { method, direction, width, values } of whole.filter(({ kind }) => kind === "neurons")) {
      const rows = native.neurons[method][direction];
      assert.ok(difference(rows.map((_row, layer) => values.slice(layer * width, (layer + 1) * width)), rows) < 1e-4, `${method} ${direction}`);
    }
  });
});
