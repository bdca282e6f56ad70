// What can go wrong does, on purpose: each fault ends in words and a way on, with the inputs kept and no figure drawn
// that is not to be trusted. The worker of this build fails when the server says so.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { by, launch, open, PATIENCE, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const FAULT = "models/mini/fault.txt";
const PROMPT = "When Kate and Tom came home, Tom gave a ring to";

let cpu, gpu, server, armed;
/** The first worker that asks gets the fault; the one that replaces it gets none. */
const files = {
  [FAULT]: () => {
    const fault = armed;
    armed = "";
    return fault;
  },
};
before(async () => {
  cpu = await launch();
  gpu = await launch({ gpu: true });
  server = await serve("/", { faults: true, files });
});
after(async () => {
  await cpu?.close();
  await gpu?.close();
  await server?.close();
});

const notice = (page, words) => page.locator("[data-testid=notice]", { hasText: words }).waitFor();

/** The page with a fault that the first worker meets and later ones do not. */
async function visit(fault, device, body) {
  armed = fault;
  const { page, close } = await open(device === "cpu" ? cpu : gpu, `${server.url}?device=${device}`);
  page.setDefaultTimeout(3 * PATIENCE);
  try {
    await body(page);
  } finally {
    await close();
  }
}

/** The page goes on: what is typed is still there, and it computes. */
async function goes_on(page, act) {
  await by(page, "prompt-clean").fill(PROMPT);
  await act();
  assert.equal(await by(page, "prompt-clean").inputValue(), PROMPT);
  await by(page, "example-select").selectOption("0");
  await page.locator("[data-testid=status][data-state=done]").waitFor();
  assert.ok((await table(page, "heatmap-ap-heads")).flat().every(Number.isFinite));
}

for (const [fault, words] of [
  ["trap", /stopped and has been restarted/],
  ["oom", /stopped and has been restarted/],
]) {
  test(`a worker that meets "${fault}" is replaced, and the page says so`, { timeout: 4 * PATIENCE }, async () => {
    await visit(fault, "cpu", async (page) => {
      await notice(page, words);
      assert.equal(await by(page, "status").getAttribute("data-state"), "error");
      await goes_on(page, async () => {
        await page.locator("[data-testid=token-row-clean] td", { hasText: "Kate" }).first().waitFor();
      });
    });
  });
}

test("a number that is not one stops the run, and no cell of it is drawn", { timeout: 4 * PATIENCE }, async () => {
  await visit("nan", "cpu", async (page) => {
    await notice(page, /not a number, so nothing of it is shown/);
    const cells = await by(page, "heatmap-ap-heads").locator("td[data-value]").count();
    assert.equal(cells, 0);
    await goes_on(page, () => by(page, "try-again").waitFor());
  });
});

test("a worker that hangs is noticed, and Cancel replaces it within 2 s", { timeout: 4 * PATIENCE }, async () => {
  await visit("hang", "cpu", async (page) => {
    await notice(page, /No word from the computing part/);
    assert.equal(await by(page, "status").getAttribute("data-state"), "running");
    await goes_on(page, async () => {
      const begun = Date.now();
      await by(page, "cancel").click();
      await notice(page, /did not answer and was restarted/);
      assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
    });
  });
});

test("a worker of another build is not spoken to, and the page asks to be reloaded", { timeout: 4 * PATIENCE }, async () => {
  await visit("build", "cpu", async (page) => {
    await notice(page, /The page has been updated/);
    assert.equal(await by(page, "run").isDisabled(), true);
    await by(page, "reload").click();
    await status(page, "done");
  });
});

for (const [fault, words, drawn] of [
  ["validation", /The device failed, so nothing of this result is shown/, 0],
  ["wrong", /not to be trusted, so nothing of it is shown/, 0],
]) {
  test(`a GPU that meets "${fault}" draws nothing, and the CPU is a click away`, { timeout: 6 * PATIENCE }, async () => {
    await visit(fault, "gpu", async (page) => {
      await notice(page, words);
      assert.equal(await by(page, "heatmap-ig-heads").locator("td[data-value]").count(), drawn);
      await by(page, "use-cpu").click();
      await status(page, "done");
      assert.match(await by(page, "device-report").innerText(), /CPU/);
      assert.equal(await by(page, "device").inputValue(), "cpu");
    });
  });
}

test("a GPU that fails its self-test is refused with the numbers", { timeout: 6 * PATIENCE }, async () => {
  await visit("self-test", "gpu", async (page) => {
    await notice(page, /failed its self-test: .* is off by/);
    await by(page, "use-cpu").click();
    await status(page, "done");
  });
});

test("a GPU that is lost is asked for once more, and the run begins again", { timeout: 8 * PATIENCE }, async () => {
  await visit("lost", "gpu", async (page) => {
    await notice(page, /The GPU was lost/);
    await by(page, "use-cpu").waitFor();
    await page.locator("[data-testid=status][data-state=done], [data-testid=status][data-state=error]").first().waitFor();
    assert.equal(await by(page, "status").getAttribute("data-state"), "done", await by(page, "notice").innerText());
    assert.match(await by(page, "device-report").innerText(), /software adapter/);
    assert.ok((await table(page, "heatmap-ap-heads")).flat().every(Number.isFinite));
  });
});

test("a GPU that runs out of memory goes on in halves, with the same scores", { timeout: 12 * PATIENCE }, async () => {
  const patched = async (fault, device, report) => {
    let found;
    await visit(fault, device, async (page) => {
      await page.locator("[data-testid=status][data-state=done], [data-testid=status][data-state=error]").first().waitFor();
      assert.equal(await by(page, "status").getAttribute("data-state"), "done", `${device}, ${fault}`);
      assert.match(await by(page, "device-report").innerText(), report);
      found = (await table(page, "heatmap-ap-heads")).flat();
    });
    assert.equal(armed, "", "the worker asked for its fault");
    return found;
  };
  const halves = await patched("memory", "gpu", /software adapter/);
  const whole = await patched("", "cpu", /CPU/);
  const largest = Math.max(...whole.map(Math.abs));
  const off = Math.max(...halves.map((value, i) => Math.abs(value - whole[i])));
  assert.ok(off < 2e-3 * largest, `off by ${off} of ${largest}`);
});
