// Lists of prompt pairs in the page: what is drawn is added and can be undone, files in any encoding are read or refused,
// and a row that is no pair spoils no other.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse } from "../support/link.mjs";
import { AT_NOTEBOOK, by, chapter, launch, open, status } from "../support/page.mjs";
import { serve } from "../support/server.mjs";

const TYPED = `clean,corrupted,answer,wrong
"When Tom and Kate went to the park, Kate gave a ring to","When Tom and Kate went to the park, Tom gave a ring to", Tom, Kate
only,three,fields
"When Kate and Tom went to the park, Tom gave a ring to","When Kate and Tom went to the park, Kate gave a ring to", Kate, Tom`;

let browser, server, page, errors, close;
before(async () => {
  browser = await launch();
  server = await serve();
  ({ page, errors, close } = await open(browser, `${server.url}?device=cpu${AT_NOTEBOOK}`));
  await status(page, "done");
  await chapter(page, "batch");
});
after(async () => {
  assert.deepEqual(errors, []);
  await close?.();
  await browser?.close();
  await server?.close();
});

const input = () => by(page, "batch-input");
const read = (words) => by(page, "batch-read").filter({ hasText: words }).waitFor();

/** Drops a file onto the field. */
async function drop(name, bytes) {
  const transfer = await page.evaluateHandle(
    ([name, bytes]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], name));
      return transfer;
    },
    [name, [...bytes]],
  );
  await input().dispatchEvent("drop", { dataTransfer: transfer });
}

test("a row that is no pair is listed with its line, and the others run", async () => {
  await input().fill(TYPED);
  await read("2 pairs read");
  assert.match(await by(page, "batch-bad").innerText(), /1 row of 3 is no pair and is left out[^]*line 3: 3 fields, where the first line names 4/);
  await by(page, "batch-run").click();
  await by(page, "batch-progress").filter({ hasText: "All 2 done" }).waitFor();
  assert.match(await by(page, "batch-failures").innerText(), /1 pair of 3 left out[^]*line 3/);
  assert.equal(await by(page, "batch-cases").locator("tbody tr").count(), 2);
});

test("what is drawn is added to what was typed, and undone to the letter by button and by key", async () => {
  await input().fill(TYPED);
  for (const undo of [() => by(page, "batch-undo").press("Enter"), () => input().press("Control+z")]) {
    await by(page, "batch-n").fill("4");
    await by(page, "batch-n").press("Tab");
    await by(page, "batch-draw").click();
    await read("6 pairs read");
    assert.match(await by(page, "batch-done").innerText(), /4 pairs drawn and added to the 2 that were there. 1 row could not be read and is left out/);
    assert.equal(await by(page, "batch-bad").count(), 0);
    await page.waitForTimeout(500);
    const { view } = parse(page.url());
    assert.deepEqual([view.pairs.length, view.draw ?? null], [6, null], "a link holds all of them");
    await undo();
    assert.equal(await input().inputValue(), TYPED);
    await read("2 pairs read");
    await by(page, "batch-bad").waitFor();
  }
  // Nothing is lost by undoing either.
  await by(page, "batch-undo").click();
  await read("6 pairs read");
});

test("a draw takes the place of a draw, and a link names it", async () => {
  await input().fill("");
  for (const n of [3, 5]) {
    await by(page, "batch-n").fill(`${n}`);
    await by(page, "batch-n").press("Tab");
    await by(page, "batch-draw").click();
    await read(`${n} pairs read`);
  }
  await page.waitForTimeout(500);
  const { view } = parse(page.url());
  assert.deepEqual([view.draw.n, view.pairs ?? []], [5, []]);
  await by(page, "batch-undo").click();
  await read("3 pairs read");
});

test("a dropped table in UTF-16 is read, one in Latin-1 is refused and changes nothing", async () => {
  await input().fill(TYPED);
  const table = "clean;corrupted;answer;wrong\r\nCaf\u00e9 a;Th\u00e9 a; b; c\r\n";
  await drop("latin.csv", Buffer.from(table, "latin1"));
  await by(page, "batch-problem").filter({ hasText: /latin\.csv was not read[^]*line 2: byte 0xe9[^]*save it as UTF-8/ }).waitFor();
  assert.equal(await input().inputValue(), TYPED);
  await drop("wide.csv", Buffer.from(`\ufeff${table}`, "utf16le"));
  await read("1 pair read");
  assert.equal(await by(page, "batch-problem").innerText(), "");
  assert.match(await input().inputValue(), /Caf\u00e9 a;Th\u00e9 a/);
  await by(page, "batch-undo").click();
  assert.equal(await input().inputValue(), TYPED);
  await drop("weights.pt", Buffer.from("PK\x03\x04 data.pkl", "latin1"));
  await by(page, "batch-problem").filter({ hasText: /weights\.pt was not read[^]*file of PyTorch/ }).waitFor();
});

test("published lists are read: token ids as answers, and an object of prompts", async () => {
  await input().fill(",clean,corrupted,correct_idx,incorrect_idx\n470,The keys near the cabinet,The key near the cabinet,10,11");
  await read("1 pair read");
  const pair = '{"clean":"a","corrupt":"b","answers":[" c"],"wrong_answers":[" d"]}';
  await input().fill(`{"prompts":[${pair},${pair}]}`);
  await read("2 pairs read");
  await input().fill("clean,corrupted,group,plural\na,b,c,1");
  assert.match(await by(page, "batch-problem").innerText(), /No column is the answer: wanted are clean, corrupted[^]*clean, corrupted, group, plural/);
});
