/** What a call is tried with: the examples of the contract, and ids that earlier calls gave. */

const FILM = { text: "Привет! Это тестовое видео.", language: "ru" };

const BODIES = {
  "POST /api/stream_mjpeg": { text: "Привет, мир!", language: "ru", low_latency: true },
  "POST /api/lipsync/video": {
    ...FILM, use_nvdec: false, encoder: "libx264", crf: 20, preset: "veryfast",
  },
  "POST /api/generate": { text: "Сәлем, әлем!", language: "kk", static_mode: true },
  "POST /api/stream_chunks": {
    text: "Hello! This text comes in chunks.", language: "en", chunk_size: 3,
  },
  "POST /api/text": { text: "Сегодня 21 мая, 5 кг.", language: "ru" },
  "POST /api/sessions": { language: "ru", size: "256x256" },
  "POST /api/sessions/{session_id}/say": { text: "Раз, два, три.", language: "ru" },
  "POST /api/sessions/{session_id}/interrupt": { utterance_id: null },
  "POST /api/sessions/{session_id}/avatar": { avatar: "{default_avatar}" },
  "POST /api/sessions/{session_id}/voice": { language: "en" },
  "POST /api/voices/{voice_id}/pull": { accept_licence: true },
};

const QUERIES = {
  text: "Привет, мир!", language: "ru", size: "256x256", low_latency: "true", pace: "asap",
  video: "jpeg", audio: "pcm",
};

/** Where a query of the same name means another thing, and what must not be sent at all. */
const OWN_QUERIES = {
  "GET /api/avatars/{avatar_id}/preview.jpg": { size: "256", square: "true" },
  "GET /api/voices/{voice_id}/sample": {},
};

/** A film that is made in the background has a result to be asked for. */
const HEADERS = { "POST /api/generate": { Prefer: "respond-async" } };

/** An id that nobody has: what would bring a large file, or take one away, is only refused. */
const NOBODY = "nobody";

const AFTER = { GET: 3, DELETE: 5 };

/** Earlier calls make what later ones need; what removes it comes last. */
export function turnOf({ method, path }) {
  if (!path.includes("{")) return method === "GET" ? 0 : 1;
  if (path.endsWith("/pull")) return 4;
  return AFTER[method] ?? 2;
}

export class CallExamples {
  #known = {}; // ids by the names that paths have for them
  session = null; // the answer of POST /api/sessions

  /** The body of a call, or null where it has none. */
  body({ method, path, schema }) {
    const known = BODIES[`${method} ${path}`];
    const body = known ?? (path.endsWith("/mouth") ? this.#mouth() : required(schema));
    const filled = JSON.stringify(body, null, 2);
    return filled.replace("{default_avatar}", this.#known.default_avatar ?? NOBODY);
  }

  #mouth() {
    return this.mouth ?? { gains: { jaw: 1, open: 1 } };
  }

  /** What a parameter is tried with; "" leaves it out. */
  parameter({ method, path, media }, { name, in: place }) {
    if (place === "header" && media === "multipart/form-data") return "";
    if (place === "header") return HEADERS[`${method} ${path}`]?.[name] ?? "";
    if (place === "query") return (OWN_QUERIES[`${method} ${path}`] ?? QUERIES)[name] ?? "";
    if (name === "voice_id" && path.endsWith("/pull")) return NOBODY;
    if (name === "avatar_id" && method === "GET") {
      return this.#known.avatar_id ?? this.#known.default_avatar ?? NOBODY;
    }
    return this.#known[name] ?? NOBODY;
  }

  /** Takes the ids of an answer. */
  learn({ method, path }, response, answer) {
    const call = `${method} ${path}`;
    if (call === "GET /api/avatars") this.#known.default_avatar = answer.default;
    if (call === "POST /api/avatars" && answer.id) this.#known.avatar_id = answer.id;
    if (call === "DELETE /api/avatars/{avatar_id}") delete this.#known.avatar_id;
    if (call === "GET /api/voices") this.#known.voice_id = answer.voices[0]?.id;
    if (response.status === 202 && response.headers.has("X-Job-Id")) {
      this.#known.job_id = response.headers.get("X-Job-Id");
    }
    if (call === "POST /api/sessions" && answer.session_id) {
      this.session = answer;
      this.#known.session_id = answer.session_id;
    }
    const chunk = answer?.chunks?.[0]?.video_url;
    if (chunk) this.#known.chunk_id = new URL(chunk, location.href).pathname.split("/").at(-1);
  }

  /** A form with what it requires, and with a sound where it takes one. */
  async form({ path, schema }) {
    const form = new FormData();
    const { properties = {} } = schema;
    if ("consent" in properties) form.append("consent", "true");
    if ("name" in properties) form.append("name", "API test");
    if ("language" in properties) form.append("language", "ru");
    if ("file" in properties || path === "/api/avatars") {
      const picture = await fetch(new URL("../img/poster.jpg", import.meta.url));
      form.append("file", await picture.blob(), "face.jpg");
    }
    if ("audio" in properties) form.append("audio", tone(), "speech.wav");
    return form;
  }
}

/** A body of the fields that a schema requires. */
function required(schema) {
  const names = schema?.required ?? [];
  return Object.fromEntries(names.map((name) => [name, valueOf(schema.properties[name])]));
}

function valueOf({ default: preset, enum: choices, type }) {
  if (preset !== undefined) return preset;
  if (choices) return choices[0];
  return { number: 1, integer: 1, boolean: true, array: [], object: {} }[type] ?? "...";
}

/** A second of a tone that comes and goes, as WAV. */
function tone() {
  const [rate, samples] = [16000, 16000];
  const view = new DataView(new ArrayBuffer(44 + 2 * samples));
  const write = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples, true);
  for (let i = 0; i < samples; i += 1) {
    const loud = Math.sin((6 * Math.PI * i) / rate) ** 2;
    view.setInt16(44 + 2 * i, 9000 * loud * Math.sin((2 * Math.PI * 180 * i) / rate), true);
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}
