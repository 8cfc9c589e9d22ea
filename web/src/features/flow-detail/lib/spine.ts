/**
 * The token spine: how each part was billed.
 *
 * The wire says how many tokens were read from the cache, not which. Caches are prefixes, so the parts are laid on one
 * line by size, in the order in which they were sent, and cut where the counts say. It is a picture, not a figure.
 */
import type { TokenKind } from "@/lib/usage";

export interface PromptTokens {
  input?: number | null;
  cache_read?: number | null;
  cache_write?: number | null;
}

/** Returns one kind for each part of the prompt; `null` where the counts are unknown. */
export function promptSpine(sizes: readonly number[], tokens: PromptTokens): (TokenKind | null)[] {
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  if (tokens.input == null || tokens.input === 0) return sizes.map(() => null);
  const read = (tokens.cache_read ?? 0) / tokens.input;
  const written = read + (tokens.cache_write ?? 0) / tokens.input;
  let start = 0;
  return sizes.map((size) => {
    const middle = whole === 0 ? 1 : (start + size / 2) / whole;
    start += size;
    if (middle < read) return "read";
    return middle < written ? "write" : "fresh";
  });
}
