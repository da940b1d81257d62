/** Requests to the server, its token and its errors. */

import { askToken } from "./token_dialog.js";

/** The server's own address, also below the path prefix of a proxy: its paths are relative to it. */
export const SERVER = new URL("../../", import.meta.url);

const TOKEN_KEY = "soyle.token";
let asking = null; // the promise of a dialog that is open

export const OPEN_MS = 30_000; // a face of which nothing is known yet takes some seconds

/** What the server answered instead of what was asked for. */
export class ApiError extends Error {
  /**
   * `sentence` is the server's own; without one, `code` says what happened here:
   * unreachable, broken, token, unknown.
   */
  constructor({ sentence = "", code = "unknown", field = null, status = 0, retryAfter = null }) {
    super(sentence || code);
    Object.assign(this, { sentence, code, field, status, retryAfter });
  }

  /** From {error, code, field}, the server's one shape of error. */
  static of(body, more = {}) {
    return new ApiError({ sentence: body.error, code: body.code, field: body.field, ...more });
  }

  static async ofResponse(response) {
    const body = await response.json().catch(() => ({}));
    return ApiError.of(body, {
      status: response.status,
      retryAfter: response.headers.get("Retry-After"),
    });
  }

  /** An error that came as a part of a stream. */
  static ofPart(bytes) {
    return ApiError.of(JSON.parse(new TextDecoder().decode(bytes)));
  }
}

/** Sends the fields of a render: as a form where a sound file (`audio`) is among them. */
function postFields(path, fields, signal, more = {}) {
  if (fields.audio) {
    return request(path, { method: "POST", headers: more, body: formOf(fields), signal });
  }
  const headers = { "Content-Type": "application/json", ...more };
  return request(path, { method: "POST", headers, body: JSON.stringify(fields), signal });
}

function formOf({ audio, ...fields }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  form.append("audio", audio); // last: a wrong field is told before the file is sent
  return form;
}

export function openStream(body, signal) {
  return postFields("api/stream_mjpeg", body, signal);
}

export function openSound(url, signal) {
  return request(url, { signal });
}

/** A video that arrives while it is made. */
export function openFilm(path, body, signal) {
  return postFields(path, { ...body, stream: true }, signal);
}

/** Starts a video that is made in the background. Resolves to its job. */
export async function startFilm(path, body) {
  const response = await postFields(path, body, undefined, { Prefer: "respond-async" });
  return response.json();
}

export async function readJob(id, signal) {
  const response = await request(`api/jobs/${id}`, { signal });
  return response.json();
}

/** How a text is read: {said, words: [{written, said, start, end}]}. */
export async function readText(body, signal) {
  return (await postFields("api/text", body, signal)).json();
}

/** The WebSocket of a job's events. */
export function openEvents({ events_url }) {
  const url = new URL(events_url, SERVER);
  url.protocol = url.protocol.replace("http", "ws");
  return new WebSocket(url);
}

/** Makes a session. Resolves to the answer. */
export function openSession(fields) {
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify(fields), timeoutMs: OPEN_MS };
  return request("api/sessions", options);
}

/** What the server can do. A server that is still loading answers too. */
export async function readHealth() {
  const response = await request("api/health", {}, [503]);
  return response.json();
}

/** {voices: [those that speak], available: [those that could]} */
export async function readVoices() {
  return (await request("api/voices", {})).json();
}

/** A sentence by a voice, as a Blob. */
export async function readSample(id, language, signal) {
  const query = language ? `?${new URLSearchParams({ language })}` : "";
  return (await request(`api/voices/${encodeURIComponent(id)}/sample${query}`, { signal })).blob();
}

/** Has the server bring a voice. Resolves to how far it is. */
export async function pullVoice(id, acceptLicence) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ accept_licence: acceptLicence }),
  };
  return (await request(`api/voices/${encodeURIComponent(id)}/pull`, options)).json();
}

export async function cancelPull(id) {
  // 409: it has come, or somebody else has cancelled it.
  await request(`api/voices/${encodeURIComponent(id)}/pull`, { method: "DELETE" }, [409]);
}

/** {avatars: [record...], default: id} */
export async function readAvatars() {
  return (await request("api/avatars", {})).json();
}

export async function readAvatar(id, signal) {
  return (await request(`api/avatars/${id}`, { signal })).json();
}

/** The still's size, and where the parts of its face are. */
export async function readLandmarks(id) {
  return (await request(`api/avatars/${id}/landmarks`, {})).json();
}

