/** Shows what a call answered: text as text, pictures, sound and video in place. */

import { hangUp } from "./hang_up.js";
import { readPacket } from "./live_packet.js";
import { boundaryOf, readParts } from "./multipart.js";

const HEADERS = [
  "Content-Type", "Content-Length", "Location", "Retry-After", "WWW-Authenticate", "X-Job-Id",
  "X-Voice", "X-Frame-Rate", "X-Audio-Url", "X-Codecs", "X-Aligned",
];
const LONGEST_TEXT = 4000;
const MOST_MESSAGES = 8;
const SOCKET_MS = 4000;
const KINDS = ["JPEG", "MP4 start", "MP4", "PCM", "Opus"];

function append(parent, tag, text = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}

export class CallAnswer {
  #element;
  #urls = [];

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  clear() {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    this.#element.replaceChildren();
  }

  /** Resolves to the JSON of the answer, or to null when it is none. */
  async show(response) {
    const list = append(this.#element, "dl");
    for (const name of HEADERS) {
      const value = response.headers.get(name);
      if (value === null) continue;
      append(list, "dt", name);
      append(list, "dd", value);
    }
    const kind = (response.headers.get("Content-Type") ?? "").split(";")[0];
    if (kind === "multipart/x-mixed-replace") return this.#stream(response);
    if (kind.startsWith("image/")) return this.#media(response, "img");
    if (kind.startsWith("video/")) return this.#media(response, "video");
    if (kind.startsWith("audio/")) return this.#media(response, "audio");
    const text = await response.text();
    if (kind === "application/json") {
      const value = JSON.parse(text);
      this.#text(JSON.stringify(value, null, 2));
      return value;
    }
    this.#text(text);
    return null;
  }

  #text(text) {
    const more = text.length > LONGEST_TEXT ? "\n…" : "";
    append(this.#element, "pre", text.slice(0, LONGEST_TEXT) + more).tabIndex = 0;
  }

  async #media(response, tag) {
    const media = append(this.#element, tag);
    if (tag === "img") media.alt = "";
    else media.controls = true;
    const url = URL.createObjectURL(await response.blob());
    this.#urls.push(url);
    media.src = url;
    return null;
  }

  /** Pictures as they come. */
  async #stream(response) {
    const image = append(this.#element, "img");
    image.alt = "";
    const count = append(this.#element, "p", "0");
    let pictures = 0;
    for await (const part of readParts(response.body, boundaryOf(response.headers.get("Content-Type")))) {
      if (part.headers.get("content-type") !== "image/jpeg") {
        this.#text(new TextDecoder().decode(part.body));
        return { failed: true };
      }
      pictures += 1;
      count.textContent = `${pictures} × image/jpeg`;
      const url = URL.createObjectURL(new Blob([part.body], { type: "image/jpeg" }));
      image.src = url;
      this.#urls.push(url);
      if (this.#urls.length > 2) URL.revokeObjectURL(this.#urls.shift());
    }
    return null;
  }

  /** The first messages of a WebSocket. Resolves to whether one came. */
  async socket(url, signal) {
    const lines = append(this.#element, "pre");
    lines.tabIndex = 0;
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    let count = 0;
    await new Promise((resolve) => {
      const end = setTimeout(resolve, SOCKET_MS);
      signal.addEventListener("abort", resolve);
      socket.onclose = () => {
        clearTimeout(end);
        resolve();
      };
      socket.onmessage = ({ data }) => {
        count += 1;
        lines.textContent += `${typeof data === "string" ? data : described(data)}\n`;
        if (count >= MOST_MESSAGES) resolve();
      };
    });
    socket.onmessage = null;
    hangUp(socket);
    return count > 0;
  }
}

function described(message) {
  const { kind, key, idle, generation, frame, seconds, payload } = readPacket(message);
  const flags = `${key ? "key " : ""}${idle ? "idle " : ""}`;
  const place = `generation ${generation}, frame ${frame}, ${seconds.toFixed(2)} s`;
  return `[${KINDS[kind - 1]} ${flags}${payload.length} bytes, ${place}]`;
}
