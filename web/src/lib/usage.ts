/** Usage as five kinds that add up to the total, always in the same order: read, write, fresh, reasoning, output. */

export type TokenKind = "read" | "write" | "fresh" | "reasoning" | "output";

export const TOKEN_KINDS: readonly TokenKind[] = ["read", "write", "fresh", "reasoning", "output"];

export interface TokenCounts {
  input?: number | null;
  output?: number | null;
  cache_read?: number | null;
  cache_write?: number | null;
  reasoning?: number | null;
  total?: number | null;
}

/** One count per kind; `null` where the wire does not say. */
export type Usage = Record<TokenKind, number | null>;

/** Splits normalised counts, in which `input` holds the cached tokens and `output` the reasoning. */
export function usageOf(tokens: TokenCounts): Usage {
  const read = tokens.cache_read ?? null;
  const write = tokens.cache_write ?? null;
  const reasoning = tokens.reasoning ?? null;
  return {
    read,
    write,
    fresh: tokens.input == null ? null : Math.max(0, tokens.input - (read ?? 0) - (write ?? 0)),
    reasoning,
    output: tokens.output == null ? null : Math.max(0, tokens.output - (reasoning ?? 0)),
  };
}

export function isKnown(usage: Usage): boolean {
  return TOKEN_KINDS.some((kind) => usage[kind] !== null);
}

/** The sum of what is known; `null` where nothing is. */
export function totalOf(tokens: TokenCounts): number | null {
  if (tokens.total != null) return tokens.total;
  if (tokens.input == null && tokens.output == null) return null;
  return (tokens.input ?? 0) + (tokens.output ?? 0);
}

export interface Pace {
  state: string;
  duration_us?: number | null;
  ttft_us?: number | null;
}

/** Output tokens a second once the first one was there; `null` where that cannot be said, as of a flow that broke. */
export function tokensPerSecond(tokens: TokenCounts, { state, duration_us: durationUs, ttft_us: ttftUs }: Pace): number | null {
  if (state !== "completed" || tokens.output == null || durationUs == null || ttftUs == null) return null;
  const us = durationUs - ttftUs;
  return us <= 0 ? null : (tokens.output * 1_000_000) / us;
}
