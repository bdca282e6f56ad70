// A driver by which a machine without a GPU has an adapter all the same: the software one that Chromium brings.
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const DRIVER = "vk_swiftshader_icd.json";

/** Its description for the Vulkan loader: beside the browser's program, or where Debian has it. */
export function software_driver() {
  const named = process.env.TWINBEAM_CHROMIUM;
  const folders = [...(named && existsSync(named) ? [dirname(realpathSync(named))] : []), "/usr/lib/chromium"];
  return folders.map((folder) => join(folder, DRIVER)).find(existsSync);
}
