// Forty runs, eight models and a hundred questions in one tab: what the browser holds stays what it is after the first ten, and no
// worker is left behind. `soak.mjs` does the same for longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PATIENCE, launch } from "../support/page.mjs";
import { soak } from "../support/soak.mjs";

const ROUNDS = 4;
/** Of what is held after the first ten runs. */
const MOST = 1.1;

test("a tab that is used for long holds no more than after the first runs", { timeout: 8 * PATIENCE }, async () => {
  const browser = await launch();
  try {
    const { rounds, asked } = await soak(browser, ROUNDS);
    const [first, ...later] = rounds;
    for (const { bytes, workers } of later) {
      assert.ok(bytes <= MOST * first.bytes, `${bytes} bytes, after the first ten runs ${first.bytes}`);
      assert.equal(workers, first.workers, "workers");
    }
    assert.equal(first.workers, 2, "one computes, one reads what is typed");
    assert.ok(asked.run >= 10 * ROUNDS && asked.load >= 2 * ROUNDS && asked.probe >= 25 * ROUNDS, JSON.stringify(asked));
  } finally {
    await browser.close();
  }
});
