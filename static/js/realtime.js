/** The page /realtime: a face that is there, speaks when told and stops when interrupted. */

import { SERVER, openSession } from "./api.js";
import { AvatarChoice, chooseAvatar, chosenAvatar } from "./avatar_choice.js";
import { CaptionLine } from "./caption_line.js";
import { ErrorLine } from "./error_line.js";
import { currentLanguage, formatNumber, setAttributes, setText, startTranslation } from "./i18n.js";
import { showFigures } from "./live_figures.js";
import { LiveSession } from "./live_session.js";
import { SAMPLES } from "./samples.js";
import { SessionServer } from "./session_server.js";
import { SpeechHistory } from "./speech_history.js";
import { VoiceChoice } from "./voice_choice.js";
import { chosenWay, followWay, setNote } from "./way_setting.js";

const SESSION_KEY = "soyle.session";
const HISTORY_KEY = "soyle.history";
const LANGUAGE_KEY = "soyle.speech";
const AUTO = "auto";
const REFRESH_MS = 250;
const CAPTION_STAYS_MS = 900;

const STATUS_KEYS = {
  off: "realtime.off",
  connecting: "realtime.connecting",
  there: "realtime.there",
  speaking: "status.speaking",
  waiting: "realtime.waiting",
  full: "realtime.full",
  over: "realtime.over",
  failed: "status.error",
};
const DOTS = { connecting: "connecting", waiting: "connecting", full: "error", failed: "error" };

function element(id) {
  return document.getElementById(id);
}

class Realtime {
  #form = element("speak-form");
  #settings = element("settings-form");
  #text = this.#form.elements.text;
  #error = new ErrorLine(element("error"));
  #history = new SpeechHistory(element("history"), HISTORY_KEY);
  #caption = new CaptionLine(element("caption"));
  #captionTimer = 0;
  #voice = new VoiceChoice(element("voice-choice"));
  #avatar = chosenAvatar();
  #muted = true;
  #tapped = false;
  #manner = ""; // of the session, as this page had it last
  #speaking = null; // id of the utterance that is heard
  #microphoneId = null; // of what the microphone says, once it is heard
  #status = "";

  live = new LiveSession(element("face"), new SessionServer(SERVER, openSession), {
    muted: true,
    way: chosenWay(),
    store: SESSION_KEY,
    fields: () => this.#fields(),
  });

