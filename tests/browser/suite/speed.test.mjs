// Steps that are found by themselves, and how fast the device is.
// Runs alone: it measures the device, and would measure the other suites' work too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, print } from "../support/link.mjs";
import { by, difference, launch, link_of, no_faults, open, saved, status, table } from "../support/page.mjs";
import { DIST, serve } from "../support/server.mjs";

/** Points that a line may have: twice as many intervals each time. */
const POINTS = [5, 9, 17, 33, 65, 129, 257];

let browser, server;
before(async () => {
  browser = await launch();
  server = await serve("/some/folder/");
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs what is asked, neurons too: they are quick here. */
async function run(page) {
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
}

const convergence = (page) =>
  by(page, "convergence")
    .locator("[data-layer]")
    .evaluateAll((cells) => cells.map(({ dataset: { value, points }, ariaLabel, textContent }) => ({ value: +value, points: +points, ariaLabel, innerText: textContent })));

test("a browser with multiply-add gets products by it, and the same numbers without", async () => {
  // The worker's program counts the functions that are added to it.
  const program = readFileSync(join(DIST, "worker.js"), "utf8");
  const counting = `const grow = WebAssembly.Table.prototype.grow;
    WebAssembly.Table.prototype.grow = function (n) { globalThis.added = (globalThis.added ?? 0) + (n === 1); return grow.call(this, n); };\n`;
  const seen = [];
  for (const before of ["", "WebAssembly.validate = () => false;\n"]) {
    const here = await serve("/some/folder/", { files: { "worker.js": before + counting + program } });
    const { page, errors, close } = await open(browser, `${here.url}?device=cpu`);
    await status(page, "done");
    const added = await Promise.all(page.workers().map((worker) => worker.evaluate(() => globalThis.added ?? 0)));
    seen.push({ added: Math.max(...added), heads: await table(page, "heatmap-ig-heads") });
    assert.deepEqual(errors, []);
    await close();
    await here.close();
  }
  const [by_multiply_add, plain] = seen;
  assert.deepEqual([by_multiply_add.added, plain.added], [2, 0]);
  assert.ok(difference(by_multiply_add.heads, plain.heads) < 1e-6);
});

test("auto takes as many points as it needs, says how many, and travels in a link", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu`);
  await status(page, "done");
  const fifty = await table(page, "heatmap-ig-heads");
  for (const { points, innerText } of await convergence(page)) {
    assert.equal(points, 50);
    assert.doesNotMatch(innerText, /points/, "they are the same for all layers, and stand above");
  }

  await by(page, "steps").fill("40");
  await by(page, "steps-auto").check();
  assert.equal(await by(page, "steps").isDisabled(), true);
  assert.equal(await by(page, "steps").inputValue(), "");
  await status(page, "stale");
  await run(page);
  const figure = await table(page, "heatmap-ig-heads");
  const [clean, corrupted] = await Promise.all(
    ["clean", "corrupted"].map(async (side) => Number(await by(page, `metric-${side}`).getAttribute("data-value"))),
  );
  const tolerance = 0.001 * Math.abs(clean - corrupted);
  for (const { value, points, ariaLabel, innerText } of await convergence(page)) {
    assert.ok(POINTS.includes(points), `${points} points`);
    assert.ok(Math.abs(value) <= tolerance, `a delta of ${value}`);
    assert.match(ariaLabel, new RegExp(`convergence delta .*, ${points} points$`));
    assert.match(innerText, new RegExp(`${points} points`));
  }
  figure.flat().forEach((score, head) => assert.ok(Math.abs(score - fifty.flat()[head]) <= 2 * tolerance, `head ${head}`));
  assert.ok(difference(figure, fifty) > 0, "they are other numbers");
  assert.equal(await by(page, "marks").count(), 0);
  await by(page, "heatmap-ig-heads").locator("[data-layer='0'][data-head='0']").click();
  assert.match(await by(page, "card-delta").first().innerText(), /, \d+ points$/);
  const csv = await saved(page, "export-csv");
  assert.match(csv, /IG steps: auto, Clenshaw-Curtis points until 0\.1 % of the gap, \d+( to \d+)? per layer/);
  assert.match(await saved(page, "export-svg"), /Clenshaw-Curtis/);

  const link = await link_of(page);
  assert.equal(parse(link).n_steps, "auto");
  const again = await open(browser, link.replace("#", "?device=cpu#"));
  await status(again.page, "done");
  await again.page.locator(".results[data-source=device]").waitFor();
  assert.equal(await by(again.page, "steps-auto").isChecked(), true);
  assert.equal(await by(again.page, "link-mark").getAttribute("data-verdict"), "agrees");
  assert.deepEqual(await table(again.page, "heatmap-ig-heads"), figure);
  // Without a number before it, that of the notebook (docs/METHODS.md#the-notebook).
  await by(again.page, "steps-auto").uncheck();
  assert.equal(await by(again.page, "steps").inputValue(), "50");
  assert.deepEqual(again.errors, []);
  await again.close();

  await by(page, "steps-auto").uncheck();
  assert.equal(await by(page, "steps").inputValue(), "40", "what was typed is back");
  assert.equal(await by(page, "steps").isDisabled(), false);
  await by(page, "steps").fill("");
  await page.locator("[data-testid=notice]", { hasText: "IG steps are a whole number" }).waitFor();
  assert.equal(await by(page, "run").isDisabled(), true);
  // The way out is a choice too.
  await by(page, "steps-auto").check();
  await page.locator("[data-testid=run]:enabled").waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test("a link's own tolerance stays until the visitor chooses another", async () => {
  const fragment = print({ n_steps: "auto:20" });
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu${fragment}`);
  await status(page, "done");
  await page.getByText("as many as it takes for 0.002 % of the gap").waitFor();
  const n_steps = () => parse(page.url()).n_steps;
  assert.equal(n_steps(), "auto:20");
  const fine = await convergence(page);
  await by(page, "metric").selectOption("prob_diff");
  await run(page);
  assert.equal(n_steps(), "auto:20", "another choice leaves it alone");
  await by(page, "metric").selectOption("logit_diff");
  await by(page, "steps-auto").uncheck();
  await by(page, "steps-auto").check();
  await page.getByText("as many as it takes for 0.1 % of the gap").waitFor();
  await run(page);
  assert.equal(n_steps(), "auto");
  const coarse = await convergence(page);
  coarse.forEach(({ points }, layer) => assert.ok(points <= fine[layer].points, `layer ${layer}`));
  assert.deepEqual(errors, []);
  await close();
});

