/** Reads exact lengths and lines from a byte stream. Every byte is copied at most once. */

const CR = 13;
const LF = 10;

export class StreamEnded extends Error {}

export class ByteReader {
  #reader;
  #chunk = new Uint8Array(0);
  #at = 0;

  /** @param {ReadableStream<Uint8Array>} stream */
  constructor(stream) {
    this.#reader = stream.getReader();
  }

  /** Makes at least one byte available. False at the end of the stream. */
  async #fill() {
    while (this.#at >= this.#chunk.length) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#chunk = value;
      this.#at = 0;
    }
    return true;
  }

  /** Up to `length` bytes: fewer only where the stream ends. */
  async readUpTo(length) {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length && (await this.#fill())) {
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return filled === length ? bytes : bytes.subarray(0, filled);
  }

  /** Exactly `length` bytes, or StreamEnded. */
  async readExactly(length) {
    const bytes = await this.readUpTo(length);
    if (bytes.length < length) throw new StreamEnded();
    return bytes;
  }

  /** One line of ASCII without its CRLF or LF, or StreamEnded. */
  async readLine() {
    let line = "";
    while (await this.#fill()) {
      const end = this.#chunk.indexOf(LF, this.#at);
      const stop = end < 0 ? this.#chunk.length : end;
      line += String.fromCharCode(...this.#chunk.subarray(this.#at, stop));
      this.#at = stop + 1;
      if (end >= 0) return line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line;
    }
    throw new StreamEnded();
  }
}
