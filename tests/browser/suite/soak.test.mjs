// Forty runs, eight models and a hundred questions in one tab: what the page holds stays what it is after the first ten, and no
// worker is left behind. `soak.mjs` does the same for longer, and prints what its process holds, too: that depends on when the
// browser gives pages back (2 to 18 % more after thirty runs, by what else the machine does), see SPEED.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PATIENCE } from "../support/page.mjs";
import { soak } from "../support/soak.mjs";

const ROUNDS = 4;
/** Of what is held after the first ten runs. */
const MOST = 1.1;
/** Bytes that the memory of the page's program may have more than that: it never shrinks, so it is as large as what once came at once. */
const STEP = 2 ** 20;

test("a tab that is used for long holds no more than after the first runs", { timeout: 8 * PATIENCE }, async () => {
  const { rounds, asked } = await soak(ROUNDS);
  const [first, ...later] = rounds;
  const parts = ({ heap, program, elements }) => ({ heap, program, elements });
  for (const round of later) {
    for (const [part, now] of Object.entries(parts(round))) {
      const before = parts(first)[part];
      assert.ok(now <= MOST * before + (part === "program" ? STEP : 0), `${part}: ${now}, after the first ten runs ${before}`);
    }
    assert.equal(round.workers, first.workers, "workers");
  }
  assert.equal(first.workers, 2, "one computes, one reads what is typed");
  assert.ok(asked.run >= 10 * ROUNDS && asked.load >= 2 * ROUNDS && asked.probe >= 25 * ROUNDS, JSON.stringify(asked));
});
