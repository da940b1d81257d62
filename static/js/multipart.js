/** The parts of a multipart/x-mixed-replace body, one by one, as they arrive. */

import { ByteReader } from "./byte_reader.js";

const MAX_PART_BYTES = 32 << 20;

/** The boundary named by a Content-Type value, without its leading dashes. */
export function boundaryOf(contentType) {
  const match = /boundary="?([^";]+)"?/i.exec(contentType ?? "");
  if (!match) throw new Error("the answer names no multipart boundary");
  return match[1].trim();
}

/**
 * Yields {headers: Map of lower-case names, body: Uint8Array} until the closing boundary.
 * Each part has a Content-Length. Throws StreamEnded where the closing boundary is missing.
 */
export async function* readParts(stream, boundary) {
  const reader = new ByteReader(stream);
  const opening = `--${boundary}`;
  const closing = `--${boundary}--`;
  for (;;) {
    const line = await reader.readLine();
    if (line === closing) return;
    if (line !== opening) continue;
    const headers = await readHeaders(reader);
    const length = Number(headers.get("content-length") ?? NaN);
    if (!(length >= 0 && length <= MAX_PART_BYTES)) throw new Error("a part has no usable length");
    yield { headers, body: await reader.readExactly(length) };
  }
}

async function readHeaders(reader) {
  const headers = new Map();
  for (;;) {
    const line = await reader.readLine();
    if (line === "") return headers;
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}
