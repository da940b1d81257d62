/** Which face speaks: small pictures to choose from, remembered for every page. */

import { hasToken, pictureOf, readAvatars } from "./api.js";

const CHOICE_KEY = "soyle.avatar";
const PICTURE_PX = 144;

/** The id of the face that was chosen, "" for the server's own. */
export function chosenAvatar() {
  return localStorage.getItem(CHOICE_KEY) ?? "";
}

export function chooseAvatar(id) {
  if (id) localStorage.setItem(CHOICE_KEY, id);
  else localStorage.removeItem(CHOICE_KEY);
}

/** The event "change" has the record of the chosen face in `detail`. */
export class AvatarChoice extends EventTarget {
  #field;
  #default = "";
  #records = [];

  /** @param {HTMLElement} field hidden until there are two faces to choose from */
  constructor(field) {
    super();
    this.#field = field;
    // A page must not ask for the token before anybody wants something.
    if (field.dataset.guarded !== "true" || hasToken()) this.#load();
    else window.addEventListener("soyle-token", () => this.#load(), { once: true });
  }

  /** The id that requests send; "" for the server's own. */
  get value() {
    const id = chosenAvatar();
    return id !== this.#default && this.#records.some((record) => record.id === id) ? id : "";
  }

  async #load() {
    try {
      const told = await readAvatars();
      this.#default = told.default;
      this.#records = told.avatars.filter(({ status }) => status === "ready");
    } catch {
      return; // the face of the server speaks
    }
    if (this.#records.length < 2) return;
    const chosen = this.value || this.#default;
    const choices = this.#records.map((record) => this.#choice(record, record.id === chosen));
    this.#field.querySelector(".faces").replaceChildren(...choices);
    this.#field.hidden = false;
    if (this.value) this.#tell(this.value);
  }

  #choice(record, checked) {
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "avatar", value: record.id, checked });
    radio.addEventListener("change", () => {
      chooseAvatar(record.id === this.#default ? "" : record.id);
      this.#tell(record.id);
    });
    return faceLabel(radio, record);
  }

  #tell(id) {
    const detail = this.#records.find((record) => record.id === id);
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

/** A radio button that looks like a face with its name. */
export function faceLabel(radio, record, note = "") {
  const label = document.createElement("label");
  label.className = "choice";
  const picture = document.createElement("span");
  picture.className = "picture";
  if (record.preview_url) {
    const image = new Image(72, 72);
    image.alt = "";
    image.src = pictureOf(record, { size: PICTURE_PX, square: true });
    picture.append(image);
  }
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = record.name;
  label.append(radio, picture, name);
  if (note) {
    const words = document.createElement("small");
    words.textContent = note;
    label.append(words);
  }
  return label;
}
