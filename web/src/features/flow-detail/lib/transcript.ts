/**
 * A reading as the items of a transcript, one for each part, so that a long conversation is drawn item by item.
 *
 * What the last turn added stands open; what stood before the model's last answer is one fold. Nothing is left out:
 * every part of the reading is an item, a mark on one, one of a list of its like, or inside the fold.
 */
import type { Detail, Embeddings, Media, Message, Part, Reading, Tool, ToolCall, Tokens } from "@/api/types";
import { sideCall } from "@/lib/dialects";
import type { TokenKind } from "@/lib/usage";

import { withBreakpoints } from "./breakpoints";
import { promptSpine } from "./spine";
import { utf8Bytes } from "./text-size";

/** Raw parts of one name from which on they are one list. */
const LIST_MIN = 3;

export type Speaker = "system" | "user" | "assistant" | "tool" | "thinking" | "other";

interface ItemBase {
  key: string;
  bytes: number;
  spine: TokenKind | null;
}

export type TranscriptItem =
  | (ItemBase & { kind: "system"; parts: readonly Part[] })
  | (ItemBase & { kind: "tools"; tools: readonly Tool[] })
  | (ItemBase & { kind: "earlier"; count: number })
  | (ItemBase & PartItem)
  | (ItemBase & { kind: "raws"; name: string; speaker: Speaker; raws: readonly unknown[] })
  | (ItemBase & { kind: "vectors"; embeddings: Embeddings })
  | (ItemBase & { kind: "count"; tokens: number })
  | (ItemBase & { kind: "answer"; index: number })
  | (ItemBase & { kind: "end"; stop: string | null });

export interface PartItem {
  kind: "part";
  part: Part;
  /** A cache breakpoint behind it, as the wire gave it. */
  cache: unknown;
  speaker: Speaker;
  /** The speaker's own name, where it has one. */
  name: string | null;
  /** The first part that this speaker says in its message: the speaker is named. */
  first: boolean;
  /** Added by this turn. */
  isNew: boolean;
  /** For a tool's result: the call that it answers. */
  call: ToolCall | null;
  /** Part of the answer rather than of the prompt. */
  answer: boolean;
  /** Still growing. */
  live: boolean;
}

export interface TranscriptOptions {
  showEarlier: boolean;
  running: boolean;
}

export function transcriptOf(reading: Reading, options: TranscriptOptions): TranscriptItem[] {
  return [...promptItems(reading, options), ...answerItems(reading, options.running)];
}

/** Whether a codec made anything of the flow. */
export function isRead(detail: Detail): boolean {
  return detail.reading.dialect != null;
}

function promptItems({ request, tokens }: Reading, options: TranscriptOptions): TranscriptItem[] {
  const items: TranscriptItem[] = [];
  const base = { spine: null };
  // In the order in which providers hash a prompt: tools, system, messages.
  if (request.tools.length > 0) {
    items.push({ ...base, kind: "tools", key: "tools", tools: request.tools, bytes: sum(request.tools.map(({ bytes }) => bytes)) });
  }
  if (request.system.length > 0) {
    items.push({ ...base, kind: "system", key: "system", parts: request.system, bytes: sum(withBreakpoints(request.system).map(({ part }) => partBytes(part))) });
  }
  const calls = callsOf(request.messages);
  const fresh = firstNew(request.messages);
  const earlier: TranscriptItem[] = [];
  request.messages.forEach((message, at) => {
    const parts = messageItems(message, `m${at}`, calls, at >= fresh);
    (at < fresh ? earlier : items).push(...withLists(parts));
    if (at === fresh - 1) items.push(...foldEarlier(earlier, fresh, options.showEarlier));
  });
  return withSpine(items, tokens);
}

/** The messages after the model's last one are what this turn added. */
function firstNew(messages: readonly Message[]): number {
  return messages.findLastIndex(({ role }) => role === "assistant") + 1;
}

function foldEarlier(earlier: TranscriptItem[], count: number, open: boolean): TranscriptItem[] {
  const fold: TranscriptItem = { kind: "earlier", key: "earlier", count, bytes: sum(earlier.map(({ bytes }) => bytes)), spine: null };
  return open ? [{ ...fold, bytes: 0 }, ...earlier] : [fold];
}

