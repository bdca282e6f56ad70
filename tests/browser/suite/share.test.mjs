// Sending a figure on: the dialog, the sender's note, a frame that fits, a slide, paper, and the page's card.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse, print } from "../support/link.mjs";
import { AT_NOTEBOOK, by, eventually, launch, link_of, no_faults, open, saved_bytes, sharing, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const PICTURES = fileURLToPath(new URL("../test-results/", import.meta.url));
/** The script that docs/SHARING.md has for pages with a frame in them. */
const [, FRAMES] = readFileSync(new URL("../../../docs/SHARING.md", import.meta.url), "utf8").match(/```js\n(.*?)```/s);
const HOST = (frame) => `<!doctype html><html lang="en"><head>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; frame-src 'self'">
<title>Another page</title><script src="frames.js"></script><script src="heard.js"></script></head><body>${frame}</body></html>`;
const HEARD = 'globalThis.heard = []; addEventListener("message", ({ data }) => heard.push(data)); globalThis.refused = []; addEventListener("securitypolicyviolation", ({ violatedDirective }) => refused.push(violatedDirective));';

let browser, server, page, errors, close;
const files = { "frames.js": FRAMES, "heard.js": HEARD, "bare.js": "" };
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
  server = await serve("/some/folder/", { files });
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`));
  await status(page, "done");
});
after(async () => {
  assert.deepEqual(errors, []);
  await close?.();
  await browser?.close();
  await server?.close();
});

/** Opens a link in a browser that knows nothing of its sender. */
async function receive(link, options) {
  const visited = await open(browser, "about:blank", options);
  await visited.page.goto(link.replace("#", "?device=cpu#"));
  return visited;
}

const focused = (page) => page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.id);

test("the dialog is opened, used and left by keyboard, and axe finds no fault with it", async () => {
  await by(page, "share-open").focus();
  await page.keyboard.press("Enter");
  await by(page, "share-preview").waitFor();
  const seen = [await focused(page)];
  for (let n = 0; n < 20 && seen.at(-1) !== "share-note"; n++) {
    await page.keyboard.press("Tab");
    seen.push(await focused(page));
  }
  assert.equal(seen.at(-1), "share-note", `${seen}`);
  await page.keyboard.type("Layer 0 does it.");
  assert.match(await by(page, "share-preview").innerText(), /sender of this link writes:[^]*Layer 0 does it\.[^]*not Twinbeam’s/);
  const reached = new Set();
  for (let n = 0; n < 14; n++) {
    await page.keyboard.press("Tab");
    reached.add(await focused(page));
  }
  for (const testid of ["share", "permalink", "embed", "export-slide", "export-csv", "export-bundle"]) {
    assert.ok(reached.has(testid), `${testid} of ${[...reached]}`);
  }
  await by(page, "embed").focus();
  await page.keyboard.press("Space");
  await by(page, "embed-line").waitFor();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}share-${colorScheme}.png` });
    await no_faults(page);
  }
  const low = await by(page, "share-dialog").locator("button, a, input").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 32).map((one) => one.outerHTML));
  assert.deepEqual(low, [], "each is at least 32 pixels high");
  await page.keyboard.press("Escape");
  assert.equal(await by(page, "share-dialog").isVisible(), false);
  assert.equal(await focused(page), "share-open");
});

