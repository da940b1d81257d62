/** Plays a fragmented MP4 while it arrives. The network is never held back by the screen. */

const AHEAD_S = 30; // given to the browser beyond the playing moment

/** @param {string} type a MIME type with codecs */
export function canPlayArriving(type) {
  return "MediaSource" in window && MediaSource.isTypeSupported(type);
}

export class ArrivingFilm {
  #video;
  #source = new MediaSource();
  #buffer = null;
  #waiting = [];
  #complete = false;
  #pump = () => this.#feed();

  /** True when the browser gave up on it: the whole file must be played instead. */
  failed = false;

  /** @param {HTMLVideoElement} video  @param {string} type its MIME type with codecs */
  constructor(video, type) {
    this.#video = video;
    const url = URL.createObjectURL(this.#source);
    this.#source.addEventListener(
      "sourceopen",
      () => {
        URL.revokeObjectURL(url);
        this.#open(type);
      },
      { once: true },
    );
    video.addEventListener("timeupdate", this.#pump);
    video.addEventListener("seeking", this.#pump);
    video.src = url;
  }

  #open(type) {
    this.#buffer = this.#source.addSourceBuffer(type);
    this.#buffer.addEventListener("updateend", this.#pump);
    this.#buffer.addEventListener("error", () => {
      this.failed = true;
    });
    this.#feed();
  }

  /** @param {Uint8Array} bytes the next ones of the file */
  push(bytes) {
    this.#waiting.push(bytes);
    this.#feed();
  }

  /** All bytes have been pushed. */
  end() {
    this.#complete = true;
    this.#feed();
  }

  #feed() {
    if (this.failed || this.#source.readyState !== "open") return;
    if (!this.#buffer || this.#buffer.updating || this.#secondsAhead() > AHEAD_S) return;
    try {
      if (this.#waiting.length) {
        this.#buffer.appendBuffer(this.#waiting[0]);
        this.#waiting.shift();
      } else if (this.#complete) this.#source.endOfStream();
    } catch (error) {
      // a full buffer has room again once some of it has been played
      if (error.name !== "QuotaExceededError") this.failed = true;
    }
  }

  #secondsAhead() {
    const { buffered } = this.#buffer;
    const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
    return end - this.#video.currentTime;
  }

  /** Lets go of the element. */
  close() {
    this.#video.removeEventListener("timeupdate", this.#pump);
    this.#video.removeEventListener("seeking", this.#pump);
    this.#waiting = [];
  }
}
