// The chapter Paths on the bundled model: estimates, exact effects to the last edge, the graph, its table, circuits, links and files.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse } from "../support/link.mjs";
import { edges as native_edges } from "../support/native.mjs";
import { AT_NOTEBOOK, by, chapter, eventually, launch, link_of, no_faults, NOTEBOOK, open, saved, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

let browser, server, page, errors, close, native;
before(async () => {
  browser = await launch();
  server = await serve();
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`));
  await status(page, "done");
  await chapter(page, "paths");
});
after(async () => {
  assert.deepEqual(errors, []);
  await close?.();
  await browser?.close();
  await server?.close();
});

const claim = () => by(page, "finding").innerText();
const shown = async (testid) => Number(await by(page, testid).getAttribute("data-value"));
/** Lines of the table that are on the screen: name, and EAP, EAP-IG, exact and the difference. */
const lines = (page) =>
  by(page, "paths-table")
    .locator("tr[data-edge]")
    .evaluateAll((rows) => rows.map((row) => ({ edge: row.dataset.edge, values: [...row.querySelectorAll("[data-value]")].map(({ dataset }) => Number(dataset.value)) })));
/** The edges of a drawing. */
const drawn = (page, testid) => by(page, testid).locator(".net-hit").evaluateAll((paths) => paths.map(({ dataset }) => dataset.spot));
const all_exact = (page) =>
  page.waitForFunction(() => {
    const data = document.querySelector("[data-testid=paths-coverage]")?.dataset;
    return data?.total > 0 && data.exact === data.total;
  });
/** A CSV of the edges as objects. */
function table_of(csv) {
  const [head, ...rows] = csv.trim().split("\r\n").map((line) => line.split(","));
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
}

test("every edge is estimated and patched, and the sentence says what the file says", async () => {
  await all_exact(page);
  const edges = table_of(await saved(page, "paths-save-csv"));
  assert.equal(edges.length, Number(await by(page, "paths-coverage").getAttribute("data-total")));
  assert.ok(edges.every(({ unit, direction, exact }) => unit === "logits" && direction === "noising" && exact !== ""));
  // The EAP-IG of all edges of the embedding add up to the gap, which the figure says.
  const of_embed = edges.filter(({ from }) => from === "embed").reduce((sum, { eap_ig }) => sum + Number(eap_ig), 0);
  const largest = Math.max(...edges.map(({ exact }) => Math.abs(exact)));
  const link = parse(await link_of(page));
  const [clean, corrupted] = link.result.sides.map(([logit_diff]) => logit_diff);
  assert.ok(Math.abs(of_embed - (clean - corrupted)) < 0.02 * Math.abs(clean - corrupted), `${of_embed}, not ${clean - corrupted}`);
  // Overlap of the ten strongest, and the edge whose two numbers differ most.
  const top = (key) => [...edges].sort((a, b) => Math.abs(b[key]) - Math.abs(a[key])).slice(0, 10).map(({ from, to }) => `${from} → ${to}`);
  const shared = top("eap_ig").filter((edge) => top("exact").includes(edge)).length;
  const words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "10"];
  assert.match(await claim(), new RegExp(`agree on ${words[shared]} of the ten strongest edges`));
  const apart = [...edges].sort((a, b) => Math.abs(b.eap_ig - b.exact) - Math.abs(a.eap_ig - a.exact))[0];
  assert.ok((await claim()).includes(`differ most on ${apart.from} → ${apart.to}, which EAP-IG puts at`), await claim());
  // The table, by each number.
  assert.deepEqual((await lines(page)).slice(0, 5).map(({ edge }) => edge), top("eap_ig").slice(0, 5));
  await by(page, "paths-order").selectOption("exact");
  await eventually(async () => assert.deepEqual((await lines(page)).slice(0, 5).map(({ edge }) => edge), top("exact").slice(0, 5)));
  for (const { edge, values } of await lines(page)) {
    const { eap, eap_ig, exact } = edges.find(({ from, to }) => edge === `${from} → ${to}`);
    [eap, eap_ig, exact, eap_ig - exact].forEach((value, i) => assert.ok(Math.abs(values[i] - value) < 1e-5 * largest, `${edge}: ${values[i]}, not ${value}`));
  }
  // Both graphs have the strongest, the third what is in either.
  const [ig, exact, both] = await Promise.all(["paths-ig", "paths-ap", "paths-diff"].map((graph) => drawn(page, graph)));
  assert.deepEqual([ig.length, exact.length], [20, 20]);
  assert.deepEqual(new Set(both), new Set([...ig, ...exact]));
  assert.ok(top("exact").every((edge) => exact.includes(edge)));

  const { clean: prompt, corrupted: other, answer, wrong } = NOTEBOOK;
  [native] = native_edges([{ name: "case", clean: prompt, corrupted: other, answer: answer[0], wrong: wrong[0] }]);
  const { edges: expected } = native.noising;
  const scale = { eap: 0, eap_ig: 0, exact: 0 };
  for (const edge of expected) for (const key of Object.keys(scale)) scale[key] = Math.max(scale[key], Math.abs(edge[key]));
  assert.equal(expected.length, edges.length);
  for (const edge of expected) {
    const own = edges.find(({ from, to }) => from === edge.from && to === edge.to);
    for (const key of Object.keys(scale)) assert.ok(Math.abs(own[key] - edge[key]) < 1e-3 * scale[key], `${edge.from} → ${edge.to}, ${key}: ${own[key]}, not ${edge[key]}`);
  }
});

test("one click keeps ten edges, and circuits have curves, areas and edges that add something", async () => {
  await by(page, "finding-test").click();
  await page.locator("[data-testid=finding]", { hasText: "Kept alone" }).waitFor();
  const [, n, share] = (await claim()).match(/a circuit of the (\d+) strongest by EAP-IG has ([\u2212\d.]+) % of the gap/);
  assert.ok(Number(n) >= 10);
  const faithful = await shown("paths-kept-ig");
  assert.ok(Math.abs(Number(share.replace("\u2212", "-")) - 100 * faithful) <= 0.51, `${share} / ${faithful}`);
  assert.equal((await drawn(page, "paths-ig")).length, Number(n), "the circuit is what is drawn");
  await page.locator("[data-testid=paths-cmd-random][data-value]").waitFor();
  for (const of of ["ig", "exact", "random"]) {
    const { cpr, cmd } = native.noising.areas;
    const key = of === "exact" ? "ap" : of;
    assert.ok(Math.abs((await shown(`paths-cpr-${of}`)) - cpr[key]) < 2e-3, of);
    assert.ok(Math.abs((await shown(`paths-cmd-${of}`)) - cmd[key]) < 2e-3, of);
  }
  assert.ok((await shown("paths-cmd-random")) > (await shown("paths-cmd-exact")), "random edges are worse");
  await page.locator("[data-testid=paths-added] svg").waitFor();
  assert.match(await by(page, "paths-added").getAttribute("aria-label"), new RegExp(`of ${n} edges add less than`));
});

test("a node and an edge are pinned by keyboard, sets made by hand, and a link shows the same", async () => {
  const first = by(page, "paths-table").locator("tr[data-edge]").first();
  const { edge } = (await lines(page))[0];
  await first.locator("[data-key$=e]").focus();
  await page.keyboard.press("Enter");
  await page.locator("[data-testid=paths-positions] svg").waitFor();
  assert.ok((await by(page, "paths-readout").innerText()).startsWith(`${edge}: EAP `));
  assert.equal(await page.evaluate(() => document.activeElement.dataset.key?.at(-1)), "e", "the focus stays");
  const tokens = await by(page, "paths-positions").locator("[data-row='0'][data-value]").count();
  assert.ok(tokens > 5);

  const from = edge.split(" → ")[0];
  await first.locator("[data-key$=f]").focus();
  await page.keyboard.press("Enter");
  await eventually(async () => assert.ok((await lines(page)).every(({ edge }) => edge.includes(from)), "only its own edges"));
  assert.ok((await by(page, "paths-ig").locator(".net-dim").count()) > 0);

  await by(page, "paths-take").click();
  await page.locator("[data-testid=paths-kept-hand][data-value]").waitFor();
  assert.ok(Math.abs((await shown("paths-kept-hand")) - (await shown("paths-kept-exact"))) < 1e-4, "it is the circuit by exact effects");
  await first.locator("[data-keep]").focus();
  await page.keyboard.press("Space");
  await eventually(async () => assert.match(await by(page, "paths-by-hand").innerText(), /\d+ edges by hand/));

  await by(page, "paths-n").focus();
  await page.keyboard.press("ArrowRight");
  const link = await eventually(async () => {
    const link = await link_of(page);
    assert.equal(parse(link).view.paths.n, 15);
    return link;
  });
  const { paths, open: opened } = parse(link).view;
  assert.deepEqual([opened, paths.by, paths.connected, paths.pinned, paths.kept], [["paths"], "exact", true, from, true]);
  const hand = await by(page, "paths-by-hand").innerText();
  await page.locator("[data-testid=paths-kept-hand][data-value]").waitFor();
  const other = await open(browser, link, { viewport: { width: 390, height: 844 } });
  await status(other.page, "done");
  await all_exact(other.page);
  await other.page.locator("[data-testid=paths-kept-hand][data-value]").waitFor();
  assert.equal(await by(other.page, "paths-by-hand").innerText(), hand);
  await eventually(async () => assert.deepEqual(await lines(other.page), await lines(page)));
  assert.deepEqual(await drawn(other.page, "paths-ap"), await drawn(page, "paths-ap"));

  // A phone shows one graph, without fault, and nothing is wider than it.
  assert.equal(await by(other.page, "paths-ap").isVisible(), false);
  await by(other.page, "paths-show-ap").click();
  assert.deepEqual(await Promise.all(["paths-ig", "paths-ap", "paths-diff"].map((graph) => by(other.page, graph).isVisible())), [false, true, false]);
  const overflow = await other.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${overflow} px wider than the window`);
  await no_faults(other.page, ".lab", "a phone");
  await no_faults(page, ".lab", "a desk");
  assert.deepEqual(other.errors, []);
  await other.close();
});

test("a pointer lights what it is at, and the graphs are saved as a drawing", async () => {
  await by(page, "paths-unpin").click();
  const node = by(page, "paths-ig").locator(".net-node[data-spot=logits]");
  await node.hover();
  await page.locator("[data-testid=paths-readout]", { hasText: "logits reads most from" }).waitFor();
  assert.ok((await by(page, "paths-ig").locator("text.plot-name").count()) > 0, "edges with their values");
  await node.click();
  await eventually(async () => assert.equal(parse(await link_of(page)).view.paths.pinned, "logits"));
  const svg = await saved(page, "paths-save-svg");
  assert.ok(svg.startsWith("<svg xmlns") && svg.includes(".net-edge{") && svg.match(/<svg /g).length === 4, svg.slice(0, 200));
});
