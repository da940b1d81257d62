/** The page /: the speaking face, the download of a video, and commands to copy. */

import { SERVER } from "./api.js";
import { CaptionFiles } from "./caption_files.js";
import { startCopying } from "./copying.js";
import { save } from "./files.js";
import { Film } from "./film.js";
import { formatNumber, setText, startTranslation } from "./i18n.js";
import { Speaking } from "./speaking.js";

await startTranslation();
const speaking = new Speaking();

const download = document.getElementById("download");
const downloadLabel = download.querySelector("span");
const captionFiles = new CaptionFiles();
const NAME = "avatar_speech.mp4"; // as the server calls it
let making = null;

download.addEventListener("click", async () => {
  if (making) {
    making.cancel();
    return;
  }
  const request = speaking.request();
  if (!request) return;
  making = new Film("api/generate", { ...request, static_mode: true }, {
    onProgress: ({ percent }) =>
      speaking.note("download.progress", { percent: formatNumber(Math.floor(percent)) }),
  });
  captionFiles.hide();
  download.setAttribute("aria-busy", "true");
  setText(downloadLabel, "download.cancel");
  speaking.note("download.busy");
  try {
    const { job, unaligned } = await making.make();
    save(job.result_url, NAME);
    captionFiles.show(job, NAME);
    speaking.note(unaligned ? "film.unaligned" : "download.done");
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
  if (event.key === "Escape") making?.cancel();
});

window.addEventListener("pagehide", () => making?.cancel());

for (const code of document.querySelectorAll(".example code")) {
  code.textContent = code.textContent.trim().replace(/http:\/\/localhost:\d+\//g, SERVER.href);
}
startCopying();
