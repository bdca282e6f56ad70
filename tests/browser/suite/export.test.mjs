// What is taken away: the numbers with their provenance, and a picture that can stand in a paper.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "../support/link.mjs";
import { by, launch, open, saved, saved_bytes, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const PICTURES = fileURLToPath(new URL("../test-results/", import.meta.url));
/** Breaks out of a spreadsheet's cell, a CSV's field and an SVG's text, if anything lets it. */
const ODD = '=HYPERLINK("x"), "John" & <b>Mary</b> went';

let browser, server, page, errors, close;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
  server = await serve("/some/folder/");
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu`));
  await status(page, "done");
  await by(page, "prompt-clean").fill(`${ODD} to`);
  await by(page, "prompt-corrupted").fill(`${ODD} in`);
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
});
after(async () => {
  assert.deepEqual(errors, []);
  await close?.();
  await browser?.close();
  await server?.close();
});

/** Records of a CSV (RFC 4180). */
function records(text) {
  const rows = [];
  for (const line of text.match(/(?:"(?:[^"]|"")*"|[^"\r])*\r\n/g)) {
    rows.push([...line.slice(0, -2).matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain));
  }
  return rows;
}

test("CSV holds every score and says where it comes from, and no cell is a formula", async () => {
  const rows = records(await saved(page, "export-csv"));
  const header = rows.findIndex(([first]) => first === "kind");
  const provenance = rows.slice(0, header);
  for (const cells of provenance) {
    assert.equal(cells.length, 1);
    assert.match(cells[0], /^# /);
  }
  const said = provenance.map(([cell]) => cell).join("\n");
  for (const words of [/twinbeam: 0\.\d+\.\d+-[0-9a-f]{10}/, /sha256 [0-9a-f]{64}/, /device: CPU/, /IG steps: 50/, /metric: logit_diff, in logits/, /link: http/]) {
    assert.match(said, words);
  }
  const scores = rows.slice(header + 1);
  assert.equal(scores.length, (32 + 2048) * 3 * 2, "IG, AP and AtP, in both directions");
  for (const cells of rows) {
    for (const cell of cells) assert.ok(!/^[=+@\t]|^-(?![\d.])/.test(cell), cell);
  }
  const shown = await table(page, "heatmap-ap-heads");
  for (const [kind, method, direction, layer, index, score, unit] of scores) {
    if (kind === "heads" && method === "ap" && direction === "noising") assert.equal(Number(score), shown[layer][index]);
    assert.equal(unit, "logits");
  }
});

test("JSON holds the same for programs, and its link opens the same result", async () => {
  const record = JSON.parse(await saved(page, "export-json"));
  assert.equal(record.experiment.clean, `${ODD} to`);
  assert.match(record.model_sha256, /^[0-9a-f]{64}$/);
  assert.equal(record.checked, null, "nothing is checked on a CPU in double precision");
  assert.ok(parse(record.link).result, "the link carries the result");
  assert.ok(record.link.startsWith(`${server.url}#`), record.link);
  const ap = record.tables.find(({ kind, method, direction }) => kind === "heads" && method === "ap" && direction === "noising");
  assert.deepEqual(ap.values, (await table(page, "heatmap-ap-heads")).flat());
});

test("SVG and PNG show title, axes, legend, unit and prompts", async () => {
  const svg = await saved(page, "export-svg");
  writeFileSync(`${PICTURES}figure.svg`, svg);
  // In a page without a policy, as it is where it ends up.
  const elsewhere = await page.context().newPage();
  const parsed = await elsewhere.evaluate((svg) => {
    const picture = new DOMParser().parseFromString(svg, "image/svg+xml");
    return { faults: picture.querySelectorAll("parsererror").length, tags: [...new Set([...picture.querySelectorAll("*")].map(({ nodeName }) => nodeName))], text: picture.documentElement.textContent };
  }, svg);
  assert.equal(parsed.faults, 0);
  assert.deepEqual(parsed.tags.sort(), ["desc", "rect", "style", "svg", "text", "title"]);
  for (const words of ["Attention heads by integrated gradients and activation patching, noising", "layer", "head", "logits", "Positive supports the clean behaviour", "<b>Mary</b>"]) {
    assert.ok(parsed.text.includes(words), words);
  }
  await elsewhere.close();
  const png = await saved_bytes(page, "export-png");
  writeFileSync(`${PICTURES}figure.png`, png);
  assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from("PNG")]);
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  assert.ok(width > 2000 && height > 500, `${width} x ${height}`);
  // White alone would compress to next to nothing.
  assert.ok(png.length > 50_000, `${png.length} bytes`);
});
