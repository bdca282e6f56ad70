// What a pinned head is made of, what of it goes straight to the logits, and which tokens it writes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse, print } from "../support/link.mjs";
import { by, eventually, launch, no_faults, open, saved, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

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

const PARTS = ["q", "k", "v", "pattern"];
/** A number in full. */
const value = async (testid) => Number(await by(page, testid).getAttribute("data-value"));
/** The values of one of the small maps, `[n_layers * n_heads]`. */
const map = (part) => by(page, `parts-${part}`).locator("[data-value]").evaluateAll((cells) => cells.map(({ dataset }) => Number(dataset.value)));
const near = (got, expected, of, what) => assert.ok(Math.abs(got - expected) <= 1e-4 * of, `${what}: ${got} is not ${expected}`);

/** The head with the largest score in a map of the figure. */
async function strongest() {
  const ap = await table(page, "heatmap-ap-heads");
  const all = ap.flatMap((row, layer) => row.map((score, head) => ({ layer, head, score })));
  return all.sort((a, b) => Math.abs(b.score) - Math.abs(a.score))[0];
}

test("a pinned head has its queries, keys, values and pattern as maps and as numbers", async () => {
  const { layer, head } = await strongest();
  const cell = by(page, "heatmap-ap-heads").locator(`[data-layer="${layer}"][data-head="${head}"]`);
  await cell.click();
  await by(page, "part-q-ap").waitFor();
  const ap = await table(page, "heatmap-ap-heads");
  const place = layer * ap[0].length + head;
  for (const part of PARTS) {
    const by_ap = await map(part);
    assert.equal(by_ap.length, ap.flat().length);
    assert.equal(by_ap[place], await value(`part-${part}-ap`));
    near(await value(`part-${part}-diff`), (await value(`part-${part}-ig`)) - (await value(`part-${part}-ap`)), 1, part);
  }
  assert.equal(await value("part-z-ap"), ap[layer][head], "the whole head is the figure’s");
  assert.equal(await page.locator("[data-testid=parts-map] .plot-framed").count(), 4);
  // The other methods, on the same scale.
  await by(page, "parts-by-diff").click();
  await eventually(async () => assert.equal((await map("v"))[place], await value("part-v-diff")));
  await by(page, "parts-by-ap").click();
  const words = await by(page, "parts-reading").innerText();
  assert.match(words, /Replacing queries, keys and values together is replacing the head’s output/);
  await no_faults(page, "[data-testid=card]", "the panel");
});

test("what goes straight to the logits stands between the whole effect and its estimate", async () => {
  const [total, later, exact, frozen, dla] = await Promise.all(
    ["total", "later", "exact", "frozen", "dla"].map((id) => value(`direct-${id}`)),
  );
  near(total + later, exact, Math.abs(total), "AP and what later layers make of it");
  near(exact + frozen, dla, Math.abs(total), "the estimate");
  assert.match(await by(page, "direct-claim").innerText(), /straight to the logits/);
  // The same cell in the map of all heads.
  const name = await by(page, "card").locator("h3").innerText();
  const [, layer, head] = name.match(/L(\d+)H(\d+)/);
  const cell = by(page, "direct-exact-map").locator(`[data-row="${layer}"][data-column="${head}"]`);
  assert.equal(Number(await cell.getAttribute("data-value")), exact);
  assert.match(await by(page, "direct-reading").innerText(), /direct logit attribution is off most for L\d+H\d+/);
});

test("tokens that a head writes are sorted, in both runs", async () => {
  for (const run of ["clean", "corrupted"]) {
    const of = (list) =>
      by(page, `lens-${run}-${list}`).evaluateAll((cells) => cells.map(({ dataset }) => Number(dataset.value)));
    const [raised, lowered] = [await of("raises"), await of("lowers")];
    assert.ok(raised.length === 5 && lowered.length === 5);
    assert.deepEqual(raised, raised.toSorted((a, b) => b - a));
    assert.deepEqual(lowered, lowered.toSorted((a, b) => a - b));
    assert.ok(raised[0] > 0 && lowered[0] < 0);
  }
  const tokens = await by(page, "lens").locator(".token").allInnerTexts();
  assert.ok(tokens.length === 20 && tokens.every((text) => text.length > 0), tokens.join("|"));
});

test("keys go through the small maps and pin from them, and the focus stays", async () => {
  const plot = by(page, "parts-map");
  await plot.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await by(page, "parts-map-readout").filter({ hasText: /^L0H1, queries: .* logits$/ }).waitFor();
  await page.keyboard.press("Enter");
  await eventually(async () => assert.equal(await by(page, "card").locator("h3").innerText(), "L0H1"));
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "parts-map");
  assert.equal(await value("part-q-ap"), (await map("q"))[1]);
  await page.keyboard.press("ArrowRight");
  await by(page, "parts-map-readout").filter({ hasText: /^L0H2, queries/ }).waitFor();
  await page.keyboard.press("p");
});

