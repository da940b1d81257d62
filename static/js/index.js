/** The page /: the speaking face, the download of a video, and commands to copy. */

import { makeVideo } from "./api.js";
import { setText, startTranslation } from "./i18n.js";
import { Speaking } from "./speaking.js";

const COPIED_MS = 1600;

await startTranslation();
const speaking = new Speaking();

const download = document.getElementById("download");
const downloadLabel = download.querySelector("span");
let making = null;

download.addEventListener("click", async () => {
  if (making) {
    making.abort();
    return;
  }
  const request = speaking.request();
  if (!request) return;
  making = new AbortController();
  download.setAttribute("aria-busy", "true");
  setText(downloadLabel, "download.cancel");
  speaking.note("download.busy");
  try {
    save(await makeVideo({ ...request, static_mode: true }, making.signal));
    speaking.note("download.done");
  } catch (error) {
    if (making.signal.aborted) speaking.note("download.cancelled");
    else {
      speaking.note("status.error");
      speaking.showFailure(error);
    }
  } finally {
    making = null;
    download.removeAttribute("aria-busy");
    setText(downloadLabel, "download.start");
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") making?.abort();
});

function save({ blob, name }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

for (const example of document.querySelectorAll(".example")) {
  const code = example.querySelector("code");
  const button = example.querySelector("button");
  code.textContent = code.textContent.trim().replaceAll("http://localhost:5000", location.origin);
  button.addEventListener("click", async () => {
    if (!(await copy(code))) return;
    setText(button, "curl.copied");
    setTimeout(() => setText(button, "curl.copy"), COPIED_MS);
  });
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
