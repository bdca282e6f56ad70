// How the page behaves as a page: its policy, its network, its shape in each state, and axe's verdict on them.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { AT_NOTEBOOK, by, launch, no_faults, open, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

/** Pictures of each state, for people to look at. */
const PICTURES = fileURLToPath(new URL("../test-results/", import.meta.url));

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

const neurons_done = (page) => by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();

/** Opens all that can be opened. */
async function unfold(page) {
  await by(page, "heatmap-ig-heads").locator("[data-layer='0'][data-head='0']").click();
  await by(page, "table-heads-switch").click();
  await by(page, "table-neurons-switch").click();
  // On a small screen the settings lie over the rest.
  if (!(await by(page, "settings").isVisible())) await by(page, "settings-open").click();
  await by(page, "speed").locator("summary").click();
}

test("prompts stay here: nothing is sent, and nobody else is asked", async () => {
  server.requests.length = 0;
  const { page, errors, close } = await open(browser, "about:blank");
  const others = [];
  page.context().on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!["blob:", "data:"].includes(protocol) && origin !== new URL(server.url).origin) others.push(request.url());
  });
  await page.goto(`${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  const secret = "After John and Mary went to the garden, Mary gave a secret to";
  await by(page, "prompt-clean").fill(secret);
  await by(page, "prompt-corrupted").fill(secret.replace("Mary gave", "John gave"));
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  assert.deepEqual(others, []);
  for (const { method, path, bytes } of server.requests) {
    assert.equal(method, "GET", path);
    assert.equal(bytes, 0, path);
    assert.doesNotMatch(decodeURIComponent(path), /secret|garden/);
  }
  assert.deepEqual(errors, []);
  await close();
});

test("the policy forbids inline script and foreign hosts, in the page and in its worker", async () => {
  const { page, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  const tried = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "globalThis.hit = 1";
    document.body.append(script);
    const fetched = await fetch("https://example.org/").then(() => "fetched", () => "refused");
    // A worker that is started as the page starts its own has the page's policy.
    const source = 'fetch("https://example.org/").then(() => postMessage("fetched"), () => postMessage("refused"));';
    const blob = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const violation = new Promise((resolve) => document.addEventListener("securitypolicyviolation", (event) => resolve(event.violatedDirective), { once: true }));
    const [worker_says] = await Promise.all([new Promise((resolve) => (new Worker(blob, { type: "module" }).onmessage = ({ data }) => resolve(data)))]);
    const evaluated = (() => { try { return eval("1"); } catch { return "refused"; } })();
    return { hit: globalThis.hit ?? null, fetched, worker_says, evaluated, violation: await Promise.race([violation, "none"]) };
  });
  assert.deepEqual(
    { hit: tried.hit, fetched: tried.fetched, worker_says: tried.worker_says, evaluated: tried.evaluated },
    { hit: null, fetched: "refused", worker_says: "refused", evaluated: "refused" },
  );
  await close();
});

test("nothing jumps while it loads", async () => {
  const { page, close } = await open(browser, "about:blank");
  await page.addInitScript(() => {
    globalThis.jumps = [];
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries()) {
        if (!hadRecentInput) globalThis.jumps.push([value, ...sources.map(({ node }) => node?.className || node?.nodeName)]);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(`${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  await neurons_done(page);
  const jumps = await page.evaluate(() => globalThis.jumps);
  const all = jumps.reduce((sum, [value]) => sum + value, 0);
  console.log(`layout shift in all: ${all.toFixed(4)}`);
  assert.ok(all < 0.05, JSON.stringify(jumps));
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [name, viewport] of [["wide", { width: 1280, height: 900 }], ["narrow", { width: 380, height: 800 }]]) {
    test(`${colorScheme}, ${name}: axe finds no fault with everything open, and nothing is wider than the screen`, async () => {
      const { page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, { colorScheme, viewport });
      await status(page, "done");
      await neurons_done(page);
      await page.screenshot({ path: `${PICTURES}${colorScheme}-${name}.png`, fullPage: true });
      await unfold(page);
      await by(page, "prompt-corrupted").fill("Too short");
      await page.locator("[data-testid=problem]").waitFor();
      await page.screenshot({ path: `${PICTURES}${colorScheme}-${name}-open.png`, fullPage: true });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${width} px`);
      await no_faults(page);
      assert.deepEqual(errors, []);
      await close();
    });
  }
}

test("forced colours, less motion and paper keep the maps readable", async () => {
  const forced = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, { forcedColors: "active", reducedMotion: "reduce" });
  await status(forced.page, "done");
  const cell = by(forced.page, "heatmap-ig-heads").locator("td.positive").first();
  const [background, zero] = await cell.evaluate((td) => [getComputedStyle(td).backgroundColor, getComputedStyle(document.body).backgroundColor]);
  assert.notEqual(background, zero, "a cell keeps its colour");
  const moving = await forced.page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
  await forced.page.screenshot({ path: `${PICTURES}forced-colours.png`, fullPage: true });
  await forced.close();

  const paper = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, { colorScheme: "dark" });
  await status(paper.page, "done");
  await neurons_done(paper.page);
  await paper.page.emulateMedia({ media: "print" });
  assert.equal(await by(paper.page, "run").isVisible(), false);
  assert.equal(await by(paper.page, "heatmap-ap-heads").isVisible(), true);
  const light = await paper.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.match(light, /rgb\(2\d\d, 2\d\d, 2\d\d\)/, "paper is light");
  await paper.page.screenshot({ path: `${PICTURES}print.png`, fullPage: true });
  await paper.close();
});

test("the guide is about the figure on the screen", async () => {
  const { page, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  assert.match(await by(page, "reading").innerText(), /Here: [+−][\d.]+ logits in the clean run/);
  await by(page, "reading").getByRole("button", { name: /: IG [+−\d]/ }).first().click();
  assert.equal(await by(page, "card").count(), 1, "it leads to the head that it names");
  await close();
});
