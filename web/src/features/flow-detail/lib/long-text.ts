/** The beginning of a long text, cut at a line end where there is one. */
import { cut } from "@/lib/format";

import { utf8Bytes } from "./text-size";

/** Lines and characters that are shown before someone asks for more. */
const LINES_SHOWN = 14;
const CHARS_SHOWN = 1_800;
/** A text that is only a little longer is shown whole. */
const SLACK = 1.25;

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
