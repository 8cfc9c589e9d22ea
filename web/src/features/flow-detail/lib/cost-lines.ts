/** Where the cost of a call stands, and the words of its arithmetic. */
import type { CostLine, Detail } from "@/api/types";
import { isFree } from "@/lib/dialects";
import { duration, exact } from "@/lib/format";
import type { MessageKey } from "@/lib/i18n/en";
import type { Translate } from "@/lib/i18n/i18n";
import type { TokenKind } from "@/lib/usage";

/** Why there is a cost or none. */
export type CostState = "known" | "running" | "credits" | "free" | "uncounted" | "unpriced";

export function costState({ flow, reading }: Detail): CostState {
  if (reading.cost != null) return "known";
  if (flow.end == null) return "running";
  if (reading.units?.credits != null) return "credits";
  if (isFree(reading.dialect)) return "free";
  const { tokens, units } = reading;
  const counted = tokens.input != null || tokens.output != null || Object.values(units ?? {}).some((count) => count != null);
  return counted ? "unpriced" : "uncounted";
}

/** What can be paid, each with the token kind that it belongs to. */
const KINDS = {
  input: "fresh", cache_read: "read", cache_write: "write", cache_write_1h: "write", cache_read_audio: "read", cache_read_image: "read",
  input_audio: "fresh", input_image: "fresh", output: "output", reasoning: "reasoning", output_audio: "output", output_image: "output",
  request: null, search: null, image: null, audio_ms: null, character: null,
} as const satisfies Record<string, TokenKind | null>;

export type Paid = keyof typeof KINDS;

function isPaid(what: string): what is Paid {
  return Object.hasOwn(KINDS, what);
}

export function paidKind(what: string): TokenKind | null {
  return isPaid(what) ? KINDS[what] : null;
}

/** The name of what is paid; the API's own word where it is new to the page. */
export function paidLabel(what: string, t: Translate): string {
  return isPaid(what) ? t(`paid.${what}` satisfies MessageKey) : what;
}

/** How many of it; lengths of sound are counted in milliseconds. */
export function paidCount({ what, count }: Pick<CostLine, "what" | "count">): string {
  return what === "audio_ms" ? duration(count * 1_000) : exact(count);
}

/** What the price is for. */
export function priceUnit({ what, per }: Pick<CostLine, "what" | "per">, t: Translate): string {
  if (what === "audio_ms" && per === 3_600_000) return t("cost.perHour");
  if (per === 1_000_000) return t("cost.perMillion");
  return per === 1 ? t("cost.perOne") : t("cost.perMany", { n: exact(per) });
}

/** `3 search` of the API in words. */
export function unpricedLabel(text: string, t: Translate): string {
  const parts = /^(\d{1,15}) (\w+)$/.exec(text);
  const what = parts?.[2] ?? "";
  if (!isPaid(what)) return text;
  return `${paidCount({ what, count: Number(parts?.[1]) })} ${paidLabel(what, t)}`;
}

/** The lines that set a price of one's own for a model, as the configuration reads them. They set none before edited. */
export function priceOverride(provider: string | null, model: string): string {
  const pattern = JSON.stringify(provider === null ? model : `${provider}/${model}`);
  return `[prices.${pattern}]\n# input = 3.00\n# output = 15.00\n`;
}
