// A model of the visitor's own in every engine: its files are chosen, run, and do not leave the device.
import assert from "node:assert/strict";
import { copyFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../engines/machine.mjs";
import { MINI } from "../native.mjs";
import { AT_NOTEBOOK } from "../page.mjs";
import { at, says, status, table, there, visit } from "../tab.mjs";
import { agrees } from "./figure.mjs";

async function own_files({ browser, server, native }) {
  const [own, cut_off] = [folder("model"), folder("model")];
  const copied = ({ path }) =>
    ["config.json", "model.safetensors", "tokenizer.json"].map((name) => {
      copyFileSync(join(MINI, name), join(path, name));
      return join(path, name);
    });
  try {
    await visit(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`, async (tab) => {
      await status(tab, "done");
      const asked = server.requests.length;
      await there(tab, "local-files");
      await tab.files(at("local-files"), copied(own));
      await says(tab, "model-report", /^Bundled model, from local files: 4 layers/);
      await status(tab, "done");
      await agrees(tab, native.notebook, ["noising"]);
      const figure = await table(tab, "heatmap-ap-heads");
      assert.equal(server.requests.slice(asked).filter(({ bytes }) => bytes > 0).length, 0, "nothing of it is sent anywhere");

      // What cannot be read is named, and the figure stays.
      const paths = copied(cut_off);
      truncateSync(paths[1], 1_000_000);
      await tab.files(at("local-files"), paths);
      await says(tab, "notice", /is not loaded/);
      assert.deepEqual(await table(tab, "heatmap-ap-heads"), figure);
    });
  } finally {
    own.remove();
    cut_off.remove();
  }
}

export const FILES = [{ name: "a model from files runs, and files that are cut off are refused by name", run: own_files }];
