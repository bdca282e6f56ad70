// Archives that the page makes, read as any program would: by their central directory.
import { inflateRawSync } from "node:zlib";

/** The files of a zip by their names, each deflated or stored. */
export function unzip(bytes) {
  const files = {};
  let at = bytes.readUInt32LE(bytes.lastIndexOf(Buffer.from("PK\x05\x06")) + 16);
  while (bytes.readUInt32LE(at) === 0x02014b50) {
    const [method, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    const local = bytes.readUInt32LE(at + 42);
    const begin = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(begin, begin + packed);
    files[bytes.toString("utf8", at + 46, at + 46 + name)] = (method === 8 ? inflateRawSync(data) : data).toString();
    at += 46 + name + extra + comment;
  }
  return files;
}
