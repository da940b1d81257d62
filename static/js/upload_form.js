/** The form that adds a face: a file by choice or by drop, the consent, the progress. */

import { ApiError, readAvatar, removeAvatar, sendAvatar } from "./api.js";
import { ChosenFile } from "./chosen_file.js";
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
  #chosen = new ChosenFile();
  #file = null;
  #last = null; // what became an avatar: its file, fields and id
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

  /** Whether another face of the file that has become this avatar can be taken. */
  knows(record) {
    return this.#last?.id === record.id && record.people > 1;
  }

  /** Sends the last file once more, for its next face, which takes the place of the one before. */
  async takeOther(record) {
    const { file, fields } = this.#last;
    if (!this.knows(record) || this.#leave) return;
    const face = (Number(fields.face ?? 0) + 1) % record.people;
    await this.#send(file, { ...fields, face: String(face) }, record.id);
  }

  #choose(file) {
    this.#error.clear();
    this.#chosen.show(file ?? null);
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
    const name = this.#form.elements.name.value.trim();
    await this.#send(this.#file, { ...(name && { name }), ...this.#chosen.choice });
  }

  /** `instead` is the id of an avatar that goes once the new one is there. */
  async #send(file, fields, instead = "") {
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    this.#enable();
    this.#error.clear();
    this.#progress.reset();
    try {
      const record = await this.#import(file, fields, signal);
      this.#progress.hide();
      if (instead) await removeAvatar(instead).catch(() => {}); // it is gone already
      this.#last = { id: record.id, file, fields };
      if (!instead) {
        this.#choose(null);
        this.#form.reset();
      }
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

  async #import(file, fields, signal) {
    const form = new FormData(); // the consent before the file, which may be long
    form.append("consent", "true");
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file);
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
