/** Where a text stands in a body. */
import type { CodeLines } from "./code-lines";

/** More are counted as this many; nobody steps through them. */
export const MATCHES_MAX = 9_999;

export interface Match {
  /** First character in the text, and one past the last. */
  from: number;
  to: number;
}

/** Finds a text without regard to case. */
export function findAll(lines: CodeLines, query: string): Match[] {
  const wanted = query.toLowerCase();
  if (wanted === "") return [];
  const folded = lines.text.toLowerCase();
  // A few letters change their length when folded; positions would then be off, so their case counts.
  const text = folded.length === lines.text.length ? folded : lines.text;
  const found: Match[] = [];
  for (let at = text.indexOf(wanted); at >= 0 && found.length < MATCHES_MAX; at = text.indexOf(wanted, at + wanted.length)) {
    found.push({ from: at, to: at + wanted.length });
  }
  return found;
}

/** The matches that stand in a stretch of the text, wholly or in part. They are in order and do not overlap. */
export function matchesIn(matches: readonly Match[], from: number, to: number): Match[] {
  let low = 0;
  let high = matches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((matches[middle]?.to ?? 0) <= from) low = middle + 1;
    else high = middle;
  }
  const found: Match[] = [];
  for (let at = low; at < matches.length; at += 1) {
    const match = matches[at];
    if (match === undefined || match.from >= to) break;
    found.push(match);
  }
  return found;
}
