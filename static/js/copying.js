/** The commands and examples of a page, each with its button that copies it. */

import { setText } from "./i18n.js";

const COPIED_MS = 1600;

export function startCopying() {
  for (const example of document.querySelectorAll(".example")) {
    const code = example.querySelector("code");
    const button = example.querySelector("button");
    button.addEventListener("click", async () => {
      if (!(await copy(code))) return;
      setText(button, "curl.copied");
      setTimeout(() => setText(button, "curl.copy"), COPIED_MS);
    });
  }
}

/** Copies an element's text; where the browser refuses, selects it for Ctrl+C. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}
