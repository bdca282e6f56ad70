// Models that do not come with the page: fetched once, verified, kept, run, and what happens when the network or the
// browser's storage fails. The hub is a server of these tests; the model on it is a copy of the bundled one.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../support/hub.mjs";
import { compare, MINI } from "../support/native.mjs";
import { NOTEBOOK, PATIENCE, by, difference, launch, status, table } from "../support/page.mjs";
import { another, choose, damage, in_use, is_complete, journal, notice, site, visit } from "../support/site.mjs";

const WEIGHTS = "model.safetensors";
const WHOLE = statSync(join(MINI, WEIGHTS)).size;
/** What is read to learn a file's size, once more after each interruption. */
const HEAD = 64 * 1024;

let browser, native, entry;
before(async () => {
  // A name that is not this machine's own: over plain http the browser trusts it with nothing.
  browser = await launch({ more: ["--host-resolver-rules=MAP elsewhere.test 127.0.0.1"] });
  const { clean, corrupted, answer, wrong } = NOTEBOOK;
  [native] = compare([{ name: "notebook", clean, corrupted, answer: answer[0], wrong: wrong[0] }]);
  const { vocab } = JSON.parse(readFileSync(join(MINI, "tokenizer.json"), "utf8")).model;
  // Every word of it is one token.
  const ids = (text) => text.match(/ ?[A-Za-z]+|,/g).map((word) => vocab[word.replace(" ", "Ġ")]);
  const published = {
    source: "the command line",
    ...{ clean, corrupted, answer: answer[0], wrong: wrong[0] },
    clean_ids: [0, ...ids(clean)],
    corrupted_ids: [0, ...ids(corrupted)],
    answer_id: ids(answer[0])[0],
    wrong_id: ids(wrong[0])[0],
    logit_diff_clean: native.logit_diff.clean,
    logit_diff_corrupted: native.logit_diff.corrupted,
  };
  entry = { sha256: await sha256(join(MINI, WEIGHTS)), published };
});
after(() => browser?.close());

/** A test with a site of its own, in a browser's context of its own. */
function on(options, body) {
  return async () => {
    const here = await site({ ...options, entry: { ...entry, ...options.entry } });
    try {
      await visit(browser, here, (page, errors) => body(page, here, errors));
    } finally {
      await here.close();
    }
  };
}

/** The model computes what the command line does. */
async function is_right(page) {
  await status(page, "done");
  for (const method of ["ig", "ap"]) {
    const off = difference(await table(page, `heatmap-${method}-heads`), native.heads[method].noising);
    assert.ok(off < 1e-4, `${method} is off by ${off} of the largest score`);
  }
}

test("a model is fetched once, after a click, and is there without any network at the next visit", on({}, async (page, here, errors) => {
  const { hub, model, shelf } = here;
  await by(page, "model-select").selectOption(model.id);
  assert.match(await by(page, "model-offer").innerText(), /Some model: 2\.1 MB from 127\.0\.0\.1.*once; kept in this browser.*of memory/s);
  await by(page, "model-not-now").click();
  assert.deepEqual(hub.requests, [], "pointing at a model fetches nothing");

  await choose(page, model);
  await in_use(page, model, "(verified), kept in this browser");
  await is_right(page);
  assert.deepEqual(
    hub.requests.map(({ file, range, method }) => [file, range?.[0], method]),
    [["config.json"], ["tokenizer.json"], ["tokenizer_config.json"], [WEIGHTS, 0], [WEIGHTS, hub.requests[4].range[0]]].map(([file, at]) => [file, at, undefined]),
    "few and large ranges, and no preflight",
  );
  assert.ok(hub.served(WEIGHTS) <= model.file_bytes + HEAD, `${hub.served(WEIGHTS)} bytes for ${model.file_bytes}`);
  await page.locator("[data-testid=self-check][data-verdict=passed]").waitFor();
  for (const side of ["clean", "corrupted"]) {
    const published = Number(await by(page, `published-${side}`).getAttribute("data-value"));
    assert.equal(published, native.logit_diff[side]);
  }

  const link = page.url();
  await hub.close();
  const tab = await another(page, { url: link });
  await in_use(tab, model, "kept in this browser");
  await is_right(tab);
  assert.match(await by(tab, "model-report").getAttribute("title"), /Over the network: 0 B/);
  assert.deepEqual(errors, []);
}));

