// WebKit as GTK's programs have it, in the small browser that comes with it, driven by its own WebDriver.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PATIENCE } from "../page.mjs";
import { display, no_display } from "./display.mjs";
import { arrived, folder, program } from "./machine.mjs";
import { driver } from "./webdriver.mjs";

const path = () => process.env.TWINBEAM_WEBKIT_DRIVER ?? program("WebKitWebDriver");
/** The small browser lies beside the library, in a folder of the system's architecture and of the library's version. */
const ARCHITECTURES = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
const browser_of = () => {
  const places = ["4.1", "4.0"].map((version) => `/usr/lib/${ARCHITECTURES[process.arch]}/webkit2gtk-${version}/MiniBrowser`);
  return program(...places, "/usr/libexec/webkit2gtk-4.1/MiniBrowser");
};

/** What this machine lacks of it, if it lacks something. */
function missing() {
  if (!path()) return "WebKitWebDriver is not here (on Debian it is in the package webkit2gtk-driver; TWINBEAM_WEBKIT_DRIVER names another)";
  return browser_of() ? no_display() : "WebKit's MiniBrowser is not here (on Debian it comes with webkit2gtk-driver)";
}

/**
 * Notes what goes wrong in a page: under automation this browser says it nowhere else. What went wrong before is lost: it is
 * called as soon as the page has been loaded, when its program has hardly begun.
 */
function watch() {
  const errors = (globalThis.twinbeam_errors = []);
  addEventListener("error", ({ message }) => {
    // Not an error but the specification's way to say that a size is looked at once more in the next frame.
    if (!message.startsWith("ResizeObserver loop")) errors.push(message);
  });
  addEventListener("unhandledrejection", ({ reason }) => errors.push(`${reason}`));
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => errors.push(`${violatedDirective}: ${blockedURI}`));
  const say = console.error;
  console.error = (...words) => {
    errors.push(words.join(" "));
    say.apply(console, words);
  };
}

/**
 * Starts it. It keeps nothing, whatever its profile: files for pages are switched off in it until whoever embeds it wants them, and
 * even then its sessions under automation have no place for them (`getDirectory` fails with an UnknownError). That is what its
 * visitors have, too, so that the page must say it.
 */
async function start() {
  const home = folder("webkit");
  const [downloads, config] = ["Downloads", ".config"].map((name) => join(home.path, name));
  mkdirSync(downloads);
  mkdirSync(config);
  writeFileSync(join(config, "user-dirs.dirs"), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
  const screen = await display();
  const env = {
    ...process.env,
    HOME: home.path,
    XDG_CONFIG_HOME: config,
    DISPLAY: screen.name,
    GDK_BACKEND: "x11",
    // In a container, where tests run, nothing can be locked in once more.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
  };
  const started = await driver(path(), env);
  const options = { binary: browser_of(), args: ["--automation"] };
  const visit = async () => tab(await started.session({ "webkitgtk:browserOptions": options }), downloads);
  const close = async () => {
    await started.close();
    await screen.close();
    home.remove();
  };
  return { visit, close };
}

function tab(session, downloads) {
  const watched = async (going) => {
    await going;
    await session.run(watch);
  };
  return {
    ...session,
    goto: (url) => watched(session.goto(url)),
    reload: () => watched(session.reload()),
    errors: () => session.run(() => globalThis.twinbeam_errors),
    async saved(act) {
      await act();
      return arrived(downloads, PATIENCE);
    },
  };
}

export const webkit = { name: "WebKit", missing, start, forgetful: {} };
