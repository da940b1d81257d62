/** Makes one film and follows it: played while it is made, or made whole. */

import { ApiError, cancelJob, fileName, openFilm, startFilm } from "./api.js";
import { ArrivingFilm, canPlayArriving } from "./arriving_film.js";
import { followJob, isUnaligned } from "./job_watch.js";

export class Film {
  #controller = new AbortController();
  #jobId = null;
  #path;
  #request;
  #listeners;

  /**
   * @param {string} path the address of the render
   * @param {object} request its fields
   * @param {{onProgress?: Function, onWord?: Function}} listeners as of followJob
   */
  constructor(path, request, listeners) {
    this.#path = path;
    this.#request = request;
    this.#listeners = listeners;
  }

  get signal() {
    return this.#controller.signal;
  }

  /** Ends it here and on the server. What waits for it gets an AbortError. */
  cancel() {
    if (this.#jobId) cancelJob(this.#jobId);
    this.#controller.abort();
  }

  /** Resolves to {job, unaligned} of the finished file on the server. Throws ApiError. */
  async make() {
    // The start itself is not broken off: its answer names the job that is to be cancelled.
    const { id } = await startFilm(this.#path, this.#request);
    this.#jobId = id;
    if (this.signal.aborted) this.cancel();
    this.signal.throwIfAborted();
    const job = await this.#follow();
    this.#jobId = null;
    return { job, unaligned: isUnaligned(job) };
  }

  /**
   * Plays in `video` from the first picture on. Resolves to {blob, name, played, job, unaligned}
   * once the whole file is here: played is false where the browser cannot play what is still arriving.
   */
  async play(video, name) {
    const response = await openFilm(this.#path, this.#request, this.signal);
    this.#jobId = response.headers.get("X-Job-Id");
    const end = this.#follow();
    end.catch(() => {}); // asked below, where the stream breaks
    const type = `video/mp4; codecs="${response.headers.get("X-Codecs")}"`;
    const arriving = canPlayArriving(type) ? new ArrivingFilm(video, type) : null;
    this.signal.addEventListener("abort", () => arriving?.close(), { once: true });
    video.play().catch(() => {}); // a browser that wants another click shows its own button
    const blob = await this.#receive(response, arriving, end);
    arriving?.end();
    const job = await end;
    this.#jobId = null;
    const played = arriving?.failed === false;
    return { blob, name: fileName(response, name), played, job, unaligned: isUnaligned(job) };
  }

  async #receive(response, arriving, end) {
    const reader = response.body.getReader();
    const pieces = [];
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return new Blob(pieces, { type: "video/mp4" });
        pieces.push(value);
        arriving?.push(value);
      }
    } catch (error) {
      arriving?.close();
      this.signal.throwIfAborted();
      await end; // throws what the job says
      throw error instanceof TypeError ? new ApiError({ code: "broken" }) : error;
    }
  }

  #follow() {
    return followJob(this.#jobId, { signal: this.signal, ...this.#listeners });
  }
}
