/** Captions of what is said, from words as they become known. */

import { setAttributes } from "./i18n.js";

const LINE = -2; // clear of the rounded corners
const LINE_CHARS = 32; // one or two lines on an upright picture
const PAUSE_S = 0.6; // a longer silence begins a new line
const BREATH_S = 0.12; // without it a point is that of an abbreviation
const SENTENCE_END = /[.!?…]["»”)]*$/u;
const SILENT = /^[^\p{L}\p{N}\s]{1,3}$/u;

/** Whether a word belongs to the line before it, which ended `pause` seconds earlier. */
export function continues(line, pause, word) {
  if ((SENTENCE_END.test(line) && pause > BREATH_S) || pause > PAUSE_S) return false;
  return line.length + 1 + word.length <= LINE_CHARS;
}

/** The words of a text with what stands alone before them and is not said, such as a dash. */
export class WrittenWords {
  #characters;
  #end = 0;

  /** @param {string} text as it was sent */
  constructor(text) {
    this.#characters = [...text];
  }

  /** `word`: of a job's events, in order. */
  next({ text, start, end }) {
    const between = this.#end && start ? this.#characters.slice(this.#end, start) : [];
    this.#end = end;
    const alone = between.join("").trim();
    return SILENT.test(alone) && between[0] !== alone[0] ? `${alone} ${text}` : text;
  }
}

export class Captions {
  #video;
  #track = null;
  #line = null;
  #words = null;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
  }

  /** For another film. `language`: what is said in it; `text`: as it was sent. */
  begin(language, text) {
    this.clear();
    this.#words = new WrittenWords(text);
    this.#track = document.createElement("track");
    const srclang = language === "auto" ? "" : language;
    Object.assign(this.#track, { kind: "captions", srclang, default: true });
    setAttributes(this.#track, { label: "captions.label" });
    this.#video.append(this.#track);
    this.#track.track.mode = "showing";
  }

  /** Adds the next word. One that comes again is left out. */
  add(said) {
    const { start_s, end_s } = said;
    if (!this.#track || (this.#line && start_s < this.#line.endTime - 0.001)) return;
    const word = this.#words.next(said).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    if (this.#line && continues(this.#line.text, start_s - this.#line.endTime, word)) {
      this.#line.text += ` ${word}`;
      this.#line.endTime = end_s;
    } else {
      this.#line = new VTTCue(start_s, end_s, word);
      this.#line.line = LINE;
      this.#track.track.addCue(this.#line);
    }
  }

  /** The film is whole: its own captions, at `url`, take the place of the words. */
  finish(url) {
    const track = this.#track;
    track.addEventListener("load", () => {
      for (const cue of track.track.cues) cue.line = LINE;
    });
    track.src = url;
  }

  clear() {
    this.#track?.remove();
    this.#track = null;
    this.#line = null;
  }
}
