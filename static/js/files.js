/** Saving a file as a person would. */

/** Downloads what is at `url` under `name`. */
export function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
