/** Pictures shown: how many, how many in the last second, and how far from their sound. */

const WINDOW_MS = 1000;
const SKEWS = 25; // of which the median is told

export class FrameCount {
  #at = []; // times of the last second
  #skews = [];

  count = 0;

  /** @param {number} now of performance.now() */
  add(now) {
    this.count += 1;
    this.#at.push(now);
  }

  fps(now) {
    while (this.#at[0] < now - WINDOW_MS) this.#at.shift();
    return this.#at.length;
  }

  /** @param {number} ms by which the sound is ahead of a picture */
  addSkew(ms) {
    this.#skews.push(ms);
    if (this.#skews.length > SKEWS) this.#skews.shift();
  }

  /** The median of the last ones, or null. */
  get skewMs() {
    return [...this.#skews].sort((a, b) => a - b)[this.#skews.length >> 1] ?? null;
  }

  forgetSkews() {
    this.#skews = [];
  }
}
