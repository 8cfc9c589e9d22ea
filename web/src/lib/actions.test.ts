import { expect, test, vi } from "vitest";

import { ActionRegistry, keyCaps, keyName, type Action, type KeyPress } from "./actions";

const PLAIN: KeyPress = { key: "j", ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
const LISTENING = { inField: false, singleKeys: true };

function action(id: string, keys: string[], more: Partial<Action> = {}): Action {
  return { id, group: "list", label: "action.next", keys, run: vi.fn(), ...more };
}

test("names of keys do not depend on the keyboard's case", () => {
  expect(keyName(PLAIN)).toBe("j");
  expect(keyName({ ...PLAIN, key: "J", shiftKey: true })).toBe("shift+j");
  expect(keyName({ ...PLAIN, key: "?", shiftKey: true })).toBe("?");
  expect(keyName({ ...PLAIN, key: "k", metaKey: true })).toBe("mod+k");
  expect(keyName({ ...PLAIN, key: " " })).toBe("space");
  expect(keyCaps("mod+k", true)).toEqual(["⌘", "K"]);
  expect(keyCaps("mod+k", false)).toEqual(["Ctrl", "K"]);
});

test("the newest enabled action wins, a removed one is gone", () => {
  const registry = new ActionRegistry();
  const below = action("below", ["escape"]);
  const above = action("above", ["escape"], { enabled: () => false });
  registry.register(below);
  const remove = registry.register(above);
  const escape = { ...PLAIN, key: "Escape" };
  expect(registry.press(escape, LISTENING)).toBe(true);
  expect(below.run).toHaveBeenCalledOnce();
  expect(above.run).not.toHaveBeenCalled();
  remove();
  expect(registry.list()).toEqual([below]);
});

test("text fields and the switch silence single keys, not chords", () => {
  const registry = new ActionRegistry();
  const single = action("single", ["j"]);
  const arrow = action("arrow", ["arrowdown"]);
  const chord = action("chord", ["mod+k"], { inFields: true });
  for (const each of [single, arrow, chord]) registry.register(each);
  const down = { ...PLAIN, key: "ArrowDown" };
  const palette = { ...PLAIN, key: "k", ctrlKey: true };
  expect(registry.press(PLAIN, { inField: true, singleKeys: true })).toBe(false);
  expect(registry.press(PLAIN, { inField: false, singleKeys: false })).toBe(false);
  expect(registry.press(down, { inField: false, singleKeys: false })).toBe(true);
  expect(registry.press(palette, { inField: true, singleKeys: false })).toBe(true);
});
