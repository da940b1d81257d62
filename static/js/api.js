/** Requests to the server, its token and its errors. */

import { askToken } from "./token_dialog.js";

const TOKEN_KEY = "soyle.token";

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

function postJson(path, body, signal, more = {}) {
  const headers = { "Content-Type": "application/json", ...more };
  return request(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

export function openStream(body, signal) {
  return postJson("/api/stream_mjpeg", body, signal);
}

export function openSound(url, signal) {
  return request(url, { signal });
}

/** A video that arrives while it is made. */
export function openFilm(path, body, signal) {
  return postJson(path, { ...body, stream: true }, signal);
}

/** Starts a video that is made in the background. Resolves to its job. */
export async function startFilm(path, body) {
  const response = await postJson(path, body, undefined, { Prefer: "respond-async" });
  return response.json();
}

export async function readJob(id, signal) {
  const response = await request(`/api/jobs/${id}`, { signal });
  return response.json();
}

/** What the server can do. A server that is still loading answers too. */
export async function readHealth() {
  const response = await request("/api/health", {}, [503]);
  return response.json();
}

/** The file name that an answer proposes. */
export function fileName(response, otherwise) {
  const disposition = response.headers.get("Content-Disposition") ?? "";
  return /filename="?([^";]+)"?/i.exec(disposition)?.[1] ?? otherwise;
}

export function cancelJob(id) {
  // The job may have ended by itself in the meantime, which is as good.
  send(`/api/jobs/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
}

/** Throws ApiError for any status of failure that is not `expected`. */
async function request(path, options, expected = []) {
  let response = await send(path, options);
  if (response.status === 401) {
    localStorage.removeItem(TOKEN_KEY);
    const token = await askToken();
    if (!token) throw new ApiError({ code: "token", status: 401 });
    localStorage.setItem(TOKEN_KEY, token);
    response = await send(path, options);
  }
  if (!response.ok && !expected.includes(response.status)) {
    throw await ApiError.ofResponse(response);
  }
  return response;
}

async function send(path, options) {
  const headers = new Headers(options.headers);
  const token = localStorage.getItem(TOKEN_KEY);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "unreachable" });
  }
}
