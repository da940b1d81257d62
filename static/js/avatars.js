/** The page /avatars: faces to add, to look at, to adjust, to hear and to remove. */

import { pictureOf, readAvatars, readLandmarks, removeAvatar, saveMouth } from "./api.js";
import { chooseAvatar, chosenAvatar, faceLabel } from "./avatar_choice.js";
import { ErrorLine } from "./error_line.js";
import { CLOSE_UP_ASPECT, FaceEditor } from "./face_editor.js";
import { FaceView } from "./face_view.js";
import { currentLanguage, formatNumber, setText, startTranslation, t } from "./i18n.js";
import { Player } from "./player.js";
import { SAMPLES } from "./samples.js";
import { UploadForm } from "./upload_form.js";

const LOOK_EVERY_MS = 1000;
const SAMPLE_PX = 640;
const PICTURE_PX = 1920;
const KINDS = { photo: "avatars.kind_photo", clip: "avatars.kind_clip" };
const WARNINGS = {
  second_face: "warning.second_face",
  small: "warning.small",
  dark: "warning.dark",
  turned: "warning.turned",
  blurred: "warning.blurred",
  truncated: "warning.truncated",
  rotated: "warning.rotated",
  was_upside_down: "warning.was_upside_down",
  sideways: "warning.sideways",
  upside_down: "warning.upside_down",
};
const STATUSES = {
  idle: "avatars.idle",
  connecting: "status.connecting",
  speaking: "status.speaking",
  silent: "status.silent",
  finished: "avatars.idle",
  stopped: "avatars.idle",
  error: "status.error",
};

const get = (id) => document.getElementById(id);

class AvatarsPage {
  #records = [];
  #default = "";
  #selected = null;
  #loading = 0;
  #editor = new FaceEditor(get("editor"));
  #view = new FaceView(get("face"));
  #player = new Player(this.#view);
  #form = get("face-form");
  #error = new ErrorLine(get("face-error"));
  #listError = new ErrorLine(get("list-error"));
  #upload = new UploadForm();

