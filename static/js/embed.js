/** The page /embed: the element <soyle-avatar> at work, and the lines that put it into a page. */

import "../soyle-avatar.js";
import { startCopying } from "./copying.js";
import { currentLanguage, startTranslation, t } from "./i18n.js";
import { SAMPLES } from "./samples.js";

await startTranslation();
startCopying();

const face = document.getElementById("embedded");
const form = document.getElementById("embed-form");
const word = document.getElementById("embed-word");
const problem = document.getElementById("embed-error");

const language = currentLanguage();
face.setAttribute("language", language);
form.elements.text.value = SAMPLES[language];

form.addEventListener("submit", (event) => {
  event.preventDefault();
  problem.hidden = true;
  face.speak(form.elements.text.value);
});
document.getElementById("embed-stop").addEventListener("click", () => face.stop());
face.addEventListener("word", ({ detail }) => {
  word.textContent = detail.text;
});
for (const name of ["finished", "stopped"]) {
  face.addEventListener(name, () => {
    word.textContent = "";
  });
}
face.addEventListener("error", ({ detail }) => {
  problem.textContent = detail.sentence || t("error.unknown", { status: detail.status });
  problem.hidden = false;
});
