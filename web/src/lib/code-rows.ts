/**
 * Lines laid into rows of a pane. A row holds as many columns as are in sight, so that nothing is cut and nothing
 * scrolls sideways; a wide character takes two. One pass, and short lines are not looked into.
 */
import type { CodeLines } from "./code-lines";
import { hasInvisible } from "./invisible";

export interface CodeRows extends CodeLines {
  /** The line that begins in each row, from 1; 0 where a line goes on. */
  numbers: Uint32Array;
}

/** Without wrapping a row still ends somewhere: browsers lay out endless lines slowly. */
export const ROW_COLUMNS_MAX = 4_000;
/** A pane that is narrower than this scrolls sideways. */
const ROW_COLUMNS_MIN = 16;

const WIDE_COLUMNS = 2;
/** Pictures are a little wider than two columns in the usual fonts. */
const PICTURE_COLUMNS = 2.5;
const TAB_COLUMNS = 2;
/** A marker such as `U+200B` with its frame. */
const MARKER_COLUMNS = 8;

/** `columns`: how many fit. `null` does not wrap. */
export function rowsOf(lines: CodeLines, columns: number | null): CodeRows {
  const limit = columns === null ? ROW_COLUMNS_MAX : Math.max(ROW_COLUMNS_MIN, columns);
  const { text } = lines;
  const count = lines.starts.length - 1;
  const starts: number[] = [];
  const numbers: number[] = [];
  const rowOf = new Uint32Array(count);
  for (let line = 0; line < count; line += 1) {
    rowOf[line] = starts.length;
    const from = lines.starts[line] ?? 0;
    const end = lineEnd(text, from, lines.starts[line + 1] ?? 0);
    starts.push(from);
    numbers.push(line + 1);
    for (let at = rowEnd(text, from, end, limit); at < end; at = rowEnd(text, at, end, limit)) {
      starts.push(at);
      numbers.push(0);
    }
  }
  starts.push(text.length);
  const closes = new Int32Array(numbers.length).fill(-1);
  lines.closes.forEach((close, line) => { if (close >= 0) closes[rowOf[line] ?? 0] = rowOf[close] ?? 0; });
  return { ...lines, starts: Uint32Array.from(starts), numbers: Uint32Array.from(numbers), closes };
}

function lineEnd(text: string, from: number, next: number): number {
  return next > from && text.charCodeAt(next - 1) === 0x0a ? next - 1 : next;
}

/** Where the row that begins at `from` ends; at least one character on, and never between the halves of a pair. */
function rowEnd(text: string, from: number, end: number, limit: number): number {
  if ((end - from) * MARKER_COLUMNS <= limit) return end;
  let used = 0;
  let at = from;
  while (at < end) {
    const code = text.codePointAt(at) ?? 0;
    used += columnsOf(code);
    if (used > limit && at > from) return at;
    at += code > 0xffff ? 2 : 1;
  }
  return end;
}

/** Columns that a character takes in a font of fixed width. Too many does no harm: the row ends earlier. */
export function columnsOf(code: number): number {
  if (code < 0xad) return code === 0x09 ? TAB_COLUMNS : 1;
  if (code < 0x300) return code === 0xad ? MARKER_COLUMNS : 1;
  if (code >= 0x20000 && code < 0xe0000) return WIDE_COLUMNS;
  if (code >= 0x1f000 && code < 0x20000) return PICTURE_COLUMNS;
  if (hasInvisible(String.fromCodePoint(code))) return MARKER_COLUMNS;
  if (isWide(code)) return WIDE_COLUMNS;
  return code > 0x2000 ? PICTURE_COLUMNS : 1;
}

/** East Asian scripts, their punctuation and full-width forms. */
function isWide(code: number): boolean {
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3)
    || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) || (code >= 0xffe0 && code <= 0xffe6);
}
