import { useEffect } from "react";

import { actions, keyName } from "@/lib/actions";
import { preferences } from "@/lib/preferences";

const FIELDS = "input, textarea, select, [contenteditable]";
const CONTROLS = "button, a, [role=tab], [role=radio], [role=separator], [role=region], [role=option]";
/** Keys that a focused control uses itself. */
const OWN_KEYS = /(^|\+)(enter|space|arrow\w+|home|end|pageup|pagedown)$/;

/** Hands every key press to the registry, unless something on the page has a use for it. */
export function useKeyboard(): void {
  // The keyboard is outside React.
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]") !== null) return;
      const target = event.target instanceof Element ? event.target : null;
      const inField = target?.closest(FIELDS) != null;
      if (!inField && target?.closest(CONTROLS) != null && OWN_KEYS.test(keyName(event))) return;
      if (actions.press(event, { inField, singleKeys: preferences().singleKeys })) event.preventDefault();
    };
    window.addEventListener("keydown", pressed);
    return () => { window.removeEventListener("keydown", pressed); };
  }, []);
}
