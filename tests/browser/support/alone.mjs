// A browser that nobody inspects: the page is told by a script of the test's what to do, and what the browser's process holds is read
// from the system. An inspected browser keeps records of its own: of each request, for instance. They are small and lie between what
// the page makes anew, so that less of that can be given back.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROGRAM, QUIET } from "./page.mjs";

/** A file of a process; empty once the process has ended. */
function of_process(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** The processes that hold pages, of all that have come of one. */
function renderers(root) {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number)) {
    const [, parent] = of_process(pid, "status").match(/^PPid:\s+(\d+)$/m) ?? [];
    if (parent) parents.set(pid, Number(parent));
  }
  const is_of = (pid) => pid === root || (parents.has(pid) && is_of(parents.get(pid)));
  return [...parents.keys()].filter((pid) => is_of(pid) && of_process(pid, "cmdline").includes("--type=renderer"));
}

/**
 * Bytes that a process has in memory, shared ones left out; how many of them are compiled code, and how many the memories of
 * WebAssembly programs, of page and workers; and how many workers run in it.
 */
function held(pid) {
  const found = { bytes: 0, code: 0, programs: 0, workers: 0 };
  let part;
  for (const line of of_process(pid, "smaps").split("\n")) {
    const [, from, rights] = line.match(/^([0-9a-f]+)-[0-9a-f]+ (\S+) /) ?? [];
    // V8 has the memory of a program begin at a multiple of 4 GiB, so that no address of its 32 bits leads out of it.
    if (rights) part = rights.startsWith("rwx") ? "code" : rights === "rw-p" && from.endsWith("00000000") ? "programs" : undefined;
    const [, kilobytes] = line.match(/^Private_(?:Clean|Dirty):\s+(\d+) kB/) ?? [];
    if (kilobytes) found.bytes += 1024 * kilobytes;
    if (kilobytes && part) found[part] += 1024 * kilobytes;
  }
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    if (of_process(pid, `task/${task}/comm`).startsWith("DedicatedWorker")) found.workers += 1;
  }
  return found;
}

/** What the largest process holds that holds a page, and the workers of all of them. */
function look(root) {
  const all = renderers(root).map(held);
  const largest = all.reduce((one, other) => (one.bytes > other.bytes ? one : other));
  return { ...largest, workers: all.reduce((sum, { workers }) => sum + workers, 0) };
}

// A window that nobody looks at gets what time others leave, unless told otherwise.
const AWAKE = ["--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows", "--disable-background-timer-throttling"];

/** Opens an address in a browser of its own: `{ look, ended, close }`. Scripts of the page have `gc`. */
export function alone(url) {
  const profile = mkdtempSync(join(tmpdir(), "twinbeam-alone-"));
  const options = ["--headless=new", "--no-sandbox", "--disable-gpu", ...QUIET, ...AWAKE, "--js-flags=--expose-gc", "--enable-precise-memory-info"];
  const more = [`--user-data-dir=${profile}`, "--window-size=1280,900", url];
  // A group of its own ends as one.
  const browser = spawn(PROGRAM, [...options, ...more], { stdio: "ignore", detached: true });
  const ended = new Promise((go, fail) => browser.once("error", fail).once("exit", go));
  const close = async () => {
    try {
      process.kill(-browser.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  return { look: () => look(browser.pid), ended, close };
}
