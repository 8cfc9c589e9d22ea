/** Arguments of a tool call as key and value. What is no object stays raw. */

export interface Argument {
  key: string;
  /** What is shown: strings as they are, everything else as JSON. */
  text: string;
  kind: "string" | "number" | "word" | "json";
}

/** Returns `null` where the text is no JSON object, or not yet. */
export function argumentsOf(text: string): Argument[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return Object.entries(value).map(([key, member]) => ({ key, ...show(member) }));
}

function show(value: unknown): Pick<Argument, "text" | "kind"> {
  if (typeof value === "string") return { text: value, kind: "string" };
  if (typeof value === "number") return { text: String(value), kind: "number" };
  if (typeof value === "object" && value !== null) return { text: JSON.stringify(value, null, 2), kind: "json" };
  return { text: String(value), kind: "word" };
}