  constructor() {
    this.#chooseLanguage(localStorage.getItem(LANGUAGE_KEY) ?? currentLanguage());
    this.#listenToTheSession();
    this.#listenToTheForm();
    this.#listenToTheChoices();
    this.#followTheSize();
    window.addEventListener("pagehide", () => {
      this.#stopMicrophone();
      this.live.close();
    });
    window.addEventListener("pageshow", ({ persisted }) => {
      if (!persisted) return;
      this.live.open();
      this.#wakeSound();
    });
    document.addEventListener("visibilitychange", () => this.#wakeSound());
    setInterval(() => this.#refresh(), REFRESH_MS);
    this.live.open();
    if (navigator.connection?.saveData) this.#sendLess(true);
  }

  #fields() {
    const fields = { language: this.#language };
    if (this.#avatar) fields.avatar = this.#avatar;
    return fields;
  }

  get #language() {
    return this.#settings.elements.language.value;
  }

  /** Has the session speak as chosen; without a choice with the first voice of the language. */
  async #followManner() {
    const { session_id } = this.live.session;
    const [voice, language] = [this.#voice.value || null, this.#language];
    const manner = JSON.stringify([session_id, voice, language]);
    if (manner === this.#manner) return;
    await this.live.switchVoice(voice, language);
    this.#manner = manner;
  }

  #chooseLanguage(code) {
    this.#settings.elements.language.value = code;
    this.#text.lang = code === AUTO ? "" : code;
    this.#voice.language = code === AUTO ? "" : code;
    const text = this.#text.value.trim();
    const sample = SAMPLES[code];
    if (sample && (text === "" || Object.values(SAMPLES).includes(text))) this.#text.value = sample;
  }

  #listenToTheSession() {
    this.live.addEventListener("state", () => this.#onState());
    this.live.addEventListener("told", ({ detail }) => this.#onTold(detail));
    this.live.addEventListener("failure", ({ detail }) => this.#onFailure(detail));
    this.live.addEventListener("gone", () => this.#history.abandon());
    this.live.addEventListener("thin", () => this.#sendLess(true));
    this.live.addEventListener("less", () => {
      this.#settings.elements.less.checked = this.live.less;
    });
    this.#history.addEventListener("again", ({ detail }) => this.#say(detail, false));
  }

  #listenToTheForm() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(this.#form.elements.replace.checked);
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send(event.ctrlKey || event.metaKey || this.#form.elements.replace.checked);
    });
    element("interrupt").addEventListener("click", () => this.#interrupt());
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !document.querySelector("dialog[open]")) this.#interrupt();
    });
    element("tap").addEventListener("click", () => this.#setMuted(false));
    element("mute").addEventListener("click", () => this.#setMuted(!this.#muted));
    element("microphone").addEventListener("click", () => this.#toggleMicrophone());
    element("again").addEventListener("click", () => {
      this.live.hurry();
      this.live.open();
    });
  }

  #listenToTheChoices() {
    for (const choice of this.#settings.elements.language) {
      choice.addEventListener("change", () => {
        localStorage.setItem(LANGUAGE_KEY, choice.value);
        this.#chooseLanguage(choice.value);
        this.#attempt(() => this.#followManner());
      });
    }
    this.#voice.addEventListener("change", () => this.#attempt(() => this.#followManner()));
    const faces = new AvatarChoice(element("avatar-choice"));
    faces.addEventListener("change", ({ detail }) => this.#switchAvatar(detail.id));
    const { less, way } = this.#settings.elements;
    way.addEventListener("change", () => this.#stopMicrophone()); // its line ends
    followWay(way, element("way-note"), this.live);
    this.live.addEventListener("way", () => {
      less.disabled = !LiveSession.canSendLess || this.live.way === "webrtc"; // that suits itself
    });
    less.addEventListener("change", () => this.#sendLess(less.checked));
    this.#settings.addEventListener("submit", (event) => event.preventDefault());
  }

  /** A phone has the figures folded. */
  #followTheSize() {
    const wide = matchMedia("(min-width: 801px)");
    const fold = () => {
      element("numbers").open = wide.matches;
    };
    wide.addEventListener("change", fold);
    fold();
  }

  #send(replace) {
    const text = this.#text.value.trim();
    const limit = Number(this.#text.dataset.limit);
    this.#error.clear();
    if (text === "") this.#error.say("error.empty");
    else if ([...text].length > limit) this.#error.say("error.too_long", { limit });
    else {
      this.#text.value = "";
      this.#say(text, replace);
    }
    this.#text.focus();
  }

  async #say(text, replace) {
    if (!this.#tapped) this.#setMuted(false); // who has this said wants to hear it
    this.#stopMicrophone(); // while it is open, a text waits
    this.#error.clear();
    const id = crypto.randomUUID?.() ?? randomId();
    this.#history.add(id, text);
    this.live.open(); // after an end it is another session
    try {
      await this.live.there();
      await this.#followManner();
      await this.live.say(text, { utterance_id: id, replace });
      this.#history.accept(id);
    } catch (error) {
      this.#history.fail(id);
      this.#error.show(error);
    }
  }

  async #interrupt() {
    this.#stopMicrophone(); // before it: what is sent after an interrupt nobody hears
    await this.#attempt(() => this.live.interrupt());
  }

  async #switchAvatar(id) {
    const same = id === this.#avatar;
    this.#avatar = id;
    if (!same) await this.#attempt(() => this.live.switchAvatar(id));
  }

  /** A command where there is a session; without one the next has what was chosen. */
  async #attempt(command) {
    if (!this.live.session) return;
    this.#error.clear();
    try {
      await command();
    } catch (error) {
      this.#error.show(error);
    }
  }

  #setMuted(muted) {
    this.#muted = muted;
    this.#tapped = true;
    if (!muted) this.live.unlock();
    element("tap").hidden = true;
    this.#applyMuted();
  }

  /** A phone that was locked, or a laptop that slept, has let the sound go. */
  #wakeSound() {
    if (!this.#muted && !document.hidden) this.live.unlock();
  }

  /** The page's own sound would come back through a microphone. */
  #applyMuted() {
    const { echoes } = this.live.microphone;
    const silent = this.#muted || echoes;
    this.live.muted = silent;
    const key = silent ? "speak.unmute" : "speak.mute";
    const button = element("mute");
    button.setAttribute("aria-pressed", String(silent));
    button.disabled = echoes;
    setAttributes(button, { "aria-label": key, title: key });
  }

  async #toggleMicrophone() {
    if (this.live.microphone.on) {
      this.#stopMicrophone();
      return;
    }
    if (!this.#tapped) this.#setMuted(false); // who speaks wants to hear it
    this.#error.clear();
    this.#microphoneId = null;
    try {
      await this.live.microphone.start();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#error.say("realtime.no_microphone");
    }
    this.#showMicrophone();
  }

  /** @param {string} why of i18n, where it was not the person who ended it */
  #stopMicrophone(why = "") {
    this.live.microphone.stop();
    this.#showMicrophone(why);
  }

