// What follows a key press: tokens at once, a run by itself, an offer that mends; and what a reload keeps.
// Runs alone: it measures how soon tokens are there while the worker computes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse } from "../support/link.mjs";
import { by, eventually, launch, open, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

let browser, server;
before(async () => {
  browser = await launch();
  server = await serve("/some/folder/");
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Opens the page with its first figure and its neurons complete, so that nothing runs. */
async function visit(body, options) {
  const visited = await open(browser, `${server.url}?device=cpu`, options);
  try {
    await status(visited.page, "done");
    await by(visited.page, "neuron-status").and(visited.page.locator("[data-state=done]")).waitFor();
    await body(visited.page);
    assert.deepEqual(visited.errors, []);
  } finally {
    await visited.close();
  }
}

/** Notes, for every key press from now on, how long it takes until the clean prompt's tokens are others. */
const watch = (page) =>
  page.evaluate(() => {
    const row = document.querySelector("[data-testid=token-row-clean]");
    const said = () => row.innerText;
    globalThis.delays = [];
    let [pressed, before] = [undefined, said()];
    document.addEventListener("input", () => (pressed ??= performance.now()), true);
    new MutationObserver(() => {
      if (pressed !== undefined && said() !== before) {
        delays.push(performance.now() - pressed);
        [pressed, before] = [undefined, said()];
      }
    }).observe(row, { subtree: true, childList: true, characterData: true });
  });

test("tokens follow a key press within 50 ms while the worker computes neurons, and the answers' chances between two steps", async () => {
  await visit(async (page) => {
    await by(page, "steps").fill("300");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
    const running = by(page, "neuron-status").and(page.locator("[data-state=running]"));
    await running.waitFor();
    assert.match(await by(page, "status").innerText(), /^Heads done in [\d.]+ s, neurons( \d+ %)?$/);
    await watch(page);
    await by(page, "prompt-clean").focus();
    const chance = page.locator(".likelihoods.clean .pill").first();
    const before = await chance.getAttribute("data-share");
    // Each key is a token or ends one: the row changes with every one.
    for (const key of " a b c d e f g h") {
      await page.keyboard.press(key);
      await page.waitForTimeout(40);
    }
    const delays = (await page.evaluate(() => delays)).sort((a, b) => a - b);
    assert.equal(await running.count(), 1, "all of it while the neurons are computed");
    console.log(`tokens after ${delays.map((delay) => delay.toFixed(0)).join(", ")} ms`);
    assert.ok(delays.length >= 8, `${delays.length} changes were seen`);
    const share = (part) => delays[Math.floor(part * (delays.length - 1))];
    assert.ok(share(0.5) <= 50, `${delays}`);
    // Some meet the page while it draws the neurons that have come.
    assert.ok(share(0.9) <= 100, `${delays}`);
    await eventually(async () => assert.notEqual(await chance.getAttribute("data-share"), before));
    assert.equal(await running.count(), 1, "predictions did not end the job");
  });
});

test("an edit is run by itself when typing pauses if that is quick, else Run says how long it takes", async () => {
  await visit(
    async (page) => {
      const address = page.url();
      const before = await table(page, "heatmap-ig-heads");
      for (const steps of ["3", "2"]) {
        await by(page, "steps").fill(steps);
        await eventually(async () => assert.equal(parse(page.url()).n_steps, Number(steps)));
        await status(page, "done");
      }
      assert.notDeepEqual(await table(page, "heatmap-ig-heads"), before);
      await by(page, "steps").fill("300");
      await page.locator("[data-testid=run]", { hasText: /^Run, about \d+ s$/ }).waitFor();
      await page.waitForTimeout(1000);
      assert.equal(await by(page, "status").getAttribute("data-state"), "stale", "nobody has asked for that");
      // Both edits were one step of the history.
      await page.goBack();
      await status(page, "done");
      assert.equal(parse(page.url()).n_steps, parse(address).n_steps);

      await by(page, "auto-run").uncheck();
      await by(page, "steps").fill("3");
      await page.locator("[data-testid=run]:enabled").waitFor();
      await page.waitForTimeout(1000);
      assert.equal(await by(page, "status").getAttribute("data-state"), "stale");
      await page.reload();
      await status(page, "done", "stale");
      assert.equal(await by(page, "auto-run").isChecked(), false, "the choice is remembered");
    },
    { auto_run: true },
  );
});

test("prompts of unequal length come with a click that makes them equal, and the run goes on from there", async () => {
  await visit(async (page) => {
    const [clean, corrupted] = await Promise.all(["clean", "corrupted"].map((side) => by(page, `prompt-${side}`).inputValue()));
    const longer = corrupted.replace(" near ", " near the ");
    assert.notEqual(longer, corrupted);
    await by(page, "prompt-corrupted").fill(longer);
    const drop = page.getByRole("button", { name: "Drop “·the” from the corrupted prompt" });
    await drop.waitFor();
    assert.equal(await by(page, "run").isDisabled(), true);
    await page.getByRole("button", { name: "Add “·the” to the clean prompt" }).click();
    assert.equal(await by(page, "prompt-clean").inputValue(), clean.replace(" near ", " near the "));
    await page.locator("[data-testid=run]:enabled").waitFor();
    assert.equal(await by(page, "mend").count(), 0);
    await by(page, "prompt-clean").fill(clean);
    await drop.click();
    assert.equal(await by(page, "prompt-corrupted").inputValue(), corrupted);
    await status(page, "done");
  });
});

test("Run takes the place of a running one, and a reload keeps what was not run", async () => {
  await visit(async (page) => {
    await by(page, "steps").fill("300");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "running");
    assert.equal(await by(page, "run").isDisabled(), true, "it is what is running");
    await by(page, "steps").fill("4");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
    assert.equal(parse(page.url()).n_steps, 4);

    const edit = `${await by(page, "prompt-clean").inputValue()} `;
    await by(page, "prompt-clean").fill(edit);
    await page.locator("[data-testid=hints-clean]", { hasText: /Ends in a space/ }).waitFor();
    await page.reload();
    await status(page, "stale", "done");
    assert.equal(await by(page, "prompt-clean").inputValue(), edit);
    await page.locator("[data-testid=notice]", { hasText: "Your edits are back" }).waitFor();
  });
});

test("what is typed before the first figure is there waits for it, and survives a reload too", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu`);
  const edit = "half a sentence";
  await by(page, "prompt-clean").fill(edit);
  await status(page, "stale");
  await page.locator("[data-testid=heatmap-ap-heads] [data-value]").first().waitFor();
  assert.ok((await table(page, "heatmap-ap-heads")).flat().every(Number.isFinite), "the figure is of the page's own prompts");
  await page.reload();
  await page.locator("[data-testid=notice]", { hasText: "Your edits are back" }).waitFor();
  assert.equal(await by(page, "prompt-clean").inputValue(), edit);
  assert.deepEqual(errors, []);
  await close();
});

test("a reader that dies is not missed: the worker with the model looks at what is typed", async () => {
  await visit(async (page) => {
    // The one that was started last has no model.
    const { length } = page.workers();
    assert.equal(length, 2, "one computes, one reads");
    const closed = new Promise((gone) => page.workers()[1].on("close", gone));
    await page.workers()[1].evaluate(() => setTimeout(() => { throw new Error("out of memory"); }));
    await closed;
    await by(page, "prompt-corrupted").fill("three tokens are");
    await page.locator("[data-testid=notice]", { hasText: "differ in length" }).waitFor();
    assert.match(await by(page, "token-row-corrupted").innerText(), /·to\s+k\s+en\s+s/, "its tokens are seen");
    assert.equal(page.workers().length, 1);
  });
});
