/** A WAV file of 16-bit mono PCM, read while it is still being made. */

import { ByteReader, StreamEnded } from "./byte_reader.js";

const BLOCK_S = 0.06;
const PCM = 1;

/**
 * Yields {sampleRate, samples: Float32Array in -1..1} in blocks of 60 ms, the last may be shorter.
 * The length in the header is ignored: a live sound does not know it (0xFFFFFFFF).
 */
export async function* readWav(stream) {
  const reader = new ByteReader(stream);
  const sampleRate = await readHeader(reader);
  const blockBytes = 2 * Math.round(sampleRate * BLOCK_S);
  for (;;) {
    const bytes = await reader.readUpTo(blockBytes);
    if (bytes.length >= 2) yield { sampleRate, samples: toFloat(bytes) };
    if (bytes.length < blockBytes) return;
  }
}

/** Reads up to the first sample. Returns samples a second. */
async function readHeader(reader) {
  const riff = await reader.readExactly(12);
  if (tag(riff, 0) !== "RIFF" || tag(riff, 8) !== "WAVE") throw new Error("the sound is not WAV");
  let sampleRate = 0;
  for (;;) {
    const head = await reader.readExactly(8);
    const name = tag(head, 0);
    const length = view(head).getUint32(4, true);
    if (name === "data") break;
    const body = view(await reader.readExactly(length + (length & 1)));
    if (name !== "fmt ") continue;
    const [format, channels, bits] = [0, 2, 14].map((at) => body.getUint16(at, true));
    if (format !== PCM || channels !== 1 || bits !== 16) throw new Error("not 16-bit mono PCM");
    sampleRate = body.getUint32(4, true);
  }
  if (!sampleRate) throw new StreamEnded();
  return sampleRate;
}

function toFloat(bytes) {
  const source = view(bytes);
  const samples = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = source.getInt16(2 * i, true) / 32768;
  return samples;
}

function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tag(bytes, at) {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
