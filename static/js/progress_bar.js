/** The progress of a job: a bar, percent, stage and time left. */

import { formatDuration, formatNumber, setText, t } from "./i18n.js";

const STAGES = {
  speech: "stage.speech",
  frames: "stage.frames",
  finishing: "stage.finishing",
  done: "stage.done",
};

export class ProgressBar {
  #element;
  #bar;
  #percent;
  #stage;
  #left;
  #stages;

  /**
   * @param {HTMLElement} element holds a progress, .percent, .stage-name and .left
   * @param {Object<string, string>} stages the string of each, in their order
   */
  constructor(element, stages = STAGES) {
    this.#element = element;
    this.#stages = stages;
    this.#bar = element.querySelector("progress");
    this.#percent = element.querySelector(".percent");
    this.#stage = element.querySelector(".stage-name");
    this.#left = element.querySelector(".left");
  }

  /** Starts again from nothing known. */
  reset() {
    this.#bar.removeAttribute("value");
    this.#percent.textContent = "";
    this.#left.textContent = "";
    setText(this.#stage, Object.values(this.#stages)[0]);
    this.#element.hidden = false;
  }

  /** @param {{percent: number, stage: string, secondsLeft: number | null}} progress */
  show({ percent, stage, secondsLeft }) {
    this.#bar.value = Math.max(percent, this.#bar.value); // an estimate may fall, a bar may not
    this.#percent.textContent = `${formatNumber(Math.floor(this.#bar.value))} %`;
    if (stage in this.#stages) setText(this.#stage, this.#stages[stage]);
    const known = secondsLeft > 0 && stage !== "done";
    this.#left.textContent = known ? t("progress.left", { time: formatDuration(secondsLeft) }) : "";
  }

  hide() {
    this.#element.hidden = true;
  }
}
