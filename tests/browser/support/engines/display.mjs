// A screen that nobody sees, for a browser that draws to a window only.
import { spawn } from "node:child_process";
import { program } from "./machine.mjs";

const path = () => program("Xvfb");

/** What this machine lacks for it, if it lacks something. */
export const no_display = () => (path() ? undefined : "a screen that nobody sees is not here (on Debian it is the package xvfb)");

/**
 * Starts one: `{ name, close }`. The server itself chooses a number that is free and says it, so that two suites at once do not
 * take the same, as two that look for a free one may.
 */
export async function display() {
  const arguments_ = ["-displayfd", "3", "-screen", "0", "1400x1100x24", "-nolisten", "tcp", "-noreset"];
  const server = spawn(path(), arguments_, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const number = await new Promise((found, failed) => {
    let said = "";
    server.stdio[3].on("data", (chunk) => {
      said += chunk;
      if (said.endsWith("\n")) found(said.trim());
    });
    server.on("error", failed);
    server.on("exit", (code) => failed(new Error(`Xvfb ended with ${code}`)));
  });
  const close = () => ended(server);
  return { name: `:${number}`, close };
}

/** Ends a program that was started here, and waits until it has ended. */
export function ended(started) {
  if (started.exitCode !== null || started.signalCode !== null) return Promise.resolve();
  const gone = new Promise((go) => started.once("exit", go));
  started.kill();
  return gone;
}