  #showMicrophone(why = "") {
    const { on, echoes } = this.live.microphone;
    element("microphone").setAttribute("aria-pressed", String(on));
    const note = element("microphone-note");
    const heard = echoes ? "realtime.microphone_on" : "realtime.microphone_heard";
    setNote(note, on ? heard : why);
    this.#applyMuted();
  }

  #sendLess(less) {
    this.live.sendLess(less);
  }

  #onState() {
    const { state } = this.live;
    if (state === "there") this.#error.clear();
    else if (this.live.microphone.on) this.#stopMicrophone();
    if (state !== "there") {
      this.#speaking = null;
      this.#caption.clear();
    }
    this.#showStatus();
  }

  #onFailure(error) {
    // What was chosen once may be gone by now.
    if (error.field === "avatar" && this.#avatar) {
      chooseAvatar("");
      this.#avatar = "";
      this.live.open();
    } else this.#error.show(error);
  }

  #onTold(event) {
    this.#history.take(event);
    clearTimeout(this.#captionTimer);
    if (event.type === "speech_started") {
      this.#speaking = event.utterance_id;
      const wordless = !event.text && !this.#history.has(event.utterance_id);
      if (this.live.microphone.on && wordless) this.#microphoneId ??= event.utterance_id;
      this.#caption.clear();
    } else if (event.type === "word") {
      this.#caption.add(event);
    } else if (["speech_finished", "interrupted"].includes(event.type)) {
      if (this.#speaking === event.utterance_id) this.#speaking = null;
      const stays = event.type === "interrupted" ? 0 : CAPTION_STAYS_MS;
      this.#captionTimer = setTimeout(() => this.#caption.clear(), stays);
      if (event.utterance_id === this.#microphoneId) this.#onMicrophoneEnded();
    } else if (event.type === "error") {
      if (this.#isOfSound(event)) this.#onMicrophoneEnded();
      else this.#error.showBody(event);
    }
    this.#showStatus();
  }

  /** The server refuses sound that comes when nothing takes it. */
  #isOfSound({ code, utterance_id }) {
    return code === "conflict" && !this.#history.has(utterance_id);
  }

  #onMicrophoneEnded() {
    if (this.live.microphone.on) this.#stopMicrophone("realtime.microphone_ended");
  }

  #showStatus() {
    const { state } = this.live;
    const status = state === "there" && this.#speaking ? "speaking" : state;
    if (status === this.#status) return;
    this.#status = status;
    setText(element("status"), STATUS_KEYS[status]);
    element("live").dataset.status = DOTS[status] ?? status;
    element("again").hidden = !["waiting", "full", "over", "failed"].includes(status);
    element("interrupt").disabled = state !== "there";
    element("microphone").disabled = state !== "there";
    this.#refresh();
  }

  #refresh() {
    const waits = ["waiting", "full"].includes(this.live.state);
    const retry = element("retry");
    retry.hidden = !waits;
    if (waits) {
      const seconds = formatNumber(Math.max(1, Math.ceil(this.live.retryIn)));
      setText(retry, "realtime.retry", { seconds });
    }
    showFigures(this.live.stats);
  }
}

/** A UUID where the page is not a secure one. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

await startTranslation();
const { live } = new Realtime();
window.soyle = { stats: live.stats };
