/** The page /api/lipsync/video: a film of the text, with its settings and its progress. */

import { pictureOf, readHealth } from "./api.js";
import { CaptionFiles } from "./caption_files.js";
import { Captions } from "./captions.js";
import { EncodingForm } from "./encoding_form.js";
import { save } from "./files.js";
import { Film } from "./film.js";
import { formatNumber, setText, startTranslation } from "./i18n.js";
import { ProgressBar } from "./progress_bar.js";
import { SpeechForm } from "./speech_form.js";

const PATH = "api/lipsync/video";
const NAME = "lipsync_video.mp4"; // as the server calls it
const LOOK_EVERY_MS = 2000;
const TITLE = document.querySelector("title");
const STATUSES = {
  idle: "film.idle",
  making: "film.making",
  done: "film.done",
  cancelled: "film.cancelled",
  error: "status.error",
};

class FilmPage {
  #video = document.getElementById("film");
  #frame = this.#video.parentElement;
  #stage = document.getElementById("stage");
  #status = document.getElementById("status");
  #make = document.getElementById("make");
  #cancel = document.getElementById("cancel");
  #again = document.getElementById("again");
  #progress = new ProgressBar(document.getElementById("progress"));
  #captions = new Captions(this.#video);
  #captionFiles = new CaptionFiles();
  #form = new SpeechForm(() => this.#start());
  #encoding = new EncodingForm(this.#form.element);
  #film = null;
  #url = ""; // of the Blob that can be saved again

  constructor() {
    this.#cancel.addEventListener("click", () => this.#film?.cancel());
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !document.querySelector("dialog[open]")) this.#film?.cancel();
    });
    window.addEventListener("pagehide", () => this.#film?.cancel());
    this.#video.addEventListener("loadedmetadata", () => this.#fit());
    this.#form.avatar.addEventListener("change", ({ detail }) => {
      this.#video.poster = pictureOf(detail, { size: 960 });
    });
    this.#enter("idle");
    this.#look();
  }

  /** What the server offers, and how far its base video is. */
  async #look(first = true) {
    let health;
    try {
      health = await readHealth();
    } catch {
      return; // whoever asks for a film is told
    }
    if (first) this.#encoding.offer(health);
    const base = health.base_video;
    const idle = this.#stage.dataset.status === "idle";
    if (base?.status === "importing") {
      const percent = formatNumber(Math.floor(100 * base.progress));
      if (idle) setText(this.#status, "film.preparing", { percent });
      setTimeout(() => this.#look(false), LOOK_EVERY_MS);
    } else if (idle) {
      setText(this.#status, STATUSES.idle);
      if (base?.error) this.#form.error.showBody(base.error);
    }
  }

  /** The frame takes the shape of the film. */
  #fit() {
    const { videoWidth, videoHeight } = this.#video;
    if (videoHeight) this.#frame.style.setProperty("--aspect", videoWidth / videoHeight);
  }

  async #start() {
    const request = this.#form.request();
    if (!request || this.#film) return;
    const film = new Film(PATH, { ...request, ...this.#encoding.request() }, {
      onProgress: (progress) => this.#onProgress(progress),
      onWord: (word) => this.#captions.add(word),
    });
    this.#film = film;
    this.#clear();
    this.#captions.begin(request.language, request.text);
    this.#enter("making");
    this.#stage.scrollIntoView({ block: "nearest" });
    try {
      const unaligned = await (this.#encoding.whileMade ? this.#play(film) : this.#render(film));
      this.#onProgress({ percent: 100, stage: "done", secondsLeft: 0 });
      this.#enter("done");
      if (unaligned) setText(this.#status, "film.unaligned");
    } catch (error) {
      this.#progress.hide();
      if (film.signal.aborted) this.#clear();
      this.#enter(film.signal.aborted ? "cancelled" : "error");
      if (!film.signal.aborted) this.#form.error.show(error);
    } finally {
      this.#film = null;
      this.#buttons(false);
      setText(TITLE, "title.lipsync_video");
    }
  }

  /** Resolves to whether the transcript was not found, as does #render. */
  async #play(film) {
    this.#video.controls = true;
    const { blob, name, played, job, unaligned } = await film.play(this.#video, NAME);
    this.#url = URL.createObjectURL(blob);
    if (!played) this.#show(this.#url);
    this.#offer(this.#url, name, job);
    if (this.#encoding.saves) save(this.#url, name);
    return unaligned;
  }

  async #render(film) {
    const { job, unaligned } = await film.make();
    this.#show(job.result_url);
    this.#offer(job.result_url, NAME, job);
    if (this.#encoding.saves) save(job.result_url, NAME);
    return unaligned;
  }

  #show(url) {
    this.#video.src = url;
    this.#video.controls = true;
    this.#video.play().catch(() => {}); // a browser that wants another click shows its button
  }

  #offer(url, name, job) {
    this.#captions.finish(job.captions_url);
    this.#captionFiles.show(job, name);
    this.#again.href = url;
    this.#again.download = name;
    this.#again.hidden = false;
  }

  #onProgress(progress) {
    this.#progress.show(progress);
    TITLE.textContent = `${formatNumber(Math.floor(progress.percent))} % · Soyle`;
  }

  /** As before the first film. */
  #clear() {
    this.#captions.clear();
    this.#video.controls = false;
    this.#video.removeAttribute("src");
    this.#video.load();
    this.#again.hidden = true;
    this.#captionFiles.hide();
    URL.revokeObjectURL(this.#url);
    this.#progress.reset();
    this.#progress.hide();
  }

  #enter(status) {
    this.#stage.dataset.status = status;
    setText(this.#status, STATUSES[status]);
    this.#buttons(status === "making");
    if (status === "making") this.#progress.reset();
  }

  #buttons(busy) {
    this.#make.disabled = busy;
    this.#cancel.disabled = !busy;
  }
}

await startTranslation();
new FilmPage();
