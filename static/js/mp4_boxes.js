/** What has to be known of a fragmented MP4 with one track (ISO/IEC 14496-12). */

const CONTAINERS = new Set(["moov", "trak", "mdia", "minf", "stbl", "moof", "traf"]);

/** Finds the first box of `name`: a DataView of its body, or null. */
function find(bytes, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (size < 8) return null; // to the end of the file, or larger than 4 GiB: not in ours
    const body = bytes.subarray(at + 8, at + size);
    if (kind === name) return new DataView(body.buffer, body.byteOffset, body.byteLength);
    const found = CONTAINERS.has(kind) ? find(body, name) : null;
    if (found) return found;
    at += size;
  }
  return null;
}

/** Units a second of the track of a start. */
export function timescaleOf(start) {
  const header = find(start, "mdhd");
  return header.getUint32(header.getUint8(0) === 1 ? 20 : 12);
}

/** When a fragment begins, in units of its track; null where it does not say. */
export function fragmentStart(fragment) {
  const header = find(fragment, "tfdt");
  if (!header) return null;
  return header.getUint8(0) === 1 ? Number(header.getBigUint64(4)) : header.getUint32(4);
}

/** The codec of a start with H.264 in it, as MediaSource wants it (RFC 6381). */
export function codecOf(start) {
  const described = find(start, "stsd");
  const bytes = new Uint8Array(described.buffer, described.byteOffset, described.byteLength);
  const at = String.fromCharCode(...bytes).indexOf("avcC");
  const profile = [...bytes.subarray(at + 5, at + 8)];
  return `avc1.${profile.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
