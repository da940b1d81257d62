/** The page /mjpeg_test: the speaking face with its live statistics. */

import { formatNumber, startTranslation, t } from "./i18n.js";
import { Speaking } from "./speaking.js";

const NOTHING = "—";
const REFRESH_MS = 100;

const FIGURES = {
  frames: ({ frames }) => formatNumber(frames),
  time: ({ runningMs }) => seconds(runningMs, 1),
  first_frame: ({ firstFrameMs }) => (firstFrameMs === null ? NOTHING : seconds(firstFrameMs, 2)),
  fps: ({ fps }) => formatNumber(fps),
  dropped: ({ dropped }) => formatNumber(dropped),
  offset: ({ offsetMs }) =>
    offsetMs === null ? NOTHING : t("unit.milliseconds", { value: formatNumber(offsetMs) }),
};

function seconds(milliseconds, digits) {
  return t("unit.seconds", { value: formatNumber(milliseconds / 1000, digits) });
}

await startTranslation();
const { player } = new Speaking();

const status = document.getElementById("status");
const cells = Object.keys(FIGURES).map((name) => [name, document.getElementById(`stat-${name}`)]);
const statusCell = document.getElementById("stat-status");

setInterval(() => {
  statusCell.textContent = status.textContent;
  for (const [name, cell] of cells) {
    const text = FIGURES[name](player.stats);
    if (cell.textContent !== text) cell.textContent = text;
  }
}, REFRESH_MS);
