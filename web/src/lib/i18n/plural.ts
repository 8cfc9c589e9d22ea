/** Two forms of one text; the number in `{n}` chooses. */
export interface Plural {
  one: string;
  other: string;
}

/** For languages with one form for any number. */
export function any(text: string): Plural {
  return { one: text, other: text };
}