test("a model that is kept loads in an open page when every server is gone", on({}, async (page, here) => {
  const { hub, model } = here;
  await choose(page, model);
  await in_use(page, model, "kept in this browser");
  await is_right(page);
  await by(page, "model-select").selectOption("mini");
  await page.locator("[data-testid=model-report]", { hasText: "Bundled model" }).waitFor();
  await hub.close();
  await page.context().setOffline(true);
  await by(page, "model-select").selectOption(model.id);
  await in_use(page, model, "kept in this browser");
  await page.locator("[data-testid=run]:enabled").waitFor();
  await by(page, "run").click();
  await is_right(page);
}));

test("what was cut off at 60 % goes on from there at the next visit", on({}, async (page, here) => {
  const { hub, model, shelf } = here;
  const tab = await another(page, here);
  hub.rule = ({ file, range }) => file === WEIGHTS && range[0] > 0 && { rate: 500_000 };
  await choose(page, model);
  const reached = await page.waitForFunction(() => {
    const { done, total } = document.querySelector("[data-testid=load-progress]")?.dataset ?? {};
    return Number(done) > 0.6 * Number(total) && Number(done);
  });
  const done = await reached.jsonValue();
  await page.close();
  assert.equal(is_complete(await journal(tab, shelf)), false);

  [hub.rule, hub.requests.length] = [undefined, 0];
  await tab.reload();
  await by(tab, "model-select").selectOption(model.id);
  await tab.locator("[data-testid=model-offer]", { hasText: /of which .* are here already/ }).waitFor();
  await by(tab, "model-load").click();
  await in_use(tab, model, "(verified)");
  await is_right(tab);
  const most = model.file_bytes - done + HEAD + 0.1 * model.file_bytes;
  assert.ok(hub.served() < most, `${hub.served()} bytes were fetched again, at most ${most} were missing`);
}));

test("a damaged piece is noticed at the next visit, and it alone is fetched again", on({}, async (page, here) => {
  const { hub, model, shelf } = here;
  await choose(page, model);
  await in_use(page, model);
  const { start, end } = await damage(page, shelf);
  hub.requests.length = 0;
  const tab = await another(page, here);
  await choose(tab, model);
  await in_use(tab, model, "(verified)");
  await is_right(tab);
  assert.match(await by(tab, "model-report").getAttribute("title"), /Damaged pieces fetched again: 1/);
  const [from, to] = hub.requests.at(-1).range;
  assert.ok(from >= start && to === end, `${from} to ${to} of ${start} to ${end}`);
  assert.ok(hub.served() <= HEAD + end - start, `${hub.served()} bytes for a piece of ${end - start}`);
}));

test("two tabs at once fetch a model once, and the one that waits says so", on({}, async (page, here) => {
  const { hub, model } = here;
  const tab = await another(page, here);
  hub.rule = ({ file }) => file === WEIGHTS && { rate: 500_000 };
  await choose(page, model);
  await page.locator("[data-testid=load-progress]:not([data-done='0'])").waitFor();
  await choose(tab, model);
  await tab.locator("[data-testid=load-progress]", { hasText: /Another tab of this page is using the model/ }).waitFor();
  await Promise.all([in_use(page, model, "(verified)"), in_use(tab, model, "(verified)")]);
  await Promise.all([is_right(page), is_right(tab)]);
  assert.ok(hub.served(WEIGHTS) <= model.file_bytes + HEAD, `${hub.served(WEIGHTS)} bytes`);
}));

test("two tabs and two windows share what is kept, and one that deletes it takes it from nobody", on({}, async (page, here) => {
  const { hub, model, shelf } = here;
  const window_of = async (features) => {
    const [opened] = await Promise.all([
      page.waitForEvent("popup"),
      page.evaluate(([url, features]) => void window.open(url, "_blank", features), [here.url, features]),
    ]);
    await status(opened, "done");
    return opened;
  };
  const all = [page, await another(page, here), await window_of("popup,width=1280,height=800"), await window_of("popup,width=1200,height=900")];
  await Promise.all(all.map((one) => choose(one, model)));
  await Promise.all(all.map((one) => in_use(one, model, "(verified), kept in this browser")));
  await Promise.all(all.map(is_right));
  assert.ok(hub.served(WEIGHTS) <= model.file_bytes + HEAD, `${hub.served(WEIGHTS)} bytes`);

  const [, tab, , window] = all;
  await by(tab, "own-files").locator("summary").click();
  const line = by(tab, "storage").locator(`[data-shelf='${shelf}']`).first();
  await line.getByTestId("storage-delete").click();
  await line.getByTestId("storage-delete").click();
  await line.waitFor({ state: "detached" });
  assert.deepEqual(await journal(page, shelf), []);
  await tab.close();
  // Who has it goes on with it, and who reloads fetches it again.
  for (const one of [page, window]) {
    await by(one, "steps").fill("12");
    await one.locator("[data-testid=run]:enabled").waitFor();
    await by(one, "run").click();
    await is_right(one);
  }
  hub.requests.length = 0;
  await window.reload();
  await choose(window, model);
  await in_use(window, model, "(verified), kept in this browser");
  assert.ok(hub.served(WEIGHTS) >= model.file_bytes, `${hub.served(WEIGHTS)} bytes`);
}));

