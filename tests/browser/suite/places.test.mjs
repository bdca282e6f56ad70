// Browsers that lack something: the page computes all the same, and says why it does so there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AT_NOTEBOOK, by, launch, open, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

let browser, server;
before(async () => {
  // A name that is not this machine's own: over plain http the browser trusts it with nothing.
  browser = await launch({ more: ["--host-resolver-rules=MAP elsewhere.test 127.0.0.1"] });
  server = await serve();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

test("without an adapter the CPU computes, and the page says that there is none", async () => {
  const { page, errors, close } = await open(browser, server.url);
  await status(page, "done");
  assert.match(await by(page, "device-report").innerText(), /CPU.*No usable GPU: this browser offers none by WebGPU/s);
  assert.deepEqual(errors, []);
  await close();
});

test("over plain http there is neither WebGPU nor a clipboard: the CPU computes, and the link can be copied by hand", async () => {
  const { page, close } = await open(browser, server.url.replace("127.0.0.1", "elsewhere.test"));
  await status(page, "done");
  assert.equal(await page.evaluate(() => isSecureContext || "gpu" in navigator || "clipboard" in navigator), false);
  assert.match(await by(page, "device-report").innerText(), /CPU.*No usable GPU/s);
  await by(page, "share-open").click();
  await by(page, "share").click();
  await page.locator("[data-testid=share-length]", { hasText: "copy it by hand" }).waitFor();
  assert.match(await page.locator(".share-link").inputValue(), /#v1=/);
  await by(page, "share-close").click();
  await by(page, "direction").selectOption("denoising");
  assert.ok((await table(page, "heatmap-ap-heads")).flat().every(Number.isFinite), "the page lives");
  await close();
});

test("a GPU that is asked for and is not there is said aloud, and the CPU computes", async () => {
  const { page, close } = await open(browser, `${server.url}?device=gpu`);
  await page.locator("[data-testid=notice]", { hasText: /The GPU cannot be used, so the CPU computes.*This browser offers none by WebGPU/s }).waitFor();
  await status(page, "done");
  assert.match(await by(page, "device-report").innerText(), /^CPU.*No usable GPU: this browser offers none by WebGPU/s);
  await close();
});

test("a browser that keeps nothing, and one that refuses the clipboard, lose nothing else", async () => {
  const { page, errors, close } = await open(browser, "about:blank", { permissions: [] });
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, "localStorage", { get: () => { throw new DOMException("denied", "SecurityError"); } });
    if (navigator.clipboard) navigator.clipboard.writeText = () => Promise.reject(new DOMException("denied", "NotAllowedError"));
  });
  await page.goto(`${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  await by(page, "share-open").click();
  await by(page, "share").click();
  await page.locator("[data-testid=share-length]", { hasText: "copy it by hand" }).waitFor();
  assert.match(await page.locator(".share-link").inputValue(), /#v1=/);
  assert.deepEqual(errors, []);
  await close();
});

test("prompts that are the same: all scores are 0, and what is undefined says so", async () => {
  const { page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  await status(page, "done");
  await by(page, "prompt-corrupted").fill(await by(page, "prompt-clean").inputValue());
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").dblclick();
  await status(page, "done");
  assert.ok((await table(page, "heatmap-ig-heads")).flat().every((score) => score === 0));
  assert.match(await by(page, "agreement").innerText(), /Pearson correlation undefined/);
  assert.deepEqual(errors, []);
  await close();
});

const WORDS = "word ".repeat(70);
for (const [name, prompt, said] of [
  ["empty", "", /prompt is empty/],
  ["spaces", "   ", /prompt is empty/],
  ["too many tokens", WORDS, /reads at most 64/],
  ["a million characters", "a ".repeat(500_000), /characters/],
]) {
  test(`a prompt of the kind "${name}" has a message, and nothing is cut`, async () => {
    const { page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
    await status(page, "done");
    await by(page, "prompt-clean").fill(prompt);
    await by(page, "prompt-corrupted").fill(prompt);
    await page.locator("[data-testid=problem]", { hasText: said }).waitFor({ timeout: 30_000 });
    assert.equal(await by(page, "run").isDisabled(), true);
    assert.equal(await by(page, "prompt-clean").inputValue(), prompt);
    assert.deepEqual(errors, []);
    await close();
  });
}
