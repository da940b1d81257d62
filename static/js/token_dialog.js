/** Asks a person for the access token. */

/**
 * Resolves to the token, or to "" when the person declines.
 * @param {boolean} wrong the one that was given before does not open the server
 */
export function askToken(wrong) {
  const dialog = document.getElementById("token-dialog");
  document.getElementById("token-wrong").hidden = !wrong;
  const input = dialog.querySelector("input");
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === "save" ? input.value.trim() : "");
    dialog.addEventListener("close", answer, { once: true });
  });
}
