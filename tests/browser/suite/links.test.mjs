// Links that carry a result: seen at once, compared, embedded; and those that somebody has tampered with.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { parse, print } from "../support/link.mjs";
import { AT_NOTEBOOK, EXAMPLES, NOTEBOOK, by, difference, eventually, launch, link_of, open, sharing, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

/** A link with numbers of the bundled model before it was trained anew. */
const FORMER = JSON.parse(readFileSync(new URL("../../fixtures/links/v1.json", import.meta.url), "utf8")).at(-1);
/** Half a step of 1/32,767th, as the link's format says, and what single precision leaves. */
const ROUNDING = 0.5 / 32767 + 1.2e-7;

let browser, server, link, own;
before(async () => {
  browser = await launch();
  server = await serve("/some/folder/");
  // A link as its sender copies it.
  const { page, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
  link = await link_of(page);
  own = { ig: await table(page, "heatmap-ig-heads"), ap: await table(page, "heatmap-ap-heads") };
  assert.equal(page.url().split("#")[1], link.split("#")[1], "the address holds the same");
  await close();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const with_query = (address, query) => address.replace("#", `?${query}#`);
const mark = (page) => by(page, "link-mark");
const source = (page, from) => page.locator(`.results[data-source=${from}]`).waitFor();

test("the receiver sees the figure before anything is computed, and then whether it agrees", async () => {
  assert.ok(link.length < 2500, `${link.length} characters`);
  const { page, errors, close } = await open(browser, "about:blank");
  // The worker's program does not arrive: what is seen came with the link.
  let arrive;
  const held = new Promise((resolve) => (arrive = resolve));
  await page.context().route("**/worker*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(with_query(link, "device=cpu"));
  await source(page, "link");
  for (const method of ["ig", "ap"]) {
    const off = difference(await table(page, `heatmap-${method}-heads`), own[method]);
    assert.ok(off <= ROUNDING, `${method} is off by ${off}`);
    assert.ok(off > 0, "it is the rounded one");
  }
  assert.match(await mark(page).innerText(), /From the link/);
  assert.equal(await by(page, "convergence").locator("[data-layer]").count(), own.ig.length);
  assert.match(await by(page, "metric-clean").innerText(), /logits/);
  for (const list of ["top-ig", "top-ap", "top-diff"]) assert.equal(await by(page, list).locator("[data-neuron]").count(), 10);
  const named = await by(page, "top-ap").locator("[data-neuron]").evaluateAll((links) => links.map(({ dataset }) => ({ ...dataset })));

  arrive();
  await status(page, "done");
  await source(page, "device");
  assert.equal(await mark(page).getAttribute("data-verdict"), "agrees");
  assert.deepEqual(await table(page, "heatmap-ap-heads"), own.ap, "the receiver's own numbers, to the bit");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
  const computed = await by(page, "top-ap").locator("[data-neuron]").evaluateAll((links) => links.map(({ dataset }) => ({ ...dataset })));
  assert.deepEqual(computed.map(({ layer, neuron }) => [layer, neuron]), named.map(({ layer, neuron }) => [layer, neuron]));
  assert.deepEqual(errors, []);
  await close();
});

test("a link of the bundled model as it once was shows its numbers, and says that the model has changed", async () => {
  const { link: old, heads_ap_noising: numbers } = FORMER;
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu${old}`);
  // The model in use arrives, and nothing of it takes the place of what was sent.
  await mark(page).filter({ hasText: /The model has changed since then: Bundled model has other weights now/ }).waitFor();
  await status(page, "done");
  await source(page, "link");
  const shown = async () => (await table(page, "heatmap-ap-heads")).flat();
  assert.ok(difference([await shown()], [numbers]) <= ROUNDING);
  await by(page, "run").click();
  await source(page, "device");
  await status(page, "done");
  assert.equal(await mark(page).getAttribute("data-verdict"), "differs");
  assert.match(await mark(page).innerText(), /other weights \(sha256 7ee89086374db890/);
  assert.ok(difference([await shown()], [numbers]) > 0.1, "they are another model's");
  assert.deepEqual(errors, []);
  await close();
});

test("a result that somebody has changed is told apart from one's own", async () => {
  const fields = parse(link);
  fields.result.heads[1][0] *= 1.02;
  const { page, close } = await open(browser, `${server.url}?device=cpu${print(fields)}`);
  await status(page, "done");
  await source(page, "device");
  assert.equal(await mark(page).getAttribute("data-verdict"), "differs");
  assert.match(await mark(page).innerText(), /the link was changed or one of the two devices is wrong/);
  assert.deepEqual(await table(page, "heatmap-ap-heads"), own.ap);
  await close();
});

test("Back and Forward bring each result back, and the direction travels", async () => {
  const { page, close } = await open(browser, with_query(link, "device=cpu"));
  await status(page, "done");
  await source(page, "device");
  await by(page, "steps").fill("1");
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  await page.waitForFunction(() => location.hash.length > 600);
  const one_step = await table(page, "heatmap-ig-heads");
  assert.ok(difference(one_step, own.ig) > 1e-4, "one step gives other numbers");
  assert.equal(await mark(page).count(), 0, "the link's result is of another question");
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("[data-testid=steps]").value === "50");
  await status(page, "done");
  await source(page, "device");
  assert.deepEqual(await table(page, "heatmap-ig-heads"), own.ig);
  assert.equal(await mark(page).getAttribute("data-verdict"), "agrees");
  await page.goForward();
  await page.waitForFunction(() => document.querySelector("[data-testid=steps]").value === "1");
  await status(page, "done");
  await source(page, "device");
  assert.deepEqual(await table(page, "heatmap-ig-heads"), one_step);
  await by(page, "direction").selectOption("denoising");
  // The address follows a moment later, and so does the neurons' result of before: it is asked until it says so.
  await eventually(async () => assert.equal(parse(await page.evaluate(() => location.href)).direction, "denoising"));
  assert.ok(parse(page.url()).result, "the result stays in the address");
  await close();
});

test("?embed shows the figure alone and computes nothing, and Share offers its line", async () => {
  const { page, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  const line = await sharing(page, async () => {
    await by(page, "embed").click();
    return by(page, "embed-line").inputValue();
  });
  const address = await page.evaluate((html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    return parsed.querySelector("iframe").src;
  }, line);
  await close();

  server.requests.length = 0;
  const framed = await open(browser, address, { viewport: { width: 900, height: 620 } });
  await source(framed.page, "link");
  assert.ok(difference(await table(framed.page, "heatmap-ap-heads"), own.ap) <= ROUNDING);
  assert.equal(await by(framed.page, "prompt-clean").count(), 0, "no form");
  assert.match(await framed.page.locator(".embedded-prompts").innerText(), new RegExp(NOTEBOOK.clean));
  assert.ok(!server.requests.some(({ path }) => /worker|models/.test(path)), "neither worker nor model");
  const opened = await by(framed.page, "open-page").getAttribute("href");
  assert.ok(!opened.includes("embed") && parse(opened).result, opened);
  assert.deepEqual(framed.errors, []);
  await framed.close();

  const bare = await open(browser, `${server.url}?embed&device=cpu`);
  await source(bare.page, "device");
  await bare.page.locator("[data-testid=heatmap-diff-heads] [data-layer='3'][data-head='7'][data-value]").waitFor();
  await bare.close();
});

const ODD = "\u202egnp.exe\u200b <img src=x onerror=\"globalThis.hit=1\"> \u0000";
const HOSTILE = [
  ["not base64", "#v1=%%%", /damaged/],
  ["another version", "#v2=abc", /version/],
  ["not a link", "#top", /version/],
  ["a bomb", print(" ".repeat(5_000_000)), /damaged/],
  ["too long", `#v1=${"A".repeat(1_000_000)}`, /characters long/],
  ["deep", print("[".repeat(60_000)), /damaged/],
  ["no object", print("[1]"), /damaged/],
  ["numbers that are none", print('{"n_steps":1e308,"result":{"heads":[[1e308,"AAAA"]]}}'), /IG steps, its result/],
  ["negative numbers", print({ n_steps: -1 }), /IG steps/],
  ["unknown values", print({ metric: "worst", direction: 3 }), /direction, metric/],
  ["an address for a model", print({ model: "https://evil.example/" }), /model/],
  ["another model", print({ model: "gpt2-xl" }), /does not have/],
  ["prototype keys", print('{"__proto__":{"hit":1},"constructor":{"prototype":{"hit":1}}}'), /more than this page knows/],
  ["text that would break out", print({ clean: ODD, corrupted: ODD, answer: [ODD], wrong: [" Mary"] }), /is not one token/],
];

test("hostile links give defaults and a message, and nothing of them runs", { timeout: 600_000 }, async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  // The page writes its own link once the figure is there: after that, nothing but these changes the address.
  await page.waitForFunction(() => location.hash.length > 1000);
  for (const [name, fragment, said] of HOSTILE) {
    await page.evaluate((fragment) => (location.hash = fragment), fragment);
    await page.locator("[data-testid=notice]", { hasText: said }).waitFor().catch(async () => {
      assert.fail(`${name}: the page says ${await by(page, "notice").innerText()}`);
    });
    const shown = await by(page, "prompt-clean").inputValue();
    assert.ok([EXAMPLES[0].clean, NOTEBOOK.clean].includes(shown) || name.startsWith("text"), `${name}: ${shown}`);
    assert.equal(await page.evaluate(() => [globalThis.hit, {}.hit].some(Boolean)), false, name);
    assert.equal(await page.locator("main img").count(), 0, name);
  }
  await page.evaluate(() => (location.hash = ""));
  await by(page, "example-select").selectOption(`${EXAMPLES.indexOf(NOTEBOOK)}`);
  await status(page, "done");
  assert.deepEqual(await table(page, "heatmap-ap-heads"), own.ap, "the page is as it was");
  assert.deepEqual(errors, []);
  await close();
});
