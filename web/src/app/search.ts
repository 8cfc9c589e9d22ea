/** What stands in the address. Unknown or broken parts are left out, never an error. */

export interface FlowSearch {
  /** The flow beside the list. */
  sel?: string | undefined;
  tab?: string | undefined;
  /** Right pane of a wide page. */
  side?: string | undefined;
  /** A place inside the flow: an event such as `evt:129`, or a byte of the body that is shown such as `byte:512`. */
  at?: string | undefined;
  follow?: "off" | undefined;
  /** A cleared view: only flows that began after this instant, in microseconds. */
  after?: number | undefined;
}

export function validateSearch(raw: Record<string, unknown>): FlowSearch {
  const after = Number(raw["after"]);
  return {
    sel: text(raw["sel"]),
    tab: text(raw["tab"]),
    side: text(raw["side"]),
    at: text(raw["at"]),
    follow: raw["follow"] === "off" ? "off" : undefined,
    after: raw["after"] !== undefined && Number.isSafeInteger(after) && after > 0 ? after : undefined,
  };
}

export function eventAt(at: string | undefined): number | null {
  return numberAfter("evt", at);
}

export function byteAt(at: string | undefined): number | null {
  return numberAfter("byte", at);
}

export function atEvent(index: number | null): string | undefined {
  return index === null ? undefined : `evt:${index}`;
}

export function atByte(offset: number): string {
  return `byte:${offset}`;
}

function numberAfter(kind: string, at = ""): number | null {
  const digits = at.startsWith(`${kind}:`) ? at.slice(kind.length + 1) : "";
  return /^\d{1,12}$/.test(digits) ? Number(digits) : null;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 200 ? value : undefined;
}
