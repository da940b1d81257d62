/** What went wrong, as a sentence in the language of the page. */

import { ApiError } from "./api.js";
import { setText } from "./i18n.js";

const SENTENCES = {
  // the server's own codes
  bad_input: "error.bad_input",
  too_large: "error.too_large",
  unsupported_media: "error.bad_input",
  no_face: "error.no_face",
  unusable_video: "error.unusable_video",
  unauthorized: "error.token",
  forbidden: "error.forbidden",
  not_found: "error.not_found",
  conflict: "error.conflict",
  stale_tag: "error.bad_input",
  tag_needed: "error.bad_input",
  no_restart: "error.bad_input",
  queue_full: "error.queue_full",
  interrupted: "error.interrupted",
  cancelled: "error.cancelled",
  busy: "error.busy",
  not_ready: "error.not_ready",
  voice_failed: "error.voice_failed",
  voice_unreachable: "error.voice_unreachable",
  ffmpeg_failed: "error.ffmpeg_failed",
  model_failed: "error.model_failed",
  disk_full: "error.disk_full",
  session_failed: "error.session_failed",
  too_many: "error.too_many",
  too_costly: "error.too_costly",
  internal: "error.internal",
  // what only the browser sees
  broken: "error.broken",
  token: "error.token",
  unreachable: "error.unreachable",
};

const BY_FIELD = {
  bad_input: {
    encoder: "error.encoder",
    size: "error.size",
    use_nvdec: "error.use_nvdec",
    file: "error.file",
    audio: "error.file",
    points: "error.points",
    consent: "error.consent",
    text: "error.nothing_said",
    accept_licence: "error.licence",
  },
  too_large: { file: "error.file_size", audio: "error.sound_size" },
  unsupported_media: { file: "error.file_kind", audio: "error.sound_kind" },
  too_costly: {
    size: "error.costly_size",
    fps: "error.costly_fps",
    preset: "error.costly_preset",
    encoder: "error.costly_encoder",
    text: "error.costly_text",
    audio: "error.costly_sound",
    file: "error.costly_file",
  },
  conflict: { utterance_id: "error.utterance" },
  not_found: { avatar: "error.avatar", job_id: "error.job", voice: "error.voice" },
};

export class ErrorLine {
  #element;

  /** @param {HTMLElement} element with role="alert" */
  constructor(element) {
    this.#element = element;
  }

  clear() {
    this.#element.hidden = true;
  }

  say(key, values) {
    this.#fill(sentence(key, values));
  }

  /** Shows an ApiError and throws anything else. */
  show(error) {
    this.#fill(...sentencesOf(error));
  }

  /** Shows {error, code, field}, which a server has told of something. */
  showBody(body) {
    this.show(ApiError.of(body));
  }

  #fill(...parts) {
    this.#element.replaceChildren(...parts);
    this.#element.hidden = false;
    this.#element.scrollIntoView({ block: "nearest" });
  }
}

/** What an element shows of an ApiError. Throws anything else. */
export function sentencesOf(error) {
  if (!(error instanceof ApiError)) throw error;
  const { code, field, retryAfter, status } = error;
  const detail = error.sentence.replace(/(?<![.!?…])$/, ".");
  const key = BY_FIELD[code]?.[field] ?? SENTENCES[code];
  const parts = [];
  if (key) parts.push(sentence(key, { detail }));
  else if (error.sentence) parts.push(detail);
  else parts.push(sentence("error.unknown", { status }));
  if (retryAfter) parts.push(" ", sentence("error.retry", { seconds: retryAfter }));
  return parts;
}

function sentence(key, values) {
  const span = document.createElement("span");
  setText(span, key, values);
  return span;
}
