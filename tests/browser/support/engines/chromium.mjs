// Chromium, by the driver that the suites which are of it alone use as well.
import { launch } from "../page.mjs";
import { watched } from "./machine.mjs";

/** What this machine lacks of it: nothing, since no suite runs without it. */
const missing = () => undefined;

async function start({ profile, gpu } = {}) {
  const browser = await launch({ gpu, profile });
  const visit = async () => {
    const context = profile ? browser : await browser.newContext({ viewport: { width: 1280, height: 900 } });
    return tab(await context.newPage(), () => (profile ? undefined : context.close()));
  };
  return { visit, close: () => browser.close() };
}

function tab(page, close) {
  return {
    // A picture that is looked at by itself has no icon, which is asked for.
    ...watched(page, (message) => !message.location().url.endsWith("/favicon.ico")),
    url: async () => page.url(),
    click: (css) => page.locator(css).click(),
    press: (key) => page.keyboard.press(key),
    files: (css, paths) => page.locator(css).setInputFiles(paths),
    async saved(act) {
      const [download] = await Promise.all([page.waitForEvent("download"), act()]);
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
    },
    async close() {
      await page.close();
      await close();
    },
  };
}

export const chromium = { name: "Chromium", missing, start, keeps: true };