function messageItems(message: Message, key: string, calls: ReadonlyMap<string, ToolCall>, isNew: boolean): (ItemBase & PartItem)[] {
  const parts = withBreakpoints(message.parts);
  const speakers = parts.map(({ part }) => speakerOf(message, part));
  return parts.map(({ part, cache }, at) => ({
    kind: "part",
    key: `${key}.${at}`,
    part,
    cache,
    speaker: speakers[at] ?? "other",
    name: message.name ?? null,
    first: speakers[at] !== speakers[at - 1],
    isNew,
    call: part.kind === "tool_result" && part.call_id != null ? (calls.get(part.call_id) ?? null) : null,
    answer: false,
    live: false,
    bytes: partBytes(part),
    spine: null,
  }));
}

/** Raw parts of one name in a row, such as the models of a list, become one item. */
function withLists(items: readonly (ItemBase & PartItem)[]): TranscriptItem[] {
  const found: TranscriptItem[] = [];
  for (let at = 0; at < items.length; at = endOfLike(items, at)) {
    const alike = items.slice(at, endOfLike(items, at));
    const first = alike[0];
    if (first?.part.kind !== "other" || alike.length < LIST_MIN) {
      found.push(...alike);
      continue;
    }
    const { key, speaker, spine } = first;
    const raws = alike.map(({ part }) => (part.kind === "other" ? part.raw : null));
    found.push({ kind: "raws", key: `${key}+`, name: first.part.name, speaker, raws, bytes: sum(alike.map(({ bytes }) => bytes)), spine });
  }
  return found;
}

/** One past the last of the raw parts that have the name of the one at `from`. */
function endOfLike(items: readonly PartItem[], from: number): number {
  const first = items[from]?.part;
  if (first?.kind !== "other") return from + 1;
  let end = from + 1;
  for (let part = items[end]?.part; part?.kind === "other" && part.name === first.name; part = items[end]?.part) end += 1;
  return end;
}

function answerItems({ dialect, response, tokens }: Reading, running: boolean): TranscriptItem[] {
  const items: TranscriptItem[] = [];
  const base = { bytes: 0, spine: null };
  if (response.embeddings != null) items.push({ ...base, kind: "vectors", key: "vectors", embeddings: response.embeddings });
  if (sideCall(dialect) === "count" && tokens.input != null) items.push({ ...base, kind: "count", key: "count", tokens: tokens.input });
  const several = response.choices.length > 1;
  response.choices.forEach((choice, at) => {
    if (several) items.push({ kind: "answer", key: `a${at}`, index: choice.index, bytes: 0, spine: null });
    const parts = messageItems(choice.message, `a${at}`, new Map(), false);
    const said = parts.map((item, n) => {
      const live = running && at === response.choices.length - 1 && n === parts.length - 1;
      return { ...item, answer: true, live, spine: item.part.kind === "thinking" ? "reasoning" as const : "output" as const };
    });
    items.push(...withLists(said));
    const stop = choice.stop_reason ?? choice.stop ?? null;
    if (stop !== null) items.push({ kind: "end", key: `e${at}`, stop, bytes: 0, spine: null });
  });
  return items;
}

function withSpine(items: TranscriptItem[], tokens: Tokens): TranscriptItem[] {
  const kinds = promptSpine(items.map(({ bytes }) => bytes), tokens);
  return items.map((item, at) => ({ ...item, spine: kinds[at] ?? null }));
}

function callsOf(messages: readonly Message[]): Map<string, ToolCall> {
  const calls = new Map<string, ToolCall>();
  for (const { parts } of messages) {
    for (const part of parts) if (part.kind === "tool_call" && part.id != null) calls.set(part.id, part);
  }
  return calls;
}

function speakerOf(message: Message, part: Part): Speaker {
  if (part.kind === "thinking") return "thinking";
  if (part.kind === "tool_result") return "tool";
  return message.role === "tool" ? "tool" : message.role;
}

export function partBytes(part: Part): number {
  switch (part.kind) {
    case "text":
    case "thinking":
    case "refusal":
      return utf8Bytes(part.text);
    case "tool_call":
      return utf8Bytes(part.arguments);
    case "tool_result":
      return sum(withBreakpoints(part.content).map((inner) => partBytes(inner.part)));
    case "image":
    case "audio":
    case "file":
      return mediaBytes(part.media) ?? 0;
    case "other":
      return utf8Bytes(JSON.stringify(part.raw) ?? "");
  }
}

/** Size of a picture, sound or file itself; `null` where its bytes are not in the body. */
export function mediaBytes({ bytes, data_chars: chars }: Pick<Media, "data_chars"> & { bytes?: number | null }): number | null {
  return bytes ?? (chars == null ? null : Math.floor(chars * 0.75));
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((whole, size) => whole + size, 0);
}
