// What is taken away: the numbers with their provenance, and a picture that can stand in a paper.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "../support/link.mjs";
import { AT_NOTEBOOK, by, launch, link_of, open, saved, saved_bytes, sharing, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";
import { unzip } from "../support/unzip.mjs";

const PICTURES = fileURLToPath(new URL("../test-results/", import.meta.url));
/** Breaks out of a spreadsheet's cell, a CSV's field and an SVG's text, if anything lets it. */
const ODD = '=HYPERLINK("x"), "John" & <b>Mary</b> went';

let browser, server, page, errors, close;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
  server = await serve("/some/folder/");
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`));
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

/** Records of lines of CSV (RFC 4180). */
function records(lines) {
  return lines.map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain));
}

/** The comments of a CSV, its header, and its records as objects. */
function read_csv(text) {
  const lines = text.split("\r\n").slice(0, -1);
  const comments = lines.filter((line) => line.startsWith("#"));
  const [header, ...rows] = records(lines.slice(comments.length));
  return { comments, header, rows: rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]]))) };
}

/** The lines of the figure’s own scores, without what closer questions have found. */
const scores = (rows) => rows.filter(({ kind, method }) => ["heads", "neurons"].includes(kind) && ["ig", "ap", "atp"].includes(method));

test("CSV holds every score and says where it comes from, and no cell is a formula", async () => {
  const text = await saved(page, "export-csv");
  const { comments, header, rows } = read_csv(text);
  assert.deepEqual(header, ["kind", "method", "direction", "layer", "index", "score", "unit", "shown", "shown_unit"]);
  assert.match(comments[0], new RegExp(`^# ${comments.length} lines of provenance`));
  const said = comments.join("\n");
  for (const words of [/twinbeam: 0\.\d+\.\d+-[0-9a-f]{10}/, /sha256 [0-9a-f]{64}/, /device: CPU/, /IG steps: 50/, /metric: logit_diff, in logits/, /on the screen: noising; unit: logits/, /link: http/]) {
    assert.match(said, words);
  }
  const typed = comments.find((line) => line.startsWith("# clean: ")).slice("# clean: ".length);
  assert.equal(JSON.parse(typed), `${ODD} to`);
  assert.equal(scores(rows).length, (32 + 2048) * 3 * 2, "IG, AP and AtP, in both directions");
  // However a spreadsheet cuts a line.
  for (const line of text.split("\r\n")) {
    for (const cell of line.split(/[,;|\t]/)) assert.ok(!/^[ "'[(]*[=+@]|^[ "'[(]*-(?![\d.])/.test(cell), line);
  }
  const shown = await table(page, "heatmap-ap-heads");
  for (const { kind, method, direction, layer, index, score, unit, shown: in_unit, shown_unit } of rows) {
    if (kind === "heads" && method === "ap" && direction === "noising") assert.equal(Number(score), shown[layer][index]);
    assert.deepEqual([unit, in_unit, shown_unit], ["logits", score, "logits"]);
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
  for (const words of ["Attention heads by integrated gradients and activation patching, noising", "layer", "head", "logits", "supports the clean behaviour", "<b>Mary</b>"]) {
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

/** What a button saves, with the name that it offers. */
async function download(page, testid) {
  const [file] = await sharing(page, () => Promise.all([page.waitForEvent("download"), by(page, testid).click()]));
  const chunks = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk);
  return { name: file.suggestedFilename(), bytes: Buffer.concat(chunks) };
}

/** The numbers of a map as its cells write them, in their order. */
const written = (page, map) => by(page, `heatmap-${map}-heads`).locator("td[data-layer] .number").allInnerTexts();

test("every file and link is of the screen as it is now: another direction, another unit, a pin", async () => {
  const visited = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  const { page } = visited;
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
  await by(page, "heatmap-ap-heads").locator("[data-layer='0'][data-head='7']").click();

  for (const [direction, unit, scale, sign] of [
    ["denoising", "metric", "shared", /^Positive, drawn warm/],
    ["denoising", "share", "own", /^Positive, drawn warm/],
    ["denoising", "notebook", "own", /notebook writes them: positive/],
    ["noising", "notebook", "own", /AP of noising negative/],
    ["noising", "metric", "shared", /^Positive, drawn warm/],
  ]) {
    const here = `${direction}, ${unit}`;
    await by(page, "unit").selectOption("metric");
    await by(page, "scale").selectOption(scale);
    await by(page, "unit").selectOption(unit);
    await by(page, "direction").selectOption(direction);
    assert.equal(await by(page, "status").getAttribute("data-state"), "done", "nothing is out of date, and nothing runs");
    assert.match(await by(page, "sign").innerText(), sign);
    const maps = unit === "notebook" ? ["ig", "ap"] : ["ig", "ap", "diff"];
    const cells = (await Promise.all(maps.map((map) => written(page, map)))).flat();

    const files = {};
    for (const [format, end] of Object.entries({ svg: "svg", json: "json", csv: "csv", png: "png", slide: "slide.png", bundle: "zip" })) {
      const { name, bytes } = await download(page, `export-${format}`);
      assert.equal(name, `twinbeam-mini-${direction}.${end}`);
      files[format] = bytes;
    }
    const svg = files.svg.toString();
    const title = `Attention heads by integrated gradients and activation patching, ${direction}`;
    assert.ok(svg.includes(`<title>${title}</title>`), here);
    assert.deepEqual([...svg.matchAll(/class="cell[^>]*>([^<]*)</g)].map(([, text]) => text), cells, here);

    const record = JSON.parse(files.json);
    assert.equal(record.experiment.direction, undefined);
    const { view } = record;
    assert.deepEqual([view.direction, view.unit, view.scale, view.pinned], [direction, unit, scale, { kind: "heads", layer: 0, index: 7 }], here);
    const { comments, rows } = read_csv(files.csv.toString());
    assert.ok(comments.some((line) => line.startsWith(`# on the screen: ${direction}; `)), here);
    for (const map of ["ig", "ap"]) {
      const shown = await table(page, `heatmap-${map}-heads`);
      const { values, shown: { factor } } = record.tables.find((t) => t.kind === "heads" && t.method === map && t.direction === direction);
      shown.flat().forEach((score, place) => {
        assert.ok(Math.abs(values[place] * factor - score) <= 1e-6 * Math.abs(score), `${here}: ${map} ${place} in JSON`);
      });
      for (const row of rows.filter((row) => row.kind === "heads" && row.method === map && row.direction === direction)) {
        assert.equal(Number(row.shown), shown[row.layer][row.index], `${here}: ${map} in CSV`);
      }
    }

    const href = await link_of(page);
    const fields = parse(href);
    assert.equal(fields.direction ?? "noising", direction);
    assert.equal(fields.view?.unit ?? "metric", unit);
    assert.equal(fields.view?.scale ?? "shared", scale);
    assert.equal(record.link, href);
    const line = await sharing(page, async () => {
      await by(page, "embed").click();
      return by(page, "embed-line").inputValue();
    });
    assert.ok(line.includes(`?embed#${href.split("#")[1]}`), line);
    await page.waitForFunction((hash) => location.hash === hash, `#${href.split("#")[1]}`);

    const bundle = unzip(files.bundle);
    assert.equal(bundle["figure.svg"], svg);
    // An open panel's answer may have come between the two downloads; all else is the same to the letter.
    assert.deepEqual(scores(read_csv(bundle["scores.csv"]).rows), scores(rows));
    const but_lab = (text) => JSON.stringify({ ...JSON.parse(text), lab: undefined });
    assert.equal(but_lab(bundle["result.json"]), but_lab(files.json.toString()));
    assert.match(bundle["README.txt"], new RegExp(`on the screen +${direction}; unit: `));
    assert.equal("plots/heads-ig-minus-ap-noising.svg" in bundle, unit !== "notebook");

    // Whoever opens the link sees the same.
    const again = await open(browser, "about:blank");
    await again.page.goto(href.replace("#", "?device=cpu#"));
    await status(again.page, "done");
    assert.equal(await by(again.page, "direction").inputValue(), direction);
    assert.equal(await by(again.page, "unit").inputValue(), unit);
    assert.equal(await by(again.page, "scale").inputValue(), scale);
    assert.equal(await by(again.page, "link-mark").getAttribute("data-verdict"), "agrees");
    assert.deepEqual((await Promise.all(maps.map((map) => written(again.page, map)))).flat(), cells, here);
    await again.close();
  }
  assert.deepEqual(visited.errors, []);
  await visited.close();
});

test("of a pair that the model fails no file has a share, and each says why", async () => {
  const visited = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`);
  const { page } = visited;
  await status(page, "done");
  await by(page, "answer").fill(" Mary");
  await by(page, "wrong").fill(" John");
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await status(page, "done");
  for (const unit of ["share", "notebook"]) {
    await by(page, "unit").selectOption(unit);
    await page.locator(".figure-head ~ .refusal", { hasText: "The clean run does not beat the corrupted one" }).waitFor();
    const { comments, rows } = read_csv(await saved(page, "export-csv"));
    assert.ok(comments.some((line) => /^# unit refused: The clean run does not beat/.test(line)));
    assert.ok(rows.every(({ score, shown, shown_unit }) => score === shown && shown_unit === "logits"));
    const { unit_refused, view } = JSON.parse(await saved(page, "export-json"));
    assert.match(unit_refused, /swap the answers or the two prompts/);
    assert.equal(view.unit, unit, "what was chosen is kept");
    assert.doesNotMatch(await saved(page, "export-svg"), /of the gap</);
  }
  assert.deepEqual(visited.errors, []);
  await visited.close();
});
