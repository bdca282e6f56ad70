// More cores without special headers: several workers compute shares of one job. Whoever computes what, and whoever dies at
// it, the numbers are those of one worker, to the last digit.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AT_NOTEBOOK, PATIENCE, by, launch, open, saved, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const WEIGHTS = "models/mini/model.safetensors";
const MEMBER_FAULT = "models/mini/member-fault.txt";

let browser, server, faults;
let armed = "";
before(async () => {
  browser = await launch();
  server = await serve();
  faults = await serve("/", {
    faults: true,
    files: {
      // The first member that asks gets the fault; the one that is started for the next job gets none.
      [MEMBER_FAULT]: () => {
        const fault = armed;
        armed = "";
        return fault;
      },
    },
  });
});
after(async () => {
  await browser?.close();
  await server?.close();
  await faults?.close();
});

/** All tables of heads and neurons, computed by so many workers, with what the page said of them. */
async function computed(site, workers, body = async () => {}) {
  const { page, errors, close } = await open(browser, `${site.url}?device=cpu${workers ? `&workers=${workers}` : ""}${AT_NOTEBOOK}`);
  try {
    page.setDefaultTimeout(2 * PATIENCE);
    await both(page);
    await body(page);
    const { tables } = JSON.parse(await saved(page, "export-json"));
    assert.ok(tables.length >= 12, `${tables.length} tables`);
    assert.deepEqual(errors, []);
    return { tables, said: await by(page, "device-report").innerText() };
  } finally {
    await close();
  }
}

/** Heads and neurons are done. */
async function both(page) {
  await status(page, "done");
  await by(page, "neuron-status").and(page.locator("[data-state=done]")).waitFor();
}

/** Runs the figure again, with the members that the first one has started. */
async function again(page) {
  await by(page, "steps").fill("40");
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await page.locator("[data-testid=device-report]", { hasText: /\d workers at once, each with the model/ }).waitFor();
  await status(page, "done");
  if (await by(page, "run-neurons").isVisible()) await by(page, "run-neurons").click();
  await both(page);
}

const fetched = (site) => site.requests.filter(({ file }) => file === WEIGHTS).length;

test("three workers find what one finds, to the last digit, and the page says that they are three", { timeout: 8 * PATIENCE }, async () => {
  const to_forty = async (page) => {
    await by(page, "steps").fill("40");
    await page.locator("[data-testid=run]:enabled").waitFor();
    // What it said before is that the figure is out of date.
    await by(page, "run").click();
    await both(page);
  };
  const alone = await computed(server, 1, to_forty);
  assert.doesNotMatch(alone.said, /workers/);
  const before = fetched(server);
  const three = await computed(server, 3, again);
  assert.match(three.said, /^CPU .*Computed by 3 workers at once, each with the model\.$/s);
  assert.equal(fetched(server) - before, 3, "each has read the model once");
  assert.deepEqual(three.tables, alone.tables);
});

/** Keeps what the page says of its device until the first heads are done. Runs in the page. */
function listen() {
  window.said = [];
  const find = (name) => document.querySelector(`[data-testid=${name}]`);
  const observer = new MutationObserver(() => {
    window.said.push(find("device-report")?.textContent ?? "");
    if (find("status")?.dataset.state === "done") observer.disconnect();
  });
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

test("who does not ask for it gets no second worker for a job of seconds", { timeout: 2 * PATIENCE }, async () => {
  // What the first job is expected to take depends on no clock. Later ones are expected to be as slow as this one was, and
  // on a machine that has much to do they may be worth a second worker.
  const { page, errors, close } = await open(browser, "about:blank");
  try {
    await page.addInitScript(listen);
    await page.goto(`${server.url}?device=cpu${AT_NOTEBOOK}`);
    await status(page, "done");
    const said = await page.evaluate(() => window.said);
    assert.ok(said.some((text) => text.startsWith("CPU")), `${said.length} changes`);
    assert.deepEqual(said.filter((text) => text.includes("workers")), []);
    assert.deepEqual(errors, []);
  } finally {
    await close();
  }
});

for (const fault of ["trap", "oom", "hang"]) {
  test(`a member that meets "${fault}" costs nothing but time`, { timeout: 8 * PATIENCE }, async () => {
    const alone = await computed(server, 1);
    armed = fault;
    const { tables } = await computed(faults, 2);
    assert.equal(armed, "", "a member has met it");
    assert.deepEqual(tables, alone.tables);
  });
}

test("what is stopped is stopped everywhere, and the next run is whole", { timeout: 6 * PATIENCE }, async () => {
  await computed(server, 2, async (page) => {
    await by(page, "steps").fill("200");
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await page.locator("[data-testid=device-report]", { hasText: "2 workers" }).waitFor();
    await by(page, "cancel").click();
    await page.locator("[data-testid=run]:enabled").waitFor();
    await again(page);
  });
});
