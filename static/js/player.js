/** Joins the stream of pictures and the sound: pictures are shown by the clock of the sound. */

import { ApiError, cancelJob, openSound, openStream } from "./api.js";
import { StreamEnded } from "./byte_reader.js";
import { boundaryOf, readParts } from "./multipart.js";
import { Pictures } from "./pictures.js";
import { Sound } from "./sound.js";

const SOUND_WAIT_MS = 1000; // after the first picture; then it plays without sound
const FPS_WINDOW_MS = 1000;
const OFFSET_SAMPLES = 25;
const TIMESTAMP_ROUNDING_S = 0.001;

const EMPTY = {
  status: "idle", // idle connecting speaking silent finished stopped error
  frames: 0, // received
  shown: 0,
  dropped: 0, // skipped by the server or too late for the screen
  fps: 0, // shown in the last second
  firstFrameMs: null, // from speak() to the first picture on the screen
  runningMs: 0,
  audioTime: 0, // seconds of sound heard
  pictureTime: 0, // the shown picture's time on the clock of the sound, seconds
  offsetMs: null, // sound minus picture: median over the last second
  audioLevel: 0, // root mean square, 0..1
};

export class Player extends EventTarget {
  #view;
  #server;
  #sound = new Sound();
  #run = null;

  /** A live object. The event "change" says that it has other values. */
  stats = { ...EMPTY };

  /**
   * @param {import("./face_view.js").FaceView} view
   * @param server what opens streams and cancels jobs: this page's server, or another
   */
  constructor(view, server = { openStream, openSound, cancelJob }) {
    super();
    this.#view = view;
    this.#server = server;
  }

  get busy() {
    return this.#run !== null;
  }

  set muted(value) {
    this.#sound.muted = value;
  }

  /** Speaks and resolves at the end or when stopped. Throws ApiError. Call inside a click. */
  async speak(request) {
    this.stop();
    this.#sound.unlock();
    const run = new Run();
    this.#run = run;
    Object.assign(this.stats, EMPTY);
    this.#enter("connecting");
    this.#tick(run);
    try {
      await this.#receive(run, request);
      await run.played;
    } catch (error) {
      if (this.#run !== run) return;
      this.#leave("error");
      throw error instanceof StreamEnded ? new ApiError({ code: "broken" }) : error;
    }
    if (this.#run === run) this.#leave("finished");
  }

  async #receive(run, request) {
    const { signal } = run.controller;
    const response = await this.#server.openStream(request, signal);
    run.jobId = response.headers.get("X-Job-Id");
    const soundUrl = response.headers.get("X-Audio-Url");
    if (soundUrl) this.#sound.load(() => this.#server.openSound(soundUrl, signal), signal);
    else this.#sound.fail();
    const boundary = boundaryOf(response.headers.get("Content-Type"));
    for await (const part of readParts(response.body, boundary)) {
      if (this.#run !== run) return;
      if (part.headers.get("content-type") !== "image/jpeg") throw ApiError.ofPart(part.body);
      this.#receivePicture(run, part);
    }
    run.received = true;
  }

  #receivePicture(run, { headers, body }) {
    const index = Number(headers.get("x-frame") ?? this.stats.frames);
    run.skipped += Math.max(index - run.nextIndex, 0);
    run.nextIndex = index + 1;
    this.stats.frames += 1;
    run.pictures.add(body, Number(headers.get("x-timestamp") ?? 0));
    if (document.hidden) this.#advance(run); // a hidden page gets no animation frames
  }

  #tick(run) {
    if (this.#run !== run) return;
    this.#advance(run);
    requestAnimationFrame(() => this.#tick(run));
  }

  #advance(run) {
    const { stats } = this;
    const now = performance.now();
    stats.runningMs = now - run.began;
    if (stats.status === "connecting" && stats.shown) this.#tryToStart(run, now);
    if (stats.status === "speaking" && this.#sound.lost) this.#playSilently(run, now);

    const clock = this.#clock(run, now);
    const picture = run.pictures.take(clock + TIMESTAMP_ROUNDING_S);
    if (picture) this.#show(run, picture, clock, now);
    stats.dropped = run.pictures.dropped + run.skipped;
    stats.fps = run.countShown(now);
    stats.audioTime = this.#sound.time;
    stats.audioLevel = this.#sound.level;
    this.#view.level = stats.audioLevel;

    const silent = stats.status === "silent" || this.#sound.failed;
    if (run.received && run.pictures.empty && (silent || this.#sound.ended)) run.finish();
    this.#changed();
  }

  #tryToStart(run, now) {
    if (this.#sound.ready) {
      this.#sound.start();
      this.#enter("speaking");
    } else if (this.#sound.failed || now - run.firstShown > SOUND_WAIT_MS) {
      this.#playSilently(run, now);
    }
  }

  #playSilently(run, now) {
    run.silentFrom = now - 1000 * this.stats.pictureTime;
    this.#sound.stop();
    this.#enter("silent");
  }

  #clock(run, now) {
    if (this.stats.status === "speaking") return this.#sound.time;
    if (this.stats.status === "silent") return (now - run.silentFrom) / 1000;
    return this.stats.shown ? 0 : run.pictures.nextTime; // the first picture waits for nothing
  }

  #show(run, picture, clock, now) {
    const { stats } = this;
    this.#view.show(picture.bitmap, { keep: stats.shown === 0 });
    stats.shown += 1;
    stats.pictureTime = picture.time;
    if (stats.shown === 1) {
      run.firstShown = now;
      stats.firstFrameMs = now - run.began;
    }
    run.shownAt.push(now);
    if (stats.status === "speaking") stats.offsetMs = run.offset(1000 * (clock - picture.time));
  }

  /** Stops at once, here and on the server. */
  stop() {
    const run = this.#run;
    if (!run) return;
    if (run.jobId && !run.received) this.#server.cancelJob(run.jobId);
    this.#leave("stopped");
  }

  #leave(status) {
    const run = this.#run;
    this.#run = null;
    run.controller.abort();
    run.pictures.close();
    run.finish();
    this.#sound.stop();
    this.stats.audioLevel = 0;
    this.stats.fps = 0;
    this.#view.level = 0;
    this.#view.rest();
    this.#enter(status);
  }

  #enter(status) {
    this.stats.status = status;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** What belongs to one spoken text. */
class Run {
  controller = new AbortController();
  pictures = new Pictures();
  jobId = null;
  began = performance.now();
  firstShown = 0;
  silentFrom = 0;
  nextIndex = 0;
  skipped = 0;
  received = false;
  shownAt = [];
  offsets = [];

  constructor() {
    this.played = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  countShown(now) {
    while (this.shownAt[0] < now - FPS_WINDOW_MS) this.shownAt.shift();
    return this.shownAt.length;
  }

  /** Takes one offset in ms. Returns the median of the last ones. */
  offset(value) {
    this.offsets.push(value);
    if (this.offsets.length > OFFSET_SAMPLES) this.offsets.shift();
    return [...this.offsets].sort((a, b) => a - b)[this.offsets.length >> 1];
  }
}
