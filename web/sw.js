// Keeps the page in the browser, so that it opens without a network: all of one build, or nothing of it.
//
// `cargo xtask seal` writes into the next statement what the build is made of. As it stands here, without a build, this
// script removes itself and what it has kept: so `cargo xtask serve` serves it, whose builds change all the time.
"use strict";

/** `{ name, files }`: files beside this script by their names, with the SHA-256 of each. */
const BUILD = undefined;

const FILES = BUILD?.files ?? {};
const FOLDER = new URL("./", location).href;
/** How the names of all caches of this folder begin: an origin may have other pages, with caches of their own. */
const OURS = `twinbeam ${FOLDER} `;
const CACHE = OURS + BUILD?.name;
const PAGE = "index.html";

/** Under which address a file is kept: one that says what is in it, so that builds can share what is the same. */
const key = (name) => `${FOLDER}${name}?${FILES[name]}`;

/** The caches of this folder, of whatever build. */
const ours = async () => (await caches.keys()).filter((name) => name.startsWith(OURS));

/** A file of this build: as another part of the page has fetched it, if that is the one, else from the server. */
async function fetched(name) {
  const bytes = FILES[name].match(/../g).map((byte) => parseInt(byte, 16));
  // What the browser hands out then is this build's, or nothing.
  const integrity = `sha256-${btoa(String.fromCharCode(...bytes))}`;
  const ask = (address, cache) => fetch(FOLDER + address, { cache, integrity });
  // Most visitors have the page by its folder's name; some hosts have it by its own only.
  const address = name === PAGE ? "" : name;
  const answer = await ask(address, "force-cache")
    .catch(() => ask(address, "reload"))
    .catch((error) => (name === PAGE ? ask(PAGE, "reload") : Promise.reject(error)));
  if (!answer.ok) throw new Error(`the server answers ${answer.status} for ${name}`);
  const may_be_kept = !answer.redirected && answer.headers.get("vary") !== "*";
  // A page may not have been redirected on its way.
  return may_be_kept ? answer : new Response(answer.body, { headers: { "content-type": answer.headers.get("content-type") ?? "" } });
}

/** What keeps all files of this build now; several may ask for it at once. */
let filling;
const fill = () => (filling ??= fill_once().finally(() => (filling = undefined)));

/** Keeps all files of this build, those that are not kept yet. */
async function fill_once() {
  const was_there = await caches.has(CACHE);
  const cache = await caches.open(CACHE);
  try {
    for (const name of Object.keys(FILES)) {
      if (await cache.match(key(name))) continue;
      let answer;
      for (const other of await ours()) answer ??= await caches.match(key(name), { cacheName: other });
      await cache.put(key(name), answer ?? (await fetched(name)));
    }
  } catch (error) {
    // Without a cache the network answers, which is better than half of it. Beside another build it is in nobody's way, and
    // the next try goes on from there.
    if (!was_there && !registration.active) await caches.delete(CACHE);
    throw error;
  }
}

/** Throws away what is kept of all builds but one. */
async function tidy(but) {
  for (const name of await ours()) if (name !== but) await caches.delete(name);
}

/** Removes this script and all that it has kept. */
async function leave() {
  await tidy().catch(() => {});
  await registration.unregister();
}

/** The file of this build that a request is for. */
function wanted({ method, url }) {
  const { origin, pathname, search } = new URL(url);
  const address = origin + pathname;
  if (method !== "GET" || !address.startsWith(FOLDER)) return undefined;
  const name = address.slice(FOLDER.length) || PAGE;
  // What stands behind the page's name says what it shows; another file's would ask for another file.
  return Object.hasOwn(FILES, name) && (name === PAGE || !search) ? name : undefined;
}

/** A file of this build, as it is kept. */
async function answer(event, name) {
  const { request } = event;
  if (!(await caches.has(CACHE))) return fetch(request);
  const cache = await caches.open(CACHE);
  const kept = await cache.match(key(name));
  if (kept) return kept;
  // The browser has thrown it away.
  const again = await fetched(name).catch(() => undefined);
  if (again) {
    event.waitUntil(cache.put(key(name), again.clone()).catch(() => {}));
    return again;
  }
  const other = await fetch(request);
  // The server has another build by now, and parts of two do not fit together: all of it comes from there.
  if (other.ok || other.status === 404) await caches.delete(CACHE);
  // Of which build the worker's program is the page sees by itself; of other files it would not.
  const is_told_apart = request.mode === "navigate" || name === "worker_bg.wasm";
  return is_told_apart ? other : Response.error();
}

addEventListener("install", (event) => {
  event.waitUntil(BUILD ? fill() : skipWaiting());
});

addEventListener("activate", (event) => {
  // The page that has brought it here is kept from now on, too.
  event.waitUntil(BUILD ? tidy(CACHE).then(() => clients.claim()) : leave());
});

addEventListener("fetch", (event) => {
  const name = wanted(event.request);
  // Everything else goes its way, as if this script were not there.
  // Where the browser's storage fails, so does this.
  if (name) event.respondWith(answer(event, name).catch(() => fetch(event.request)));
});

addEventListener("message", (event) => {
  const orders = {
    // Whether all of the page is kept.
    keep: async () => {
      const filled = () => fill().then(() => caches.has(CACHE), () => false);
      const is_kept = await (BUILD ? filled() : leave().then(() => false));
      event.ports[0].postMessage(is_kept ? "kept" : "absent");
    },
    // The visitor wants this build in place of the one before.
    load: () => skipWaiting(),
    leave,
  };
  if (Object.hasOwn(orders, event.data)) event.waitUntil(orders[event.data]());
});
