// The page in WebKit: what must hold in every engine.
import { ENGINES } from "../support/engines.mjs";
import { scenarios } from "../support/scenarios.mjs";

scenarios(ENGINES.webkit);
