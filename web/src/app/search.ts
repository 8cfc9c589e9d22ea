/** What stands in the address. Unknown or broken parts are left out, never an error. */

export interface FlowSearch {
  /** The flow beside the list. */
  sel?: string | undefined;
  tab?: string | undefined;
  /** Right pane of a wide page. */
  side?: string | undefined;
  /** A place inside the flow, such as `evt:129`. */
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
  const index = /^evt:(\d{1,9})$/.exec(at ?? "")?.[1];
  return index === undefined ? null : Number(index);
}

export function atEvent(index: number | null): string | undefined {
  return index === null ? undefined : `evt:${index}`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 200 ? value : undefined;
}
