// A tab that is used for a day, in some minutes: 200 runs, 50 loads of a model and 500 questions, unless told otherwise in rounds
// of 10, 2 and 25. A program and no test: it prints what the browser holds and how long each round took.
import { launch } from "./support/page.mjs";
import { soak } from "./support/soak.mjs";

const ROUNDS = Number(process.argv[2] ?? 25);
const browser = await launch();
try {
  const { asked } = await soak(browser, ROUNDS, (round, { bytes, workers, seconds }) => {
    const took = Object.entries(seconds).map(([what, seconds]) => `${what} ${seconds.toFixed(1)} s`);
    console.log(`round ${round + 1}: ${(bytes / 1e6).toFixed(0)} MB, ${workers} workers, ${took.join(", ")}`);
  });
  console.log(asked);
} finally {
  await browser.close();
}
