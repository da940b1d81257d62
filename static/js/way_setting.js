/** Which way the live face of a page comes: what was chosen, kept for the next visit, and why not. */

import { setText } from "./i18n.js";
import { WAYS } from "./way_choice.js";

const KEY = "soyle.way";
const WHY_SOCKET = {
  blocked: "realtime.blocked",
  late: "realtime.late",
  refused: "realtime.refused",
  line: "realtime.broke_off",
};

export function chosenWay() {
  const chosen = localStorage.getItem(KEY);
  return WAYS.includes(chosen) ? chosen : "auto";
}

/**
 * @param {HTMLSelectElement} select
 * @param {HTMLElement} note says why it is a socket though WebRTC was wanted
 * @param {import("./live_session.js").LiveSession} live
 */
export function followWay(select, note, live) {
  select.value = chosenWay();
  select.addEventListener("change", () => {
    localStorage.setItem(KEY, select.value);
    live.wantedWay = select.value;
  });
  live.addEventListener("way", () => setNote(note, WHY_SOCKET[live.whySocket] ?? ""));
}

/** @param {string} key of i18n; "" for nothing */
export function setNote(note, key) {
  if (key) setText(note, key);
  else {
    delete note.dataset.i18n;
    note.textContent = "";
  }
}
