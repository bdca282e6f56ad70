// The figure in every engine: there without a click, of what is typed, in a link, and out of the page as files.
import assert from "node:assert/strict";
import { parse } from "../link.mjs";
import { AT_NOTEBOOK, difference } from "../page.mjs";
import { COMMAND, at, attribute, choose, click, complete, count, fill, number, says, status, table, text, until, value, visit } from "../tab.mjs";
import { unzip } from "../unzip.mjs";

/** What the other suites ask of the page's numbers on the CPU: so much of the largest score. */
const CLOSE = 1e-4;

/** The maps hold the command line's numbers. */
export const agrees = async (tab, native, directions = ["noising", "denoising"]) => {
  for (const direction of directions) {
    await choose(tab, "direction", direction);
    for (const method of ["ig", "ap"]) {
      const off = difference(await table(tab, `heatmap-${method}-heads`), native.heads[method][direction]);
      assert.ok(off < CLOSE, `${method} ${direction} is off by ${off} of the largest score`);
    }
  }
};

async function first_figure({ browser, server, pairs, native }) {
  await visit(browser, `${server.url}?device=cpu`, async (tab) => {
    await status(tab, "done");
    assert.equal(await value(tab, "prompt-clean"), pairs.first.clean);
    await agrees(tab, native.first);
    for (const side of ["clean", "corrupted"]) {
      const shown = await number(tab, `metric-${side}`);
      assert.ok(Math.abs(shown - native.first.logit_diff[side]) < CLOSE, `${side}: ${shown}`);
      assert.match(await text(tab, `metric-${side}`), /logits/);
    }
    assert.match(await text(tab, "device-report"), /^CPU \(WebAssembly SIMD\)/);
  });
}

/** Heads and neurons by so many workers: all tables of both, after the members have had time to come. */
async function several({ browser, server }) {
  const by_workers = (workers) =>
    visit(browser, `${server.url}?device=cpu&workers=${workers}${AT_NOTEBOOK}`, async (tab) => {
      await complete(tab);
      await fill(tab, "steps", "40");
      await click(tab, "run");
      if (workers > 1) await says(tab, "device-report", new RegExp(`Computed by ${workers} workers at once`));
      await complete(tab);
      return { ig: await table(tab, "heatmap-ig-heads"), ap: await table(tab, "heatmap-ap-heads") };
    });
  const one = await by_workers(1);
  assert.ok(one.ap.flat().length > 0);
  assert.deepEqual(await by_workers(2), one, "not a digit depends on who computes");
}

async function edit({ browser, server, pairs, native }) {
  await visit(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, async (tab) => {
    await status(tab, "done");
    const before = await table(tab, "heatmap-ap-heads");
    await fill(tab, "prompt-clean", pairs.other.clean);
    await status(tab, "stale");
    await fill(tab, "prompt-corrupted", pairs.other.corrupted);
    await fill(tab, "answer", pairs.other.answer[0]);
    await fill(tab, "wrong", pairs.other.wrong[0]);
    await click(tab, "run");
    await status(tab, "done");
    await agrees(tab, native.other);
    assert.ok(difference(before, native.other.heads.ap.noising) > 1e-2, "the maps were of other prompts before");

    await tab.run(() => history.back());
    await until(tab, "the prompt of before", (clean) => document.querySelector("[data-testid=prompt-clean]").value === clean, pairs.notebook.clean);
    await status(tab, "done");
    await agrees(tab, native.notebook, ["noising"]);
  });
}

const source = (tab, from) => until(tab, `a result of the ${from}`, (from) => Boolean(document.querySelector(`.results[data-source=${from}]`)), from);

async function link({ browser, server }) {
  const [href, own] = await visit(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, async (tab) => {
    await complete(tab);
    await click(tab, "share-open");
    const href = await attribute(tab, "permalink", "href");
    await click(tab, "share");
    // A browser without a clipboard, or one that refuses it, is told apart by what the page says of it.
    const copied = await until(tab, "a word about the copy", (button, hint) => {
      const said = [button, hint].map((css) => document.querySelector(css).innerText);
      return said.some((words) => /Link copied|copy it by hand/.test(words)) && said;
    }, at("share"), at("share-length"));
    const has_clipboard = await tab.run(() => Boolean(navigator.clipboard?.writeText));
    assert.match(copied.join(), has_clipboard ? /Link copied/ : /copy it by hand/);
    await click(tab, "share-close");
    const own = { ig: await table(tab, "heatmap-ig-heads"), ap: await table(tab, "heatmap-ap-heads") };
    if (has_clipboard) {
      await fill(tab, "prompt-clean", "x");
      await tab.press(`${COMMAND}+a`);
      await tab.press(`${COMMAND}+v`);
      await until(tab, "the link, pasted", (href) => document.querySelector("[data-testid=prompt-clean]").value === href, href);
    }
    return [href, own];
  });
  assert.ok(parse(href).result, "the link carries the result");

  await visit(browser, href.replace("#", "?device=cpu#"), async (tab) => {
    await complete(tab);
    await source(tab, "device");
    assert.equal(await attribute(tab, "link-mark", "data-verdict"), "agrees");
    for (const method of ["ig", "ap"]) assert.deepEqual(await table(tab, `heatmap-${method}-heads`), own[method], "to the bit");
  });

  // What came with the link is seen where nothing is computed.
  await visit(browser, href.replace("#", "?embed#"), async (tab) => {
    await source(tab, "link");
    const off = difference(await table(tab, "heatmap-ap-heads"), own.ap);
    assert.ok(off > 0 && off <= 0.5 / 32767 + 1.2e-7, `${off}: half a step of the link's format`);
  });
}

