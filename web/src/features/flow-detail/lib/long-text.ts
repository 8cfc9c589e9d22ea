/** Which texts are too long to be laid out as prose, and the beginning of those. */
import { cut } from "@/lib/format";
import { countInvisible } from "@/lib/invisible";

import { utf8Bytes } from "./text-size";

/** Lines and characters that are shown before someone asks for more. */
const LINES_SHOWN = 14;
const CHARS_SHOWN = 1_800;
/** A text that is only a little longer is shown whole. */
const SLACK = 1.25;

/** Browsers lay out a paragraph in one go, and slowly when it is long: past this it is drawn in rows. */
export const PARAGRAPH_CHARS_MAX = 8_000;
/** The same for a text as a whole. */
export const PROSE_CHARS_MAX = 100_000;
/** Each marker of a hidden character is an element of its own. */
const MARKERS_MAX = 500;

/** Whether a text is drawn in rows, of which only those in sight are there, rather than as prose. */
export function isTooLongForProse(text: string): boolean {
  if (text.length > PROSE_CHARS_MAX) return true;
  return longestParagraph(text) > PARAGRAPH_CHARS_MAX || countInvisible(text, MARKERS_MAX) >= MARKERS_MAX;
}

/** Lines count one by one: a line end ends a run of text that is laid out at once. */
function longestParagraph(text: string): number {
  let longest = 0;
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    longest = Math.max(longest, end - start);
    start = end + 1;
  }
  return Math.max(longest, text.length - start);
}

export interface Excerpt {
  text: string;
  /** What is left out; `null` where nothing is. */
  rest: { lines: number; bytes: number } | null;
}

export function excerptOf(text: string): Excerpt {
  const lines = countLines(text);
  if (lines <= LINES_SHOWN * SLACK && text.length <= CHARS_SHOWN * SLACK) return { text, rest: null };
  let end = 0;
  for (let line = 0; line < LINES_SHOWN && end >= 0; line += 1) end = text.indexOf("\n", end) + 1 || -1;
  const shown = cut(text, Math.min(end < 0 ? text.length : end - 1, CHARS_SHOWN));
  const rest = text.slice(shown.length);
  return { text: shown, rest: { lines: Math.max(1, countLines(rest) - 1), bytes: utf8Bytes(rest) } };
}

/** A line end at the end of the text starts no line. */
export function countLines(text: string): number {
  let lines = text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
