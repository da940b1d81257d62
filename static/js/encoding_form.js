/** How the film is encoded: quality, speed, encoder, and what this machine can do of it. */

import { setText, t } from "./i18n.js";

const GRADES = [
  [16, "quality.best"],
  [21, "quality.high"],
  [26, "quality.good"],
  [33, "quality.small"],
  [51, "quality.rough"],
];

const ENCODERS = {
  libx264: "encoder.libx264",
  libx265: "encoder.libx265",
  h264_nvenc: "encoder.h264_nvenc",
  hevc_nvenc: "encoder.hevc_nvenc",
};

const STREAMED = ["libx264", "h264_nvenc"];

export class EncodingForm {
  #fields;
  #stream;
  #grade = document.getElementById("quality-value");

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#fields = form.elements;
    this.#fields.quality.addEventListener("input", () => this.#showGrade());
    this.#showGrade();
    this.#stream = form.querySelector("[name=mode][value=stream]");
    this.#fields.encoder.addEventListener("change", () => this.#allowStream());
    this.#allowStream();
  }

  /** Only H.264 can be watched while it is made, and only where the browser has MediaSource. */
  #allowStream() {
    const able = "MediaSource" in window && STREAMED.includes(this.#fields.encoder.value);
    this.#stream.disabled = !able;
    if (!able) this.#fields.mode.value = "file";
  }

  #showGrade() {
    const crf = this.#crf;
    const [, key] = GRADES.find(([limit]) => crf <= limit);
    setText(this.#grade, key, { crf });
    this.#fields.quality.setAttribute("aria-valuetext", t(key, { crf }));
  }

  /** The scale turned round: the best, 0, lies at the right end. */
  get #crf() {
    const { max, value } = this.#fields.quality;
    return max - value;
  }

  /** Offers what the server's health says that it has. */
  offer({ encoders, nvdec }) {
    const { encoder, use_nvdec } = this.#fields;
    const chosen = encoder.value;
    const known = encoders.filter((name) => name in ENCODERS);
    if (known.length) encoder.replaceChildren(...known.map(option));
    if (known.includes(chosen)) encoder.value = chosen;
    this.#allowStream();
    use_nvdec.disabled = !nvdec;
    setText(document.getElementById("nvdec-hint"), nvdec ? "film.nvdec_hint" : "film.nvdec_none");
  }

  get whileMade() {
    return this.#fields.mode.value === "stream";
  }

  /** True when the file is saved by itself once it is there. */
  get saves() {
    return this.#fields.save.checked;
  }

  request() {
    const { encoder, preset, use_nvdec } = this.#fields;
    return {
      crf: this.#crf,
      encoder: encoder.value,
      preset: preset.value,
      use_nvdec: use_nvdec.checked && !use_nvdec.disabled,
    };
  }
}

function option(name) {
  const element = document.createElement("option");
  element.value = name;
  setText(element, ENCODERS[name]);
  return element;
}
