/**
 * The little Markdown that answers use, as data: paragraphs, headings, lists, quotes, code fences, inline code, bold,
 * italics, links. Everything else stays text. No HTML, no images: what is not known here is shown as it was written.
 */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong"; text: string }
  | { kind: "em"; text: string }
  | { kind: "link"; text: string; href: string };

export type Block =
  | { kind: "paragraph"; inlines: Inline[] }
  | { kind: "heading"; level: number; inlines: Inline[] }
  | { kind: "quote"; inlines: Inline[] }
  | { kind: "list"; ordered: boolean; start: number; items: { depth: number; inlines: Inline[] }[] }
  | { kind: "code"; language: string; text: string; open: boolean }
  | { kind: "rule" };

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)/;
const ITEM = /^( *)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;

export function parseMarkdown(source: string): Block[] {
  const lines = source.replaceAll("\r\n", "\n").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at);
    if (block !== null) blocks.push(block);
    at = next;
  }
  return blocks;
}

function readBlock(lines: string[], at: number): [Block | null, number] {
  const line = lines[at] ?? "";
  if (line.trim() === "") return [null, at + 1];
  const fence = FENCE.exec(line);
  if (fence !== null) return readFence(lines, at + 1, fence[1] ?? "```", fence[2] ?? "");
  const heading = HEADING.exec(line);
  if (heading !== null) return [{ kind: "heading", level: heading[1]?.length ?? 1, inlines: parseInlines(heading[2] ?? "") }, at + 1];
  if (RULE.test(line)) return [{ kind: "rule" }, at + 1];
  if (ITEM.test(line)) return readList(lines, at);
  if (QUOTE.test(line)) return readQuote(lines, at);
  return readParagraph(lines, at);
}

function readFence(lines: string[], from: number, mark: string, language: string): [Block, number] {
  const closing = new RegExp(`^ {0,3}${mark.charAt(0)}{${mark.length},}\\s*$`);
  let end = from;
  while (end < lines.length && !closing.test(lines[end] ?? "")) end += 1;
  const text = lines.slice(from, end).join("\n");
  return [{ kind: "code", language, text, open: end >= lines.length }, end + 1];
}

function readList(lines: string[], from: number): [Block, number] {
  const first = ITEM.exec(lines[from] ?? "");
  const ordered = first?.[3] !== undefined;
  const items: { depth: number; text: string }[] = [];
  let at = from;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const item = ITEM.exec(line);
    const last = items.at(-1);
    if (item !== null) items.push({ depth: Math.min(4, Math.floor((item[1]?.length ?? 0) / 2)), text: item[4] ?? "" });
    else if (last !== undefined && /^\s+\S/.test(line) && !FENCE.test(line)) last.text += `\n${line.trim()}`;
    else break;
  }
  const read = items.map(({ depth, text }) => ({ depth, inlines: parseInlines(text) }));
  return [{ kind: "list", ordered, start: Number(first?.[3] ?? 1), items: read }, at];
}

function readQuote(lines: string[], from: number): [Block, number] {
  const said: string[] = [];
  let at = from;
  for (; at < lines.length; at += 1) {
    const quote = QUOTE.exec(lines[at] ?? "");
    if (quote === null) break;
    said.push(quote[1] ?? "");
  }
  return [{ kind: "quote", inlines: parseInlines(said.join("\n")) }, at];
}

function readParagraph(lines: string[], from: number): [Block, number] {
  let at = from + 1;
  while (at < lines.length && !startsBlock(lines[at] ?? "")) at += 1;
  return [{ kind: "paragraph", inlines: parseInlines(lines.slice(from, at).join("\n")) }, at];
}

function startsBlock(line: string): boolean {
  return line.trim() === "" || FENCE.test(line) || HEADING.test(line) || ITEM.test(line) || QUOTE.test(line) || RULE.test(line);
}

/** Bounded repeats only, so that no text makes the expression slow. */
const INLINE =
  /(`{1,3})(?!`)([^\n]{1,2000}?)\1(?!`)|\*\*(?=\S)([^*\n]{1,2000})\*\*|(?<![\w*])\*(?=\S)([^*\n]{1,500})\*(?!\w)|\[([^\]\n]{1,500})\]\((https?:\/\/[^\s)]{1,2000})\)|(https?:\/\/[^\s<>"'`\]）】]{1,2000})/g;

export function parseInlines(text: string): Inline[] {
  const inlines: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) inlines.push({ kind: "text", text: text.slice(end, match.index) });
    const { inline, used } = readInline(match);
    inlines.push(inline);
    end = match.index + used;
  }
  if (end < text.length) inlines.push({ kind: "text", text: text.slice(end) });
  return inlines;
}

function readInline(match: RegExpExecArray): { inline: Inline; used: number } {
  const [whole, , code, strong, em, label, href, bare] = match;
  const used = whole.length;
  if (code !== undefined) return { inline: { kind: "code", text: code }, used };
  if (strong !== undefined) return { inline: { kind: "strong", text: strong }, used };
  if (em !== undefined) return { inline: { kind: "em", text: em }, used };
  if (label !== undefined && href !== undefined) return { inline: { kind: "link", text: label, href }, used };
  const url = (bare ?? whole).replace(/[.,;:!?)。，；：！？]+$/, "");
  return { inline: { kind: "link", text: url, href: url }, used: url.length };
}
