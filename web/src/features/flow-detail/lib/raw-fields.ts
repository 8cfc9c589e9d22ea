/**
 * A raw value as names and values. It knows no provider: members of an object, and of the objects in it, one line
 * each; what lies deeper stays JSON.
 */
import type { Argument } from "./tool-arguments";

/** More lines are no overview; the raw text is. */
export const RAW_FIELDS_MAX = 60;
/** Characters of a summary. */
const SUMMARY_CHARS = 160;
const NAMES = ["id", "name", "model", "title", "type"];

/** Returns `null` where the value is no object, empty, or too long for an overview. */
export function rawFields(raw: unknown): Argument[] | null {
  if (!isObject(raw)) return null;
  const fields: Argument[] = [];
  for (const [key, value] of Object.entries(raw)) {
    const inner = isObject(value) ? Object.entries(value) : [];
    if (inner.length === 0) fields.push(fieldOf(key, value));
    else for (const [name, member] of inner) fields.push(fieldOf(`${key}.${name}`, member));
    if (fields.length > RAW_FIELDS_MAX) return null;
  }
  return fields.length === 0 ? null : fields;
}

/** What a raw value calls itself, or its beginning. */
export function rawSummary(raw: unknown): string {
  if (isObject(raw)) {
    for (const name of NAMES) {
      const value = raw[name];
      if (typeof value === "string" && value !== "") return value.slice(0, SUMMARY_CHARS);
    }
  }
  return typeof raw === "string" ? raw.slice(0, SUMMARY_CHARS) : (JSON.stringify(raw) ?? "").slice(0, SUMMARY_CHARS);
}

function fieldOf(key: string, value: unknown): Argument {
  if (typeof value === "string") return { key, text: value, kind: "string" };
  if (typeof value === "number") return { key, text: String(value), kind: "number" };
  if (typeof value === "object" && value !== null) return { key, text: JSON.stringify(value), kind: "json" };
  return { key, text: String(value), kind: "word" };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
