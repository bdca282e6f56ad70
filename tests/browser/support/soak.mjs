// One tab for a long time: runs, models and questions by the hundred, and what the browser holds meanwhile.
import { alone } from "./alone.mjs";
import { random_model } from "./native.mjs";
import { PATIENCE } from "./page.mjs";
import { site } from "./site.mjs";

/** Comes before the page's own scripts: the settings of who runs edits by hand, and a count of what workers are asked for. */
const COUNT = () => {
  localStorage.setItem("twinbeam-settings", "yes");
  localStorage.setItem("twinbeam-auto-run", "off");
  globalThis.asked = {};
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    const text = Array.isArray(message) ? message[0] : message;
    const [, name] = (typeof text === "string" && text.match(/^\{"(\w+)"/)) || [];
    if (name) globalThis.asked[name] = (globalThis.asked[name] ?? 0) + 1;
    return post.call(this, message, ...rest);
  };
  globalThis.programs = [];
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const instantiate = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const made = await instantiate.apply(WebAssembly, given);
      globalThis.programs.push((made.instance ?? made).exports.memory);
      return made;
    };
  }
};

/** Does all of it, in the page, and reports after each round. */
const DRIVE = async ({ rounds, runs, questions, models, patience }) => {
  const by = (id) => document.querySelector(`[data-testid=${id}]`);
  const asked = (name) => globalThis.asked[name] ?? 0;
  const pause = (millis) => new Promise((go) => setTimeout(go, millis));
  const report = (what) => fetch(`report?${encodeURIComponent(JSON.stringify(what))}`);
  const until = async (what, check) => {
    const end = Date.now() + patience;
    while (!check()) {
      if (Date.now() > end) throw new Error(`${what}, and the page says: ${by("status")?.innerText} ${by("notice")?.innerText ?? ""}`);
      await pause(5);
    }
  };
  const state = (of) => by(of)?.dataset.state;
  const is_done = () => state("status") === "done";
  const can_run = () => by("run") && !by("run").disabled;
  const set = (element, value, event) => {
    element.value = value;
    element.dispatchEvent(new Event(event, { bubbles: true }));
  };

  /** Runs the figure with other steps than before: nothing is remembered of it. */
  const run = async (turn) => {
    const before = asked("run");
    set(by("steps"), `${10 + (turn % 7)}`, "input");
    let pressed = 0;
    await until("no run begins", () => {
      if (asked("run") > before) return true;
      // A press that comes before the page has looked at the steps is nothing.
      if (can_run() && Date.now() > pressed + 300) {
        pressed = Date.now();
        by("run").click();
      }
      return false;
    });
    await until("no run ends", is_done);
  };
  /** Has the page ask its worker: heads are pinned one after the other, each of which is a figure of its own to ask about. */
  const ask = async (turn) => {
    const wanted = asked("probe") + questions;
    for (let next = turn; asked("probe") < wanted; next += 1) {
      const before = asked("probe");
      const cells = document.querySelectorAll("[data-testid=heatmap-ap-heads] td[data-layer][data-head]");
      cells[(next * 5) % cells.length].click();
      await until("nothing is asked", () => asked("probe") > before);
      await until("no answer comes", is_done);
    }
  };
  const load = async ({ id, title }) => {
    const is_in_use = () => by("model-report")?.innerText.startsWith(`${title}:`);
    set(by("model-select"), id, "change");
    await until("no model is offered", () => is_in_use() || by("model-load"));
    if (!is_in_use()) by("model-load").click();
    await until("no model is loaded", () => is_in_use() && can_run());
  };

  try {
    await until("no figure is drawn", is_done);
    by("chapter-why").click();
    await until("no chapter opens", () => by("panel-why"));
    for (let round = 0; round < rounds; round += 1) {
      const begun = Date.now();
      for (const model of models) await load(model);
      const loaded = Date.now();
      // What is looked at is a worker at the height of its work, and not one that has just begun.
      for (let turn = 0; turn < runs; turn += 1) await run(round * runs + turn);
      // Those of the runs before were given up for the next one, as by a visitor who tries several.
      await until("no neurons come", () => state("neuron-status") === "done");
      const ran = Date.now();
      await ask(round);
      const seconds = { loads: (loaded - begun) / 1000, runs: (ran - loaded) / 1000, questions: (Date.now() - ran) / 1000 };
      // A worker that is replaced takes a moment to end.
      await pause(500);
      for (let time = 0; time < 2; time += 1) await globalThis.gc({ type: "major", execution: "async" });
      await report({
        seconds,
        heap: performance.memory.usedJSHeapSize,
        program: globalThis.programs.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
        elements: document.querySelectorAll("*").length,
        steps: history.length,
        address: location.href.length,
      });
    }
    await report({ asked: globalThis.asked });
  } catch (error) {
    await report({ failed: `${error.message}; asked: ${JSON.stringify(globalThis.asked)}` });
  }
};

const RUNS_A_ROUND = 10;
const QUESTIONS_A_ROUND = 25;

/**
 * Rounds of runs, loads and questions in one tab: `{ rounds, asked }`, with what was held and how long it took after each.
 * `say` hears of each round.
 */
export async function soak(rounds, say = () => {}) {
  const found = [];
  let browser;
  let finish;
  const finished = new Promise((go) => (finish = go));
  const heard = () => {
    const { path } = here.requests.findLast(({ path }) => path.includes("/report?"));
    const what = JSON.parse(decodeURIComponent(path.split("?")[1]));
    if (!what.seconds) return finish(what);
    found.push({ ...browser.look(), ...what });
    say(found.length, found.at(-1));
  };
  const here = await site({
    folder: random_model("mini-random", "--size", "mini", "--std", "0.1"),
    files: (models) => ({
      "count.js": `(${COUNT})();`,
      "drive.js": `(${DRIVE})(${JSON.stringify({ rounds, runs: RUNS_A_ROUND, questions: QUESTIONS_A_ROUND, models, patience: PATIENCE })});`,
      // The page waits for the answer: nothing moves while it is looked at.
      report: () => (heard(), ""),
    }),
    scripts: ["count.js", "drive.js"],
  });
  try {
    // How many workers compute at once would depend on how fast they have been.
    browser = alone(here.url.replace("?", "?workers=1&"));
    const last = await Promise.race([finished, browser.ended.then(() => ({ failed: "the browser has ended" }))]);
    if (last.failed) throw new Error(last.failed);
    return { rounds: found, asked: last.asked };
  } finally {
    await browser?.close();
    await here.close();
  }
}
