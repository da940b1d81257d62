/** The binary messages of a session's socket. */

const HEADER_BYTES = 24;
const KEY = 1;
const IDLE = 2;

export const Kind = Object.freeze({ JPEG: 1, MP4_START: 2, MP4: 3, PCM: 4, OPUS: 5 });

/**
 * @param {ArrayBuffer} message
 * @returns {kind, key, idle, generation, frame, seconds, payload}: `idle`: nobody speaks,
 * `generation`: interrupts so far, `seconds` on the session's clock, `payload` Uint8Array
 */
export function readPacket(message) {
  const view = new DataView(message);
  const flags = view.getUint8(1);
  return {
    kind: view.getUint8(0),
    key: Boolean(flags & KEY),
    idle: Boolean(flags & IDLE),
    generation: view.getUint32(4, true),
    frame: Number(view.getBigUint64(8, true)),
    seconds: Number(view.getBigUint64(16, true)) / 1e6,
    payload: new Uint8Array(message, HEADER_BYTES),
  };
}
