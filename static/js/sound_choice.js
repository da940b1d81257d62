/** A sound file in place of a text: chosen, named, removed again. */

import { setText } from "./i18n.js";

export class SoundChoice {
  #input;
  #name = document.getElementById("sound-name");
  #remove = document.getElementById("sound-remove");

  /**
   * @param {HTMLFormElement} form
   * @param {(chosen: boolean) => void} onChange
   */
  constructor(form, onChange) {
    this.#input = form.elements.audio;
    const change = () => {
      this.#show();
      onChange(this.file !== null);
    };
    this.#input.addEventListener("change", change);
    this.#remove.addEventListener("click", () => {
      this.#input.value = "";
      this.#input.focus();
      change();
    });
    this.#input.value = ""; // a browser may have kept the choice of the last visit
    this.#show();
  }

  /** @returns {File | null} */
  get file() {
    return this.#input.files[0] ?? null;
  }

  #show() {
    const { file } = this;
    this.#remove.hidden = !file;
    if (file) {
      delete this.#name.dataset.i18n;
      this.#name.textContent = file.name;
    } else {
      setText(this.#name, "sound.choose");
    }
  }
}