test("files hold it, its identities are true, and a link opens with the same map", async () => {
  const json = JSON.parse(await saved(page, "export-json"));
  const found = (name) => json.lab.map(({ found }) => found[name]).find(Boolean);
  const [parts, direct] = [found("parts"), found("direct")];
  const neurons = json.tables.find((t) => t.kind === "neurons" && t.method === "ap" && t.direction === "noising");
  assert.equal(parts.length, 5);
  for (const { part, width, ap, ig, joint, convergence_delta } of parts) {
    joint.forEach((together, layer) => {
      const sum = ig.slice(layer * width, (layer + 1) * width).reduce((a, b) => a + b, 0);
      near(sum - convergence_delta[layer], together, Math.max(1, Math.abs(together)), `IG of ${JSON.stringify(part)}`);
      // Of one component the integral is the patch.
      if (width === 1) near(ap[layer], together, Math.abs(json.gap), "an MLP as a whole");
    });
  }
  // Behind a neuron of the last layer there is no later one: all of it goes straight.
  if (neurons) {
    const last = neurons.values.length - neurons.width;
    const largest = Math.max(...neurons.values.slice(last).map(Math.abs));
    neurons.values.slice(last).forEach((score, at) => {
      if (score !== null) near(direct.neurons.exact[last + at], score, largest, `neuron ${at}`);
    });
  }
  const csv = await saved(page, "export-csv");
  const line = csv.split("\r\n").find((line) => line.startsWith("k,ap,noising,1,3,"));
  const keys = parts.find(({ part }) => part.port === "key");
  const { width } = keys;
  assert.equal(Number(line.split(",")[5]), keys.ap[width + 3]);
  await by(page, "parts-by-ig").click();
  await eventually(() => assert.equal(parse(page.url()).view.parts_by, "ig"));
  // Another link to the same figure computes nothing, and shows its own map.
  const fields = parse(page.url());
  fields.view.parts_by = "diff";
  await page.goto(`${server.url}?device=cpu${print(fields)}`);
  await eventually(async () => assert.equal(await by(page, "parts-by-diff").getAttribute("aria-pressed"), "true"));
  near((await map("k"))[width + 3], keys.ig[width + 3] - keys.ap[width + 3], 1, "the difference");
});

test("another metric has no direct logit attribution, and a neuron of the last layer goes straight", async () => {
  await page.goto(`${server.url}?device=cpu${print({ metric: "prob_diff", view: { pinned: { kind: "neurons", layer: 3, index: 7 } } })}`);
  await by(page, "card").filter({ hasText: "L3N7" }).waitFor();
  await by(page, "direct-claim").filter({ hasText: "defined for the logit difference only" }).waitFor();
  assert.ok(Number.isFinite(await value("direct-exact")));
  assert.equal(await by(page, "direct-dla").count(), 0);
  assert.equal(await by(page, "parts-map").count(), 0, "a neuron has no queries");
});
