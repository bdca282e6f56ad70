// What is seen of the page and done to it in a tab of any engine: each waits for what it wants to see.
import assert from "node:assert/strict";
import { PATIENCE } from "./page.mjs";

/** The key that goes with another to select all, to copy and to paste. */
export const COMMAND = process.platform === "darwin" ? "Meta" : "Control";

/** The selector of an element by the name that it has for tests, or any selector as it is. */
export const at = (name) => (/^[\w-]+$/.test(name) ? `[data-testid='${name}']` : name);

/** Asks a script of the page again until it gives something that counts, and gives that. A tab may have a `patience` of its own. */
export async function until(tab, what, script, ...values) {
  const end = Date.now() + (tab.patience ?? PATIENCE);
  for (;;) {
    let last;
    try {
      last = await tab.run(script, ...values);
    } catch (error) {
      // The page may just be going to another address.
      last = error;
    }
    if (last && !(last instanceof Error)) return last;
    if (Date.now() > end) assert.fail(`${what} was waited for in vain (${last}); the page says: ${await said(tab)}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

/** What the page says of its state, for whoever has waited in vain. */
async function said(tab) {
  const texts = (names) => names.map((name) => document.querySelector(`[data-testid=${name}]`)?.innerText).join(" / ");
  return tab.run(texts, ["status", "notice", "device-report", "model-report"]).catch((error) => `${error}`);
}

/** Words of an element, once it is there. */
export const text = (tab, name) => until(tab, name, (css) => document.querySelector(css)?.innerText, at(name));

/** What an element's attribute says, once it has it. */
export const attribute = (tab, name, key) => until(tab, `${name}'s ${key}`, (css, key) => document.querySelector(css)?.getAttribute(key), at(name), key);

/** A number that an element carries for programs, once it has one. */
export const number = async (tab, name) => Number(await attribute(tab, name, "data-value"));

/** What is in a field. */
export const value = (tab, name) => tab.run((css) => document.querySelector(css).value, at(name));

/** How many elements there are. */
export const count = (tab, css) => tab.run((css) => document.querySelectorAll(css).length, at(css));

export const there = (tab, css) => until(tab, css, (css) => Boolean(document.querySelector(css)), at(css));
export const gone = (tab, css) => until(tab, `the end of ${css}`, (css) => !document.querySelector(css), at(css));

/** Waits for words, and gives all those of the first element that has them. */
export async function says(tab, name, words) {
  const find = (css, source, flags) => {
    const words = new RegExp(source, flags);
    return [...document.querySelectorAll(css)].map((element) => element.innerText).find((text) => words.test(text));
  };
  return until(tab, `${name} with ${words}`, find, at(name), words.source, words.flags);
}

/** Waits for one of some states of the status line; an error that it shows instead is the test's. */
export async function status(tab, ...states) {
  const state = (wanted) => {
    const state = document.querySelector("[data-testid=status]")?.dataset.state;
    return wanted.includes(state) && state;
  };
  const reached = await until(tab, states.join(" or "), state, [...states, "error"]);
  assert.ok(states.includes(reached), `the page says: ${await said(tab)}`);
}

/** Waits until the heads and then the neurons are computed, so that nothing runs. */
export async function complete(tab) {
  await status(tab, "done");
  await there(tab, "[data-testid=neuron-status][data-state=done]");
}

/** Clicks on an element as soon as it is enabled, does not move, and nothing lies above its middle. */
export async function click(tab, name) {
  let before;
  const place = (css) => {
    const element = document.querySelector(css);
    if (!element || element.disabled) return undefined;
    element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const { left, top, width, height } = element.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return element.contains(hit) ? [left, top, width, height].join() : undefined;
  };
  const end = Date.now() + PATIENCE;
  for (;;) {
    const now = await until(tab, `a place to click on ${name}`, place, at(name));
    if (now === before || Date.now() > end) break;
    before = now;
  }
  await tab.click(at(name));
}

/** Types into a field in place of what is in it. */
export async function fill(tab, name, text) {
  await there(tab, name);
  await tab.run((css) => {
    const field = document.querySelector(css);
    field.focus();
    field.select();
  }, at(name));
  if (text === "") await tab.press("Backspace");
  else await tab.type(text);
  await until(tab, `${text} in ${name}`, (css, text) => document.querySelector(css).value === text, at(name), text);
}

/** Chooses from a list as if by hand: what a browser opens for that is no part of the page. */
export async function choose(tab, name, value) {
  await there(tab, `${at(name)} option[value='${value}']`);
  const chosen = await tab.run((css, value) => {
    const list = document.querySelector(css);
    list.value = value;
    for (const type of ["input", "change"]) list.dispatchEvent(new Event(type, { bubbles: true }));
    return list.value;
  }, at(name), value);
  assert.equal(chosen, value);
}

/** The name of what has the focus. */
export const focused = (tab) => tab.run(() => document.activeElement?.dataset?.testid ?? document.activeElement?.tagName);

/** Presses Tab, or another key, until an element has the focus. */
export async function tab_to(tab, name, key = "Tab") {
  for (let n = 0; n < 80; n++) {
    if ((await focused(tab)) === name) return;
    await tab.press(key);
  }
  assert.fail(`${key} does not lead to ${name}, but to ${await focused(tab)}`);
}

/** A head map as a table of numbers, `[n_layers][n_heads]`. */
export async function table(tab, name) {
  const cells = await tab.run(
    (css) => [...document.querySelectorAll(`${css} [data-layer][data-head]`)].map(({ dataset }) => [dataset.layer, dataset.head, dataset.value]),
    at(name),
  );
  const rows = [];
  for (const [layer, head, value] of cells) (rows[layer] ??= [])[head] = value == null ? NaN : Number(value);
  return rows;
}

/**
 * Opens an address in a new tab, tests it there, and looks for errors of the page. As in the other suites the browser remembers a
 * visitor who keeps the settings open and runs edits by hand, unless it is said otherwise.
 * `expected` are words of errors that the test itself brings about.
 */
export async function visit(browser, address, body, { settings = true, auto_run = false, expected } = {}) {
  const tab = await browser.visit();
  try {
    // A picture of the page's own site: it has the storage, and no program that would read it before it is written.
    await tab.goto(new URL("card.png", address.split("#")[0].split("?")[0]).href);
    await tab.run((settings, auto_run) => {
      if (settings) localStorage.setItem("twinbeam-settings", "yes");
      if (!auto_run) localStorage.setItem("twinbeam-auto-run", "off");
    }, settings, auto_run);
    await tab.goto(address);
    const result = await body(tab);
    assert.deepEqual((await tab.errors()).filter((error) => !expected?.test(error)), []);
    return result;
  } finally {
    await tab.close();
  }
}
