// WebDriver as browsers have long had it: commands over HTTP, in sessions of one browser each.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { chord } from "./machine.mjs";
import { ended } from "./display.mjs";

/** The specification's name of the field that holds an element's reference. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
/** The code points by which it names keys without a character. */
const KEYS = {
  Backspace: "\uE003",
  Tab: "\uE004",
  Enter: "\uE007",
  Shift: "\uE008",
  Control: "\uE009",
  Escape: "\uE00C",
  Space: " ",
  End: "\uE010",
  Home: "\uE011",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
};
/** Milliseconds that a script may take: whoever waits for something asks again and again instead, and again where an answer is lost. */
const SCRIPT = 30_000;
const LOAD = 300_000;

/** A port that was free a moment ago. */
async function free_port() {
  const server = createServer();
  await new Promise((go) => server.listen(0, "127.0.0.1", go));
  const { port } = server.address();
  await new Promise((go) => server.close(go));
  return port;
}

/** Starts a driver, which is told its port: `{ session, close }`. */
export async function driver(program, env) {
  const port = await free_port();
  const started = spawn(program, [`--port=${port}`], { env, stdio: ["ignore", "ignore", "inherit"] });
  const base = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${base}/status`).then(({ ok }) => ok, () => false))) {
    if (started.exitCode !== null) throw new Error(`${program} ended with ${started.exitCode}`);
    await new Promise((go) => setTimeout(go, 50));
  }
  return { session: (capabilities) => session(base, capabilities), close: () => ended(started) };
}

async function ask(method, address, body) {
  const response = await fetch(address, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

/** A browser of the driver's, with one window. */
async function session(base, alwaysMatch) {
  const { sessionId } = await ask("POST", `${base}/session`, { capabilities: { alwaysMatch } });
  const at = `${base}/session/${sessionId}`;
  const post = (command, body = {}) => ask("POST", `${at}/${command}`, body);
  await post("timeouts", { script: SCRIPT, pageLoad: LOAD, implicit: 0 });
  await post("window/rect", { x: 0, y: 0, width: 1300, height: 1000 });
  const find = async (css) => (await post("element", { using: "css selector", value: css }))[ELEMENT];
  /** Presses and lets go what a list of pairs names. */
  const keys = (events) =>
    post("actions", { actions: [{ type: "key", id: "keyboard", actions: events.map(([type, value]) => ({ type, value })) }] });
  const code = (key) => KEYS[key] ?? key;
  return {
    goto: (url) => post("url", { url }),
    reload: () => post("refresh"),
    url: () => ask("GET", `${at}/url`),
    async run(script, ...values) {
      // What a script returns is awaited here: of those that give a promise, some drivers wait for none.
      const text = `const done = arguments[arguments.length - 1];
        const give = async () => (${script})(...${JSON.stringify(values)});
        give().then((value) => done([true, value ?? null]), (error) => done([false, String(error)]));`;
      const [is_done, value] = await post("execute/async", { script: text, args: [] });
      if (!is_done) throw new Error(value);
      return value ?? undefined;
    },
    click: async (css) => post(`element/${await find(css)}/click`),
    async press(name) {
      const { modifiers, key } = chord(name);
      const held = modifiers.map(code);
      await keys([
        ...held.map((modifier) => ["keyDown", modifier]),
        ["keyDown", code(key)],
        ["keyUp", code(key)],
        ...held.map((modifier) => ["keyUp", modifier]),
      ]);
    },
    type: (text) => keys([...text].flatMap((character) => [["keyDown", character], ["keyUp", character]])),
    async files(css, paths) {
      const field = await find(css);
      // Files would be added to those that were chosen before; a visitor who chooses anew has these alone.
      await post("execute/sync", { script: "arguments[0].value = '';", args: [{ [ELEMENT]: field }] });
      await post(`element/${field}/value`, { text: paths.join("\n") });
    },
    close: () => ask("DELETE", at),
  };
}
