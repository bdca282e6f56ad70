// The lab: what it says of the two methods, against the maps and against the command line.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse, print } from "../support/link.mjs";
import { compare } from "../support/native.mjs";
import { AT_NOTEBOOK, NOTEBOOK, by, chapter, difference, launch, link_of, open, saved_bytes, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

/** A number that is shown with all its digits is right to these. */
const CLOSE = 1e-5;

let browser, server, page, errors, close, native;
before(async () => {
  browser = await launch();
  server = await serve();
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`));
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
  const { clean, corrupted, answer, wrong } = NOTEBOOK;
  [native] = compare([{ name: "case", clean, corrupted, answer: answer[0], wrong: wrong[0] }]);
});
after(async () => {
  assert.deepEqual(errors, []);
  await close?.();
  await browser?.close();
  await server?.close();
});

/** The number that an element shows, with all its digits. */
async function value(testid, within = page) {
  const element = within.getByTestId(testid);
  await element.and(page.locator("[data-value]")).waitFor();
  return Number(await element.getAttribute("data-value"));
}

function assert_close(got, expected, what, tolerance = CLOSE) {
  const off = Math.abs(got - expected);
  assert.ok(off <= tolerance * Math.max(1, Math.abs(expected)), `${what}: ${got}, expected ${expected}`);
}

const mean = (xs) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
function pearson(xs, ys) {
  const [mx, my] = [mean(xs), mean(ys)];
  const sum = (f) => xs.reduce((total, x, i) => total + f(x - mx, ys[i] - my), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_x, y) => y * y));
}

/** Pins a head in the map. */
async function pin(layer, head) {
  const cell = by(page, "heatmap-ig-heads").locator(`[data-layer='${layer}'][data-head='${head}']`);
  if ((await cell.getAttribute("aria-selected")) !== "true") await cell.click();
}

test("agreement is that of the maps", async () => {
  await chapter(page, "agreement");
  const [ig, ap] = [native.heads.ig.noising.flat(), native.heads.ap.noising.flat()];
  assert_close(await value("pearson"), pearson(ig, ap), "Pearson");
  const apart = ig.map((score, i) => score - ap[i]);
  const off = mean(apart);
  const sd = Math.sqrt(apart.reduce((sum, d) => sum + (d - off) ** 2, 0) / (apart.length - 1));
  assert_close(await value("ba-mean"), off, "mean difference");
  assert_close(await value("ba-lower"), off - 1.96 * sd, "lower limit");
  assert_close(await value("ba-upper"), off + 1.96 * sd, "upper limit");
  const [mx, my] = [mean(ap), mean(ig)];
  const slope = ap.reduce((sum, x, i) => sum + (x - mx) * (ig[i] - my), 0) / ap.reduce((sum, x) => sum + (x - mx) ** 2, 0);
  assert_close(await value("slope"), slope, "slope of IG on AP");
  for (const plot of ["scatter", "overlap-curve", "bland-altman"]) {
    await by(page, plot).locator("svg").first().waitFor();
    assert.match(await by(page, plot).getAttribute("aria-label"), /\d/, `${plot} says a number`);
  }
});

test("the zero baseline is one switch, with both correlations", async () => {
  await by(page, "zero-baseline").check();
  assert_close(await value("pearson-zero"), pearson(native.heads.ig_zero.flat(), native.heads.ap.noising.flat()), "from zero", 1e-4);
  await by(page, "pearson").waitFor();
  await by(page, "zero-baseline").uncheck();
  await by(page, "pearson-zero").waitFor({ state: "detached" });
});

test("a head is brushed in the scatter, by pointer and by key, and marked in every map", async () => {
  const marked = () => by(page, "heatmap-ap-heads").locator("[data-layer].selected");
  assert.equal(await marked().count(), 0);
  const plot = by(page, "scatter");
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.locator("svg").first().boundingBox();
  await page.mouse.move(box.x + 1, box.y + 1);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 4 });
  await page.mouse.move(box.x + box.width - 1, box.y + box.height - 1, { steps: 4 });
  await page.mouse.up();
  const n = native.heads.ap.noising.flat().length;
  assert.equal(await marked().count(), n, "a frame round everything selects all");
  for (const map of ["ig", "diff"]) assert.equal(await by(page, `heatmap-${map}-heads`).locator("[data-layer].selected").count(), n);
  assert.equal(Number(await by(page, "selected-count").getAttribute("data-value")), n);
  await plot.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("b");
  assert.equal(await marked().count(), n - 1, "b takes the current one out");
  await page.keyboard.press("Enter");
  assert.equal(await by(page, "heatmap-ap-heads").locator(".pinned").count(), 1, "Enter pins it");
  await page.keyboard.press("Enter");
});

test("the ladder climbs from the gradient to the layer, by the command line's numbers", async () => {
  await chapter(page, "why");
  await pin(0, 6);
  const { heads, joint } = native;
  assert_close(await value("ladder-atp"), heads.atp.noising[0][6], "AtP");
  assert_close(await value("ladder-ig"), heads.ig.noising[0][6], "IG");
  assert_close(await value("ladder-ap"), heads.ap.noising[0][6], "AP");
  assert_close(await value("ladder-joint"), joint.heads.noising[0], "joint layer patch");
  assert_close(await value("integrand-ig"), heads.ig.noising[0][6], "the area under the integrand");
  await by(page, "integrand").first().locator("svg").first().waitFor();
  await by(page, "split").check();
  const split = await value("split-ig");
  assert.ok(Number.isFinite(split) && Math.abs(split) > 0, `split IG is ${split}`);
  await by(page, "split").uncheck();
  await by(page, "attention-pattern").locator("svg").first().waitFor();
});

test("two inputs in closed form come before eight heads", async () => {
  await chapter(page, "directions");
  await by(page, "gates").locator("summary").first().click();
  for (const [gate, direction, expected] of [
    ["and", "noising", [0.81874, 0.81994]],
    ["and", "denoising", [0.18006, 0.18126]],
    ["or", "noising", [0.18006, 0.18126]],
    ["or", "denoising", [0.81874, 0.81994]],
  ]) {
    const got = [await value(`gate-${gate}-ap-${direction}-1`), await value(`gate-${gate}-ap-${direction}-2`)];
    got.sort().forEach((share, i) => assert.ok(Math.abs(share - expected[i]) < 1e-5, `${gate} ${direction}: ${got}`));
  }
  await by(page, "asymmetry").locator("svg").first().waitFor();
  const cells = await by(page, "asymmetry").locator("[data-value]").evaluateAll((all) => all.map(({ dataset }) => Number(dataset.value)));
  const apart = native.heads.ap.noising.flat().map((score, i) => score - native.heads.ap.denoising.flat()[i]);
  const most = Math.max(...apart.map(Math.abs));
  apart.forEach((difference, i) => assert_close(cells[i], difference / most, `asymmetry of ${i}`, 1e-4));
});

test("positions are told apart, token by token and layer by layer", async () => {
  await chapter(page, "positions");
  await by(page, "positions").locator("svg").first().waitFor();
  await by(page, "streams").first().locator("svg").first().waitFor();
  assert.match(await by(page, "panel-positions").innerText(), /Mary|John/);
});

test("a set is replaced together, beside the sum of its parts", async () => {
  await chapter(page, "ablate");
  // One head alone: its joint effect is its patch.
  await chapter(page, "agreement");
  await by(page, "select-none").click();
  await by(page, "scatter").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("b");
  const chosen = by(page, "heatmap-ap-heads").locator("[data-layer].selected");
  const { layer, head } = await chosen.evaluate(({ dataset }) => ({ ...dataset }));
  await chapter(page, "ablate");
  await by(page, "ablate-set").selectOption("selected");
  await by(page, "ablate-run").click();
  const effect = native.heads.ap.noising[layer][head];
  assert_close(await value("ablate-joint"), effect, "a set of one");
  assert_close(await value("ablate-solo"), effect, "the sum of one");
  assert_close(await value("ablate-before"), native.logit_diff.clean, "before");
  assert_close(await value("ablate-after"), native.logit_diff.clean - effect, "after");
  await by(page, "faithfulness").locator("svg").first().waitFor();
  await by(page, "ablate-with").selectOption("zero");
  await page.waitForFunction(([before]) => {
    const shown = document.querySelector("[data-testid=ablate-joint]")?.dataset.value;
    return shown !== undefined && Number(shown) !== before;
  }, [effect]);
});

test("a mean over prompts asks for prompts first, and a link that names none is no trap", async () => {
  const before = await value("ablate-joint");
  await by(page, "ablate-with").selectOption("mean");
  await by(page, "ablate-draw").click();
  await page.waitForFunction(([before]) => {
    const shown = document.querySelector("[data-testid=ablate-joint]")?.dataset.value;
    return shown !== undefined && Number(shown) !== before;
  }, [before]);
  for (const draw of [{ task: "ioi", n: 4, seed: 2 }, { task: "no-such-task", n: 4, seed: 2 }]) {
    // Both stood open in a link of old: the first is opened.
    const link = `${server.url}?device=cpu${print({ view: { open: ["ablate", "batch"], with: "mean", draw } })}`;
    const receiver = await open(browser, link);
    await status(receiver.page, "done");
    const words = draw.task === "ioi" ? /4 pairs drawn with seed 2/ : /no task named/;
    await by(receiver.page, "panel-ablate").waitFor();
    await chapter(receiver.page, "batch");
    await by(receiver.page, "panel-batch").filter({ hasText: words }).waitFor();
    assert.deepEqual(receiver.errors, []);
    await receiver.close();
  }
});

test("many prompts: drawn or pasted, failures listed, stopped and gone on with", async () => {
  await chapter(page, "batch");
  const { clean, corrupted, answer, wrong } = NOTEBOOK;
  const other = { clean: clean.replaceAll("store", "garden"), corrupted: corrupted.replaceAll("store", "garden"), answer: answer[0], wrong: wrong[0] };
  const pairs = [
    { name: "first", clean, corrupted, answer: answer[0], wrong: wrong[0] },
    { name: "uneven", clean, corrupted: `${corrupted} the`, answer: answer[0], wrong: wrong[0] },
    { name: "second", ...other },
  ];
  await by(page, "batch-input").fill("clean,corrupted\nonly,two");
  assert.match(await by(page, "panel-batch").innerText(), /answer/, "what is missing is named");
  await by(page, "batch-input").fill(JSON.stringify(pairs));
  await by(page, "batch-run").click();
  await by(page, "batch-failures").waitFor();
  await by(page, "batch-pearson").and(page.locator("[data-lower]")).waitFor();
  assert.match(await by(page, "batch-failures").innerText(), /uneven/);
  const both = compare([pairs[0], pairs[2]]);
  const correlations = both.map(({ heads }) => pearson(heads.ig.noising.flat(), heads.ap.noising.flat()));
  assert_close(await value("batch-pearson"), mean(correlations), "mean over prompts", 1e-4);
  const cells = await by(page, "batch-mean-ap").locator("[data-value]").evaluateAll((all) => all.map(({ dataset }) => Number(dataset.value)));
  const rows = both[0].heads.ap.noising.map((row, l) => row.map((score, h) => (score + both[1].heads.ap.noising[l][h]) / 2));
  assert.ok(difference(rows.map((row, l) => row.map((_score, h) => cells[l * row.length + h])), rows) < 1e-4, "mean map");

  // Drawn pairs are added to a list of one's own; here they are all there is.
  await by(page, "batch-input").fill("");
  await by(page, "batch-n").fill("12");
  await by(page, "batch-draw").click();
  await by(page, "batch-drawn").filter({ hasText: "12" }).waitFor();
  await by(page, "batch-run").click();
  await by(page, "batch-mean-ap").locator("svg").first().waitFor();
  await by(page, "batch-stop").click();
  await page.locator("[data-testid=batch-resume]:enabled").click();
  await by(page, "batch-progress").filter({ hasText: /All 12 done/ }).waitFor();
  assert.equal(await by(page, "batch-cases").locator("tbody tr").count(), 12, "each once");
});

test("a link shows the same of the lab", async () => {
  await chapter(page, "agreement");
  await by(page, "select-outliers").click();
  await chapter(page, "why");
  await pin(0, 6);
  await page.waitForTimeout(500);
  const link = await link_of(page);
  assert.equal(page.url().split("#")[1], link.split("#")[1], "the address follows");
  const { view } = parse(link);
  assert.equal(view.pinned.index, 6);
  const receiver = await open(browser, link.replace("#", "?device=cpu#"));
  await status(receiver.page, "done");
  const selected = (on) => by(on, "heatmap-ig-heads").locator("[data-layer].selected").evaluateAll((cells) => cells.map(({ dataset }) => `${dataset.layer}.${dataset.head}`));
  assert.deepEqual(await selected(receiver.page), await selected(page));
  await by(receiver.page, "panel-why").waitFor();
  await receiver.page.locator("[data-testid=ladder-ap][data-value]").waitFor();
  assert_close(Number(await by(receiver.page, "ladder-ap").getAttribute("data-value")), native.heads.ap.noising[0][6], "the receiver's own");
  assert.deepEqual(receiver.errors, []);
  await receiver.close();
});

test("the bundle holds numbers, pictures and a notebook that names them", async () => {
  const zip = await saved_bytes(page, "export-bundle");
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  assert.ok(end > 0, "a zip file");
  const n = zip.readUInt16LE(end + 10);
  const names = [];
  for (let at = zip.readUInt32LE(end + 16), i = 0; i < n; i++) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    names.push(zip.subarray(at + 46, at + 46 + name).toString());
    at += 46 + name + extra + comment;
  }
  for (const name of ["scores.csv", "result.json", "figure.svg", "reproduce.ipynb", "README.txt"]) {
    assert.ok(names.includes(name), `${name} is among ${names}`);
  }
});

test("the figure comes first: nothing of the lab is asked before it", async () => {
  const own = await table(page, "heatmap-ig-heads");
  assert.ok(difference(own, native.heads.ig.noising) < 1e-4);
});
