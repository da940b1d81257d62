/**
 * The page /avatar: the face alone. Its address says which:
 * avatar, voice, language, size, way, muted, background; or session and token of one that exists.
 */

import "../soyle-avatar.js";
import { storedToken } from "./api.js";

const ATTRIBUTES = ["avatar", "voice", "language", "size", "way", "session", "token"];
const AGAIN_S = 3; // after an end, where the server names no time: a kiosk goes on for ever
const COLOUR = /^(#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|[a-z]+)$/i;

const asked = new URLSearchParams(location.search);

/** A colour by its name or as #rgb, #rrggbb, with or without its opacity; else nothing. */
function background() {
  const colour = asked.get("background") ?? "";
  return COLOUR.test(colour) && CSS.supports("color", colour) ? colour : "transparent";
}

const face = document.createElement("soyle-avatar");
face.setAttribute("mode", "live");
face.toggleAttribute("fitted", true);
for (const name of ATTRIBUTES) {
  if (asked.get(name)) face.setAttribute(name, asked.get(name));
}
if (!asked.has("session") && !asked.has("token")) face.setAttribute("token", storedToken());
face.muted = asked.has("muted") && !["0", "false"].includes(asked.get("muted"));

face.addEventListener("ready", () => {
  document.title = face.sessionId;
});
for (const name of ["end", "error"]) {
  face.addEventListener(name, ({ detail }) => {
    if (name === "error") console.warn(`${detail.code}: ${detail.sentence}`);
    const seconds = Number(detail.retryAfter) || AGAIN_S;
    if (["over", "failed"].includes(face.state)) setTimeout(() => face.open(), 1000 * seconds);
  });
}

document.body.style.background = background();
document.body.append(face);
document.documentElement.dataset.ready = "";
