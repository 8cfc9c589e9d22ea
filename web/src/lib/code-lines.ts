/**
 * A body as lines. JSON is laid out by its tokens alone, without being parsed: numbers, escapes and repeated keys stand
 * as they were sent, and 10 MB take one pass. What is no JSON is cut at its line ends.
 */

/** Longer lines go on in the next row, so that everything can be seen and found. */
const ROW_CHARS_MAX = 240;
/** Deeper nesting is no longer indented, or the spaces would outgrow the body. */
const INDENT_DEPTH_MAX = 40;

export interface CodeLines {
  kind: "json" | "text";
  text: string;
  /** Where each row starts in `text`, and one past its end. */
  starts: Uint32Array;
  /** The line that begins in each row, from 1; 0 where a long line goes on. */
  numbers: Uint32Array;
  /** For a row that opens an object or array: the row that closes it; else -1. */
  closes: Int32Array;
}

/** `whole`: the text is all of the body, so that JSON must be closed at its end. */
export function linesOf(text: string, whole = true): CodeLines {
  return looksLikeJson(text) ? (layOut(text, whole) ?? cutLines(text)) : cutLines(text);
}

function cutLines(text: string): CodeLines {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0 && at + 1 < text.length; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return finish("text", text, starts, new Map());
}

/** Number of rows. */
export function lineCount(lines: CodeLines): number {
  return lines.starts.length - 1;
}

export function lineText(lines: CodeLines, line: number): string {
  const text = lines.text.slice(lines.starts[line] ?? 0, lines.starts[line + 1] ?? 0);
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

/** The row in which the character at `offset` stands. */
export function lineAt(lines: CodeLines, offset: number): number {
  let low = 0;
  let high = lines.starts.length - 1;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if ((lines.starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}

function looksLikeJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}

/** Returns `null` where brackets, strings or separators do not fit together. */
function layOut(source: string, whole: boolean): CodeLines | null {
  const out: string[] = [];
  const starts = [0];
  const closes = new Map<number, number>();
  const open: { close: string; line: number }[] = [];
  let length = 0;
  const put = (text: string) => { out.push(text); length += text.length; };
  const newLine = () => {
    put("\n");
    starts.push(length);
    put("  ".repeat(Math.min(open.length, INDENT_DEPTH_MAX)));
  };
  let at = skipSpace(source, 0);
  while (at < source.length) {
    const sign = source.charAt(at);
    if (sign === "{" || sign === "[") {
      const close = sign === "{" ? "}" : "]";
      const next = skipSpace(source, at + 1);
      if (source.charAt(next) === close) {
        put(sign + close);
        at = next + 1;
      } else {
        open.push({ close, line: starts.length - 1 });
        put(sign);
        newLine();
        at = next;
      }
    } else if (sign === "}" || sign === "]") {
      const opened = open.pop();
      if (opened?.close !== sign) return null;
      newLine();
      closes.set(opened.line, starts.length - 1);
      put(sign);
      at += 1;
    } else if (sign === ",") {
      put(",");
      newLine();
      at += 1;
    } else if (sign === ":") {
      put(": ");
      at += 1;
    } else {
      const found = sign === '"' ? endOfString(source, at) : endOfWord(source, at);
      const end = found < 0 && !whole ? source.length : found;
      if (end <= at) return null;
      put(source.slice(at, end));
      at = end;
    }
    at = skipSpace(source, at);
    if (open.length === 0 && at < source.length) return null;
  }
  return open.length === 0 || !whole ? finish("json", out.join(""), starts, closes) : null;
}

/** Breaks long lines into rows, and turns what was said of lines into what is said of rows. */
function finish(kind: "json" | "text", text: string, lines: number[], closes: Map<number, number>): CodeLines {
  const starts: number[] = [];
  const numbers: number[] = [];
  const rowOf = new Uint32Array(lines.length);
  lines.forEach((start, line) => {
    rowOf[line] = starts.length;
    const end = lines[line + 1] ?? text.length;
    starts.push(start);
    numbers.push(line + 1);
    for (let at = nextRow(text, start); at < end - 1; at = nextRow(text, at)) {
      starts.push(at);
      numbers.push(0);
    }
  });
  starts.push(text.length);
  const close = new Int32Array(numbers.length).fill(-1);
  for (const [line, end] of closes) close[rowOf[line] ?? 0] = rowOf[end] ?? 0;
  return { kind, text, starts: Uint32Array.from(starts), numbers: Uint32Array.from(numbers), closes: close };
}

/** Never between the halves of a surrogate pair. */
function nextRow(text: string, from: number): number {
  const at = from + ROW_CHARS_MAX;
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

/** One past the closing quote; -1 where there is none. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charAt(at - 1 - escapes) === "\\") escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  return -1;
}

function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[\w.+-]/.test(text.charAt(at))) at += 1;
  return at;
}
