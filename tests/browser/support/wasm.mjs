// Reads as much of a WebAssembly program as shows whether its linker has wrapped the exports.

/** A function that takes nothing and gives nothing, as the one that runs static constructors. */
const NOTHING = "[]->[]";

/** Reads numbers and vectors of the binary format, in their order. */
class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }
  byte() {
    if (this.at >= this.end) throw new Error(`the program ends at byte ${this.at}`);
    return this.bytes[this.at++];
  }
  /** LEB128 without a sign. */
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  skip(n) {
    this.at += n;
  }
  text() {
    const n = this.number();
    this.skip(n);
    return Buffer.from(this.bytes.subarray(this.at - n, this.at)).toString("utf8");
  }
  list(read) {
    return Array.from({ length: this.number() }, () => read(this));
  }
  limits() {
    if (this.byte() & 1) this.number();
    this.number();
  }
}

/** Sections of a program by their number, except custom ones. */
function sections(bytes) {
  const found = new Map();
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const [id, size] = [reader.byte(), reader.number()];
    if (id !== 0) found.set(id, new Reader(bytes, reader.at, reader.at + size));
    reader.skip(size);
  }
  return found;
}

/**
 * Names of exported functions whose first deed is to call a function that takes and gives nothing, the same one in
 * two of them or more: what a linker makes of the exports of a program whose constructors nobody calls.
 */
export function wrappers(bytes) {
  const found = sections(bytes);
  const types = found.get(1)?.list((r) => {
    r.byte();
    const [takes, gives] = [r.list((r) => r.byte()), r.list((r) => r.byte())];
    return `[${takes}]->[${gives}]`;
  });
  const imported = [];
  found.get(2)?.list((r) => {
    r.text();
    r.text();
    const kind = r.byte();
    if (kind === 0) imported.push(r.number());
    else if (kind === 1) (r.byte(), r.limits());
    else if (kind === 2) r.limits();
    else if (kind === 3) r.skip(2);
    else (r.byte(), r.number());
  });
  const functions = [...imported, ...(found.get(3)?.list((r) => r.number()) ?? [])];
  const bodies = found.get(10)?.list((r) => {
    const size = r.number();
    const body = new Reader(r.bytes, r.at, r.at + size);
    r.skip(size);
    return body;
  });
  const exported = found.get(7)?.list((r) => ({ name: r.text(), kind: r.byte(), index: r.number() })) ?? [];
  const first = exported
    .filter(({ kind, index }) => kind === 0 && index >= imported.length)
    .map(({ name, index }) => {
      const body = bodies[index - imported.length];
      const reader = new Reader(body.bytes, body.at, body.end);
      reader.list((r) => [r.number(), r.byte()]);
      const called = reader.byte() === 0x10 ? reader.number() : undefined;
      return { name, called: types[functions[called]] === NOTHING ? called : undefined };
    });
  const times = (called) => first.filter((other) => other.called === called).length;
  return first.filter(({ called }) => called !== undefined && times(called) > 1).map(({ name }) => name);
}

/** `a` and `b` call function 0 before anything else, `c` does not. */
export const WRAPPED = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x05, 0x04, 0x00, 0x00, 0x00, 0x00],
  ...[0x07, 0x0d, 0x03, 0x01, 0x61, 0x00, 0x01, 0x01, 0x62, 0x00, 0x02, 0x01, 0x63, 0x00, 0x03],
  ...[0x0a, 0x11, 0x04, 0x02, 0x00, 0x0b, 0x04, 0x00, 0x10, 0x00, 0x0b, 0x04, 0x00, 0x10, 0x00, 0x0b, 0x02, 0x00, 0x0b],
]);
