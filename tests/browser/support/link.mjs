// Links made by hand: what a page must read, and what it must survive.
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** A fragment from fields, or from any text. */
export const print = (fields) =>
  `#v1=${deflateRawSync(typeof fields === "string" ? fields : JSON.stringify(fields), { level: 9 }).toString("base64url")}`;

/** The fields of an address. */
export const parse = (address) =>
  JSON.parse(inflateRawSync(Buffer.from(new URL(address).hash.replace(/^#v1=/, ""), "base64url")).toString());
