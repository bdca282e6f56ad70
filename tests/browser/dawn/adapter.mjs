// Dawn's adapter: a GPU where there is one, else the software adapter that Chromium brings.
import { spawnSync } from "node:child_process";
import { create, globals } from "webgpu";
import { software_driver } from "./driver.mjs";

/** `{ gpu, classes, name, is_software }`. Where no driver is found, the program starts again with the software one. */
export async function find_adapter() {
  // Browsers round timestamps to a tenth of a millisecond, which is several dispatches.
  const gpu = create(["disable-dawn-features=timestamp_quantization"]);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter) {
    const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
    const name = [vendor, architecture, device, description].filter(Boolean).join(", ");
    return { gpu, classes: globals, name, is_software: isFallbackAdapter || /swiftshader|llvmpipe/i.test(name) };
  }
  const driver = software_driver();
  if (process.env.VK_DRIVER_FILES || !driver) {
    throw new Error("Dawn finds no adapter: is there a Vulkan loader (libvulkan1), and a driver that VK_DRIVER_FILES names?");
  }
  const env = { ...process.env, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: "inherit" }).status ?? 1);
}
