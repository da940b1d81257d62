/** The events of a session, each held back until its moment is heard. */

const AT_ONCE = new Set(["ready", "stats", "error", "end", "interrupted"]);
const LONGEST_WAIT_MS = 2000; // the clock may have been moved

export class ToldEvents {
  #waiting = []; // {event, until}

  /**
   * Takes an event. What it leaves behind: words of an utterance that was interrupted were not
   * heard.
   */
  add(event) {
    if (event.type === "interrupted") {
      this.#waiting = this.#waiting.filter(
        ({ event: { type, utterance_id } }) =>
          type !== "word" || utterance_id !== event.utterance_id,
      );
      for (const waiting of this.#waiting) waiting.until = 0;
    }
    const wait = AT_ONCE.has(event.type) ? 0 : LONGEST_WAIT_MS;
    this.#waiting.push({ event, until: performance.now() + wait });
  }

  /** Those whose time has come, in order. @param {number} clock seconds heard */
  take(clock) {
    const now = performance.now();
    const due = [];
    this.#waiting = this.#waiting.filter((waiting) => {
      const { event, until } = waiting;
      const come = now >= until || (event.session_s ?? 0) <= clock;
      if (come) due.push(event);
      return !come;
    });
    return due;
  }

  clear() {
    this.#waiting = [];
  }
}
