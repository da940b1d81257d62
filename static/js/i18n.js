/**
 * The language of the interface.
 *
 * An element's text is named by data-i18n, its attributes by data-i18n-attr ("name:key name:key"),
 * and values for {placeholders} come from data-i18n-values (JSON).
 */

const LANGUAGE_KEY = "soyle.language";
const LANGUAGES = ["ru", "kk", "en"];
const NUMBERS = { ru: "ru", kk: "ru", en: "en" }; // Kazakh writes numbers as Russian does

let strings = {};
let language = "ru";

/** The remembered language, else the browser's first one that there is, else Russian. */
function preferred() {
  const wanted = [localStorage.getItem(LANGUAGE_KEY), ...navigator.languages];
  const codes = wanted.map((tag) => tag?.slice(0, 2).toLowerCase());
  return codes.find((code) => LANGUAGES.includes(code)) ?? "ru";
}

export function currentLanguage() {
  return language;
}

/** The string of `key` with its {placeholders} filled. */
export function t(key, values = {}) {
  const text = strings[key];
  if (text === undefined) throw new Error(`no string ${key} in ${language}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Gives an element a text that follows the language. */
export function setText(element, key, values) {
  element.dataset.i18n = key;
  if (values) element.dataset.i18nValues = JSON.stringify(values);
  else delete element.dataset.i18nValues;
  translate(element);
}

/** Gives an element attributes that follow the language: {name: key}. */
export function setAttributes(element, keys) {
  const pairs = Object.entries(keys).map((pair) => pair.join(":"));
  element.dataset.i18nAttr = pairs.join(" ");
  translate(element);
}

function translate(element) {
  const { i18n, i18nAttr, i18nValues } = element.dataset;
  if (i18n) element.textContent = t(i18n, JSON.parse(i18nValues ?? "{}"));
  for (const pair of i18nAttr?.split(" ") ?? []) {
    const [name, key] = pair.split(":");
    element.setAttribute(name, t(key));
  }
}

/** Numbers as this language writes them. */
export function formatNumber(value, digits = 0) {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(NUMBERS[language], options).format(value);
}

/** Seconds as a person says them: "8 s", "2 min 5 s". */
export function formatDuration(seconds) {
  const whole = Math.max(1, Math.ceil(seconds));
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  const parts = [];
  if (minutes) parts.push(t("unit.minutes", { value: formatNumber(minutes) }));
  if (rest) parts.push(t("unit.seconds", { value: formatNumber(rest) }));
  return parts.join(" ");
}

async function show(code) {
  const response = await fetch(new URL(`../i18n/${code}.json`, import.meta.url));
  strings = await response.json();
  language = code;
  document.documentElement.lang = code;
  document.querySelectorAll("[data-i18n], [data-i18n-attr]").forEach(translate);
  for (const button of document.querySelectorAll("[data-set-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setLanguage === code));
  }
  showSection();
  document.documentElement.dataset.ready = "";
}

/** On a phone the sections are wider than the screen: brings this page's one into sight. */
function showSection() {
  const link = document.querySelector("nav [aria-current]");
  if (!link) return;
  const row = link.parentElement;
  row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
}

/** Translates the page and makes its language buttons work. */
export async function startTranslation() {
  for (const button of document.querySelectorAll("[data-set-language]")) {
    button.addEventListener("click", () => {
      localStorage.setItem(LANGUAGE_KEY, button.dataset.setLanguage);
      show(button.dataset.setLanguage);
    });
  }
  await show(preferred());
}
