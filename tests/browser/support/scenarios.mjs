// What must hold in every engine, once for all of them: from the first figure to a model that is kept.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compare } from "./native.mjs";
import { EXAMPLES, NOTEBOOK, PATIENCE } from "./page.mjs";
import { serve } from "./server.mjs";
import { FIGURE } from "./scenarios/figure.mjs";
import { FILES } from "./scenarios/files.mjs";
import { KEEPING } from "./scenarios/keeping.mjs";
import { FAULTS } from "./scenarios/faults.mjs";
import { KEYS } from "./scenarios/keys.mjs";
import { STYLES } from "./scenarios/styles.mjs";

/** A pair as the command line reads it, as one case of a file. */
const as_case = ({ clean, corrupted, answer, wrong }) => ({ name: "case", clean, corrupted, answer: answer[0], wrong: wrong[0] });

/**
 * Runs all scenarios in an engine, as tests of the suite that calls it. Where the engine is not on this machine the one test says so: in
 * CI it fails then, elsewhere it is passed over.
 *
 * `options` are those that the engine is started with, `more` scenarios of this engine alone.
 */
export function scenarios(engine, options = {}, more = []) {
  const lacks = engine.missing();
  if (lacks) {
    const why = `nothing was tested in ${engine.name}: ${lacks}`;
    const skip = process.env.CI ? false : why;
    test(`${engine.name} is here`, { skip }, () => assert.fail(why));
    if (skip) console.log(`Note: ${why}.`);
    return;
  }
  const here = { engine, options };
  before(async () => {
    const pairs = { first: EXAMPLES[0], other: EXAMPLES.find(({ clean }) => clean.startsWith("When Kate")), notebook: NOTEBOOK };
    const natives = compare(Object.values(pairs).map(as_case), { neurons: true });
    here.pairs = pairs;
    here.native = Object.fromEntries(Object.keys(pairs).map((name, place) => [name, natives[place]]));
    here.server = await serve("/some/folder/");
    here.browser = await engine.start(options);
  });
  after(async () => {
    await here.browser?.close();
    await here.server?.close();
  });
  for (const { name, run, needs, limit = 6 * PATIENCE } of [...FIGURE, ...FILES, ...KEEPING, ...FAULTS, ...KEYS, ...STYLES, ...more]) {
    if (needs && !engine[needs]) continue;
    test(`${engine.name}: ${name}`, { timeout: limit }, () => run(here));
  }
}
