/** Captions of what is said, from words as they become known. */

const LINE_CHARS = 32; // one or two lines on an upright picture
const PAUSE_S = 0.6; // a longer silence begins a new line
const SENTENCE_END = /[.!?…]["»”)]*$/u;

/** Whether a word belongs to the line before it, which ended `pause` seconds earlier. */
export function continues(line, pause, word) {
  if (SENTENCE_END.test(line) || pause > PAUSE_S) return false;
  return line.length + 1 + word.length <= LINE_CHARS;
}

export class Captions {
  #track;
  #line = null;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#track = video.addTextTrack("captions");
    this.#track.mode = "showing";
  }

  /** Adds the next word. One that comes again is left out. */
  add({ text, start_s, end_s }) {
    if (this.#line && start_s < this.#line.endTime - 0.001) return;
    const word = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    if (this.#line && continues(this.#line.text, start_s - this.#line.endTime, word)) {
      this.#line.text += ` ${word}`;
      this.#line.endTime = end_s;
    } else {
      this.#line = new VTTCue(start_s, end_s, word);
      this.#line.line = -2; // clear of the rounded corners
      this.#track.addCue(this.#line);
    }
  }

  clear() {
    for (const cue of [...(this.#track.cues ?? [])]) this.#track.removeCue(cue);
    this.#line = null;
  }
}