async function neurons({ browser, server, native }) {
  await visit(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, async (tab) => {
    await complete(tab);
    const scores = native.notebook.neurons.ap.noising.flatMap((row, layer) => row.map((score, index) => [layer, index, score]));
    scores.sort(([, , a], [, , b]) => Math.abs(b) - Math.abs(a));
    const listed = await tab.run((css) => [...document.querySelectorAll(css)].map(({ dataset }) => [+dataset.layer, +dataset.neuron]), `${at("top-ap")} [data-neuron]`);
    assert.deepEqual(listed, scores.slice(0, 10).map(([layer, index]) => [layer, index]));
    const [layer, neuron] = listed[3];
    await click(tab, `${at("top-ap")} [data-layer='${layer}'][data-neuron='${neuron}']`);
    await says(tab, ".neurons [data-testid=card]", new RegExp(`L${layer}N${neuron}\\b`));

    // What is drawn: a map has pixels of more than one colour, and the strongest neuron is warm or cold.
    const colours = await tab.run((css) => {
      const canvas = document.querySelector(css);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }, at("heatmap-ap-neurons"));
    assert.ok(colours > 10, `${colours} colours`);
  });
}

const named = (text) => text.match(/^[^#\r\n].*$/m)[0];

async function exports({ browser, server, native }) {
  await visit(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, async (tab) => {
    await complete(tab);
    const cells = await tab.run((css) => [...document.querySelectorAll(css)].map(({ textContent }) => textContent), `${at("heatmap-ap-heads")} td[data-layer] .number`);
    assert.equal(cells.length, 32);
    await click(tab, "share-open");
    const files = {};
    for (const [format, end] of Object.entries({ svg: "svg", json: "json", csv: "csv", png: "png", slide: "slide.png", bundle: "zip" })) {
      const { name, bytes } = await tab.saved(() => click(tab, `export-${format}`));
      assert.equal(name, `twinbeam-mini-noising.${end}`);
      files[format] = bytes;
    }

    const { tables, link } = JSON.parse(files.json);
    let n = 0;
    for (const { kind, method, direction, width, values } of tables) {
      if (!["heads", "neurons"].includes(kind) || method === "difference") continue;
      const rows = native.notebook[kind][method]?.[direction];
      if (!rows) continue;
      const off = difference(rows.map((_row, layer) => values.slice(layer * width, (layer + 1) * width)), rows);
      assert.ok(off < CLOSE, `${kind} ${method} ${direction} is off by ${off} of the largest score`);
      n += 1;
    }
    assert.ok(n >= 10, `heads and neurons by IG and AP in both directions, and AtP of neurons: ${n}`);
    assert.ok(parse(link).result);
    assert.equal(named(`${files.csv}`), "kind,method,direction,layer,index,score,unit,shown,shown_unit");
    assert.ok(`${files.csv}`.split("\r\n").filter((line) => line.startsWith("neurons,")).length >= 2048 * 3 * 2);
    const svg = `${files.svg}`;
    assert.ok(svg.includes("<title>Attention heads by integrated gradients and activation patching, noising</title>"));
    for (const number of cells) assert.ok(svg.includes(`>${number}<`), `${number} is not in the picture`);
    for (const png of [files.png, files.slide]) {
      assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from("PNG")]);
      assert.ok(png.readUInt32BE(16) >= 1600 && png.readUInt32BE(20) > 500, `${png.readUInt32BE(16)} x ${png.readUInt32BE(20)}`);
      // White alone would compress to next to nothing.
      assert.ok(png.length > 50_000, `${png.length} bytes`);
    }
    const bundle = unzip(files.bundle);
    assert.equal(bundle["figure.svg"], svg);
    assert.match(bundle["README.txt"], /on the screen +noising; unit: /);
    assert.equal(await count(tab, "share-trouble"), 0);
    await click(tab, "share-close");
  });
}

export const FIGURE = [
  { name: "the first figure is there without a click, with the numbers of the command line", run: first_figure },
  { name: "what is typed runs with the command line's numbers, and Back brings back what was there", run: edit },
  { name: "a link is copied, and opens with its result, which agrees to the bit", run: link },
  { name: "neurons are listed as the command line ranks them, found by a click, and drawn", run: neurons },
  { name: "every file is saved under its name, with the command line's numbers and as a picture that is drawn", run: exports },
  { name: "two workers find what one finds, to the last digit", run: several },
];
