/** Whose voice speaks: those that speak the chosen language, a sample of each, and more to bring. */

import { ApiError, hasToken, readSample, readVoices } from "./api.js";
import { ErrorLine } from "./error_line.js";
import { setText } from "./i18n.js";
import { MoreVoices } from "./more_voices.js";

const CHOICE_KEY = "soyle.voice";
const LOOK_EVERY_MS = 1000;

/** The event "change" comes when a person chose another. */
export class VoiceChoice extends EventTarget {
  #field;
  #select = document.getElementById("voice");
  #listen = document.getElementById("voice-sample");
  #news = document.getElementById("voice-news");
  #error = new ErrorLine(document.getElementById("voice-error"));
  #more = new MoreVoices(document.getElementById("more-voices"));
  #records = [];
  #language = "";
  #loaded = false;
  #hidden = false;
  #timer = 0;
  #looks = 0;
  #sound = null;
  #asking = null;

  /** @param {HTMLElement} field hidden until the voices are known */
  constructor(field) {
    super();
    this.#field = field;
    this.#select.addEventListener("change", () => {
      this.#hush();
      localStorage.setItem(this.#key, this.#select.value);
      this.dispatchEvent(new Event("change"));
    });
    this.#listen.addEventListener("click", () => this.#play());
    this.#more.addEventListener("change", () => this.#load());
    window.addEventListener("pagehide", () => this.#hush());
    this.#showPlaying(false);
    // A page must not ask for the token before anybody wants something.
    if (field.dataset.guarded !== "true" || hasToken()) this.#load();
    else window.addEventListener("soyle-token", () => this.#load(), { once: true });
  }

  /** The id that requests send; "" for what the server prefers. */
  get value() {
    return this.#loaded ? this.#select.value : "";
  }

  /** Of the speech; "" for the one of each sentence. */
  set language(code) {
    this.#language = code;
    this.#list();
  }

  /** Beside a recording nobody speaks. */
  set hidden(value) {
    this.#hidden = value;
    this.#hush();
    this.#field.hidden = value || !this.#loaded;
  }

  get #key() {
    return `${CHOICE_KEY}.${this.#language || "auto"}`;
  }

  async #load() {
    clearTimeout(this.#timer);
    const look = (this.#looks += 1);
    let told;
    try {
      told = await readVoices();
      if (look !== this.#looks) return; // a later one tells more
    } catch {
      if (look !== this.#looks) return;
      // The server's own voice speaks; what is on its way is asked about again.
      if (this.#more.coming) this.#timer = setTimeout(() => this.#load(), 5 * LOOK_EVERY_MS);
      return;
    }
    this.#records = told.voices;
    this.#loaded = true;
    this.#field.hidden = this.#hidden;
    const come = this.#more.show(told.available);
    this.#list();
    if (come) setText(this.#news, "voice.here", { name: come });
    if (this.#more.coming) this.#timer = setTimeout(() => this.#load(), LOOK_EVERY_MS);
  }

  #list() {
    if (!this.#loaded) return;
    const speak = ({ languages }) => !this.#language || languages.includes(this.#language);
    const known = this.#records.filter(speak);
    const ids = ["", ...known.map(({ id }) => id)];
    const listed = [...this.#select.options].map(({ value }) => value);
    if (ids.join() !== listed.join()) {
      const auto = new Option("", "");
      setText(auto, "voice.auto");
      this.#select.replaceChildren(auto, ...known.map(named));
    }
    const wanted = localStorage.getItem(this.#key) ?? "";
    this.#select.value = ids.includes(wanted) ? wanted : "";
    this.#more.language = this.#language;
  }

  /** The voice that would speak, or silence when one is heard already. */
  async #play() {
    if (this.#asking) return this.#hush();
    const first = this.#select.options[1]?.value;
    const id = this.#select.value || first;
    if (!id) return;
    const asking = new AbortController();
    this.#asking = asking;
    this.#error.clear();
    this.#showPlaying(true);
    this.#listen.setAttribute("aria-busy", "true");
    try {
      const blob = await readSample(id, this.#language, asking.signal);
      if (asking.signal.aborted) return;
      this.#sound = new Audio(URL.createObjectURL(blob));
      this.#sound.addEventListener("ended", () => this.#hush());
      await this.#sound.play().catch(() => {
        throw new ApiError({ code: "broken" });
      });
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#hush();
      this.#error.show(error);
    } finally {
      if (this.#asking === asking) this.#listen.removeAttribute("aria-busy");
    }
  }

  #hush() {
    this.#asking?.abort();
    this.#asking = null;
    this.#listen.removeAttribute("aria-busy");
    if (this.#sound) {
      this.#sound.pause();
      URL.revokeObjectURL(this.#sound.src);
      this.#sound = null;
    }
    this.#showPlaying(false);
  }

  #showPlaying(playing) {
    this.#listen.setAttribute("aria-pressed", String(playing));
    const words = this.#listen.querySelector("span");
    setText(words, playing ? "voice.quiet" : "voice.sample");
  }
}

function named({ id, name }) {
  const option = new Option(name, id);
  option.className = "name";
  return option;
}
