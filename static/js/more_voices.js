/** Voices that the server could have: their size, their licence, and a button that brings each. */

import { cancelPull, pullVoice } from "./api.js";
import { ErrorLine } from "./error_line.js";
import { currentLanguage, formatNumber, setText, t } from "./i18n.js";

const BYTES_IN_MB = 1e6;
const NOTES = {
  from_lessac: "voice.from_lessac",
  no_licence_stated: "voice.no_licence_stated",
};
const LICENCES = {
  "not stated": "voice.licence_not_stated",
  "public domain": "voice.licence_none_needed",
};
const LANGUAGES = { ru: "speak.ru", kk: "speak.kk", en: "speak.en" };

/** The event "change": something was asked of the server, and its voices may be others now. */
export class MoreVoices extends EventTarget {
  #list;
  #none;
  #items = new Map();
  #language = "";

  /** @param {HTMLDetailsElement} element holds a list and the words for an empty one */
  constructor(element) {
    super();
    this.#list = element.querySelector("ul");
    this.#none = element.querySelector(".hint");
    new MutationObserver(() => this.#items.forEach((item) => item.translate())).observe(
      document.documentElement,
      { attributeFilter: ["lang"] },
    );
  }

  /** Whether a voice is on its way. */
  get coming() {
    return [...this.#items.values()].some((item) => item.coming);
  }

  /** Those that speak another language than `code` are left out; "": none are. */
  set language(code) {
    this.#language = code;
    this.#filter();
  }

  /** Takes the records of the server. Gives the name of a voice that was on its way and has come. */
  show(records) {
    const before = [...this.#items.values()];
    const items = records.map((record) => {
      const item = this.#items.get(record.id) ?? new VoiceItem(() => this.#changed());
      const wasComing = item.coming;
      item.show(record);
      return { id: record.id, item, come: wasComing && record.pull?.status === "ready" };
    });
    this.#items = new Map(items.map(({ id, item }) => [id, item]));
    const elements = items.map(({ item }) => item.element);
    const same = elements.length === this.#list.children.length
      && elements.every((element, index) => element === this.#list.children[index]);
    if (!same) this.#list.replaceChildren(...elements);
    this.#filter();
    const gone = before.find((item) => item.coming && !this.#items.has(item.id));
    return (gone ?? items.find(({ come }) => come)?.item)?.name ?? "";
  }

  #filter() {
    let shown = 0;
    for (const item of this.#items.values()) {
      item.element.hidden = Boolean(this.#language) && !item.languages.includes(this.#language);
      if (!item.element.hidden) shown += 1;
    }
    this.#none.hidden = shown > 0;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

class VoiceItem {
  #record = { languages: [], pull: null };
  #changed;
  #parts = {};
  #error;

  element = document.createElement("li");

  /** @param {() => void} changed something was asked of the server */
  constructor(changed) {
    this.#changed = changed;
    const make = (name, tag, parent = this.element, className = "") => {
      const made = document.createElement(tag);
      if (className) made.className = className;
      parent.append(made);
      this.#parts[name] = made;
      return made;
    };
    const head = make("head", "p");
    make("name", "b", head, "name");
    make("about", "small", head);
    make("licence", "p", this.element, "licence");
    make("terms", "p", this.element, "terms");
    make("notes", "p", this.element, "licence");
    make("mend", "p", this.element, "licence");
    make("mendWords", "span", this.#parts.mend);
    this.#parts.mend.append(" ");
    make("mendCommand", "code", this.#parts.mend);
    const tick = make("tick", "label", this.element, "tick");
    Object.assign(make("accept", "input", tick), { type: "checkbox" });
    setText(make("acceptWords", "span", tick), "voice.accept");
    const way = make("way", "p", this.element, "way");
    Object.assign(make("bar", "progress", way), { max: 1 });
    make("percent", "span", way);
    make("cancel", "button", way, "small");
    make("bring", "button", this.element, "small");
    for (const name of ["cancel", "bring"]) this.#parts[name].type = "button";
    setText(this.#parts.cancel, "voice.cancel");
    const error = make("error", "p", this.element, "error");
    error.setAttribute("role", "alert");
    this.#error = new ErrorLine(error);
    this.#error.clear();
    this.#parts.accept.addEventListener("change", () => this.#draw());
    this.#parts.bring.addEventListener("click", () => this.#bring());
    this.#parts.cancel.addEventListener("click", () => this.#cancel());
  }

  get id() {
    return this.#record.id;
  }

  get name() {
    return this.#record.name;
  }

  get languages() {
    return this.#record.languages;
  }

  get coming() {
    return this.#record.pull?.status === "pulling";
  }

  show(record) {
    const failed = record.pull?.error;
    const said = this.#record.pull?.error;
    this.#record = record;
    if (failed && failed.error !== said?.error) this.#tell(failed);
    else if (!failed && said) this.#error.clear();
    this.#draw();
  }

  #tell(failed) {
    if (failed.code === "disk_full") this.#error.showBody(failed);
    else this.#error.say("voice.failed", { detail: failed.error });
  }

  translate() {
    this.#draw();
  }

  #draw() {
    const { name, languages, size, licence, weights_licence, commercial, notes, mend, pull } =
      this.#record;
    const parts = this.#parts;
    const status = pull?.status;
    parts.name.textContent = name;
    const megabytes = t("unit.megabytes", { value: formatNumber(size / BYTES_IN_MB) });
    const spoken = languages.map((code) => t(LANGUAGES[code])).join(", ");
    // In a row of words English alone writes languages with a capital.
    const words = currentLanguage() === "en" ? spoken : spoken.toLowerCase();
    parts.about.textContent = `${megabytes} · ${words}`;
    const known = LICENCES[weights_licence];
    const weights = known ? t(known) : weights_licence;
    setText(parts.licence, "voice.licence", { weights, code: licence });
    parts.terms.hidden = commercial === true;
    setText(parts.terms, commercial === false ? "voice.non_commercial" : "voice.unclear");
    parts.notes.textContent = notes.map(({ code }) => t(NOTES[code])).join(" ");
    parts.notes.hidden = notes.length === 0;
    parts.mend.hidden = pull !== null && status !== "ready";
    setText(parts.mendWords, pull === null ? "voice.elsewhere" : "voice.lacks");
    parts.mendCommand.textContent = mend;
    const brings = status === "missing" || status === "failed";
    parts.tick.hidden = !brings || commercial !== false;
    parts.bring.hidden = !brings;
    parts.bring.disabled = commercial === false && !parts.accept.checked;
    setText(parts.bring, status === "failed" ? "voice.again" : "voice.bring");
    parts.bring.setAttribute("aria-label", `${parts.bring.textContent}: ${name}`);
    parts.way.hidden = !this.coming;
    parts.bar.setAttribute("aria-label", t("voice.coming", { name }));
    parts.bar.value = pull?.progress ?? 0;
    const percent = formatNumber(Math.floor(100 * parts.bar.value));
    parts.percent.textContent = pull?.stage === "waiting" ? t("voice.waiting") : `${percent} %`;
  }

  async #bring() {
    this.#error.clear();
    try {
      const pull = await pullVoice(this.#record.id, this.#parts.accept.checked);
      this.show({ ...this.#record, pull });
      if (this.coming) this.#parts.cancel.focus();
    } catch (error) {
      this.#error.show(error);
    }
    this.#changed();
  }

  async #cancel() {
    try {
      await cancelPull(this.#record.id);
    } catch (error) {
      this.#error.show(error);
    }
    this.#changed();
  }
}
