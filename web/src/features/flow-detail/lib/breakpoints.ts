/**
 * Cache breakpoints. Where a codec hands one on as a part of its own, behind the block that it belongs to, it is put
 * back to that block: it is a mark, and nobody said it.
 */
import type { Part } from "@/api/types";

export interface MarkedPart {
  part: Part;
  /** The breakpoint behind the part, as the wire gave it; `null` where there is none. */
  cache: unknown;
}

/** A mark with no part before it belongs to the first part; alone it is no part at all. */
export function withBreakpoints(parts: readonly Part[]): MarkedPart[] {
  const marked: MarkedPart[] = [];
  let early: unknown = null;
  for (const part of parts) {
    const last = marked.at(-1);
    if (part.kind === "other" && part.name === "cache_control") {
      if (last === undefined) early = part.raw;
      else last.cache ??= part.raw;
    } else {
      const own = part.kind === "text" ? (part.cache ?? null) : null;
      marked.push({ part, cache: own ?? early });
      early = null;
    }
  }
  return marked;
}
