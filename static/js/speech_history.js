/** What was said in a session, line by line, with what was heard of it. */

import { setAttributes, setText } from "./i18n.js";

const MOST_LINES = 60;

const STATE_KEYS = {
  waiting: "realtime.line_waiting",
  speaking: "realtime.line_speaking",
  said: "realtime.line_said",
  interrupted: "realtime.line_interrupted",
  failed: "realtime.line_failed",
};

export class SpeechHistory extends EventTarget {
  #list;
  #store;
  #lines = []; // {id, text, state, heard, taken}: `heard` characters, `taken` by the server
  #shown = new Map();

  /**
   * The event "again" has the text of a line that was clicked in `detail`.
   * @param {HTMLOListElement} list  @param {string} store name in sessionStorage
   */
  constructor(list, store) {
    super();
    this.#list = list;
    this.#store = store;
    for (const line of JSON.parse(sessionStorage.getItem(store) ?? "[]")) {
      if (line.state === "waiting" && !line.taken) line.state = "failed"; // the page was left
      this.#append(line);
    }
  }

  add(id, text) {
    this.#append({ id, text, state: "waiting", heard: 0, taken: false });
    while (this.#lines.length > MOST_LINES) {
      const { id: oldest } = this.#lines.shift();
      this.#shown.get(oldest).remove();
      this.#shown.delete(oldest);
    }
    this.#keep();
  }

  /** Takes an event of the session: speech_started, word, speech_finished, interrupted, error. */
  take(event) {
    const line = this.#lines.find(({ id }) => id === event.utterance_id);
    if (!line) return;
    if (event.type === "speech_started") line.state = "speaking";
    if (event.type === "word") line.heard = Math.max(line.heard, this.#endOf(line, event));
    if (event.type === "speech_finished") Object.assign(line, { state: "said", heard: 0 });
    if (event.type === "interrupted") {
      Object.assign(line, { state: "interrupted", heard: heardLength(line.text, event.heard) });
    }
    if (event.type === "error") line.state = "failed";
    this.#show(line);
    this.#keep();
  }

  /** Whether it is a line of this page. */
  has(id) {
    return this.#lines.some((line) => line.id === id);
  }

  /** The server has it: it ends with its session. */
  accept(id) {
    const line = this.#lines.find((one) => one.id === id);
    if (line) line.taken = true;
    this.#keep();
  }

  fail(id) {
    this.take({ type: "error", utterance_id: id });
  }

  /** What is under way will not end any more: its session is gone. */
  abandon() {
    for (const line of this.#lines) {
      if (!line.taken || !["waiting", "speaking"].includes(line.state)) continue;
      line.state = "failed";
      this.#show(line);
    }
    this.#keep();
  }

  #endOf({ text, heard }, { text: word, end }) {
    if (end) return charactersTo(text, end);
    const found = text.indexOf(word, heard);
    return found < 0 ? heard : found + word.length;
  }

  #append(line) {
    this.#lines.push(line);
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    setAttributes(button, { title: "realtime.say_again" });
    button.append(document.createElement("span"), document.createElement("span"));
    button.addEventListener("click", () => {
      this.dispatchEvent(new CustomEvent("again", { detail: line.text }));
    });
    item.append(button, document.createElement("small"));
    this.#shown.set(line.id, item);
    this.#list.append(item);
    this.#show(line);
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #show({ id, text, state, heard }) {
    const item = this.#shown.get(id);
    item.dataset.state = state;
    const [first, rest] = item.querySelectorAll("button > span");
    const whole = state === "said" || state === "waiting" || state === "failed";
    first.textContent = whole ? text : text.slice(0, heard);
    rest.textContent = whole ? "" : text.slice(heard);
    rest.className = "rest";
    setText(item.querySelector("small"), STATE_KEYS[state]);
  }

  #keep() {
    sessionStorage.setItem(this.#store, JSON.stringify(this.#lines));
  }
}

/** Code units of the first `count` characters. */
function charactersTo(text, count) {
  return [...text].slice(0, count).join("").length;
}

/** How much of a text was heard, in code units, up to the end of a word. */
function heardLength(text, heard) {
  if (!heard) return 0;
  if (text.startsWith(heard)) return heard.length;
  const words = heard.trim().split(/\s+/).length;
  let end = 0;
  for (const { 0: word, index } of [...text.matchAll(/\S+/g)].slice(0, words)) {
    end = index + word.length;
  }
  return end;
}
