/** The figures of a live face on its page. */

import { formatNumber, t } from "./i18n.js";

const NOTHING = "—";
const WAY_NAMES = { webrtc: "WebRTC", socket: "WebSocket", "": NOTHING };

const FIGURES = {
  way: ({ way, codec }) => (codec ? `${WAY_NAMES[way]} ${codec}` : WAY_NAMES[way]),
  fps: ({ fps }) => formatNumber(fps),
  skew: ({ skewMs }) => milliseconds(skewMs),
  buffer: ({ bufferMs }) => milliseconds(bufferMs),
  late: ({ server }) => (server.late === undefined ? NOTHING : formatNumber(server.late)),
  dropped: ({ dropped }) => formatNumber(dropped),
  stalls: ({ stalls }) => formatNumber(stalls),
  round_trip: ({ roundTripMs }) => milliseconds(roundTripMs),
  loss: ({ loss }) => (loss === null ? NOTHING : `${formatNumber(100 * loss, 1)} %`),
  rate: ({ kilobytes }) => t("unit.rate", { value: formatNumber(kilobytes) }),
};

function milliseconds(value) {
  return value === null ? NOTHING : t("unit.milliseconds", { value: formatNumber(value) });
}

/** @param {object} stats of a LiveSession */
export function showFigures(stats) {
  for (const [name, figure] of Object.entries(FIGURES)) {
    const text = figure(stats);
    const cell = document.getElementById(`stat-${name}`);
    if (cell.textContent !== text) cell.textContent = text;
  }
}
