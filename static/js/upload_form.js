/** The form that adds a face: a file by choice or by drop, the consent, the progress. */

import { ApiError, readAvatar, removeAvatar, sendAvatar } from "./api.js";
import { ErrorLine } from "./error_line.js";
import { setText } from "./i18n.js";
import { ProgressBar } from "./progress_bar.js";

const ASK_EVERY_MS = 400;
const SENDING_PART = 25; // percent of the bar

const STAGES = {
  sending: "avatars.stage_sending",
  waiting: "avatars.stage_waiting",
  reading: "avatars.stage_reading",
  video: "avatars.stage_video",
  faces: "avatars.stage_faces",
  cycle: "avatars.stage_cycle",
  done: "stage.done",
};

/** The event "added" has the record of the new face in `detail`; "change": the list has changed. */
export class UploadForm extends EventTarget {
  #form = document.getElementById("upload-form");
  #drop = document.getElementById("drop");
  #name = document.getElementById("file-name");
  #upload = document.getElementById("upload");
  #cancel = document.getElementById("upload-cancel");
  #progress = new ProgressBar(document.getElementById("upload-progress"), STAGES);
  #error = new ErrorLine(document.getElementById("upload-error"));
  #file = null;
  #leave = null; // of what is being sent or imported

  constructor() {
    super();
    const { file, consent } = this.#form.elements;
    file.addEventListener("change", () => this.#choose(file.files[0]));
    consent.addEventListener("change", () => this.#enable());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    this.#cancel.addEventListener("click", () => this.#leave?.abort());
    for (const name of ["dragenter", "dragover"]) {
      this.#drop.addEventListener(name, (event) => {
        event.preventDefault();
        this.#drop.classList.add("over");
      });
    }
    this.#drop.addEventListener("dragleave", () => this.#drop.classList.remove("over"));
    this.#drop.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#drop.classList.remove("over");
      if (event.dataTransfer.files.length) this.#choose(event.dataTransfer.files[0]);
    });
    this.#enable(); // a browser may have kept the boxes of the last visit
  }

  #choose(file) {
    this.#error.clear();
    this.#file = file ?? null;
    if (file) {
      delete this.#name.dataset.i18n;
      this.#name.textContent = file.name;
    } else {
      setText(this.#name, "avatars.drop");
    }
    this.#enable();
  }

  #enable() {
    const { consent } = this.#form.elements;
    this.#upload.disabled = !this.#file || !consent.checked || this.#leave !== null;
    this.#cancel.hidden = this.#leave === null;
    this.#form.setAttribute("aria-busy", String(this.#leave !== null));
  }

  async #start() {
    if (this.#upload.disabled) return;
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    this.#enable();
    this.#error.clear();
    this.#progress.reset();
    try {
      const record = await this.#import(signal);
      this.#progress.hide();
      this.#choose(null);
      this.#form.reset();
      this.dispatchEvent(new CustomEvent("added", { detail: record }));
    } catch (error) {
      this.#progress.hide();
      if (!signal.aborted) this.#error.show(error);
      else this.#error.say("avatars.cancelled");
    } finally {
      this.#leave = null;
      this.#enable();
      this.dispatchEvent(new Event("change"));
    }
  }

  async #import(signal) {
    const form = new FormData(); // the consent before the file, which may be long
    form.append("consent", "true");
    const name = this.#form.elements.name.value.trim();
    if (name) form.append("name", name);
    form.append("file", this.#file);
    const show = (percent, stage) => this.#progress.show({ percent, stage, secondsLeft: null });
    const onProgress = (part) => show(SENDING_PART * part, "sending");
    let record = await sendAvatar(form, { signal, onProgress });
    this.dispatchEvent(new Event("change"));
    try {
      while (record.status === "importing") {
        show(SENDING_PART + (100 - SENDING_PART) * record.progress, record.stage);
        await pause(ASK_EVERY_MS);
        signal.throwIfAborted();
        record = await readAvatar(record.id, signal);
      }
    } catch (error) {
      if (signal.aborted) await removeAvatar(record.id).catch(() => {});
      throw error;
    }
    if (record.status === "ready") return record;
    await removeAvatar(record.id).catch(() => {}); // it is told, and need not be remembered
    throw ApiError.of(record.error);
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
