import { expect, test } from "vitest";

import { en } from "./en";

/** Keys that are put together from a prefix and a word of the API or of a list. */
const BUILT = /^(state|end|usage|tab|role|timing|error(Class)?|fault|failure|dialect|call|paid|commands\.group|cost\.(running|free|uncounted)$|talk\.(image|audio|file)$)/;

test("no text is left that nothing shows", () => {
  const files = import.meta.glob<string>(["/src/**/*.{ts,tsx}", "!/src/lib/i18n/**"], { query: "?raw", import: "default", eager: true });
  const source = Object.values(files).join("\n");
  const unused = Object.keys(en).filter((key) => !BUILT.test(key) && !source.includes(`"${key}"`));
  expect(unused).toEqual([]);
});
