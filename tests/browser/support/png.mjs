// PNG files with a palette: a drawing of few colours takes a third of what a browser's own screenshot takes.
import { deflateSync } from "node:zlib";

const TABLE = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc = (bytes) => ~bytes.reduce((sum, byte) => TABLE[(sum ^ byte) & 255] ^ (sum >>> 8), ~0) >>> 0;

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), body.length + 4);
  return out;
}

/** The 256 colours that are there most often, and for every other one the nearest of them. */
function palette(pixels) {
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const colours = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour);
  const kept = colours.slice(0, 256);
  const parts = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
  const of_kept = kept.map(parts);
  const places = new Map(kept.map((colour, place) => [colour, place]));
  for (const colour of colours.slice(256)) {
    const [r, g, b] = parts(colour);
    let [best, least] = [0, Infinity];
    for (const [place, [kr, kg, kb]] of of_kept.entries()) {
      const apart = (kr - r) ** 2 + (kg - g) ** 2 + (kb - b) ** 2;
      if (apart < least) [best, least] = [place, apart];
    }
    places.set(colour, best);
  }
  return { colours: of_kept, places };
}

/** A PNG of pixels as a canvas has them, four bytes each; how opaque they are is left out. */
export function png(rgba, width, height) {
  const pixels = Uint32Array.from({ length: width * height }, (_, n) => rgba[4 * n] | (rgba[4 * n + 1] << 8) | (rgba[4 * n + 2] << 16));
  const { colours, places } = palette(pixels);
  const rows = Buffer.alloc((width + 1) * height);
  pixels.forEach((pixel, n) => (rows[n + Math.floor(n / width) + 1] = places.get(pixel)));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("PLTE", Buffer.from(colours.flat())), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