for (const [fault, words] of [
  ["no-opfs", /SecurityError/],
  ["quota", /runs from memory/],
  ["quota-thrown", /QuotaExceededError/],
  ["short-write", /runs from memory/],
]) {
  test(`where the browser's storage meets "${fault}", the model runs from memory and the page says so`, on({ faults: true }, async (page, here) => {
    const { hub, model, shelf } = here;
    hub.fault = fault;
    await choose(page, model);
    await in_use(page, model, "in memory only");
    assert.match(await notice(page, /runs from memory/), words);
    await is_right(page);
    assert.equal(is_complete(await journal(page, shelf)), false, "what is not there whole is not said to be");

    hub.fault = undefined;
    const tab = await another(page, here);
    await choose(tab, model);
    await in_use(tab, model, "(verified), kept in this browser");
  }));
}

test("where a browser really has no more room, the model runs from memory", on({}, async (page, here) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(here.url).origin, quotaSize: 1_000_000 });
  await choose(page, here.model);
  await in_use(page, here.model, "in memory only");
  await notice(page, /runs from memory/);
  await is_right(page);
}));

test("over plain http there is no storage: the model runs from memory", on({}, async (page, here) => {
  const tab = await another(page, { url: here.url.replace("127.0.0.1", "elsewhere.test") });
  await choose(tab, here.model);
  await in_use(tab, here.model, "(verified), in memory only");
  await notice(tab, /no private storage/);
  await is_right(tab);
}));

const weights = (fault) => ({ file }) => file === WEIGHTS && fault;
// Each ends in a sentence of its own, with the bundled model in use; those that may pass are tried again first.
describe("a network that fails for good", { concurrency: 3 }, () => {
  for (const [name, rule, words] of [
    ["no answer", () => ({ gone: true }), /config\.json could not be fetched: the server does not answer/],
    ["404", weights({ status: 404 }), /the server has no such file/],
    ["403", weights({ status: 403 }), /the server refuses it \(403\)/],
    ["429", weights({ status: 429 }), /the server asks for patience \(429\)/],
    [
      "429 for ten minutes",
      weights({ status: 429, headers: { "retry-after": "600", "access-control-expose-headers": "Retry-After" } }),
      /asks for patience, for 600 s/,
    ],
    ["503", weights({ status: 503 }), /the server has failed \(503\)/],
    ["418", weights({ status: 418 }), /the server answers 418/],
    ["a login page", () => ({ html: true }), /a web page came in its place.*login/s],
    ["another range", ({ file, range }) => file === WEIGHTS && range[0] > 0 && { content_range: "bytes 5-9/100" }, /sent other bytes \("bytes 5-9\/100"\)/],
    ["a short body", ({ file, range }) => file === WEIGHTS && { less: range[1] - range[0] }, /the answer ended after 0 of \d+ bytes/],
    ["a long body", ({ file, range }) => file === WEIGHTS && range[0] > 0 && { more: 1000 }, /more than the \d+ bytes/],
    ["a broken line", ({ file, range }) => file === WEIGHTS && range[0] > 0 && { cut: 0 }, /does not answer \(network error\)/],
  ]) {
    test(name, { timeout: 3 * PATIENCE }, on({}, async (page, { hub, model, shelf }) => {
      hub.rule = rule;
      const figure = await table(page, "heatmap-ap-heads");
      await choose(page, model);
      const said = await notice(page, /could not be fetched/);
      assert.match(said, words);
      assert.match(said, /Some model is not loaded; Bundled model stays in use/);
      assert.deepEqual(await table(page, "heatmap-ap-heads"), figure);
      assert.equal(await by(page, "load-progress").count(), 0);
      assert.equal(is_complete(await journal(page, shelf)), false);

      hub.rule = undefined;
      await by(page, "try-again").click();
      await in_use(page, model, "(verified)");
      await is_right(page);
    }));
  }
});

