/**
 * Characters that change how a text reads without being seen: controls of direction, spaces without width, tags. They
 * are found here so that the page can draw them; the text itself is never changed.
 */

export interface VisiblePiece {
  text: string;
  /** For a run of one hidden character: its code point, as in `U+202E`. */
  code: string | null;
  /** How often it stands there. */
  count: number;
}

// Combining signs stand alone: inside the brackets they would join what is before them.
const HIDDEN = "(?:\\u034f|\\u17b4|\\u17b5|[\\u00ad\\u061c\\u115f\\u1160\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\u{e0000}-\\u{e007f}])";
/** One hidden character and those equal to it. A joiner between two pictures makes one picture of them and is none. */
const RUN = new RegExp(`(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}]\\ufe0f?)\\u200d(?=\\p{Extended_Pictographic})|(${HIDDEN})\\1*`, "gu");
const ANY = new RegExp(HIDDEN, "u");

export function hasInvisible(text: string): boolean {
  return ANY.test(text);
}

/** Cuts a text into what is seen and what is not. Joined together the pieces are the text. */
export function visiblePieces(text: string): VisiblePiece[] {
  const pieces: VisiblePiece[] = [];
  let end = 0;
  for (const match of text.matchAll(RUN)) {
    const [run, sign] = match;
    if (sign === undefined) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), code: null, count: 1 });
    pieces.push({ text: run, code: codeOf(sign), count: run.length / sign.length });
    end = match.index + run.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), code: null, count: 1 });
  return pieces;
}

/** Returns the number of runs of hidden characters, counted up to a limit. */
export function countInvisible(text: string, limit: number): number {
  if (!hasInvisible(text)) return 0;
  let count = 0;
  for (const [, sign] of text.matchAll(RUN)) {
    if (sign !== undefined) count += 1;
    if (count >= limit) break;
  }
  return count;
}

function codeOf(sign: string): string {
  return `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
