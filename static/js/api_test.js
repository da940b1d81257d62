/** The page /api-test: every call of the contract, each with a button that tries it. */

import { ApiError, SERVER, call as callServer } from "./api.js";
import { CallAnswer } from "./call_answer.js";
import { CallExamples, turnOf } from "./call_examples.js";
import { ErrorLine } from "./error_line.js";
import { formatNumber, setText, startTranslation, t } from "./i18n.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const JSON_KIND = "application/json";
const FORM_KIND = "multipart/form-data";
const SCHEMAS = "#/components/schemas/";
const LONGEST_MS = 120_000;
const SOCKET = 101;

const examples = new CallExamples();

/** One call with one kind of body. */
class Trial {
  #call;
  #parameters = [];
  #body = null;
  #button = document.createElement("button");
  #result = document.createElement("span");
  #answer;

  element = document.createElement("details");
  /** "", good, refused or failed. */
  kind = "";

  constructor(call) {
    this.#call = call;
    this.element.className = "call";
    const inside = document.createElement("div");
    inside.className = "inside";
    const form = this.#form();
    const answer = document.createElement("div");
    answer.className = "answer";
    answer.lang = "en";
    this.#answer = new CallAnswer(answer);
    inside.append(form, answer);
    this.element.append(this.#summary(), inside);
    this.element.addEventListener("toggle", () => {
      if (this.element.open) this.fill();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run(new AbortController().signal);
    });
  }

  get turn() {
    return turnOf(this.#call);
  }

  #summary() {
    const { method, path, summary, media } = this.#call;
    const line = document.createElement("summary");
    line.lang = "en";
    const name = document.createElement("b");
    name.className = `method ${method.toLowerCase()}`;
    name.textContent = method;
    const place = document.createElement("code");
    place.textContent = path;
    const words = document.createElement("span");
    words.textContent = media === FORM_KIND ? `${summary} (form)` : summary;
    this.#result.className = "result";
    line.append(name, place, words, this.#result);
    return line;
  }

  #form() {
    const form = document.createElement("form");
    const fields = document.createElement("div");
    fields.className = "pair";
    for (const parameter of this.#call.parameters) {
      const input = document.createElement("input");
      input.type = "text";
      input.spellcheck = false;
      fields.append(labelled(parameter.name, input));
      this.#parameters.push({ parameter, input, edited: false });
    }
    for (const entry of this.#parameters) {
      entry.input.addEventListener("input", () => {
        entry.edited = true;
      });
    }
    if (this.#parameters.length) form.append(fields);
    if (this.#call.media === JSON_KIND) {
      const area = document.createElement("textarea");
      area.spellcheck = false;
      this.#body = { area, edited: false };
      area.addEventListener("input", () => {
        this.#body.edited = true;
      });
      form.append(labelled(JSON_KIND, area));
    }
    this.#button.type = "submit";
    this.#button.className = "small";
    setText(this.#button, "trial.one");
    form.append(this.#button);
    return form;
  }

  /** Shows what it is tried with; what a person wrote stays. */
  fill() {
    for (const { parameter, input, edited } of this.#parameters) {
      if (!edited) input.value = examples.parameter(this.#call, parameter);
    }
    if (!this.#body || this.#body.edited) return;
    this.#body.area.value = examples.body(this.#call);
    this.#body.area.rows = this.#body.area.value.split("\n").length;
  }

  /** Tries it. Throws ApiError only where nobody gives the token. */
  async run(signal) {
    this.fill();
    this.#answer.clear();
    this.#button.disabled = true;
    this.#button.setAttribute("aria-busy", "true");
    setText(this.#result, "trial.running");
    const began = performance.now();
    try {
      const told = await this.#attempt(AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]));
      this.#show(told, performance.now() - began);
    } catch (error) {
      if (error instanceof ApiError && error.code === "token") throw error;
      this.#show({ status: error.name, kind: "failed" }, performance.now() - began);
    } finally {
      this.#button.disabled = false;
      this.#button.removeAttribute("aria-busy");
    }
  }

  async #attempt(signal) {
    if (this.#call.socket) return this.#trySocket(signal);
    const { method, media } = this.#call;
    const options = { method, signal, headers: this.#headers() };
    if (media === FORM_KIND) options.body = await examples.form(this.#call);
    else if (this.#body) {
      options.headers["Content-Type"] = JSON_KIND;
      options.body = this.#body.area.value;
    }
    const response = await this.#send(this.#path(), options);
    const answer = await this.#answer.show(response);
    if (response.ok && answer) examples.learn(this.#call, response, answer);
    else if (response.ok) examples.learn(this.#call, response, {});
    return { status: response.status, kind: answer?.failed ? "failed" : kindOf(response.status) };
  }

  /** A call of one session has that session's token, any other the server's. */
  #send(path, options) {
    if (!this.#call.path.includes("{session_id}")) return callServer(path, options);
    const headers = { ...options.headers, Authorization: `Bearer ${examples.session?.token ?? ""}` };
    return fetch(new URL(path, SERVER), { ...options, headers });
  }

  async #trySocket(signal) {
    let path = this.#path();
    if (this.#call.path.includes("{session_id}")) {
      const { token = "" } = examples.session ?? {};
      path += `${path.includes("?") ? "&" : "?"}${new URLSearchParams({ token })}`;
    } else {
      const response = await callServer(path.replace(/\/events$/, ""), { signal });
      const answer = await response.json();
      if (!response.ok) {
        return { status: response.status, kind: kindOf(response.status) };
      }
      path = answer.events_url;
    }
    const url = new URL(path, SERVER);
    url.protocol = url.protocol.replace("http", "ws");
    const came = await this.#answer.socket(url, signal);
    return came ? { status: SOCKET, kind: "good" } : { status: t("trial.closed"), kind: "refused" };
  }

  #headers() {
    const given = this.#parameters.filter(
      ({ parameter, input }) => parameter.in === "header" && input.value.trim(),
    );
    return Object.fromEntries(given.map(({ parameter, input }) => [parameter.name, input.value.trim()]));
  }

  #path() {
    let path = this.#call.path.slice(1); // below the server's own address
    const query = new URLSearchParams();
    for (const { parameter, input } of this.#parameters) {
      const value = input.value.trim();
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
      else if (parameter.in === "query" && value) query.set(parameter.name, value);
    }
    return query.size ? `${path}?${query}` : path;
  }

  #show({ status, kind }, milliseconds) {
    this.kind = kind;
    delete this.#result.dataset.i18n;
    const badge = document.createElement("b");
    badge.dataset.kind = kind;
    badge.textContent = status;
    const took = t("unit.milliseconds", { value: formatNumber(milliseconds) });
    this.#result.replaceChildren(badge, ` ${took}`);
  }
}

function labelled(name, field) {
  const label = document.createElement("label");
  label.className = "field";
  const words = document.createElement("span");
  words.lang = "en";
  words.textContent = name;
  label.append(words, field);
  return label;
}

function kindOf(status) {
  if (status >= 500 && status !== 503 && status !== 507) return "failed";
  return status >= 400 ? "refused" : "good";
}

/** The calls of an OpenAPI document, one for each kind of body. */
function callsOf({ paths, components: { schemas } }) {
  const calls = [];
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = methods[method];
      if (!operation) continue;
      const bodies = Object.entries(operation.requestBody?.content ?? { "": { schema: {} } });
      for (const [media, { schema }] of bodies) {
        calls.push({
          method: method.toUpperCase(),
          path,
          media,
          schema: schemas[schema.$ref?.replace(SCHEMAS, "")] ?? schema,
          group: operation.tags[0],
          summary: operation.summary,
          parameters: operation.parameters ?? [],
          socket: String(SOCKET) in operation.responses,
        });
      }
    }
  }
  return calls;
}

class ApiTest {
  #trials = [];
  #all = document.getElementById("try-all");
  #stop = document.getElementById("stop");
  #summary = document.getElementById("summary");
  #error = new ErrorLine(document.getElementById("error"));
  #running = null;

  async load() {
    try {
      const contract = await (await callServer("openapi.json", {})).json();
      this.#list(contract);
    } catch (error) {
      this.#error.show(error);
      return;
    }
    this.#all.disabled = false;
    this.#all.addEventListener("click", () => this.#tryAll());
    this.#stop.addEventListener("click", () => this.#running?.abort());
  }

  #list(contract) {
    const calls = callsOf(contract);
    const groups = contract.tags.map(({ name }) => name);
    const shown = groups.filter((name) => calls.some(({ group }) => group === name));
    document.getElementById("groups").replaceChildren(
      ...shown.map((name) => {
        const section = document.createElement("section");
        section.className = "calls";
        const title = document.createElement("h2");
        title.lang = "en";
        title.textContent = name;
        const trials = calls.filter(({ group }) => group === name).map((call) => new Trial(call));
        this.#trials.push(...trials);
        section.append(title, ...trials.map(({ element }) => element));
        return section;
      }),
    );
  }

  async #tryAll() {
    const running = new AbortController();
    this.#running = running;
    this.#error.clear();
    this.#all.disabled = true;
    this.#stop.disabled = false;
    const turns = [...this.#trials].sort((one, other) => one.turn - other.turn);
    for (const trial of turns) trial.kind = "";
    this.#tell("trial.progress", turns);
    try {
      for (const trial of turns) {
        if (running.signal.aborted) break;
        await trial.run(running.signal);
        this.#tell("trial.progress", turns);
      }
      this.#tell("trial.summary", turns);
    } catch (error) {
      this.#error.show(error);
    }
    this.#all.disabled = false;
    this.#stop.disabled = true;
  }

  #tell(key, trials) {
    const count = (kind) => trials.filter((trial) => trial.kind === kind).length;
    const [good, refused, failed] = ["good", "refused", "failed"].map(count);
    setText(this.#summary, key, { all: trials.length, good, refused, failed });
  }
}

await startTranslation();
await new ApiTest().load();
