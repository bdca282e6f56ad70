// The page in Firefox: what must hold in every engine, and its WebGPU, which it has behind a setting.
import { ENGINES } from "../support/engines.mjs";
import { scenarios } from "../support/scenarios.mjs";
import { GPU } from "../support/scenarios/gpu.mjs";

scenarios(ENGINES.firefox, {}, GPU);
