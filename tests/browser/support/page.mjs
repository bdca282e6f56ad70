// A browser with the page in it, and what the tests read from the page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { print } from "./link.mjs";

/** Long enough for a cold start on two slow cores; a result that needs it is not a pass of a speed test. */
export const PATIENCE = +(process.env.PATIENCE ?? 120_000);

/** Looks for faults of accessibility. Evaluated, since the page's policy allows no script to be added. */
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Opens the drawer, where the browser remembers that it was. */
const OPEN_SETTINGS = `try { localStorage.setItem("twinbeam-settings", "yes"); } catch {}`;
/** The pairs that come with the page. It opens with the first of them. */
export const EXAMPLES = JSON.parse(readFileSync(new URL("../../../assets/examples.json", import.meta.url), "utf8"));
/** The notebook's pair, for which numbers were published. */
export const NOTEBOOK = EXAMPLES.find(({ title }) => title.includes("the notebook"));
/** What opens the page at the notebook's pair: a link that leaves everything out. */
export const AT_NOTEBOOK = print({});

const VIEWPORT = { width: 1280, height: 900 };
// Without these Chromium looks for its own servers at every start.
export const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
/** The browser's program. */
export const PROGRAM = process.env.TWINBEAM_CHROMIUM ?? "/usr/bin/chromium";
const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** A browser; with a folder as its `profile` a context that keeps files and compiled code there, as a visitor's does. */
export async function launch({ gpu = false, profile, more = [] } = {}) {
  const options = {
    executablePath: PROGRAM,
    args: ["--no-sandbox", ...QUIET, ...(gpu ? SOFTWARE_GPU : ["--disable-gpu"]), ...more],
  };
  return profile ? chromium.launchPersistentContext(profile, { ...options, viewport: VIEWPORT }) : chromium.launch(options);
}

/** The browser remembers the page as a visitor left it who changes settings often and runs edits by hand: most tests do. */
export async function remember(context, { settings = true, auto_run = false } = {}) {
  if (settings) await context.addInitScript(OPEN_SETTINGS);
  if (!auto_run) {
    await context.addInitScript(() => {
      try {
        localStorage.setItem("twinbeam-auto-run", "off");
      } catch {
        // A frame may have no storage.
      }
    });
  }
}

/**
 * Opens an address, with the drawer of settings as `settings` says; errors of the page's own end the test.
 *
 * Edits are run by themselves when typing pauses. Most suites type, look at what is said before a run, and press Run:
 * only the one that is about it (live.test.mjs) asks for `auto_run`. Likewise the browser keeps no copy of the page, which would take
 * it a second beside every test, but where a suite is about that and allows `serviceWorkers`.
 */
export async function open(browser, url, { settings = true, auto_run = false, ...options } = {}) {
  const context = await browser.newContext({ viewport: VIEWPORT, serviceWorkers: "block", ...options });
  await remember(context, { settings, auto_run });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const errors = [];
  page.on("pageerror", (error) => errors.push(`${error}`));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(url);
  return { page, errors, close: () => context.close() };
}

/** Axe finds no fault with the page, or with a part of it; `name` says which look of it that is. */
export async function no_faults(page, part, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((part) => (part ? globalThis.axe.run(part) : globalThis.axe.run()), part);
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [], name);
}

export const by = (page, testid) => page.getByTestId(testid);

/** Asks again until a check passes; its last failure is the test's when patience ends. */
export async function eventually(check) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((go) => setTimeout(go, 50));
    }
  }
}

/**
 * Waits until the status line says one of the states; an error it shows instead is the test's error.
 *
 * The state is read in the page, where it is waited for: asked for a moment later, a page that
 * goes on to the link's model is running again.
 */
export async function status(page, ...states) {
  const wanted = [...states, "error"];
  const reached = await page.waitForFunction(
    (wanted) => {
      const state = document.querySelector("[data-testid=status]")?.dataset.state;
      return wanted.includes(state) && state;
    },
    wanted,
    { timeout: PATIENCE, polling: 50 },
  );
  if (!states.includes(await reached.jsonValue())) {
    assert.fail(`the page says: ${await by(page, "status").innerText()} / ${await by(page, "notice").innerText()}`);
  }
}

