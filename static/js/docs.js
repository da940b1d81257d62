/** The page /docs: translation, commands to copy, and the call that the address names. */

import { startCopying } from "./copying.js";
import { startTranslation } from "./i18n.js";

await startTranslation();
startCopying();

const open = () => {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named) named.open = true;
};
window.addEventListener("hashchange", open);
open();
