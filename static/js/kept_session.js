/** The session that a page is in: made where there is none, found again after a reload. */

export class KeptSession {
  #server;
  #fields;
  #store;

  /** {session_id, token, ...}, or null. */
  current;

  /** It was given, and is never replaced. */
  fixed;

  /**
   * @param {import("./session_server.js").SessionServer} server
   * @param {() => object} fields of a new one
   * @param {string} store its name in sessionStorage; "" for none
   * @param {object | null} session one that exists
   */
  constructor(server, fields, store, session) {
    this.#server = server;
    this.#fields = fields;
    this.#store = store;
    this.fixed = session !== null;
    this.current = session ?? (store ? JSON.parse(sessionStorage.getItem(store)) : null);
  }

  /**
   * Resolves to whether there is one now; false where the server has it no more. Throws ApiError.
   * @param {() => boolean} wanted one that is made after that is ended
   */
  async ensure(wanted) {
    if (this.current) return this.#server.knows(this.current);
    const session = await this.#server.open(this.#fields());
    if (!wanted()) {
      this.#server.end(session);
      return false;
    }
    this.current = session;
    if (this.#store) sessionStorage.setItem(this.#store, JSON.stringify(session));
    return true;
  }

  /** Returns whether there was one to forget. */
  forget() {
    if (this.fixed || !this.current) return false;
    this.current = null;
    if (this.#store) sessionStorage.removeItem(this.#store);
    return true;
  }

  /** Has the server end it. */
  end() {
    if (this.current && !this.fixed) this.#server.end(this.current);
  }
}
