/** The still with the points that were found; those of the mouth can be moved. */

import { formatNumber, t } from "./i18n.js";
import { CURVES, follow, HANDLES } from "./mouth_shape.js";

const SVG = "http://www.w3.org/2000/svg";
const LINES = ["eye_left_upper", "eye_left_lower", "eye_right_upper", "eye_right_lower"];
const DOTS = ["nose_base", "chin", "jaw_left", "jaw_right", "forehead"];
const NAMES = {
  corner_left: "avatars.corner_left",
  corner_right: "avatars.corner_right",
  upper: "avatars.upper",
  lower: "avatars.lower",
  seam: "avatars.seam",
};
export const CLOSE_UP_ASPECT = 4 / 3;
const CLOSE_UP = 1.8; // the mouth's widths that are seen while its points are moved
const HANDLE_PX = 10;
const STEPS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The event "change" says that a point was moved. */
export class FaceEditor extends EventTarget {
  #svg;
  #image = element("image", { preserveAspectRatio: "none" });
  #found = element("g", { class: "found" });
  #lips = element("g", { class: "lips" });
  #handles = element("g", { class: "handles" });
  #told = null; // what the server knows
  #now = {};
  #closeUp = false;

  /** @param {SVGSVGElement} svg */
  constructor(svg) {
    super();
    this.#svg = svg;
    svg.replaceChildren(this.#image, this.#found, this.#lips, this.#handles);
    new ResizeObserver(() => this.#draw()).observe(svg);
  }

  /** @param {string} picture its address  @param landmarks of GET .../landmarks */
  show(picture, landmarks) {
    this.#told = landmarks;
    this.#now = structuredClone(landmarks.mouth);
    const { width, height } = landmarks;
    setAttributes(this.#image, { href: picture, width, height });
    this.#handles.replaceChildren(...HANDLES.map((name) => this.#handle(name)));
    this.closeUp = false;
  }

  clear() {
    this.#told = null;
    this.#image.removeAttribute("href");
    for (const group of [this.#found, this.#lips, this.#handles]) group.replaceChildren();
  }

  /** True while the mouth fills the picture and its points can be moved. */
  set closeUp(value) {
    this.#closeUp = value;
    this.#svg.classList.toggle("close-up", value);
    this.#draw();
  }

  get closeUp() {
    return this.#closeUp;
  }

  /** The points of the mouth for the server, or null when none was moved. */
  get moved() {
    if (!this.#told) return null;
    const same = HANDLES.every((name) =>
      this.#now[name].every((value, axis) => value === this.#told.mouth[name][axis]));
    return same ? null : this.#now;
  }

  /** Back to what the server knows. */
  undo() {
    this.#now = structuredClone(this.#told.mouth);
    this.#draw();
  }

  focus() {
    this.#handles.firstElementChild?.focus();
  }

  /** In the language of the page. */
  translate() {
    if (!this.#told) return;
    for (const handle of this.#handles.children) this.#name(handle);
  }

  #view() {
    const { width, height } = this.#told;
    if (!this.#closeUp) return [0, 0, width, height];
    const { corner_left: a, corner_right: b } = this.#told.mouth;
    const wide = Math.min(width, Math.max(24, CLOSE_UP * Math.hypot(b[0] - a[0], b[1] - a[1])));
    const high = wide / CLOSE_UP_ASPECT;
    const left = clamp((a[0] + b[0] - wide) / 2, 0, width - wide);
    const top = clamp((a[1] + b[1] - high) / 2, 0, height - high);
    return [left, top, wide, high];
  }

  #draw() {
    if (!this.#told) return;
    const view = this.#view();
    this.#svg.setAttribute("viewBox", view.join(" "));
    const pixel = view[2] / (this.#svg.clientWidth || view[2]);
    this.#svg.style.setProperty("--pixel", pixel);
    const { points, mouth } = this.#told;
    this.#found.replaceChildren(
      ...LINES.map((name) => line(points[name])),
      ...DOTS.map((name) => dot(points[name][0], 2.5 * pixel)),
    );
    const lips = follow(points, mouth, this.#now);
    this.#lips.replaceChildren(...CURVES.map((name) => line(lips[name])));
    for (const handle of this.#handles.children) {
      const [x, y] = this.#now[handle.dataset.name];
      setAttributes(handle, { cx: x, cy: y, r: HANDLE_PX * pixel });
      this.#name(handle);
    }
  }

  #handle(name) {
    const handle = element("circle", { tabindex: 0, role: "slider" });
    handle.dataset.name = name;
    handle.addEventListener("keydown", (event) => this.#onKey(event, name));
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const place = new DOMPoint(event.clientX, event.clientY);
      const { x, y } = place.matrixTransform(this.#svg.getScreenCTM().inverse());
      this.#move(name, [x, y]);
    });
    return handle;
  }

  #name(handle) {
    const [x, y] = this.#now[handle.dataset.name];
    const value = t("avatars.place", { x: formatNumber(x, 1), y: formatNumber(y, 1) });
    setAttributes(handle, {
      "aria-label": t(NAMES[handle.dataset.name]),
      "aria-valuenow": Math.round(y),
      "aria-valuemax": this.#told.height,
      "aria-valuetext": value,
    });
  }

  #onKey(event, name) {
    const step = STEPS[event.key];
    if (!step || !this.#closeUp) return;
    event.preventDefault();
    const size = (this.#view()[2] / 400) * (event.shiftKey ? 5 : 1);
    this.#move(name, this.#now[name].map((value, axis) => value + size * step[axis]));
  }

  #move(name, place) {
    const { width, height } = this.#told;
    const inside = [clamp(place[0], 0, width), clamp(place[1], 0, height)];
    this.#now[name] = inside.map((value) => Math.round(value * 100) / 100);
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }
}

function element(name, attributes = {}) {
  return setAttributes(document.createElementNS(SVG, name), attributes);
}

function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) target.setAttribute(name, value);
  return target;
}

function line(points) {
  return element("polyline", { points: points.map((point) => point.join(",")).join(" ") });
}

function dot([x, y], radius) {
  return element("circle", { cx: x, cy: y, r: radius });
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), Math.max(low, high));
}