describe("a network that fails and recovers", { concurrency: 3 }, () => {
  for (const [name, faults, rule, said] of [
    ["503 twice", false, ({ file, number }) => file === WEIGHTS && number < 2 && { status: 503 }, /The server failed \(503\)[:.] .* is asked again/],
    [
      "429 with a time",
      false,
      ({ file, number }) =>
        file === WEIGHTS && number < 1 && { status: 429, headers: { "retry-after": "2", "access-control-expose-headers": "Retry-After" } },
      /asks for patience \(429\)[:.] .* is asked again in [123] s/,
    ],
    ["a line that breaks", false, ({ file, number }) => file === WEIGHTS && number > 0 && number < 5 && { cut: 300_000 }, /No answer \(network error\)/],
    ["a line that falls silent", true, ({ file, number }) => file === WEIGHTS && number === 1 && { stall: 300_000 }, /nothing came for \d+ seconds/],
    ["no ranges, and a line that breaks", false, ({ file, number }) => file === WEIGHTS && { whole: true, ...(number < 1 && { cut: 900_000 }) }, /No answer/],
  ]) {
    test(name, on({ faults }, async (page, { hub, model }) => {
      hub.rule = rule;
      await choose(page, model);
      await page.locator("[data-testid=load-progress]", { hasText: said }).waitFor();
      await in_use(page, model, "(verified), kept in this browser");
      await is_right(page);
      const [done, total] = [hub.served(WEIGHTS), model.file_bytes];
      if (!name.includes("no ranges")) assert.ok(done <= total + 6 * HEAD, `${done} bytes for ${total}: what had come was fetched again`);
    }));
  }

  for (const [name, fault] of [
    ["knows no ranges", { whole: true }],
    // Chrome gives no answer where what it has asked a range of comes packed.
    ["packs whatever it is asked for", { gzip: true }],
    ["sends other ranges from the first on", { content_range: "bytes 5-9/100" }],
  ]) {
    test(`a server that ${name}`, on({}, async (page, { hub, model }) => {
      hub.rule = weights(fault);
      await choose(page, model);
      await in_use(page, model, "(verified)");
      await is_right(page);
    }));
  }

  test("small files that come compressed", on({}, async (page, { hub, model }) => {
    hub.rule = ({ file }) => file.endsWith(".json") && { gzip: true };
    await choose(page, model);
    await in_use(page, model, "(verified)");
    await is_right(page);
  }));

  test("offline and back", on({}, async (page, { hub, model }) => {
    // The part of the page that fetches is started while there is a network.
    hub.rule = () => ({ gone: true });
    await choose(page, model);
    await page.locator("[data-testid=load-progress]", { hasText: /is asked again/ }).waitFor();
    hub.rule = undefined;
    await page.context().setOffline(true);
    await page.locator("[data-testid=load-progress]", { hasText: /offline.*is asked again/ }).waitFor();
    await page.context().setOffline(false);
    await in_use(page, model, "(verified)");
    await is_right(page);
  }));
});

test("bytes that are not the expected ones are fetched once more, said, and used only on purpose", on({}, async (page, here) => {
  const { hub, model, shelf } = here;
  hub.rule = weights({ flip: 1_000_000 });
  await choose(page, model);
  const said = await notice(page, /not the expected GPT-2/);
  assert.ok(said.includes(entry.sha256) && /sha256 is [0-9a-f]{64}/.test(said), said);
  assert.match(await by(page, "model-report").innerText(), /^Bundled model/);
  assert.ok(hub.served(WEIGHTS) > 1.9 * model.file_bytes, "it was asked for a second time");
  assert.equal(is_complete(await journal(page, shelf)), false);

  hub.requests.length = 0;
  await by(page, "use-all-the-same").click();
  await in_use(page, model, "(not the expected weights)");
  assert.deepEqual(hub.requests, [], "what was fetched is used");
  await page.locator("[data-testid=self-check][data-verdict=failed]", { hasText: /sha256/ }).waitFor();

  hub.rule = undefined;
  const tab = await another(page, here);
  await choose(tab, model);
  await in_use(tab, model, "(verified)");
  await is_right(tab);
}));

