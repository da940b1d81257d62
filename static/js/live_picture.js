/** Shows the JPEG pictures of a session, each when its time is heard. */

import { Pictures } from "./pictures.js";

const HALF_A_REFRESH_S = 0.008;

export class LivePicture {
  #view;
  #pictures = new Pictures();

  /** Seconds on the session's clock of the picture that is shown. */
  time = 0;

  /** @param {import("./face_view.js").FaceView} view */
  constructor(view) {
    this.#view = view;
  }

  /** Pictures that came too late for the screen. */
  get dropped() {
    return this.#pictures.dropped;
  }

  receive({ payload, seconds }) {
    // A hidden page is not drawn: what comes once it is seen is soon enough.
    if (!document.hidden) this.#pictures.add(payload, seconds);
  }

  /**
   * Shows the newest picture whose time has come.
   * @param {number} clock seconds heard
   * @returns {number | null} seconds by which the sound is ahead of it, if there was one
   */
  advance(clock) {
    const picture = this.#pictures.take(clock + HALF_A_REFRESH_S);
    if (!picture) return null;
    this.#view.show(picture.bitmap, { keep: false });
    this.time = picture.time;
    return clock - picture.time;
  }

  /** What waits belongs to a line that was lost. */
  restart() {
    const { dropped } = this.#pictures;
    this.#pictures.close();
    this.#pictures = new Pictures();
    this.#pictures.dropped = dropped;
  }

  close() {
    this.#pictures.close();
  }
}