test("what the receiver will see is what is on the screen: direction, unit and numbers", async () => {
  await by(page, "direction").selectOption("denoising");
  await by(page, "unit").selectOption("share");
  const cells = await page.locator("[data-testid^=heatmap-][data-testid$=-heads] td[data-layer] .number").allInnerTexts();
  await sharing(page, async () => {
    assert.match(await by(page, "share-preview").innerText(), /Bundled model; denoising; unit: of the gap; one scale/);
    const drawing = decodeURIComponent(await by(page, "share-preview").locator("img").getAttribute("src"));
    assert.deepEqual([...drawing.matchAll(/class="cell[^>]*>([^<]*)</g)].map(([, text]) => text), cells);
    assert.ok(await by(page, "share-preview").locator("img").evaluate((image) => image.decode().then(() => image.naturalWidth > 500)));
  });
  await by(page, "direction").selectOption("noising");
  await by(page, "unit").selectOption("metric");
  // Inputs that were not run, and here cannot be, have no figure to send.
  await by(page, "prompt-clean").fill("Too short");
  await sharing(page, async () => {
    await by(page, "share-no-figure").waitFor();
    const link = parse(await by(page, "permalink").getAttribute("href"));
    assert.deepEqual([link.clean, link.result], ["Too short", undefined]);
  });
  await by(page, "drop-edits").click();
});

test("a note arrives as the sender's words and as nothing else, is not passed on, and goes when it is closed", async () => {
  const hostile = `<img src=x onerror="globalThis.hit = 1"> [a](https://evil.example/) https://evil.example/ \u202egnp\u200b "quoted"\nend`;
  const plain = `<img src=x onerror="globalThis.hit = 1"> [a](https://evil.example/) https://evil.example/ gnp "quoted" end`;
  const link = await sharing(page, async () => {
    await by(page, "share-note").fill(hostile);
    return by(page, "permalink").getAttribute("href");
  });
  assert.equal(parse(link).view.note, plain);
  const { page: other, errors, close } = await receive(link);
  assert.equal(await by(other, "sender-note").locator("blockquote").textContent(), plain);
  assert.match(await by(other, "sender-note").innerText(), /sender of this link writes:[^]*not Twinbeam’s/);
  await status(other, "done");
  assert.equal(await by(other, "sender-note").locator("a, img").count(), 0);
  assert.equal(await other.evaluate(() => globalThis.hit), undefined);
  assert.equal(parse(await link_of(other)).view?.note, undefined, "a link of one's own has no words of others");
  const low = await by(other, "close-note").evaluate((button) => button.getBoundingClientRect().height);
  assert.ok(low >= 32, `${low} px`);
  await by(other, "close-note").click();
  assert.equal(await by(other, "sender-note").count(), 0);
  await eventually(async () => assert.equal(parse(other.url()).view?.note, undefined));
  assert.deepEqual(errors, []);
  await close();

  // However it was put into a link, it is cut, and cleaned of what hides.
  const long = await receive(`${server.url}${print({ view: { note: `\u202e${"é".repeat(5000)}` } })}`);
  assert.equal(await by(long.page, "sender-note").locator("blockquote").textContent(), "é".repeat(280));
  const width = await long.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 1280, `${width} px`);
  await long.close();
  await sharing(page, () => by(page, "share-note").fill(""));
});

test("a frame tells the page around it how high it is, where that allows no style and no other script", async () => {
  const line = await sharing(page, async () => {
    await by(page, "embed").click();
    return by(page, "embed-line").inputValue();
  });
  files["host.html"] = HOST(line);
  files["bare.html"] = HOST(line).replace("frames.js", "bare.js");
  const { page: host, errors, close } = await open(browser, `${server.url}host.html`, { viewport: { width: 1200, height: 900 } });
  const frame = host.locator("iframe");
  const fits = async () => {
    const inside = await frame.evaluate((frame) => frame.contentDocument.body.offsetHeight);
    assert.ok(inside > 300, `${inside} px`);
    assert.equal(Number(await frame.getAttribute("height")), inside);
    assert.equal(await frame.evaluate((frame) => frame.contentWindow.innerHeight), inside, "nothing is left to scroll");
    return inside;
  };
  await host.frameLocator("iframe").locator("[data-testid=heatmap-ap-heads] td[data-value]").first().waitFor();
  const wide = await eventually(fits);
  await host.setViewportSize({ width: 420, height: 900 });
  await eventually(async () => assert.ok((await fits()) > wide, "in a narrow page the maps are below each other"));
  const heard = await host.evaluate(() => globalThis.heard);
  assert.ok(heard.length >= 2);
  for (const message of heard) assert.deepEqual(Object.keys(message).sort(), ["height", "type"]);
  assert.deepEqual(await host.evaluate(() => globalThis.refused), []);
  assert.deepEqual(errors, []);
  await close();

  const bare = await open(browser, `${server.url}bare.html`);
  await bare.page.frameLocator("iframe").locator("[data-testid=heatmap-ap-heads] td[data-value]").first().waitFor();
  assert.equal(await bare.page.locator("iframe").evaluate((frame) => frame.clientHeight), 1000);
  await bare.close();
});

/** Width, height, and how many colours a PNG has in its middle. */
async function looked_at(png) {
  const elsewhere = await page.context().newPage();
  const seen = await elsewhere.evaluate(async (data) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, Math.floor(height / 3), width, Math.floor(height / 2)).data.buffer);
    return { width, height, colours: new Set(pixels).size };
  }, png.toString("base64"));
  await elsewhere.close();
  return seen;
}

