/** The fields that every page's form has: the text, its language, and how it is spoken. */

import { AvatarChoice } from "./avatar_choice.js";
import { ErrorLine } from "./error_line.js";
import { currentLanguage, setAttributes, setText } from "./i18n.js";
import { ReadingLine } from "./reading_line.js";
import { SAMPLES } from "./samples.js";
import { SoundChoice } from "./sound_choice.js";
import { VoiceChoice } from "./voice_choice.js";

/** The server tells the language of each sentence. */
const AUTO = "auto";

export class SpeechForm {
  #text;
  #sound;
  #reading;
  #voice = new VoiceChoice(document.getElementById("voice-choice"));

  element = document.getElementById("speak-form");
  error = new ErrorLine(document.getElementById("error"));
  avatar = new AvatarChoice(document.getElementById("avatar-choice"));

  /** @param {() => void} onSubmit the button, or Ctrl + Enter anywhere on the page */
  constructor(onSubmit) {
    this.#text = this.element.elements.text;
    this.#reading = new ReadingLine(this.#text, () => this.element.elements.language.value);
    this.#sound = new SoundChoice(this.element, (chosen) => this.#takeSound(chosen));
    this.#chooseLanguage(currentLanguage());
    for (const choice of this.element.elements.language) {
      choice.addEventListener("change", () => this.#chooseLanguage(choice.value));
    }
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      onSubmit();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      onSubmit();
    });
    this.#showSpeed();
  }

  /** Selects a language of speech; a text that nobody edited becomes that language's sample. */
  #chooseLanguage(code) {
    this.element.elements.language.value = code;
    this.#text.lang = code === AUTO ? "" : code;
    this.#voice.language = code === AUTO ? "" : code;
    const text = this.#text.value.trim();
    if (this.#sound.file) return;
    const sample = SAMPLES[code];
    if (sample && (text === "" || Object.values(SAMPLES).includes(text))) this.#text.value = sample;
    this.#reading.refresh(0);
  }

  /** Beside a sound the text is what is said in it, and its speed is its own. */
  #takeSound(chosen) {
    const { language, speed } = this.element.elements;
    const sample = SAMPLES[language.value];
    if (chosen && this.#text.value.trim() === sample) this.#text.value = "";
    if (!chosen && sample && this.#text.value.trim() === "") this.#text.value = sample;
    setText(document.getElementById("text-label"), chosen ? "sound.transcript" : "speak.text");
    const placeholder = chosen ? "sound.transcript_hint" : "speak.placeholder";
    setAttributes(this.#text, { placeholder });
    if (speed) speed.disabled = chosen;
    this.#reading.hidden = chosen;
    this.#voice.hidden = chosen;
    this.error.clear();
  }

  #showSpeed() {
    const { speed } = this.element.elements;
    if (!speed) return;
    const value = document.getElementById("speed-value");
    const show = () => {
      value.textContent = `×${Number(speed.value).toFixed(2)}`;
    };
    speed.addEventListener("input", show);
    show();
  }

  /** The request that the form describes, or null with a sentence when the text cannot be. */
  request() {
    const fields = new FormData(this.element);
    const text = fields.get("text").trim();
    const limit = Number(this.#text.dataset.limit);
    this.error.clear();
    const audio = this.#sound.file;
    if (text === "" && !audio) return this.#refuse("error.empty");
    if ([...text].length > limit) return this.#refuse("error.too_long", { limit });
    const request = { text, language: fields.get("language") };
    if (this.avatar.value) request.avatar = this.avatar.value;
    if (fields.get("size")) request.size = fields.get("size");
    if (audio) return { ...request, audio };
    if (this.#voice.value) request.voice = this.#voice.value;
    if (fields.has("speed")) request.speed = Number(fields.get("speed"));
    return request;
  }

  #refuse(key, values) {
    this.#text.focus();
    this.error.say(key, values);
    return null;
  }
}
