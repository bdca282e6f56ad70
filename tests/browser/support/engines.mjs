// The page's tests in several engines: one small way to drive each, so that one list of scenarios is for all of them.
//
// An engine is `{ name, missing(), start(options), keeps, forgetful }`. `missing()` says what this machine lacks of it, or nothing.
// `keeps`: what a page stores is there at the next start with the same profile; `forgetful`: options of a start that stores nothing.
// `start({ profile, gpu })` gives a browser, with a folder as its `profile` one that keeps there what it is told to keep:
//
// - `visit()`: a tab with a storage of its own, or where there is a profile with that of the profile;
// - `close()`.
//
// A tab is driven with real events, by CSS selectors, and its script is a function of the test's that closes over nothing:
//
// - `goto(url)`, `reload()`, `url()`, `close()`;
// - `run(script, ...values)`: what a script in the page gives, awaited and as JSON has it;
// - `click(css)`: in the middle of an element that is on the screen; `press(key)`: as "Enter", "Shift+Tab" or "+";
// - `type(text)`: as keys, to whatever has the focus; `files(css, paths)`: into a field for files;
// - `saved(act)`: `{ name, bytes }` of the file that the page offers once `act` is done;
// - `errors()`: what has gone wrong in the page, or what it has called an error on the console, from the last `goto` on.
import { chromium } from "./engines/chromium.mjs";
import { firefox } from "./engines/firefox.mjs";
import { webkit } from "./engines/webkit.mjs";

export const ENGINES = { chromium, firefox, webkit };
