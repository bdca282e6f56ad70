// One tab for a long time: runs, models and questions by the hundred, and what the browser holds meanwhile.
import { readFileSync, readdirSync } from "node:fs";
import { by, chapter, eventually, PATIENCE, remember, status } from "./page.mjs";
import { random_model } from "./native.mjs";
import { choose, in_use, site } from "./site.mjs";

/** Counts what the page asks its workers for, by the name of the request. */
const COUNT = () => {
  globalThis.asked = {};
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    const text = Array.isArray(message) ? message[0] : message;
    const [, name] = (typeof text === "string" && text.match(/^\{"(\w+)"/)) || [];
    if (name) globalThis.asked[name] = (globalThis.asked[name] ?? 0) + 1;
    return post.call(this, message, ...rest);
  };
};

/** Answers, of which a run of the same prompts is another figure. */
const RUNS_A_ROUND = 10;
const LOADS_A_ROUND = 2;
const QUESTIONS_A_ROUND = 25;

/** The processes of the browser that hold pages, by their numbers. */
async function renderers(browser) {
  const session = await browser.newBrowserCDPSession();
  try {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  } finally {
    await session.detach();
  }
}

/** Bytes that a process has in memory, shared ones left out, and how many workers run in it. */
function held(pid) {
  const bytes = (name) => 1024 * Number(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))[1]);
  const tasks = readdirSync(`/proc/${pid}/task`);
  const names = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, "utf8").trim());
  return { bytes: bytes("Private_Dirty") + bytes("Private_Clean"), workers: names.filter((name) => name.startsWith("DedicatedWorker")).length };
}

async function look(browser, page) {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.detach();
  const all = (await renderers(browser)).map(held);
  return { bytes: Math.max(...all.map(({ bytes }) => bytes)), workers: all.reduce((sum, { workers }) => sum + workers, 0) };
}

const asked = (page, name) => page.evaluate((name) => globalThis.asked[name] ?? 0, name);

/** Runs the figure with other answers or steps than before: nothing is remembered of it. */
async function run(page, turn) {
  await by(page, "steps").fill(`${10 + (turn % 7)}`);
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
}

/** Has the page ask its worker: heads are pinned one after the other, each of which is a figure of its own to ask about. */
async function ask(page, questions, turn) {
  const wanted = (await asked(page, "probe")) + questions;
  const cells = by(page, "heatmap-ap-heads").locator("td[data-layer][data-head]");
  const n = await cells.count();
  for (let next = turn; (await asked(page, "probe")) < wanted; next += 1) {
    const before = await asked(page, "probe");
    await cells.nth((next * 5) % n).click();
    await eventually(async () => {
      if ((await asked(page, "probe")) <= before) throw new Error("nothing was asked");
    });
    await page.locator("[data-testid=status][data-state=done]").waitFor();
  }
  await page.keyboard.press("Escape");
}

/**
 * Rounds of runs, loads and questions in one tab: `{ rounds, asked }`, with what was held and how long it took after each.
 * `say` hears of each round.
 */
export async function soak(browser, rounds, say = () => {}) {
  const here = await site({ folder: random_model("mini-random", "--size", "mini", "--std", "0.1") });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const found = [];
  try {
    await remember(context);
    await context.addInitScript(COUNT);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(here.url);
    await status(page, "done");
    await chapter(page, "why");
    const [title] = (await by(page, "model-report").innerText()).split(":");
    const bundled = { id: await by(page, "model-select").inputValue(), title };
    for (let round = 0; round < rounds; round += 1) {
      const begun = Date.now();
      for (let turn = 0; turn < RUNS_A_ROUND; turn += 1) await run(page, round * RUNS_A_ROUND + turn);
      const ran = Date.now();
      await ask(page, QUESTIONS_A_ROUND, round);
      const answered = Date.now();
      for (let turn = 0; turn < LOADS_A_ROUND; turn += 1) {
        const to = turn % 2 === 0 ? here.model : bundled;
        await choose(page, to);
        await in_use(page, to);
        await page.locator("[data-testid=run]:enabled").waitFor();
      }
      const seconds = { runs: (ran - begun) / 1000, questions: (answered - ran) / 1000, loads: (Date.now() - answered) / 1000 };
      found.push({ ...(await look(browser, page)), seconds });
      say(round, found.at(-1));
    }
    return { rounds: found, asked: await page.evaluate(() => globalThis.asked) };
  } finally {
    await context.close();
    await here.close();
  }
}
