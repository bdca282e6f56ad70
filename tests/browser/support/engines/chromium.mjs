// Chromium, by the driver that the suites which are of it alone use as well.
import { launch } from "../page.mjs";

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
  const errors = [];
  page.on("pageerror", (error) => errors.push(`${error}`));
  page.on("console", (message) => {
    // A picture that is looked at by itself has no icon, which is asked for.
    if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico")) errors.push(message.text());
  });
  return {
    errors: async () => errors,
    async goto(url) {
      errors.length = 0;
      await page.goto(url);
    },
    reload: () => page.reload(),
    url: async () => page.url(),
    // As text, in which the values are: a function of the driver takes one only, and the page's policy forbids to read another's text.
    run: (script, ...values) => page.evaluate(`(${script})(...${JSON.stringify(values)})`),
    click: (css) => page.locator(css).click(),
    press: (key) => page.keyboard.press(key),
    type: (text) => page.keyboard.type(text),
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