  constructor() {
    window.soyle = { stats: this.#player.stats };
    this.#upload.addEventListener("change", () => this.#refresh());
    this.#upload.addEventListener("added", ({ detail }) => this.#added(detail));
    this.#editor.addEventListener("change", () => this.#changed());
    this.#player.addEventListener("change", () => this.#onSpeech());
    get("other-face").addEventListener("click", () => this.#takeOther());
    get("hear").addEventListener("click", () => this.#hear());
    get("adjust").addEventListener("click", () => this.#adjust());
    get("undo").addEventListener("click", () => this.#undo());
    get("use").addEventListener("click", () => this.#use());
    get("delete").addEventListener("click", () => this.#confirm());
    get("delete-dialog").addEventListener("close", () => this.#onConfirmed());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    for (const name of ["jaw", "open"]) {
      this.#form.elements[name].addEventListener("input", () => this.#changed());
    }
    document.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || document.querySelector("dialog[open]")) return;
      if (this.#player.busy) this.#player.stop();
      else if (this.#editor.closeUp) this.#adjust();
    });
    window.addEventListener("pagehide", () => this.#player.stop());
    new MutationObserver(() => this.#translate()).observe(document.documentElement, {
      attributeFilter: ["lang"],
    });
    setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#refresh();
  }

  // The list

  async #refresh() {
    try {
      const told = await readAvatars();
      this.#records = told.avatars;
      this.#default = told.default;
      this.#listError.clear();
    } catch (error) {
      this.#listError.show(error);
      return;
    }
    this.#list();
    const there = this.#records.find(({ id }) => id === this.#selected?.id);
    if (!there) {
      const wanted = chosenAvatar() || this.#default;
      await this.#select(this.#records.find(({ id }) => id === wanted) ?? this.#records[0]);
    } else if (there.status !== this.#selected.status) {
      await this.#select(there);
    }
  }

  /** Others may be importing too. */
  #look() {
    const coming = this.#records.some(({ status }) => status === "importing");
    if (coming && !document.hidden) this.#refresh();
  }

  #list() {
    const had = document.activeElement?.closest("#faces")
      ? document.activeElement.value
      : null;
    get("faces").replaceChildren(...this.#records.map((record) => this.#choice(record)));
    if (had) get("faces").querySelector(`[value="${had}"]`)?.focus();
  }

  #choice(record) {
    const radio = document.createElement("input");
    const importing = record.status === "importing";
    Object.assign(radio, {
      type: "radio",
      name: "face",
      value: record.id,
      checked: record.id === this.#selected?.id,
      disabled: importing,
    });
    radio.addEventListener("change", () => this.#select(record));
    let note = "";
    if (importing) note = `${formatNumber(100 * record.progress)} %`;
    else if (record.status === "failed") note = t("avatars.failed");
    else if (record.id === (chosenAvatar() || this.#default)) note = t("avatars.in_use");
    return faceLabel(radio, record, note);
  }

  async #added(record) {
    await this.#select(record);
    get("stage").scrollIntoView({ block: "nearest" });
    const { faces, kind, pictures } = record;
    if (kind === "photo") setText(get("status"), "avatars.added_photo");
    else setText(get("status"), "avatars.added", {
      faces: formatNumber(faces),
      pictures: formatNumber(pictures),
    });
  }

  // The selected face

  async #select(record) {
    if (!record) return;
    this.#player.stop();
    if (record.id !== this.#selected?.id) this.#editor.clear();
    this.#selected = record;
    const turn = (this.#loading += 1);
    this.#error.clear();
    this.#showFace(false);
    this.#describe();
    const radio = get("faces").querySelector(`[value="${record.id}"]`);
    if (radio) radio.checked = true;
    if (record.status !== "ready") {
      this.#editor.clear();
      if (record.error) this.#listError.showBody(record.error);
      return;
    }
    this.#listError.clear();
    this.#view.poster = pictureOf(record);
    try {
      const picture = pictureOf(record, { size: PICTURE_PX });
      const [landmarks] = await Promise.all([readLandmarks(record.id), seen(picture)]);
      if (turn !== this.#loading) return;
      this.#editor.show(picture, landmarks);
      this.#changed();
    } catch (error) {
      this.#editor.clear();
      this.#error.show(error);
    }
  }

  #describe() {
    const record = this.#selected;
    const ready = record.status === "ready";
    this.#form.hidden = record.status === "importing";
    get("face-title").textContent = record.name;
    get("gains").hidden = !ready || !record.editable;
    get("built-in").hidden = !ready || record.editable;
    get("hear").disabled = !ready;
    get("adjust").disabled = !ready || !record.editable;
    this.#press(false);
    get("delete").hidden = !record.removable;
    get("use").hidden = !ready;
    const used = record.id === (chosenAvatar() || this.#default);
    setText(get("use"), used ? "avatars.used" : "avatars.use");
    get("use").disabled = used;
    this.#form.elements.jaw.value = record.gains.jaw;
    this.#form.elements.open.value = record.gains.open;
    this.#warn(record);
    const seconds = record.seconds && t("unit.seconds", { value: formatNumber(record.seconds, 1) });
    const kind = ready ? t(KINDS[record.kind]) : "—";
    get("fact-kind").textContent = seconds ? `${kind}, ${seconds}` : kind;
    get("fact-size").textContent = ready ? `${record.width} × ${record.height}` : "—";
    get("fact-found").parentElement.hidden = record.kind === "photo";
    get("fact-found").textContent = ready
      ? t("avatars.of", { faces: formatNumber(record.faces), pictures: formatNumber(record.pictures) })
      : "—";
    get("fact-finder").textContent = record.finder === "hand" ? t("avatars.by_hand") : record.finder;
    this.#changed();
  }

  #warn({ warnings }) {
    get("warnings").replaceChildren(
      ...warnings.map(({ code, sentence }) => {
        const line = document.createElement("li");
        if (code in WARNINGS) setText(line, WARNINGS[code]);
        else line.textContent = sentence; // of a newer server
        return line;
      }),
    );
    get("warned").hidden = warnings.length === 0;
    get("other-face").hidden = !this.#upload.knows(this.#selected);
  }

  async #takeOther() {
    get("other-face").disabled = true;
    await this.#upload.takeOther(this.#selected);
    get("other-face").disabled = false;
  }

  get #gains() {
    const { jaw, open } = this.#form.elements;
    return { jaw: Number(jaw.value), open: Number(open.value) };
  }

  #changed() {
    const gains = this.#gains;
    for (const [name, value] of Object.entries(gains)) {
      get(`${name}-value`).textContent = `×${formatNumber(value, 2)}`;
    }
    const { gains: known, editable } = this.#selected;
    const same = gains.jaw === known.jaw && gains.open === known.open && !this.#editor.moved;
    get("save").disabled = same || !editable;
    get("undo").disabled = same || !editable;
  }

  /** Resolves to false when the server refused. */
  async #save() {
    if (get("save").disabled) return true;
    const { id } = this.#selected;
    const points = this.#editor.moved;
    this.#error.clear();
    try {
      const body = { gains: this.#gains, ...(points && { points }) };
      const record = await saveMouth(id, body);
      const closeUp = this.#editor.closeUp;
      this.#records = this.#records.map((other) => (other.id === id ? record : other));
      await this.#select(record);
      if (closeUp) this.#adjust();
      setText(get("status"), "avatars.saved");
      return true;
    } catch (error) {
      this.#error.show(error);
      return false;
    }
  }

  #undo() {
    this.#editor.undo();
    this.#form.elements.jaw.value = this.#selected.gains.jaw;
    this.#form.elements.open.value = this.#selected.gains.open;
    this.#changed();
  }

  #adjust() {
    this.#player.stop();
    this.#showFace(false);
    this.#press(!this.#editor.closeUp);
    if (this.#editor.closeUp) {
      setText(get("status"), "avatars.move");
      this.#editor.focus();
    } else {
      setText(get("status"), "avatars.idle");
    }
  }

  #press(closeUp) {
    this.#editor.closeUp = closeUp;
    get("adjust").setAttribute("aria-pressed", String(closeUp));
    const { width, height } = this.#selected;
    const aspect = closeUp ? CLOSE_UP_ASPECT : width / height;
    if (width) get("frame").style.setProperty("--aspect", aspect);
  }