test("bytes that were changed on their way once are fetched again by themselves", on({}, async (page, { hub, model }) => {
  hub.rule = ({ file, number }) => file === WEIGHTS && number < 2 && { flip: 1_000_000 };
  await choose(page, model);
  await in_use(page, model, "(verified)");
  await is_right(page);
}));

test("what is kept is listed, and deleted after a second click", on({}, async (page, here) => {
  const { hub, model, shelf } = here;
  await choose(page, model);
  await in_use(page, model);
  await by(page, "own-files").locator("summary").click();
  const line = by(page, "storage").locator(`[data-shelf='${shelf}']`).first();
  assert.match(await line.innerText(), /Some model.*2\.1 MB, complete, verified/s);
  await line.getByTestId("storage-delete").click();
  assert.equal((await journal(page, shelf)).length > 0, true, "one click deletes nothing");
  await line.getByTestId("storage-delete").click();
  await line.waitFor({ state: "detached" });
  assert.deepEqual(await journal(page, shelf), []);

  hub.requests.length = 0;
  const tab = await another(page, here);
  await by(tab, "model-select").selectOption(model.id);
  await by(tab, "model-offer").waitFor();
  assert.deepEqual(hub.requests, []);
}));

test("a link to a model that is not here fetches nothing, shows its figure, and offers the model", on({}, async (page, here) => {
  const { hub, model } = here;
  await choose(page, model);
  await in_use(page, model);
  await is_right(page);
  const link = page.url();
  const shown = await table(page, "heatmap-ap-heads");
  hub.requests.length = 0;
  const tab = await browser.newContext().then((context) => context.newPage());
  try {
    await tab.goto(link);
    assert.match(await notice(tab, /not in this browser yet/), /nothing is fetched unless you say so/);
    await tab.locator("[data-testid=model-report]", { hasText: "Bundled model" }).waitFor();
    assert.ok(difference(await table(tab, "heatmap-ap-heads"), shown) < 1e-4, "the figure is the link's");
    assert.deepEqual(hub.requests, []);
    await by(tab, "load-offered").click();
    await in_use(tab, model, "(verified)");
    await is_right(tab);
  } finally {
    await tab.context().close();
  }
}));

