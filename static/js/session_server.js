/** The calls of a session: its maker's token or the server's opens it, its own commands it. */

import { ApiError } from "./api.js";

const ANSWER_MS = 20_000; // a server that says nothing for so long is not there

export class SessionServer {
  #base;
  #open;

  /**
   * @param {URL} base of the server
   * @param {(fields: object) => Promise<Response>} open makes a session. Throws ApiError
   */
  constructor(base, open) {
    this.#base = base;
    this.#open = open;
  }

  /** Resolves to {session_id, token, view_token, socket_url, ...}. */
  async open(fields) {
    try {
      return await answerOf(await this.#open(fields));
    } catch (error) {
      throw error.code === "unreachable" ? this.unreachable : error;
    }
  }

  /** What is wrong where no answer comes: a browser does not tell. */
  get unreachable() {
    const sentence =
      `No line to ${this.#base.origin}: it does not run, its CORS_ORIGINS does not name this page,` +
      " or the browser has not let the page reach its network";
    return new ApiError({ code: "unreachable", sentence });
  }

  /** Whether the server still has a session. Throws ApiError where it does not say. */
  async knows({ session_id, token }) {
    const response = await this.#send("GET", `api/sessions/${session_id}`, token);
    if (response.ok) return true;
    if ([401, 403, 404, 410].includes(response.status)) return false;
    throw await ApiError.ofResponse(response);
  }

  /** say, interrupt, avatar, voice: resolves to what the server answers. Throws ApiError. */
  command({ session_id, token }, name, body) {
    return this.#ask("POST", `api/sessions/${session_id}/${name}`, token, body);
  }

  /** Servers by which a WebRTC connection comes about where none is direct; none are needed here. */
  async iceServers({ session_id, token }) {
    const answer = await this.#ask("GET", `api/sessions/${session_id}/ice`, token);
    return answer.ice_servers;
  }

  /** Resolves to {type, sdp, ...}, the answer to an offer to a session. Throws ApiError. */
  offer({ session_id, token, offer_url }, fields) {
    const path = offer_url ?? `api/sessions/${session_id}/offer`;
    return this.#ask("POST", path, token, { ...fields, session_id, token });
  }

  /** Ends a session at once; one that has ended already is as good. */
  end({ session_id, token }) {
    this.#send("DELETE", `api/sessions/${session_id}`, token).catch(() => {});
  }

  /** The address of its socket. @param {object} query video, audio */
  socketUrl({ session_id, token, socket_url }, query) {
    const url = new URL(socket_url ?? `api/sessions/${session_id}/socket`, this.#base);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("token", token);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  async #ask(method, path, token, body) {
    const response = await this.#send(method, path, token, body);
    if (!response.ok) throw await ApiError.ofResponse(response);
    return answerOf(response);
  }

  async #send(method, path, token, body) {
    const headers = { Authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(ANSWER_MS);
    const options = { method, headers, signal, keepalive: method === "DELETE" };
    if (body) {
      headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    try {
      return await fetch(new URL(path, this.#base), options);
    } catch {
      throw this.unreachable;
    }
  }
}

/** The JSON of an answer. Throws ApiError where it breaks off. */
function answerOf(response) {
  return response.json().catch(() => {
    throw new ApiError({ code: "broken", status: response.status });
  });
}
