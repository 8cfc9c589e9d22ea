/**
 * The one registry of commands. Whoever owns a command registers it while it is mounted; the keyboard, the palette and
 * the help dialog read the registry. Keys are written as `j`, `shift+f`, `mod+k`, `escape`; `mod` is ⌘ or Ctrl.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";

import type { MessageKey } from "./i18n/en";

export type ActionGroup = "list" | "flow" | "view";

export interface Action {
  id: string;
  group: ActionGroup;
  label: MessageKey;
  keys: readonly string[];
  /** Whether it can run now; a disabled action leaves its key to others. */
  enabled?: (() => boolean) | undefined;
  run: () => void;
  /** Works while a text field has the focus. */
  inFields?: boolean | undefined;
}

/** The part of a keyboard event that decides. */
export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

export class ActionRegistry {
  readonly #actions = new Map<string, Action>();
  readonly #listeners = new Set<() => void>();
  #list: readonly Action[] = [];

  register(action: Action): () => void {
    this.#actions.set(action.id, action);
    this.#changed();
    return () => {
      if (this.#actions.get(action.id) !== action) return;
      this.#actions.delete(action.id);
      this.#changed();
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly list = (): readonly Action[] => this.#list;

  /** Runs the newest enabled action with this key. Returns whether there was one. */
  press(press: KeyPress, context: { inField: boolean; singleKeys: boolean }): boolean {
    const name = keyName(press);
    const chorded = name.includes("mod+");
    const found = this.#list.findLast((action) => {
      if (!action.keys.includes(name) || action.enabled?.() === false) return false;
      if (context.inField) return action.inFields === true;
      return chorded || context.singleKeys || isNavigation(name);
    });
    found?.run();
    return found !== undefined;
  }

  #changed(): void {
    this.#list = [...this.#actions.values()];
    for (const listener of this.#listeners) listener();
  }
}

export const actions = new ActionRegistry();

export function useActions(): readonly Action[] {
  return useSyncExternalStore(actions.subscribe, actions.list);
}

/** Registers commands while the component is mounted. Their `run` and `enabled` always see the last render. */
export function useRegisterActions(list: readonly Action[]): void {
  const latest = useRef(list);
  useEffect(() => {
    latest.current = list;
  });
  const ids = list.map((action) => action.id).join(" ");
  // Reaches outside React: the registry is shared by the whole page.
  useEffect(() => {
    const undo = latest.current.map((action) => {
      const current = (): Action => latest.current.find(({ id }) => id === action.id) ?? action;
      return actions.register({ ...action, enabled: () => current().enabled?.() ?? true, run: () => { current().run(); } });
    });
    return () => { for (const remove of undo) remove(); };
  }, [ids]);
}

export function keyName(press: KeyPress): string {
  const key = press.key === " " ? "space" : press.key.toLowerCase();
  const parts = [];
  if (press.ctrlKey || press.metaKey) parts.push("mod");
  if (press.altKey) parts.push("alt");
  // A sign such as `?` already says that Shift was held.
  if (press.shiftKey && (/^[a-z]$/.test(key) || key.length > 1)) parts.push("shift");
  return [...parts, key].join("+");
}

/** Keys that move or leave: they are no letters, and stay on when single keys are off. */
function isNavigation(name: string): boolean {
  return /(^|\+)(arrow\w+|enter|escape|space|home|end|pageup|pagedown)$/.test(name);
}

const CAPS: Record<string, string> = {
  arrowup: "↑", arrowdown: "↓", arrowleft: "←", arrowright: "→", enter: "↵", escape: "Esc", space: "Space",
  home: "Home", end: "End", pageup: "PgUp", pagedown: "PgDn", shift: "⇧", alt: "Alt",
};

/** The caps to draw for a key, such as `⌘` and `K`. */
export function keyCaps(name: string, isMac: boolean): string[] {
  return name.split("+").map((part) => {
    if (part === "mod") return isMac ? "⌘" : "Ctrl";
    return CAPS[part] ?? part.toUpperCase();
  });
}
