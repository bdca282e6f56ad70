// The page's looks in every engine: each understands what the styles say, so that nothing of them is dropped in silence.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DIST } from "../server.mjs";
import { visit } from "../tab.mjs";

/** What only makes the page a little better where it is understood. */
const EXTRAS = ["text-wrap", "forced-color-adjust"];

/** Blocks of declarations of a style sheet: `{ file, selector, declarations }`. Those of a font are not a rule's. */
function blocks(file) {
  const text = readFileSync(join(DIST, file), "utf8").replace(/\/\*.*?\*\//gs, "");
  const found = [...text.matchAll(/([^{};]+)\{([^{}]*)\}/g)].map(([, selector, body]) => ({
    file,
    selector: selector.trim(),
    declarations: [...body.matchAll(/([\w-]+)\s*:\s*([^;]+)/g)].map(([, name, value]) => [name, value.replace(/!important/, "").trim()]),
  }));
  return found.filter(({ selector }) => selector !== "@font-face");
}

async function understood({ browser, server }) {
  const all = readdirSync(DIST).filter((file) => file.endsWith(".css")).flatMap(blocks);
  assert.ok(all.length > 300, `${all.length} blocks of style`);
  await visit(browser, `${server.url}?device=cpu`, async (tab) => {
    const lost = await tab.run((blocks, extras) => {
      const plain = (name) => name.replace(/^-webkit-/, "");
      return blocks.flatMap(({ file, selector, declarations }) => {
        // Said in two ways, one of them is enough.
        const known = new Set(declarations.filter(([name, value]) => CSS.supports(name, value)).map(([name]) => plain(name)));
        return declarations
          .filter(([name]) => !name.startsWith("--") && !known.has(plain(name)) && !extras.includes(name))
          .map(([name, value]) => `${file}: ${selector} { ${name}: ${value} }`);
      });
    }, all, EXTRAS);
    assert.deepEqual(lost, []);
  });
}

export const STYLES = [{ name: "every declaration of the styles is understood", run: understood }];
