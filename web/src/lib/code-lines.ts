/**
 * A body as lines. JSON is laid out by its tokens alone, without being parsed: numbers, escapes and repeated keys stand
 * as they were sent, and 10 MB take one pass. What is no JSON is cut at its line ends.
 */

/** Deeper nesting is no longer indented, or the spaces would outgrow the body. */
const INDENT_DEPTH_MAX = 40;

export interface CodeLines {
  kind: "json" | "text";
  text: string;
  /** Where each line starts in `text`, and one past its end. */
  starts: Uint32Array;
  /** For a line that opens an object or array: the line that closes it; else -1. */
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

/** Number of lines. */
export function lineCount(lines: CodeLines): number {
  return lines.starts.length - 1;
}

export function lineText(lines: CodeLines, line: number): string {
  const text = lines.text.slice(lines.starts[line] ?? 0, lines.starts[line + 1] ?? 0);
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

/** The line in which the character at `offset` stands. */
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

function finish(kind: "json" | "text", text: string, lines: number[], closes: Map<number, number>): CodeLines {
  const starts = new Uint32Array(lines.length + 1);
  starts.set(lines);
  starts[lines.length] = text.length;
  const close = new Int32Array(lines.length).fill(-1);
  for (const [line, end] of closes) close[line] = end;
  return { kind, text, starts, closes: close };
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
