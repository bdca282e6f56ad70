// How fast the bundled model runs in each engine, on the CPU, one worker. A program and no test: it prints what the page itself measures.
import { ENGINES } from "./support/engines.mjs";
import { AT_NOTEBOOK } from "./support/page.mjs";
import { serve } from "./support/server.mjs";
import { click, complete, text, visit } from "./support/tab.mjs";

const server = await serve("/some/folder/");
try {
  for (const engine of Object.values(ENGINES)) {
    const lacks = engine.missing();
    if (lacks) {
      console.log(`${engine.name}: ${lacks}`);
      continue;
    }
    const browser = await engine.start();
    try {
      await visit(browser, `${server.url}?device=cpu&workers=1${AT_NOTEBOOK}`, async (tab) => {
        await complete(tab);
        await click(tab, "[data-testid=speed] summary");
        await click(tab, "bench");
        console.log(`${engine.name}\n${await text(tab, "bench-result")}`);
      });
    } finally {
      await browser.close();
    }
  }
} finally {
  await server.close();
}