/** Opens a chapter of the lab by its link, and waits until it is there. */
export async function chapter(page, name) {
  await by(page, `chapter-${name}`).click();
  await by(page, `panel-${name}`).waitFor();
}

/** A head map as a table of numbers, `[n_layers][n_heads]`. */
export async function table(page, testid) {
  const cells = await by(page, testid)
    .locator("[data-layer][data-head]")
    .evaluateAll((cells) => cells.map((cell) => ({ ...cell.dataset })));
  const rows = [];
  for (const { layer, head, value } of cells) {
    (rows[layer] ??= [])[head] = value === undefined ? NaN : Number(value);
  }
  return rows;
}

/** After a fault the page goes on: what is typed before `act` is still there behind it, and the page computes. */
export async function goes_on(page, act) {
  const prompt = "When Kate and Tom came home, Tom gave a ring to";
  await by(page, "prompt-clean").fill(prompt);
  await act();
  assert.equal(await by(page, "prompt-clean").inputValue(), prompt);
  await by(page, "example-select").selectOption("0");
  await page.locator("[data-testid=status][data-state=done]").waitFor();
  assert.ok((await table(page, "heatmap-ap-heads")).flat().every(Number.isFinite));
}

/** Largest difference of two tables as a share of the second's largest score; NaN anywhere fails. */
export function difference(got, expected) {
  assert.equal(got.length, expected.length, "layers");
  const largest = Math.max(...expected.flat().map(Math.abs));
  assert.ok(largest > 0, "the reference is not all zero");
  let worst = 0;
  expected.forEach((row, layer) => {
    assert.equal(got[layer].length, row.length, `heads of layer ${layer}`);
    row.forEach((score, head) => {
      const off = Math.abs(got[layer][head] - score);
      assert.ok(Number.isFinite(off), `layer ${layer} head ${head} is ${got[layer][head]}`);
      worst = Math.max(worst, off);
    });
  });
  return worst / largest;
}

/** Opens the dialog in which a figure is sent on, for as long as `body` takes, unless it is open already. */
export async function sharing(page, body) {
  if (await by(page, "share-dialog").evaluate((dialog) => dialog.open)) return body();
  await by(page, "share-open").click();
  const result = await body();
  await by(page, "share-close").click();
  return result;
}

/** The link to what is on the screen. */
export const link_of = (page) => sharing(page, () => by(page, "permalink").getAttribute("href"));

/** What a button saves as a file; those for the figure are in the dialog. */
export async function saved_bytes(page, testid) {
  if (!testid.startsWith("export-")) return download_of(page, testid);
  return sharing(page, () => download_of(page, testid));
}

async function download_of(page, testid) {
  const [download] = await Promise.all([page.waitForEvent("download"), by(page, testid).click()]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same as text. */
export const saved = async (page, testid) => (await saved_bytes(page, testid)).toString();

/** Types a pair and its answers, and how many steps; the page then waits to be told to run. */
export async function type(page, { clean, corrupted, answer, wrong }, steps) {
  await by(page, "prompt-clean").fill(clean);
  await by(page, "prompt-corrupted").fill(corrupted);
  await by(page, "answer").fill(answer);
  await by(page, "wrong").fill(wrong);
  await by(page, "steps").fill(`${steps}`);
  await page.locator("[data-testid=run]:enabled").waitFor();
}

/** Goes to the GPU and waits for its figure; `words` are those of its device. */
export async function run_on_gpu(page, words) {
  await by(page, "device").selectOption("gpu");
  // The new worker has its device, or has failed; only then is `done` a word about the GPU.
  const failed = "[data-testid=status][data-state=error]";
  await page.locator(`[data-testid=device-report]:has-text('${words}'), ${failed}`).first().waitFor();
  await page.locator(`[data-testid=status][data-state=done], ${failed}`).first().waitFor();
  assert.equal(await by(page, "status").getAttribute("data-state"), "done", await by(page, "notice").innerText());
}

/** Waits until the CPU has confirmed what the GPU has drawn, and gives the words. */
export async function confirmed(page) {
  const check = page.locator("[data-testid=gpu-check]", { hasText: /A sample of \d+ numbers was computed again on the CPU/ });
  await check.waitFor();
  return check.innerText();
}
