/** The calls of a session: its maker's token or the server's opens it, its own commands it. */

import { ApiError } from "./api.js";

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
    return (await this.#open(fields)).json();
  }

  /** Whether the server still has a session. Throws ApiError where it does not say. */
  async knows({ session_id, token }) {
    const response = await this.#send("GET", session_id, "", token);
    if (response.ok) return true;
    if ([401, 403, 404, 410].includes(response.status)) return false;
    throw await ApiError.ofResponse(response);
  }

  /** say, interrupt, avatar, voice: resolves to what the server answers. Throws ApiError. */
  async command({ session_id, token }, name, body) {
    const response = await this.#send("POST", session_id, `/${name}`, token, body);
    if (!response.ok) throw await ApiError.ofResponse(response);
    return response.json();
  }

  /** Ends a session at once; one that has ended already is as good. */
  end({ session_id, token }) {
    this.#send("DELETE", session_id, "", token).catch(() => {});
  }

  /** The address of its socket. @param {object} query video, audio */
  socketUrl({ session_id, token, socket_url }, query) {
    const url = new URL(socket_url ?? `/api/sessions/${session_id}/socket`, this.#base);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("token", token);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  async #send(method, id, path, token, body) {
    const headers = { Authorization: `Bearer ${token}` };
    const options = { method, headers, keepalive: method === "DELETE" };
    if (body) {
      headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    try {
      return await fetch(new URL(`/api/sessions/${id}${path}`, this.#base), options);
    } catch {
      throw new ApiError({ code: "unreachable" });
    }
  }
}
