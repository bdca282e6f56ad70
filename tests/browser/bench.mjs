// How long a visitor waits, in Chromium on the CPU. A program and no test: it says what it measured beside what is wanted.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { PATIENCE, by, launch, remember, status } from "./support/page.mjs";
import { serve } from "./support/server.mjs";

const RUNS = 5;
/** Visits that do not count: a browser keeps compiled code only of what it has seen more than once. */
const WARM_UP = 3;
const MOVES = 30;
/** As many characters as are read of a link, the `#` not among them. */
const LINK_CHARS = 16 * 1024;
/** What is wanted of the median, in milliseconds. */
const TARGETS = {
  "first figure, from navigation": 3000,
  "rerun, from the click": 1000,
  "neurons, from the heads' end": 8000,
  "hover over a head, main thread": 16,
  "hover over neurons, main thread": 16,
  "hostile link, to the notice": 50,
};

/** In the page: notes what happens, with the time since the navigation. */
function watch() {
  const seen = (globalThis.seen = []);
  const last = {};
  const note = (what, state) => {
    if (last[what] !== state) {
      last[what] = state;
      seen.push({ what, state, ms: performance.now() });
    }
  };
  const look = () => {
    for (const what of ["status", "neuron-status"]) {
      note(what, document.querySelector(`[data-testid=${what}]`)?.dataset.state);
    }
    note("notice", document.querySelector("[data-testid=notice]")?.textContent ? "shown" : "none");
  };
  const options = { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] };
  new MutationObserver(look).observe(document, options);
  // Before the page hears of them.
  for (const what of ["click", "hashchange"]) {
    addEventListener(what, () => seen.push({ what, ms: performance.now() }), true);
  }
}

/** Waits until something has happened, and says when that was. */
async function when(page, what, state, after = 0) {
  const found = await page.waitForFunction(
    (wanted) => globalThis.seen.find(({ what, state, ms }) => what === wanted.what && state === wanted.state && ms > wanted.after)?.ms,
    { what, state, after },
  );
  return found.jsonValue();
}

/** When something happened the last time. */
const latest = (page, what) => page.evaluate((wanted) => globalThis.seen.findLast(({ what }) => what === wanted).ms, what);

/** Opens the page and waits for all that it computes by itself: `{ page, heads, neurons }`. */
async function visit(context, url) {
  await remember(context);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`${url}?device=cpu`);
  await status(page, "done");
  const heads = await when(page, "status", "done");
  return { page, heads, neurons: await when(page, "neuron-status", "done", heads) };
}

/** The inputs are changed and, at the next run, changed back. */
async function rerun(page, run) {
  await by(page, "steps").fill(run % 2 === 0 ? "49" : "50");
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  const clicked = await latest(page, "click");
  const heads = await when(page, "status", "done", clicked);
  await when(page, "neuron-status", "done", heads);
  return heads - clicked;
}

/** What the main thread does for one move of the mouse, up to the next frame. */
async function hover(page, points) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const busy = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
  };
  const frame = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const spent = [];
  for (const [x, y] of points) {
    await frame();
    const before = await busy();
    await page.mouse.move(x, y);
    await frame();
    spent.push((await busy()) - before);
  }
  await session.detach();
  return spent;
}

async function head_points(page) {
  await by(page, "heatmap-ig-heads").scrollIntoViewIfNeeded();
  const cells = by(page, "heatmap-ig-heads").locator("[data-layer][data-head]");
  const points = await cells.evaluateAll((cells) =>
    cells.map((cell) => {
      const { x, y, width, height } = cell.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    }),
  );
  return points.slice(0, MOVES);
}

async function neuron_points(page) {
  const canvas = by(page, "heatmap-ig-neurons");
  await canvas.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await canvas.boundingBox();
  const place = (move) => (move + 0.5) / MOVES;
  return Array.from({ length: MOVES }, (_, move) => [x + place(move) * width, y + place(move) * height]);
}

/** A link that is read to its end before it turns out to be damaged: 64 kB of text that never closes. */
function hostile() {
  const digits = [...randomBytes(8000)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const payload = deflateRawSync(`{"clean":"${digits}`, { level: 9 }).toString("base64url");
  return `v1=${payload.padEnd(LINK_CHARS - 4, "A")}`;
}

async function read_hostile(page) {
  const dismiss = page.locator("[data-testid=notice] .dismiss");
  await page.evaluate((link) => (location.hash = link), hostile());
  await dismiss.waitFor();
  const changed = await latest(page, "hashchange");
  const noticed = await when(page, "notice", "shown", changed);
  const heads = await when(page, "status", "done", changed);
  await when(page, "neuron-status", "done", heads);
  await dismiss.click();
  return noticed - changed;
}

async function measure(context, url) {
  for (let visits = 0; visits < WARM_UP; visits++) {
    const { page } = await visit(context, url);
    await page.close();
  }
  const runs = Array.from({ length: RUNS }, (_, run) => run);
  const [first, neurons] = [[], []];
  for (const _run of runs) {
    const visited = await visit(context, url);
    first.push(visited.heads);
    neurons.push(visited.neurons - visited.heads);
    await visited.page.close();
  }
  const { page } = await visit(context, url);
  const [reruns, links] = [[], []];
  for (const run of runs) {
    reruns.push(await rerun(page, run));
  }
  const over_heads = await hover(page, await head_points(page));
  const over_neurons = await hover(page, await neuron_points(page));
  for (const _run of runs) {
    links.push(await read_hostile(page));
  }
  return [first, reruns, neurons, over_heads, over_neurons, links];
}

function print(figures) {
  const row = (name, ...columns) => console.log(name.padEnd(34), ...columns.map((column) => `${column}`.padStart(8)));
  row("milliseconds", "min", "median", "max", "wanted");
  Object.entries(TARGETS).forEach(([name, target], place) => {
    const sorted = figures[place].toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    const shown = [sorted[0], median, sorted.at(-1)].map((ms) => ms.toFixed(ms < 100 ? 1 : 0));
    row(name, ...shown, target, median <= target ? "met" : "missed");
  });
}

const profile = mkdtempSync(join(tmpdir(), "twinbeam-bench-"));
const server = await serve("/", { cache: true });
const context = await launch({ profile });
try {
  await context.addInitScript(watch);
  print(await measure(context, server.url));
} finally {
  await context.close();
  await server.close();
  rmSync(profile, { recursive: true });
}
