/** Pictures that wait for their time. Only the next few are decoded. */

const DECODE_AHEAD = 4;

export class Pictures {
  #waiting = []; // {time, bitmap or null, jpeg or null}, in time order
  #closed = false;

  dropped = 0;

  get empty() {
    return this.#waiting.length === 0;
  }

  /** Seconds of the earliest picture, 0 when there is none. */
  get nextTime() {
    return this.#waiting[0]?.time ?? 0;
  }

  /** @param {Uint8Array} jpeg  @param {number} time seconds on the clock of the sound */
  add(jpeg, time) {
    this.#waiting.push({ time, jpeg, bitmap: null });
    this.#decode();
  }

  /** The newest decoded picture whose time has come, or null. The caller closes its bitmap. */
  take(now) {
    const due = this.#waiting.findLastIndex(({ time, bitmap }) => bitmap && time <= now);
    if (due < 0) return null;
    const taken = this.#waiting.splice(0, due + 1);
    const picture = taken.pop();
    for (const late of taken) late.bitmap?.close();
    this.dropped += taken.length;
    this.#decode();
    return picture;
  }

  #decode() {
    for (const picture of this.#waiting.slice(0, DECODE_AHEAD)) {
      if (!picture.jpeg) continue;
      const blob = new Blob([picture.jpeg], { type: "image/jpeg" });
      picture.jpeg = null;
      createImageBitmap(blob).then(
        (bitmap) => this.#decoded(picture, bitmap),
        () => this.#damaged(picture),
      );
    }
  }

  #decoded(picture, bitmap) {
    if (this.#closed || !this.#waiting.includes(picture)) bitmap.close();
    else picture.bitmap = bitmap;
  }

  #damaged(picture) {
    const at = this.#waiting.indexOf(picture);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.dropped += 1;
    this.#decode();
  }

  close() {
    this.#closed = true;
    for (const { bitmap } of this.#waiting) bitmap?.close();
    this.#waiting = [];
  }
}
