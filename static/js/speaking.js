/** The form, the face and the messages that both pages share. */

import { ApiError } from "./api.js";
import { FaceView } from "./face_view.js";
import { currentLanguage, setAttributes, setText, t } from "./i18n.js";
import { Player } from "./player.js";
import { SAMPLES } from "./samples.js";

const STATUS_KEYS = {
  idle: "status.idle",
  connecting: "status.connecting",
  speaking: "status.speaking",
  silent: "status.silent",
  finished: "status.finished",
  stopped: "status.stopped",
  error: "status.error",
};

const ERROR_KEYS = {
  broken: "error.broken",
  token: "error.token",
  unreachable: "error.unreachable",
};

export class Speaking {
  #form = document.getElementById("speak-form");
  #text = this.#form.elements.text;
  #stop = document.getElementById("stop");
  #stage = document.getElementById("stage");
  #status = document.getElementById("status");
  #error = document.getElementById("error");
  #mute = document.getElementById("mute");
  #shownStatus = "";

  player = new Player(new FaceView(document.getElementById("face")));

  constructor() {
    window.soyle = { stats: this.player.stats };
    this.#chooseLanguage(currentLanguage());
    for (const choice of this.#form.elements.language) {
      choice.addEventListener("change", () => this.#chooseLanguage(choice.value));
    }
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.speak();
    });
    this.#stop.addEventListener("click", () => this.player.stop());
    this.#mute.addEventListener("click", () => this.#toggleMute());
    document.addEventListener("keydown", (event) => this.#onKey(event));
    this.player.addEventListener("change", () => this.#onChange());
    window.addEventListener("pagehide", () => this.player.stop());
    this.#onChange();
  }

  /** Selects a language of speech; a text that nobody edited becomes that language's sample. */
  #chooseLanguage(code) {
    this.#form.elements.language.value = code;
    this.#text.lang = code;
    const text = this.#text.value.trim();
    if (text === "" || Object.values(SAMPLES).includes(text)) this.#text.value = SAMPLES[code];
  }

  #onKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.speak();
    } else if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      this.player.stop();
    }
  }

  #toggleMute() {
    const muted = this.#mute.getAttribute("aria-pressed") !== "true";
    this.#mute.setAttribute("aria-pressed", String(muted));
    const key = muted ? "speak.unmute" : "speak.mute";
    setAttributes(this.#mute, { "aria-label": key, title: key });
    this.player.muted = muted;
  }

  /** The request that the form describes, or null with a sentence when there is no text. */
  request() {
    const fields = new FormData(this.#form);
    const text = fields.get("text").trim();
    this.#error.hidden = true;
    if (text === "") {
      this.#text.focus();
      this.#showError("error.empty");
      return null;
    }
    const request = { text, language: fields.get("language") };
    if (fields.get("size")) request.size = fields.get("size");
    if (fields.has("speed")) request.speed = Number(fields.get("speed"));
    return request;
  }

  async speak() {
    const request = this.request();
    if (!request) return;
    const lowLatency = this.#form.elements.low_latency?.checked ?? true;
    try {
      await this.player.speak({ ...request, low_latency: lowLatency });
    } catch (error) {
      this.showFailure(error);
    }
  }

  /** Shows an ApiError as a sentence and throws anything else. */
  showFailure(error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.sentence) {
      delete this.#error.dataset.i18n;
      this.#error.textContent = error.sentence.replace(/(?<![.!?…])$/, ".");
      if (error.retryAfter) {
        this.#error.append(" ", t("error.retry", { seconds: error.retryAfter }));
      }
      this.#error.hidden = false;
    } else {
      this.#showError(ERROR_KEYS[error.code] ?? "error.unknown", { status: error.status });
    }
  }

  #showError(key, values) {
    setText(this.#error, key, values);
    this.#error.hidden = false;
  }

  /** A short note in the status line. */
  note(key) {
    setText(this.#status, key);
  }

  #onChange() {
    const { status } = this.player.stats;
    if (status === this.#shownStatus) return;
    this.#shownStatus = status;
    this.#stage.dataset.status = status;
    this.#stop.disabled = !this.player.busy;
    this.note(STATUS_KEYS[status]);
  }
}
