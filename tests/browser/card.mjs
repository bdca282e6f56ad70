// Draws the page's card: assets/card.svg is filled in from the first figure of the page that is built, and drawn as a PNG.
import { readFileSync, writeFileSync } from "node:fs";
import UPNG from "upng-js";
import { launch, open, saved, status } from "./support/page.mjs";
import { serve } from "./support/server.mjs";

const ASSETS = new URL("../../assets/", import.meta.url);
const WIDTH = 1200;
const HEIGHT = 630;
const LEFT = 60;
/** Where prompts begin. */
const BEGIN = LEFT + 130;
const TITLES = ["Integrated gradients", "Activation patching", "Their difference"];

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** The words of a prompt, those marked that the other does not have at their place; `character`: how wide one is. */
function prompt(name, [text, answer], [other], character, y) {
  const others = other.split(" ");
  const face = `font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${(character / 0.602).toFixed(2)}"`;
  let at = 0;
  let marks = "";
  for (const [place, word] of text.split(" ").entries()) {
    if (word !== others[place]) {
      marks += `<rect x="${BEGIN + at * character - 5}" y="${y - 24}" width="${word.length * character + 10}" height="34" rx="6" fill="#fde3b4"/>`;
    }
    at += word.length + 1;
  }
  const end = BEGIN + at * character;
  return (
    `<text x="${LEFT}" y="${y}" font-size="20" fill="#5a5c62">${name}</text>${marks}` +
    `<text x="${BEGIN}" y="${y}" ${face} xml:space="preserve">${escape(text)} </text>` +
    `<text x="${end}" y="${y}" ${face} font-weight="bold" fill="#1f5c4d">→${escape(answer)}</text>`
  );
}

/** The maps: cells with the colours of the page's own drawing, in its order. */
function maps(svg, { model_shape: { n_layers, n_heads } }) {
  const cells = [...svg.matchAll(/<rect [^>]*fill="(#[0-9a-f]{6})"\/>\n<text [^>]*class="cell/g)].map(([, fill]) => fill);
  const titles = [...svg.matchAll(/class="map">([^<]*)</g)].map(([, title]) => title);
  if (titles.length !== TITLES.length || cells.length !== 3 * n_layers * n_heads) throw new Error(`${titles.length} maps, ${cells.length} cells`);
  const [width, gap] = [340, 30];
  const top = 392;
  const cell = [width / n_heads, 150 / n_layers];
  return TITLES
    .map((title, map) => {
      const x = LEFT + map * (width + gap);
      const squares = cells.slice(map * n_layers * n_heads, (map + 1) * n_layers * n_heads).map((fill, place) => {
        const [column, row] = [place % n_heads, Math.floor(place / n_heads)];
        return `<rect x="${x + column * cell[0]}" y="${top + row * cell[1]}" width="${cell[0] - 2}" height="${cell[1] - 2}" rx="3" fill="${fill}"/>`;
      });
      const behind = `<rect x="${x - 4}" y="${top - 4}" width="${width + 6}" height="${150 + 6}" rx="5" fill="#ffffff" stroke="#d9d6ce"/>`;
      return `<text x="${x}" y="${top - 16}" font-size="22" font-weight="bold">${title}</text>${behind}${squares.join("")}`;
    })
    .join("\n");
}

const browser = await launch();
const server = await serve();
try {
  const { page } = await open(browser, `${server.url}?device=cpu`, { viewport: { width: WIDTH, height: HEIGHT }, colorScheme: "light" });
  await status(page, "done");
  const record = JSON.parse(await saved(page, "export-json"));
  const drawing = await saved(page, "export-svg");
  const { clean, corrupted, answer, wrong } = record.experiment;
  const lines = [[clean, answer[0]], [corrupted, wrong[0]]];
  // As large as both lines fit, the arrow with them.
  const longest = Math.max(...lines.map(([text, word]) => text.length + word.length + 2));
  const character = Math.min(13.2, (WIDTH - LEFT - BEGIN) / longest);
  const prompts = ["clean", "corrupted"].map((name, n) => prompt(name, lines[n], lines[1 - n], character, 276 + 42 * n)).join("\n");
  const fill = (svg, id, content) => svg.replace(new RegExp(`<g id="${id}">.*?</g>`, "s"), () => `<g id="${id}">${content}</g>`);
  const svg = fill(fill(readFileSync(new URL("card.svg", ASSETS), "utf8"), "prompts", prompts), "maps", maps(drawing, record));
  writeFileSync(new URL("card.svg", ASSETS), svg);
  // In a page without a policy, as it is where it ends up.
  const blank = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
  await blank.setContent(`<style>body { margin: 0 } svg { display: block }</style>${svg}`);
  const shot = UPNG.decode(await blank.screenshot());
  // A drawing of few colours: with a palette the file has half the size.
  const file = Buffer.from(UPNG.encode(UPNG.toRGBA8(shot), WIDTH, HEIGHT, 256));
  writeFileSync(new URL("card.png", ASSETS), file);
  console.log(`assets/card.png: ${file.length} bytes`);
} finally {
  await browser.close();
  await server.close();
}
