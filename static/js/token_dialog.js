/** Asks a person for the access token. */

/** Resolves to the token, or to "" when the person declines. */
export function askToken() {
  const dialog = document.getElementById("token-dialog");
  const input = dialog.querySelector("input");
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === "save" ? input.value.trim() : "");
    dialog.addEventListener("close", answer, { once: true });
  });
}
