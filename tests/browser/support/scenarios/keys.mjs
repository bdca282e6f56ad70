// By keys alone in every engine: to the figure and in it, through a pair that is typed, and through the tour.
import assert from "node:assert/strict";
import { EXAMPLES } from "../page.mjs";
import { COMMAND, at, attribute, count, complete, focused, gone, number, says, status, tab_to, table, text, there, until, value, visit } from "../tab.mjs";
import { agrees } from "./figure.mjs";

const has_focus = (tab, name) => until(tab, `the focus on ${name}`, (name) => document.activeElement?.dataset?.testid === name, name);

async function keyboard({ browser, server, pairs, native }) {
  const { other } = pairs;
  await visit(browser, `${server.url}?device=cpu`, async (tab) => {
    await complete(tab);
    // The first thing that a key reaches leads to the figure.
    await tab.press("Tab");
    await tab.press("Enter");
    const place = () => tab.run(() => [document.activeElement.closest("[data-testid]")?.dataset.testid, document.activeElement.dataset.layer, document.activeElement.dataset.head]);
    assert.deepEqual(await place(), ["heatmap-ig-heads", "0", "0"]);
    await tab.press("ArrowDown");
    await tab.press("ArrowRight");
    assert.deepEqual(await place(), ["heatmap-ig-heads", "1", "1"]);
    await says(tab, "readout", /^L1H1:/);
    await tab.press("Enter");
    await there(tab, `${at("heatmap-ig-heads")} td.pinned[data-layer='1'][data-head='1']`);
    await tab.press("Escape");
    await gone(tab, `${at("heatmap-ig-heads")} td.pinned`);

    // Settings give the focus back.
    await tab_to(tab, "settings-open", "Shift+Tab");
    await tab.press("Enter");
    await until(tab, "the settings", () => document.activeElement.id === "settings");
    await tab.press("Escape");
    await has_focus(tab, "settings-open");

    // A whole pair, and Run from within a field.
    const typed = { answer: other.answer[0], wrong: other.wrong[0], "prompt-clean": other.clean, "prompt-corrupted": other.corrupted };
    for (const [name, words] of Object.entries(typed)) {
      await tab_to(tab, name);
      await tab.press(`${COMMAND}+a`);
      await tab.type(words);
      assert.equal(await value(tab, name), words);
    }
    await until(tab, "Run", (css) => !document.querySelector(css).disabled, at("run"));
    await tab.press("Control+Enter");
    await status(tab, "running", "done");
    await says(tab, "status", /^(Heads done|Done)/);
    await status(tab, "done");
    await agrees(tab, native.other, ["noising"]);
  }, { settings: false });
}

const step = (tab, n) => there(tab, `[data-testid=tour][data-step='${n}']`);
const of_tour = (tab, name) => number(tab, `[data-testid=tour] [data-testid='${name}']`);

/** The head that the tour points at, with its two scores, which are the maps' own. */
async function pointed(tab) {
  const [layer, head] = [await attribute(tab, "tour-head", "data-layer"), await attribute(tab, "tour-head", "data-head")];
  await there(tab, `${at("heatmap-ap-heads")} [data-layer='${layer}'][data-head='${head}'][aria-selected=true]`);
  const [ig, ap] = [(await table(tab, "heatmap-ig-heads"))[layer][head], (await table(tab, "heatmap-ap-heads"))[layer][head]];
  assert.deepEqual([await of_tour(tab, "tour-ig"), await of_tour(tab, "tour-ap")], [ig, ap]);
  return { ig, ap };
}

async function tour({ browser, server }) {
  await visit(browser, `${server.url}?device=cpu&tour`, async (tab) => {
    await step(tab, 1);
    await has_focus(tab, "tour-next");
    const whole = await of_tour(tab, "toy-output");
    await tab_to(tab, "toy-input-1", "Shift+Tab");
    await tab.press("Space");
    assert.notEqual(await of_tour(tab, "toy-output"), whole);

    await tab.press("ArrowRight");
    await step(tab, 2);
    await has_focus(tab, "tour-next");
    await status(tab, "done");
    // It plays once by itself, and the area ends at the map's number.
    await there(tab, `${at("alpha")}:enabled`);
    await until(tab, "the end of the play", () => {
      const value = (name) => document.querySelector(`[data-testid=tour] [data-testid=${name}]`)?.dataset.value;
      return value("tour-ig") !== undefined && value("tour-ig-now") === value("tour-ig");
    });
    const whole_ig = await of_tour(tab, "tour-ig");
    await tab_to(tab, "alpha", "Shift+Tab");
    await tab.press("Home");
    assert.equal(await of_tour(tab, "tour-ig-now"), 0);
    await tab.press("ArrowRight");
    const little = Math.abs(await of_tour(tab, "tour-ig-now"));
    assert.ok(little > 0 && little < Math.abs(whole_ig), "the area has begun to grow, and the step is the same");
    await step(tab, 2);

    await tab_to(tab, "tour-next");
    await tab.press("Enter");
    await step(tab, 3);
    const agree = await pointed(tab);
    assert.ok(Math.abs(agree.ig - agree.ap) < 0.1 * Math.abs(agree.ap), "nearly the same");
    await has_focus(tab, "tour-next");
    await tab.press("Enter");
    await step(tab, 4);
    await until(tab, "the first example", (clean) => document.querySelector("[data-testid=prompt-clean]").value === clean, EXAMPLES[0].clean);
    await status(tab, "done");
    const differ = await pointed(tab);
    assert.ok(Math.abs(differ.ig - differ.ap) > 0.2 * Math.abs(differ.ap));

    await tab.press("ArrowRight");
    await step(tab, 5);
    await tab_to(tab, "tour-replace", "Shift+Tab");
    await tab.press("Enter");
    assert.ok((await of_tour(tab, "tour-replaced")) > 0.5);
    assert.match(await text(tab, "tour-replaced"), /takes [\d.]+ % of the gap/);
    await tab.press("Escape");
    await gone(tab, "tour");
    assert.equal(await focused(tab), "tour-start");
    assert.equal(await count(tab, "tour"), 0);
    const address = await tab.url();
    assert.ok(!address.includes("tour") && address.includes("device=cpu"), address);
  }, { settings: false, auto_run: true });
}

export const KEYS = [
  { name: "keys lead to the figure and in it, through the settings, and through a pair of one's own", run: keyboard },
  { name: "the tour goes by keys alone, with the maps' numbers", run: tour },
];
