/** The line of what is being said, under the face, in step with the sound. */

import { openEvents, readJob } from "./api.js";
import { continues, WrittenWords } from "./captions.js";
import { Words } from "./words.js";

export class CaptionLine {
  #element;
  #words = null;
  #written = new WrittenWords("");
  #ended = 0; // seconds of sound at which the last word ended

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** Takes the words of another job, which says `text`. */
  begin(jobId, text, signal) {
    this.clear();
    this.#written = new WrittenWords(text);
    const words = new Words();
    this.#words = words;
    words.follow(async () => openEvents(await readJob(jobId, signal)));
  }

  /** Shows what has begun before `time`, seconds of sound heard. */
  advance(time) {
    for (const word of this.#words?.take(time) ?? []) this.add(word);
  }

  /** Shows a word that has begun. */
  add(word) {
    const { start_s, end_s } = word;
    const text = this.#written.next(word);
    const line = this.#element.textContent;
    const goes = line && continues(line, start_s - this.#ended, text);
    this.#element.textContent = goes ? `${line} ${text}` : text;
    this.#ended = end_s;
  }

  clear() {
    this.#words?.close();
    this.#words = null;
    this.#element.textContent = "";
  }
}
