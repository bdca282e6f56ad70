// The page in Chromium, through the same few doors as in the other engines: a scenario that fails here is itself wrong.
import { ENGINES } from "../support/engines.mjs";
import { scenarios } from "../support/scenarios.mjs";

scenarios(ENGINES.chromium);