describe("files of one's own", () => {
  let folder;
  before(() => (folder = mkdtempSync(join(tmpdir(), "twinbeam-own-"))));
  after(() => rmSync(folder, { recursive: true }));

  /** The bundled model's files with one of them changed: a text, or a number of bytes that it is to be long. */
  function files(changed = {}) {
    return ["config.json", WEIGHTS, "tokenizer.json"].map((name) => {
      const path = join(folder, name);
      copyFileSync(join(MINI, name), path);
      if (typeof changed[name] === "number") truncateSync(path, changed[name]);
      else if (changed[name] !== undefined) writeFileSync(path, changed[name]);
      return path;
    });
  }
  /** The bundled model's weights cut into two files, and their index. */
  function in_shards(folder) {
    const file = readFileSync(join(MINI, WEIGHTS));
    const start = 8 + Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.subarray(8, start).toString());
    const names = Object.keys(header).filter((name) => name !== "__metadata__");
    const weight_map = {};
    const shards = [names.slice(0, 20), names.slice(20)].map((names, place) => {
      const name = WEIGHTS.replace(".", `-0000${place + 1}-of-00002.`);
      const own = {};
      const data = [];
      let at = 0;
      for (const key of names) {
        const [from, to] = header[key].data_offsets;
        own[key] = { ...header[key], data_offsets: [at, at + to - from] };
        data.push(file.subarray(start + from, start + to));
        at += to - from;
        weight_map[key] = name;
      }
      const json = Buffer.from(JSON.stringify(own));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(json.length));
      writeFileSync(join(folder, name), Buffer.concat([length, json, ...data]));
      return join(folder, name);
    });
    const index = join(folder, `${WEIGHTS}.index.json`);
    writeFileSync(index, JSON.stringify({ weight_map }));
    return { shards, index };
  }
  const config = (changes) => JSON.stringify({ ...JSON.parse(readFileSync(join(MINI, "config.json"), "utf8")), ...changes });

  test("a GPT-2 in Hugging Face's layout runs, and nothing of it goes over the network", on({}, async (page, { hub }) => {
    await by(page, "local-files").setInputFiles(files());
    await page.locator("[data-testid=model-report]", { hasText: /^Bundled model, from local files: 4 layers/ }).waitFor();
    assert.match(await by(page, "local-chosen").innerText(), /config\.json, model\.safetensors and tokenizer\.json/);
    // By itself: who brings files wants to see something of them.
    await is_right(page);
    assert.deepEqual(hub.requests, []);
  }));

  test("weights in several files run as one, and a file that is missing is named", on({}, async (page) => {
    const [config, , tokenizer] = files();
    const { shards, index } = in_shards(folder);
    await by(page, "local-files").setInputFiles([config, tokenizer, index, ...shards]);
    await page.locator("[data-testid=model-report]", { hasText: /of the digests of 2 files/ }).waitFor();
    await is_right(page);
    await by(page, "local-files").setInputFiles([config, tokenizer, index, shards[0]]);
    await notice(page, /model-00002-of-00002\.safetensors is missing/);
    await by(page, "local-files").setInputFiles([config, tokenizer, ...shards]);
    await notice(page, /model\.safetensors\.index\.json is missing/);
  }));

  test("a BOS that the model does not have is said, and the model runs without it", on({}, async (page) => {
    await by(page, "local-files").setInputFiles(files({ "config.json": config({ bos_token_id: 2048 }) }));
    await page.locator("[data-testid=model-report]", { hasText: /, from local files: 4 layers/ }).waitFor();
    await page.locator("body", { hasText: /bos_token_id is 2048/ }).waitFor();
    await by(page, "bos").click();
    await page.locator("[data-testid=run]:enabled").waitFor();
    await by(page, "run").click();
    await status(page, "done");
  }));

  for (const [name, changed, words] of [
    ["BERT", () => ({ "config.json": JSON.stringify({ model_type: "bert", hidden_size: 128 }) }), /config\.json: .*(gpt2|GPT-2)/],
    ["a pickle under another name", () => ({ [WEIGHTS]: Buffer.from("PK\x03\x04\0\0archive/data.pkl".padEnd(200, "\0"), "latin1") }), /pickle/],
    ["a Git LFS pointer", () => ({ [WEIGHTS]: "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 548105171\n" }), /Git LFS pointer/],
    ["a web page", () => ({ [WEIGHTS]: "<!doctype html><title>Not found</title>" }), /web page/],
    ["no byte", () => ({ [WEIGHTS]: 0 }), /model\.safetensors/],
    ["half of it", () => ({ [WEIGHTS]: 1_000_000 }), new RegExp(`expected ${WHOLE} bytes, got 1000000`)],
    ["20 GB of nothing", () => ({ [WEIGHTS]: 20e9 }), new RegExp(`expected ${WHOLE} bytes, got 20000000000`)],
    ["other sizes than the configuration's", () => ({ "config.json": config({ n_layer: 5 }) }), /"h\.4\.[a-z_.0-9]+" is missing/],
    ["another tokenizer", () => ({ "tokenizer.json": "{}" }), /tokenizer\.json/],
  ]) {
    test(`${name} is named, and the model in use stays`, on({}, async (page) => {
      const figure = await table(page, "heatmap-ap-heads");
      await by(page, "local-files").setInputFiles(files(changed()));
      assert.match(await notice(page, /is not loaded/), words);
      assert.match(await by(page, "model-report").innerText(), /^Bundled model/);
      assert.deepEqual(await table(page, "heatmap-ap-heads"), figure);
      await status(page, "done");
    }));
  }

  test("weights of another format, and files that were forgotten, are named", on({}, async (page) => {
    const [config, weights] = files();
    const other = join(folder, "pytorch_model.bin");
    copyFileSync(weights, other);
    await by(page, "local-files").setInputFiles([config, other]);
    await notice(page, /pytorch_model\.bin is not read.*can hold programs/s);
    await by(page, "local-files").setInputFiles([config]);
    await notice(page, /model\.safetensors is missing/);
    await by(page, "local-files").setInputFiles([weights]);
    await notice(page, /config\.json is missing/);
    const text = join(folder, "hello.txt");
    writeFileSync(text, "hello");
    await by(page, "local-files").setInputFiles([text]);
    await notice(page, /hello\.txt is not a model file/);
  }));
});