/** @param body {points, gains} of PUT .../mouth. Resolves to the record. */
export async function saveMouth(id, body) {
  const headers = { "Content-Type": "application/json" };
  const options = { method: "PUT", headers, body: JSON.stringify(body) };
  return (await request(`api/avatars/${id}/mouth`, options)).json();
}

/** Removes an avatar, or cancels its import. */
export async function removeAvatar(id) {
  await request(`api/avatars/${id}`, { method: "DELETE" });
}

/** The picture of a record: options are `size` (longest side) and `square`. */
export function pictureOf({ preview_url }, options = {}) {
  const url = new URL(preview_url, SERVER);
  for (const [name, value] of Object.entries(options)) url.searchParams.set(name, value);
  return url.href;
}

/**
 * Sends a photo or clip. Resolves to its record, which is being imported.
 *
 * `onProgress(part)`: 0..1 of the file sent. Throws ApiError, AbortError when `signal` aborts.
 */
export async function sendAvatar(form, { signal, onProgress }) {
  const answer = await withToken(() => sendForm("api/avatars", form, { signal, onProgress }));
  if (answer.status >= 400) {
    const { status, response, retryAfter } = answer;
    throw ApiError.of(response ?? {}, { status, retryAfter });
  }
  return answer.response;
}

/** fetch() does not tell how much of a body has been sent. */
function sendForm(path, form, { signal, onProgress }) {
  const sending = new XMLHttpRequest();
  const token = localStorage.getItem(TOKEN_KEY);
  return new Promise((resolve, reject) => {
    const leave = () => {
      sending.abort();
      reject(signal.reason);
    };
    if (signal.aborted) return leave();
    signal.addEventListener("abort", leave, { once: true });
    sending.open("POST", new URL(path, SERVER));
    sending.responseType = "json";
    sending.setRequestHeader("Prefer", "respond-async");
    if (token) sending.setRequestHeader("Authorization", `Bearer ${token}`);
    sending.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    sending.onerror = () => reject(new ApiError({ code: "unreachable" }));
    sending.onload = () => {
      const retryAfter = sending.getResponseHeader("Retry-After");
      resolve({ status: sending.status, response: sending.response, retryAfter });
    };
    sending.onloadend = () => signal.removeEventListener("abort", leave);
    sending.send(form);
  });
}

/** The file name that an answer proposes. */
export function fileName(response, otherwise) {
  const disposition = response.headers.get("Content-Disposition") ?? "";
  return /filename="?([^";]+)"?/i.exec(disposition)?.[1] ?? otherwise;
}

export function cancelJob(id) {
  // The job may have ended by itself in the meantime, which is as good.
  send(`api/jobs/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
}

/** Any call. Resolves to its answer whatever the status; the token is asked for where it lacks. */
export function call(path, options) {
  return withToken(() => send(path, options));
}

/** Attempts until no token is wrong, or the person declines, which throws ApiError. */
async function withToken(attempt) {
  for (;;) {
    const used = storedToken();
    const answer = await attempt();
    if (answer.status !== 401) return answer;
    if (storedToken() === used) await renewToken(); // else another call has asked meanwhile
  }
}

/** Throws ApiError for any status of failure that is not `expected`. */
async function request(path, options, expected = []) {
  const response = await call(path, options);
  if (!response.ok && !expected.includes(response.status)) {
    throw await ApiError.ofResponse(response);
  }
  return response;
}

export function hasToken() {
  return localStorage.getItem(TOKEN_KEY) !== null;
}

/** The token that a person gave to a page of this server, or "". */
export function storedToken() {
  return localStorage.getItem(TOKEN_KEY) ?? "";
}

/** Asks a person, once for all who want it. */
function renewToken() {
  asking ??= askForToken().finally(() => {
    asking = null;
  });
  return asking;
}

/** The event "soyle-token" of the window says that there is one now. */
async function askForToken() {
  const wrong = hasToken();
  localStorage.removeItem(TOKEN_KEY);
  const token = await askToken(wrong);
  if (!token) throw new ApiError({ code: "token", status: 401 });
  localStorage.setItem(TOKEN_KEY, token);
  window.dispatchEvent(new Event("soyle-token"));
}

/** `timeoutMs` is of one attempt: while a person looks for the token no time runs. */
async function send(path, { timeoutMs, ...options }) {
  if (timeoutMs) options.signal = AbortSignal.timeout(timeoutMs);
  const headers = new Headers(options.headers);
  const token = localStorage.getItem(TOKEN_KEY);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(new URL(path, SERVER), { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "unreachable" });
  }
}
