// A tab that is used for a day, in some minutes: 200 runs, 50 loads of a model and 500 questions, unless told otherwise in rounds
// of 10, 2 and 25. A program and no test: it prints what the browser holds, what of it is whose, and how long each round took.
import { soak } from "./support/soak.mjs";

const ROUNDS = Number(process.argv[2] ?? 25);
const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const { asked } = await soak(ROUNDS, (round, { bytes, code, programs, heap, program, workers, elements, steps, address, seconds }) => {
  const parts = `programs ${mega(programs)}, compiled code ${mega(code)}, the rest ${mega(bytes - programs - code)}; the page's heap ${mega(heap)} and program ${mega(program)}`;
  const counts = `${workers} workers, ${elements} elements, ${steps} steps of history, ${address} characters of address`;
  const took = Object.entries(seconds).map(([what, seconds]) => `${what} ${seconds.toFixed(1)} s`);
  console.log(`round ${round}: ${mega(bytes)} (${parts}), ${counts}, ${took.join(", ")}`);
});
console.log(asked);
