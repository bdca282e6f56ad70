// Firefox, driven by WebDriver BiDi: what its own makers offer to drive a Firefox as it is installed.
import puppeteer from "puppeteer-core";
import { software_driver } from "../../dawn/driver.mjs";
import { PATIENCE } from "../page.mjs";
import { arrived, chord, folder, program, watched } from "./machine.mjs";

const PROGRAMS = ["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"];
const path = () => process.env.TWINBEAM_FIREFOX ?? program(...PROGRAMS);

/** What this machine lacks of it, if it lacks something. */
function missing() {
  return path() ? undefined : "Firefox is not here (on Debian it is the package firefox-esr; TWINBEAM_FIREFOX names another)";
}

/** What a visitor's Firefox does anyway, or asks about: files are saved where they can be found, and nobody is called. */
const preferences = (downloads) => ({
  "browser.download.folderList": 2,
  "browser.download.dir": downloads,
  "browser.download.useDownloadDir": true,
  "browser.download.alwaysOpenPanel": false,
  // It has a mouse, also where it has no screen: a pointer that is fine and can hover.
  "ui.primaryPointerCapabilities": 6,
  "ui.allPointerCapabilities": 6,
  "datareporting.policy.dataSubmissionEnabled": false,
});

/** WebGPU, which builds have behind a setting or switched on: if it is wanted also on an adapter that computes on the CPU. */
const webgpu = (wanted) => ({ "dom.webgpu.enabled": wanted, "gfx.webgpu.ignore-blocklist": wanted });

/** The same for the loader of drivers, unless one is named already. */
function with_driver() {
  const driver = process.env.VK_DRIVER_FILES ?? software_driver();
  return { ...process.env, ...(driver && { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver }) };
}

/** Every window is a private one. */
const PRIVATE = { "browser.privatebrowsing.autostart": true };

async function start({ profile, gpu, private_window } = {}) {
  const downloads = folder("downloads");
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: path(),
    userDataDir: profile,
    defaultViewport: { width: 1280, height: 900 },
    protocolTimeout: 5 * PATIENCE,
    timeout: PATIENCE,
    env: gpu ? with_driver() : process.env,
    extraPrefsFirefox: { ...preferences(downloads.path), ...webgpu(Boolean(gpu)), ...(private_window && PRIVATE) },
  });
  const visit = async () => {
    const context = profile ? browser : await browser.createBrowserContext();
    return tab(await context.newPage(), downloads.path, () => (profile ? undefined : context.close()));
  };
  const close = async () => {
    await browser.close();
    downloads.remove();
  };
  return { visit, close };
}

function tab(page, downloads, close) {
  page.setDefaultTimeout(PATIENCE);
  return {
    ...watched(page),
    url: () => page.evaluate(() => location.href),
    click: (css) => page.click(css),
    async press(name) {
      const { modifiers, key } = chord(name);
      for (const modifier of modifiers) await page.keyboard.down(modifier);
      await page.keyboard.press(key === "Space" ? " " : key);
      for (const modifier of modifiers) await page.keyboard.up(modifier);
    },
    async files(css, paths) {
      const field = await page.$(css);
      await field.uploadFile(...paths);
    },
    async saved(act) {
      await act();
      return arrived(downloads, PATIENCE);
    },
    async close() {
      await page.close();
      await close();
    },
  };
}

export const firefox = { name: "Firefox", missing, start, keeps: true, forgetful: { private_window: true } };