test("the PNG for a slide has a slide's size, and the figure on it", async () => {
  const png = await saved_bytes(page, "export-slide");
  writeFileSync(`${PICTURES}slide.png`, png);
  const { width, height, colours } = await looked_at(png);
  assert.deepEqual([width, height], [1920, 1080]);
  assert.ok(colours > 100, `${colours} colours`);
});

/** Pages of a PDF. */
const pages = (pdf) => pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;

/** A link to a figure of GPT-2 small's size, whose numbers are made up. */
function large() {
  const [layers, heads] = [12, 12];
  const scores = Buffer.alloc(2 * layers * heads);
  for (let place = 0; place < layers * heads; place++) scores.writeInt16LE(Math.round(32767 * Math.sin(place)), 2 * place);
  const packed = [3.5, scores.toString("base64url")];
  const side = [3.5, 0.5, 0.25, 0.25, -0.7, 0];
  const deltas = Array(layers).fill(0);
  return print({
    model: "gpt2",
    clean: "When Mary and John went to the store, John gave a drink to ".repeat(6).trim(),
    result: {
      sha256: "0123456789abcdef", gpu: false, shape: [layers, heads, 768, 64, 3072, 1024, 50257], n_pos: 15, sides: [side, side.map((x) => -x)],
      heads: [packed, packed, packed, packed], deltas: [deltas, deltas], neurons: [[[], ""], [[], ""]].map(([places, text]) => [places, [0, text]]),
    },
  });
}

test("printed, the figure takes at most two pages, with its prompts, legends, sentence and source, and no controls", async () => {
  for (const [name, link] of [["small", await link_of(page)], ["large", `${server.url}${large()}`]]) {
    const { page: printed, close } = await receive(link);
    await printed.locator("[data-testid=heatmap-ap-heads] td[data-value]").first().waitFor();
    for (const [format, landscape] of [["A4", false], ["Letter", false], ["A4", true]]) {
      const pdf = await printed.pdf({ format, landscape, path: `${PICTURES}${name}-${format}${landscape ? "-landscape" : ""}.pdf` });
      assert.ok(pages(pdf) <= 2, `${name}, ${format}: ${pages(pdf)} pages`);
      assert.ok(pdf.length > 15_000, "something is on it");
    }
    await printed.emulateMedia({ media: "print" });
    await printed.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await by(printed, "paper").waitFor();
    const words = await by(printed, "paper").innerText();
    for (const said of [/activation patching, noising/, /^clean: “/m, /answer “ John”/, /Both methods count L\d/, /sha256/, /some\/folder\//]) assert.match(words, said);
    assert.equal(await by(printed, "paper").locator("svg .map").count(), 3);
    assert.equal(await by(printed, "paper").locator("svg").filter({ hasText: "logits" }).count(), 3, "each with its legend");
    assert.equal(await printed.locator("button:visible, select:visible, input:visible, textarea:visible").count(), 0);
    assert.deepEqual(await printed.evaluate(() => [...document.querySelector("main").children].filter((child) => child.checkVisibility()).map(({ className }) => className)), ["paper"]);
    await printed.evaluate(() => dispatchEvent(new Event("afterprint")));
    await by(printed, "paper").waitFor({ state: "detached" });
    await close();
  }
});

test("where links to the page are shown, so is its card", async () => {
  const html = await (await fetch(server.url)).text();
  const tags = Object.fromEntries([...html.matchAll(/<meta\s+(?:property|name)="((?:og|twitter):[^"]*)"\s+content="([^"]*)"/g)].map(([, name, content]) => [name, content]));
  for (const name of ["og:title", "og:description", "og:image:alt"]) assert.ok(tags[name]?.length > 20, name);
  assert.deepEqual([tags["og:type"], tags["twitter:card"]], ["website", "summary_large_image"]);
  assert.equal(tags["twitter:image"], tags["og:image"]);
  const card = Buffer.from(await (await fetch(new URL(tags["og:image"], server.url))).arrayBuffer());
  const { width, height, colours } = await looked_at(card);
  assert.deepEqual([width, height].map(String), [tags["og:image:width"], tags["og:image:height"]]);
  assert.ok(colours > 30 && card.length < 60_000, `${colours} colours, ${card.length} bytes`);
});
