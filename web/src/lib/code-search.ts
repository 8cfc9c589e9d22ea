/** Where a text stands in a body. */
import { lineAt, type CodeLines } from "./code-lines";

/** More are counted as this many; nobody steps through them. */
export const MATCHES_MAX = 9_999;

export interface Match {
  line: number;
  /** First and last character within the line. */
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
    const line = lineAt(lines, at);
    const from = at - (lines.starts[line] ?? 0);
    found.push({ line, from, to: from + wanted.length });
  }
  return found;
}
