/** The file that a person has chosen: how it looks, which side is up and whose face speaks. */

import { setText } from "./i18n.js";

const TURNS = [null, 90, 180, 270]; // null: the server finds out which side is up

export class ChosenFile {
  #field = document.getElementById("chosen");
  #photo = document.getElementById("chosen-photo");
  #clip = document.getElementById("chosen-clip");
  #turn = document.getElementById("turn");
  #told = document.getElementById("turned");
  #face = document.getElementById("which-face");
  #rotate = null;
  #url = "";

  constructor() {
    this.#turn.addEventListener("click", () => {
      this.#set(TURNS[(TURNS.indexOf(this.#rotate) + 1) % TURNS.length]);
    });
    for (const [view, event] of [[this.#photo, "load"], [this.#clip, "loadeddata"]]) {
      view.addEventListener(event, () => (view.hidden = false));
      view.addEventListener("error", () => (view.hidden = true)); // the server may read it
    }
  }

  /** @param {File | null} file */
  show(file) {
    URL.revokeObjectURL(this.#url);
    this.#url = file ? URL.createObjectURL(file) : "";
    const clip = file?.type.startsWith("video/") ?? false;
    for (const [view, shown] of [[this.#photo, file && !clip], [this.#clip, clip]]) {
      view.hidden = true;
      if (shown) view.src = this.#url;
      else view.removeAttribute("src");
    }
    this.#field.hidden = !file;
    this.#face.value = "";
    this.#set(null);
  }

  /** The fields of the form that say it; none for what the server finds by itself. */
  get choice() {
    return {
      ...(this.#face.value && { face: this.#face.value }),
      ...(this.#rotate !== null && { rotate: String(this.#rotate) }),
    };
  }

  #set(rotate) {
    this.#rotate = rotate;
    this.#field.style.setProperty("--turn", `${rotate ?? 0}deg`);
    if (rotate === null) setText(this.#told, "avatars.turn_auto");
    else setText(this.#told, "avatars.turn_by", { degrees: rotate });
  }
}
