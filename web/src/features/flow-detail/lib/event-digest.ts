/**
 * What an event of a stream brought, in a few words for one line of a table. It looks for the few keys under which
 * formats put what grows; it is no codec, and what it does not know is shown as it came.
 */

/** Characters that can be seen in one line. */
const DIGEST_CHARS_MAX = 300;
/** Longer data is not parsed for one line of it. */
const DATA_CHARS_MAX = 65_536;

const TEXT_KEYS = ["text", "thinking", "partial_json", "content", "reasoning_content", "reasoning", "refusal", "arguments"] as const;

export interface Digest {
  text: string;
  /** The words that the event brought; otherwise its data as it came. */
  words: boolean;
}

export function digestOf(data: string): Digest {
  const words = wordsOf(data);
  return words === "" ? { text: data.slice(0, DIGEST_CHARS_MAX), words: false } : { text: oneLine(words), words: true };
}

function wordsOf(data: string): string {
  if (data.length > DATA_CHARS_MAX) return "";
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return "";
  }
  // Some formats wrap each event in an array.
  return (Array.isArray(value) ? value : [value]).map(eventWords).join("");
}

function eventWords(event: unknown): string {
  if (!isObject(event)) return "";
  const places = [
    event["delta"],
    event["content_block"],
    ...items(event["choices"]).map((choice) => member(choice, "delta")),
    ...items(event["candidates"]).flatMap((candidate) => items(member(member(candidate, "content"), "parts"))),
    ...items(event["parts"]),
    event["message"],
  ];
  return places.map(grown).join("");
}

/** The text or the arguments in one place. */
function grown(place: unknown): string {
  if (typeof place === "string") return place;
  if (!isObject(place)) return "";
  const texts = TEXT_KEYS.map((key) => place[key]).filter((text): text is string => typeof text === "string");
  const calls = items(place["tool_calls"]).map((call) => callWords(member(call, "function")));
  return [...texts, ...calls, callWords(place["functionCall"])].join("");
}

function callWords(call: unknown): string {
  if (!isObject(call)) return "";
  const { name, arguments: text, args } = call;
  const given = typeof text === "string" ? text : args === undefined ? "" : JSON.stringify(args);
  return typeof name === "string" ? `${name}(${given}` : given;
}

/** Line ends stay in sight; spaces alone are put in quotes. */
function oneLine(words: string): string {
  const shown = words.slice(0, DIGEST_CHARS_MAX);
  return (shown.trim() === "" ? JSON.stringify(shown) : shown).replace(/\r\n|\r|\n/g, "↵");
}

function items(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function member(value: unknown, key: string): unknown {
  return isObject(value) ? value[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
