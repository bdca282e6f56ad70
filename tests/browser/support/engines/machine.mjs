// What the drivers of engines need of the machine: programs that are there, folders that go away, files that arrive; and what two of them share.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** The first of some programs that is there: by its path, or by its name in one of the folders of PATH. */
export function program(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = names.flatMap((name) => (name.startsWith("/") ? [name] : folders.map((folder) => join(folder, name))));
  return places.find((place) => existsSync(place));
}

/** A folder of one's own, and how it goes away again. */
export function folder(name) {
  const path = mkdtempSync(join(tmpdir(), `twinbeam-${name}-`));
  // A browser that is going may still write into it.
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  return { path, remove };
}

/** What browsers write a file as before it is whole. */
const UNFINISHED = /\.(part|wkdownload)$/;

/** The one file that arrives in a folder, which is empty before and afterwards. */
export async function arrived(folder, patience) {
  const end = Date.now() + patience;
  for (;;) {
    const names = readdirSync(folder);
    const [name] = names;
    // An empty one holds the name of one that is being written.
    if (names.length === 1 && !UNFINISHED.test(name) && statSync(join(folder, name)).size > 0) {
      const bytes = readFileSync(join(folder, name));
      rmSync(join(folder, name));
      return { name, bytes };
    }
    if (Date.now() > end) throw new Error(`no file has arrived: there are ${names.join(", ") || "none"}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

/** A key's name without its modifiers, and those: "Shift+Tab", but "+" is itself. */
export function chord(key) {
  const parts = key === "+" ? ["+"] : key.split("+");
  return { modifiers: parts.slice(0, -1), key: parts.at(-1) };
}

/** What Playwright's and puppeteer's pages have in common: going somewhere, scripts, keys, and errors from the last `goto` on that count. */
export function watched(page, counts = () => true) {
  const errors = [];
  page.on("pageerror", (error) => errors.push(`${error}`));
  page.on("console", (message) => message.type() === "error" && counts(message) && errors.push(message.text()));
  return {
    errors: async () => errors,
    async goto(url) {
      errors.length = 0;
      await page.goto(url);
    },
    reload: () => page.reload(),
    // As text, in which the values are: a function of the driver takes one only, and the page's policy forbids to read another's text.
    run: (script, ...values) => page.evaluate(`(${script})(...${JSON.stringify(values)})`),
    type: (text) => page.keyboard.type(text),
  };
}
