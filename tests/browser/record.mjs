// Records the README's moving picture: a visitor's first twenty seconds, as an animated PNG. `cargo xtask record` starts it.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import UPNG from "upng-js";
import { by, launch, open, status } from "./support/page.mjs";
import { serve } from "./support/server.mjs";

const FILE = fileURLToPath(new URL("../../assets/twinbeam.png", import.meta.url));
const SIZE = { width: 1280, height: 800 };
/** Points of the picture per point of the page. */
const SCALE = 0.6;
/** Colours of the picture: more are not told apart at its size. */
const COLOURS = 96;

const server = await serve();
const browser = await launch();
const { page, close } = await open(browser, `${server.url}?device=cpu`, { settings: false, viewport: SIZE, deviceScaleFactor: SCALE });
const frames = [];

/** What is seen now stays for some milliseconds. */
async function show(millis) {
  frames.push({ png: await page.screenshot({ animations: "disabled", caret: "initial" }), millis });
}

const cell = (map, layer, head) => by(page, `heatmap-${map}-heads`).locator(`[data-layer='${layer}'][data-head='${head}']`);
/** The strongest heads of a map, the strongest first, as `[layer, head]`. */
const strongest = (map, n) =>
  by(page, `heatmap-${map}-heads`).evaluate((table, n) => {
    const cells = [...table.querySelectorAll("[data-value]")].map((cell) => ({ ...cell.dataset }));
    cells.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    return cells.slice(0, n).map(({ layer, head }) => [layer, head]);
  }, n);

await status(page, "done");
await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
await show(2200);

// Pointing answers.
for (const [layer, head] of await strongest("ig", 3)) {
  await cell("ig", layer, head).hover();
  await page.waitForTimeout(400);
  await show(1100);
}
// Where the two part most.
const [[layer, head]] = await strongest("diff", 1);
await cell("diff", layer, head).click();
await page.waitForTimeout(800);
await show(2600);
await page.keyboard.press("Escape");
await page.mouse.move(5, 5);

// Another prompt, typed.
await by(page, "prompt-clean").focus();
await page.keyboard.press("End");
for (const word of " and the chairs".match(/.{1,3}/g)) {
  await page.keyboard.type(word);
  await page.waitForTimeout(150);
  await show(220);
}
await show(900);
const added = " and the chairs";
await by(page, "prompt-corrupted").fill((await by(page, "prompt-corrupted").inputValue()) + added);
await page.waitForTimeout(300);
await show(500);
// On a machine that is slow Run waits to be pressed.
await page.locator("[data-testid=run]:enabled").waitFor();
await by(page, "run").click();
await status(page, "done");
await page.evaluate(() => document.activeElement.blur());
await page.waitForTimeout(300);
await show(2400);

// What the two methods do.
await by(page, "tour-start").click();
await by(page, "tour-next").click();
const alpha = by(page, "alpha");
await alpha.waitFor();
for (let step = 0; step <= 10; step += 1) {
  await alpha.fill(`${step / 10}`);
  await page.waitForTimeout(120);
  await show(300);
}
await show(2200);

const images = frames.map(({ png }) => UPNG.decode(png));
const [{ width, height }] = images;
const pixels = images.map((image) => UPNG.toRGBA8(image)[0]);
const file = UPNG.encode(pixels, width, height, COLOURS, frames.map(({ millis }) => millis));
writeFileSync(FILE, Buffer.from(file));
const seconds = frames.reduce((sum, { millis }) => sum + millis, 0) / 1000;
console.log(`${FILE}: ${width} x ${height}, ${frames.length} pictures, ${seconds.toFixed(1)} s, ${(file.byteLength / 1000).toFixed(0)} kB`);

await close();
await browser.close();
await server.close();