  #use() {
    chooseAvatar(this.#selected.id === this.#default ? "" : this.#selected.id);
    this.#list();
    this.#describe();
    setText(get("status"), "avatars.used_now");
  }

  #confirm() {
    const dialog = get("delete-dialog");
    setText(get("delete-title"), "avatars.delete_title", { name: this.#selected.name });
    dialog.returnValue = "";
    dialog.showModal();
  }

  async #onConfirmed() {
    if (get("delete-dialog").returnValue !== "delete") return;
    const { id } = this.#selected;
    try {
      await removeAvatar(id);
    } catch (error) {
      this.#error.show(error);
      return;
    }
    if (chosenAvatar() === id) chooseAvatar("");
    this.#selected = null;
    await this.#refresh();
    setText(get("status"), "avatars.deleted");
    get("faces").querySelector(":checked")?.focus();
  }

  // Speech

  async #hear() {
    if (this.#player.busy) {
      this.#player.stop();
      return;
    }
    if (!(await this.#save())) return;
    const { id, width, height } = this.#selected;
    const scale = Math.min(1, SAMPLE_PX / Math.max(width, height));
    const side = (pixels) => Math.max(128, 2 * Math.round((pixels * scale) / 2));
    const language = currentLanguage();
    this.#error.clear();
    this.#press(false);
    this.#showFace(true);
    try {
      await this.#player.speak({
        text: SAMPLES[language],
        language,
        avatar: id,
        size: `${side(width)}x${side(height)}`,
        low_latency: true,
      });
    } catch (error) {
      this.#error.show(error);
    }
    if (!this.#player.busy) this.#showFace(false);
  }

  #showFace(speaking) {
    get("face").toggleAttribute("hidden", !speaking);
    get("editor").toggleAttribute("hidden", speaking);
  }

  #onSpeech() {
    const { status } = this.#player.stats;
    if (get("stage").dataset.status === status) return;
    get("stage").dataset.status = status;
    setText(get("status"), STATUSES[status]);
    setText(get("hear").querySelector("span"), this.#player.busy ? "speak.stop" : "avatars.hear");
  }

  #translate() {
    if (!this.#selected) return;
    this.#list();
    this.#editor.translate();
    const { jaw, open } = this.#gains;
    this.#describeKeeping({ jaw, open });
  }

  /** The words again, and not the values that a person has set. */
  #describeKeeping({ jaw, open }) {
    const closeUp = this.#editor.closeUp;
    this.#describe();
    Object.assign(this.#form.elements.jaw, { value: jaw });
    Object.assign(this.#form.elements.open, { value: open });
    this.#press(closeUp);
    this.#changed();
  }
}

/** Resolves when the browser has the picture, so that no points lie on another face. */
function seen(url) {
  const image = new Image();
  image.src = url;
  return image.decode().catch(() => {});
}

await startTranslation();
setText(get("status"), "avatars.idle");
new AvatarsPage();
