/** The face with its form, its buttons and its status line. */

import { cancelJob, openSound, openStream, pictureOf } from "./api.js";
import { CaptionLine } from "./caption_line.js";
import { FaceView } from "./face_view.js";
import { setAttributes, setText } from "./i18n.js";
import { Player } from "./player.js";
import { SpeechForm } from "./speech_form.js";

const STATUS_KEYS = {
  idle: "status.idle",
  connecting: "status.connecting",
  speaking: "status.speaking",
  silent: "status.silent",
  finished: "status.finished",
  stopped: "status.stopped",
  error: "status.error",
};

export class Speaking {
  #form = new SpeechForm(() => this.speak());
  #stop = document.getElementById("stop");
  #stage = document.getElementById("stage");
  #status = document.getElementById("status");
  #mute = document.getElementById("mute");
  #shownStatus = "";

  #view = new FaceView(document.getElementById("face"));

  #caption = new CaptionLine(document.getElementById("caption"));

  player = new Player(this.#view, {
    openStream: (body, signal) => this.#open(body, signal),
    openSound,
    cancelJob,
  });

  constructor() {
    window.soyle = { stats: this.player.stats };
    this.#stop.addEventListener("click", () => this.player.stop());
    this.#mute.addEventListener("click", () => this.#toggleMute());
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !document.querySelector("dialog[open]")) this.player.stop();
    });
    this.player.addEventListener("change", () => this.#onChange());
    this.#form.avatar.addEventListener("change", ({ detail }) => {
      if (!this.player.busy) this.#view.poster = pictureOf(detail, { square: true });
    });
    window.addEventListener("pagehide", () => this.player.stop());
    this.#onChange();
  }

  #toggleMute() {
    const muted = this.#mute.getAttribute("aria-pressed") !== "true";
    this.#mute.setAttribute("aria-pressed", String(muted));
    const key = muted ? "speak.unmute" : "speak.mute";
    setAttributes(this.#mute, { "aria-label": key, title: key });
    this.player.muted = muted;
  }

  /** The request that the form describes, or null with a sentence. */
  request() {
    return this.#form.request();
  }

  async speak() {
    const request = this.request();
    if (!request) return;
    this.#stage.scrollIntoView({ block: "nearest" });
    const lowLatency = this.#form.element.elements.low_latency?.checked ?? true;
    try {
      await this.player.speak({ ...request, low_latency: lowLatency });
    } catch (error) {
      this.showFailure(error);
    }
  }

  async #open(body, signal) {
    const response = await openStream(body, signal);
    this.#caption.begin(response.headers.get("X-Job-Id"), body.text, signal);
    return response;
  }

  /** Shows an ApiError as a sentence and throws anything else. */
  showFailure(error) {
    this.#form.error.show(error);
  }

  /** A short note in the status line. */
  note(key, values) {
    setText(this.#status, key, values);
  }

  #onChange() {
    const { status, audioTime, pictureTime } = this.player.stats;
    if (status === "speaking") this.#caption.advance(audioTime);
    if (status === "silent") this.#caption.advance(pictureTime);
    if (status === this.#shownStatus) return;
    this.#shownStatus = status;
    this.#stage.dataset.status = status;
    if (!this.player.busy) this.#caption.clear();
    this.#stop.disabled = !this.player.busy;
    this.note(STATUS_KEYS[status]);
  }
}
