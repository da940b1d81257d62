/** When what arrives is played: the session's clock on a clock of this machine. */

const EDGE_S = 0.005; // what is due sooner than this comes too late
const WINDOW_S = 2; // in which the room that was never used shows
const QUIET_WINDOW_S = 1; // in silence a mistake costs nothing
const JUMP_S = 2; // further off it is another stretch of the session
const LEAST_GAIN_S = 0.03; // less is not worth a change
const GROWTH = 1.5;
const CALM_S = 10; // without a stall, after which the room may shrink again
const HURRY = 1.05; // how much faster speech is played to give up room: nobody hears it

export class Playout {
  #offset = null; // local seconds = session seconds + offset
  #least;
  #most;
  #room; // seconds that the earliest arrival of a window should have to spare
  #window = []; // {now, ahead} of the last seconds
  #calmSince = 0;
  #loudUntil = 0; // of this machine's clock: what is heard is silence after it

  /** How often something came too late. */
  stalls = 0;

  /** Seconds from the last arrival to its own time. */
  ahead = 0;

  /** The speed at which the last arrival is played. */
  rate = 1;

  /** @param {number} least, most: seconds of room for uneven arrival */
  constructor(least = 0.06, most = 0.25) {
    this.#least = least;
    this.#most = most;
    this.#room = least;
  }

  get started() {
    return this.#offset !== null;
  }

  /** Seconds of room, at least. */
  set least(seconds) {
    this.#least = seconds;
    this.#room = Math.max(this.#room, seconds);
    this.reset();
  }

  /** The next arrival begins anew, as after a lost line. */
  reset() {
    this.#offset = null;
    this.#window = [];
    this.ahead = 0;
  }

  /**
   * Something of the session's time `seconds` and of `length` seconds is here at the local time
   * `now`. `quiet`: nobody speaks in it. Returns the local time at which it is due.
   */
  arrive(seconds, now, quiet, length = 0) {
    this.rate = 1;
    if (this.#offset === null || Math.abs(seconds + this.#offset - now) > JUMP_S) {
      this.#begin(seconds, now);
    } else if (seconds + this.#offset - now < EDGE_S) {
      this.stalls += 1;
      this.#room = Math.min(this.#room * GROWTH, this.#most);
      this.#begin(seconds, now);
    } else {
      this.#tighten(now, quiet, length);
    }
    const due = seconds + this.#offset;
    this.ahead = due - now;
    if (!quiet) this.#loudUntil = due + length;
    this.#window.push({ now, ahead: this.ahead });
    return due;
  }

  #begin(seconds, now) {
    this.#offset = now + this.#room - seconds;
    this.#window = [];
    this.#calmSince = now;
  }

  /** Gives up room that nothing has needed for a while: at once in silence, else by a hurry. */
  #tighten(now, quiet, length) {
    const window = quiet ? QUIET_WINDOW_S : WINDOW_S;
    if (!this.#window.length || now - this.#window[0].now < window) return;
    while (now - this.#window[0].now > WINDOW_S) this.#window.shift();
    if (now - this.#calmSince > CALM_S) {
      this.#room = Math.max(this.#room / GROWTH, this.#least);
      this.#calmSince = now;
    }
    const spare = Math.min(...this.#window.map(({ ahead }) => ahead)) - this.#room;
    if (spare < LEAST_GAIN_S) return;
    if (quiet && now > this.#loudUntil) {
      this.#offset -= spare;
      this.#window = [];
    } else if (!quiet && length) {
      const gain = length - length / HURRY;
      this.#offset -= gain;
      for (const arrival of this.#window) arrival.ahead -= gain;
      this.rate = HURRY;
    }
  }

  /** The session's time that is due at the local time `now`. */
  time(now) {
    return this.#offset === null ? 0 : now - this.#offset;
  }
}
