import { by, launch, open } from "./support/page.mjs";
import { serve } from "./support/server.mjs";
let armed = process.argv[2];
const files = { "models/mini/fault.txt": () => "", "models/mini/gpu-fault.txt": () => { const f = armed; armed = ""; return f; } };
const browser = await launch({ gpu: true });
const server = await serve("/", { faults: true, files });
const { page, errors } = await open(browser, `${server.url}?device=${process.argv[3] ?? "gpu"}`);
page.on("console", (m) => console.log("console", m.type(), m.text().slice(0, 300)));
page.on("worker", (w) => console.log("worker", w.url().slice(-20)));
const t0 = Date.now(); let last = "";
const end = +(process.argv[4] ?? 150);
while (Date.now() - t0 < end * 1000) {
  const text = await page.evaluate(() => ["status", "device-report", "gpu-check", "notice"].map((id) => document.querySelector(`[data-testid=${id}]`)?.innerText.replace(/\n/g, " ").slice(0, 220)).join(" || "));
  const key = text.replace(/\d+ %.*? \|\|/, "||");
  if (key !== last) { console.log(((Date.now() - t0) / 1000).toFixed(1), text); last = key; }
  await new Promise((go) => setTimeout(go, 500));
}
console.log(errors);
await browser.close(); await server.close();
