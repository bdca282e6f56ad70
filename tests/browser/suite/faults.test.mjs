// What can go wrong does, on purpose: each fault ends in words and a way on, with the inputs kept and no figure drawn
// that is not to be trusted. The worker of this build fails when the server says so.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { by, confirmed, goes_on, launch, open, PATIENCE, status, table } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const FAULT = "models/mini/fault.txt";
/** That of the worker with the GPU, which the first one starts. */
const GPU_FAULT = "models/mini/gpu-fault.txt";

let cpu, gpu, server;
let armed = {};
/** The first worker that asks gets the fault; the one that replaces it gets none. */
const once = (name) => () => {
  const fault = armed[name] ?? "";
  delete armed[name];
  return fault;
};
const files = { [FAULT]: once(FAULT), [GPU_FAULT]: once(GPU_FAULT) };
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
  await visit_with({ [device === "cpu" ? FAULT : GPU_FAULT]: fault }, device, body);
}

/** The same with a fault for each kind of worker. */
async function visit_with(faults, device, body) {
  armed = { ...faults };
  const { page, close } = await open(device === "cpu" ? cpu : gpu, `${server.url}?device=${device}`);
  page.setDefaultTimeout(3 * PATIENCE);
  try {
    await body(page);
  } finally {
    await close();
  }
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

test("a worker of another build is not spoken to, and the page asks to be reloaded", { timeout: 4 * PATIENCE }, async () => {
  await visit("build", "cpu", async (page) => {
    await notice(page, /The page has been updated/);
    assert.equal(await by(page, "run").isDisabled(), true);
    await by(page, "reload").click();
    await status(page, "done");
  });
});

/** The run that a GPU began is finished by the CPU: the figure is whole, and what is typed is kept. */
async function ends_on_the_cpu(page) {
  await page.locator("[data-testid=status][data-state=done], [data-testid=status][data-state=error]").first().waitFor();
  assert.equal(await by(page, "status").getAttribute("data-state"), "done", await by(page, "notice").innerText());
  assert.match(await by(page, "device-report").innerText(), /^CPU/);
  for (const method of ["ig", "ap"]) {
    const cells = (await table(page, `heatmap-${method}-heads`)).flat();
    assert.ok(cells.length > 0 && cells.every(Number.isFinite), method);
  }
  assert.equal(await by(page, "gpu-check").innerText(), "", "nothing of the GPU is left to be checked");
}

for (const [fault, words] of [
  ["validation", /The GPU failed, so the CPU computes this run/],
  ["nan", /The GPU failed, so the CPU computes this run.*not a finite number/s],
  ["trap", /The GPU failed, so the CPU computes this run/],
  ["lost", /The GPU was lost, so the CPU computes this run/],
  ["wrong", /result is not to be trusted: it was withdrawn, and the CPU computes it.*The CPU was asked for a sample/s],
  ["self-test", /The GPU cannot be used, so the CPU computes.*failed its self-test: .* is off by/s],
]) {
  test(`a GPU that meets "${fault}" says so, and the CPU finishes the run`, { timeout: 6 * PATIENCE }, async () => {
    await visit(fault, "gpu", async (page) => {
      await notice(page, words);
      await ends_on_the_cpu(page);
    });
  });
}

test("a GPU that is lost is asked for once more, behind the work", { timeout: 8 * PATIENCE }, async () => {
  await visit("lost", "gpu", async (page) => {
    await notice(page, /The GPU was lost/);
    await ends_on_the_cpu(page);
    // Ready again, it is what the visitor has chosen.
    await page.waitForFunction(() => document.querySelector("[data-testid=device-report]").dataset.gpuMemoryBytes > 0);
    await by(page, "run").click();
    await page.locator("[data-testid=device-report]", { hasText: "software adapter" }).waitFor();
    await status(page, "done");
    await confirmed(page);
  });
});

test("the first figure waits for no GPU, and later ones go where they are expected sooner", { timeout: 8 * PATIENCE }, async () => {
  // A software adapter counts as hardware here: slow, but it is made ready, measured and held against the CPU.
  await visit("hardware", "auto", async (page) => {
    await status(page, "done");
    const report = by(page, "device-report");
    assert.match(await report.innerText(), /^CPU.*(being made ready|is ready since then)/s);
    await page.locator("[data-testid=device-report]", { hasText: /is ready since then/ }).waitFor();
    await by(page, "run").click();
    await page.locator("[data-testid=device-report]", { hasText: /It is the sooner of the two/ }).waitFor();
    assert.match(await report.innerText(), /^CPU.*Expected: .* s on the CPU, [\d.]+ (s|min) on the GPU/s);
    await status(page, "done");
    const kept = JSON.parse(await page.evaluate(() => localStorage["twinbeam-gpu-speeds"]));
    assert.equal(kept.length, 1);
    assert.ok(kept[0][1].operations_per_second > 0 && kept[0][1].seconds_per_dispatch > 0, JSON.stringify(kept));
  });
});

test("a model that only the GPU has room for is checked in a worker of its own", { timeout: 6 * PATIENCE }, async () => {
  await visit_with({ [FAULT]: "alone" }, "gpu", async (page) => {
    await status(page, "done");
    assert.match(await by(page, "device-report").innerText(), /software adapter/);
    assert.match(await confirmed(page), /the worst is off by [\d.]+ %/);
    assert.ok((await table(page, "heatmap-ap-heads")).flat().every(Number.isFinite));
  });
});

test("a model that only the GPU had goes on on the CPU when the GPU fails", { timeout: 6 * PATIENCE }, async () => {
  await visit_with({ [FAULT]: "alone", [GPU_FAULT]: "validation" }, "gpu", async (page) => {
    await notice(page, /The GPU failed, so the CPU computes this run/);
    await ends_on_the_cpu(page);
  });
});

test("every kernel of the GPU's own gives what its definition gives", { timeout: 6 * PATIENCE }, async () => {
  await visit("kernels", "gpu", async (page) => {
    const said = page.locator("[data-testid=device-report]", { hasText: /comparisons of kernels/ });
    const refused = page.locator("[data-testid=notice]", { hasText: "cannot be used" });
    await said.or(refused).first().waitFor();
    assert.equal(await refused.count(), 0, (await refused.allInnerTexts()).join("; "));
    const words = await said.innerText();
    const [, compared, worst] = words.match(/(\d+) comparisons of kernels, the worst off by ([\d.]+e-\d+)/) ?? assert.fail(words);
    console.log(`${compared} comparisons, the worst off by ${worst} of the largest value`);
    // As many as natively: kernels times shapes times values and gradients.
    assert.ok(Number(compared) >= 250, `only ${compared} comparisons`);
    // As KERNEL_TOLERANCE in crates/gpt2/src/kernels/trial.rs.
    assert.ok(Number(worst) <= 1e-5, `off by ${worst}`);
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
    assert.equal(Object.values(armed).join(""), "", "the worker asked for its fault");
    return found;
  };
  const halves = await patched("memory", "gpu", /software adapter/);
  const whole = await patched("", "cpu", /CPU/);
  const largest = Math.max(...whole.map(Math.abs));
  const off = Math.max(...halves.map((value, i) => Math.abs(value - whole[i])));
  assert.ok(off < 2e-3 * largest, `off by ${off} of ${largest}`);
});
