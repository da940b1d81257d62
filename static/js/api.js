/** Requests to the server, its token and its errors. */

import { askToken } from "./token_dialog.js";

const TOKEN_KEY = "soyle.token";

/** What the server answered instead of what was asked for. */
export class ApiError extends Error {
  /**
   * `sentence` is the server's own; without one, `code` says what happened here:
   * unreachable, broken, token, unknown.
   */
  constructor({ sentence = "", code = "unknown", status = 0, retryAfter = null }) {
    super(sentence || code);
    Object.assign(this, { sentence, code, status, retryAfter });
  }

  static async ofResponse(response) {
    const body = await response.json().catch(() => ({}));
    return new ApiError({
      sentence: body.error,
      code: body.code,
      status: response.status,
      retryAfter: response.headers.get("Retry-After"),
    });
  }

  /** An error that came as a part of a stream. */
  static ofPart(bytes) {
    const body = JSON.parse(new TextDecoder().decode(bytes));
    return new ApiError({ sentence: body.error, code: body.code });
  }
}

function postJson(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

export function openStream(body, signal) {
  return postJson("/api/stream_mjpeg", body, signal);
}

export function openSound(url, signal) {
  return request(url, { signal });
}

/** The finished video. Returns {blob, name}. */
export async function makeVideo(body, signal) {
  const response = await postJson("/api/generate", body, signal);
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const name = /filename="?([^";]+)"?/i.exec(disposition)?.[1] ?? "avatar_speech.mp4";
  return { blob: await response.blob(), name };
}

export function cancelJob(id) {
  // The job may have ended by itself in the meantime, which is as good.
  send(`/api/jobs/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
}

async function request(path, options) {
  let response = await send(path, options);
  if (response.status === 401) {
    localStorage.removeItem(TOKEN_KEY);
    const token = await askToken();
    if (!token) throw new ApiError({ code: "token", status: 401 });
    localStorage.setItem(TOKEN_KEY, token);
    response = await send(path, options);
  }
  if (!response.ok) throw await ApiError.ofResponse(response);
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