test("the device is measured on request, and axe finds no fault with what is said of it", async () => {
  for (const [colorScheme, width] of [["light", 1280], ["dark", 380]]) {
    const viewport = { width, height: 900 };
    const { page, errors, close } = await open(browser, `${server.url}?device=cpu`, { colorScheme, viewport });
    await status(page, "done");
    await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
    const figure = await table(page, "heatmap-ap-heads");
    // On a small screen the settings lie over the rest, and begin closed.
    if (!(await by(page, "settings").isVisible())) await by(page, "settings-open").click();
    await by(page, "speed").locator("summary").click();
    await by(page, "bench").click();
    const result = by(page, "bench-result");
    await result.waitFor();
    const peak = Number(await by(page, "bench-peak").getAttribute("data-value"));
    assert.ok(peak > 0 && Number.isFinite(peak), `a peak of ${peak} GFLOP/s`);
    const rows = await result.locator("[data-part]").evaluateAll((rows) =>
      rows.map((row) => ({ part: row.dataset.part, numbers: [...row.querySelectorAll("td")].map(({ dataset }) => Number(dataset.value)) })),
    );
    assert.deepEqual(rows.map(({ part }) => part).sort(), ["ap_heads", "ap_neurons", "estimate_edges", "ig_heads", "ig_neurons", "patch_edges"]);
    for (const { part, numbers: [rate, share, seconds] } of rows) {
      console.log(`${part}: ${rate.toFixed(2)} GFLOP/s, ${(100 * share).toFixed(0)} % of ${peak.toFixed(2)}, ${seconds.toFixed(2)} s`);
      assert.ok(rate > 0 && share > 0 && seconds > 0, `${part}: ${rate}, ${share}, ${seconds}`);
      assert.ok([rate, share, seconds].every(Number.isFinite), part);
      assert.ok(Math.abs(share - rate / peak) < 1e-6, `${part}: ${share} is not ${rate} of ${peak}`);
    }
    assert.match(await result.innerText(), /CPU.* GFLOP\/s in a product of 512 × 512 matrices.*prompts of \d+ tokens.*IG by 50 Gauss-Legendre steps/s);
    assert.deepEqual(await table(page, "heatmap-ap-heads"), figure, "the figure is as it was");
    assert.equal(await by(page, "status").getAttribute("data-state"), "done");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} px`);
    await no_faults(page);
    // It was this device's.
    await by(page, "device").selectOption("auto");
    await result.waitFor({ state: "detached" });
    await status(page, "done");
    assert.deepEqual(errors, []);
    await close();
  }
});

test("measuring can be stopped, and makes way for other inputs and a run", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu`);
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
  await by(page, "speed").locator("summary").click();
  await by(page, "bench").click();
  assert.equal(await by(page, "bench").isDisabled(), true);
  await by(page, "cancel").click();
  await page.locator("[data-testid=bench]:enabled").waitFor();
  await by(page, "bench").click();
  await by(page, "steps").fill("7");
  await run(page);
  assert.equal(await by(page, "bench-result").count(), 0);
  assert.ok((await table(page, "heatmap-ig-heads")).flat().every(Number.isFinite));
  assert.deepEqual(errors, []);
  await close();
});
