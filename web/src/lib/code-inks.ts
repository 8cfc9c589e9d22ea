/** One line of laid-out JSON as pieces in four inks. Anything else is plain. */

export type Ink = "key" | "string" | "number" | "word" | "plain";

export interface Piece {
  text: string;
  ink: Ink;
}

const TOKEN = /("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)/g;

export function inksOf(line: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of line.matchAll(TOKEN)) {
    if (match.index > end) pieces.push({ text: line.slice(end, match.index), ink: "plain" });
    const [whole, string, colon, number] = match;
    if (string !== undefined) {
      pieces.push({ text: string, ink: colon === undefined ? "string" : "key" });
      if (colon !== undefined) pieces.push({ text: colon, ink: "plain" });
    } else {
      pieces.push({ text: whole, ink: number === undefined ? "word" : "number" });
    }
    end = match.index + whole.length;
  }
  if (end < line.length) pieces.push({ text: line.slice(end), ink: "plain" });
  return pieces;
}
