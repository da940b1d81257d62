/** "What will be said": how the text of a form is read, as one types. */

import { hasToken, readText } from "./api.js";
import { sentencesOf } from "./error_line.js";
import { setText } from "./i18n.js";

const OPEN_KEY = "soyle.reading";
const WAIT_MS = 350; // after the last key

/** Without marks, stress and case: what is left is heard. */
function heard(text) {
  return text.toLowerCase().normalize("NFD").replace(/[^\p{L}\p{N}]/gu, "");
}

export class ReadingLine {
  #details = document.getElementById("reading");
  #said = document.getElementById("said");
  #note = document.getElementById("said-note");
  #text;
  #language;
  #asking = null;
  #timer = 0;
  #shown = "";

  /**
   * @param {HTMLTextAreaElement} text
   * @param {() => string} language of the speech
   */
  constructor(text, language) {
    this.#text = text;
    this.#language = language;
    this.#details.open = localStorage.getItem(OPEN_KEY) === "open";
    this.#details.addEventListener("toggle", () => {
      localStorage.setItem(OPEN_KEY, this.#details.open ? "open" : "closed");
      this.refresh(0);
    });
    text.addEventListener("input", () => this.refresh());
    window.addEventListener("soyle-token", () => this.refresh(0));
  }

  /** Beside a recording nothing is read. */
  set hidden(value) {
    this.#details.hidden = value;
    this.refresh(0);
  }

  /** The text or its language may be another one. */
  refresh(wait = WAIT_MS) {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
    this.#said.removeAttribute("aria-busy");
    if (!this.#details.open || this.#details.hidden) return;
    this.#timer = setTimeout(() => this.#read(), wait);
  }

  async #read() {
    const { value: text } = this.#text;
    const language = this.#language();
    const asked = `${language} ${text}`;
    if (asked === this.#shown) return;
    this.#shown = ""; // until it is there
    const limit = Number(this.#text.dataset.limit);
    if (text.trim() === "") return this.#tell("reading.empty");
    if ([...text.trim()].length > limit) return this.#tell("error.too_long", { limit });
    // A page must not ask for the token before anybody wants something.
    if (this.#details.dataset.guarded === "true" && !hasToken()) return this.#tell("error.token");
    const asking = new AbortController();
    this.#asking = asking;
    this.#said.setAttribute("aria-busy", "true");
    try {
      const { said, words } = await readText({ text, language }, asking.signal);
      if (asking.signal.aborted) return;
      this.#show(said, words, language);
      this.#shown = asked;
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#clear();
      this.#note.replaceChildren(...sentencesOf(error));
    }
    this.#said.removeAttribute("aria-busy");
  }

  #tell(key, values) {
    this.#clear();
    const sentence = document.createElement("span");
    setText(sentence, key, values);
    this.#note.append(sentence);
  }

  #clear() {
    this.#said.replaceChildren();
    this.#note.replaceChildren();
  }

  /** What is read otherwise than it is written is marked. */
  #show(said, words, language) {
    const parts = [];
    let [at, shown] = [0, 0]; // behind the last word, and behind the last mark
    for (const word of words) {
      const found = said.indexOf(word.said, at);
      if (found < 0) continue;
      at = found + word.said.length;
      if (heard(word.written) === heard(word.said)) continue;
      const mark = document.createElement("mark");
      mark.textContent = word.said;
      mark.title = word.written;
      parts.push(said.slice(shown, found), mark);
      shown = at;
    }
    this.#clear();
    this.#said.lang = language === "auto" ? "" : language; // unknown
    this.#said.append(...parts, said.slice(shown));
  }
}
