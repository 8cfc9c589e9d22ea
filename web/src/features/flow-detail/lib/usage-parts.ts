/** The counts of a call as lines of a table, and what a gateway counted beside them. */
import type { Tokens, WireUsage } from "@/api/types";
import { usageOf, type TokenKind } from "@/lib/usage";

export type PartName =
  | "input" | "read" | "write" | "write1h" | "fresh" | "inputAudio" | "inputImage" | "readAudio"
  | "output" | "reasoning" | "rest" | "outputAudio" | "outputImage" | "total";

export interface UsagePart {
  name: PartName;
  /** `null` where the wire does not say. */
  count: number | null;
  /** Its colour in the usage bar; `null` for sums and for parts that cross the kinds. */
  kind: TokenKind | null;
  /** 0 for sums, 1 for what they are made of, 2 for a part of that. */
  depth: 0 | 1 | 2;
}

/** Many providers name these as 0 in every answer, which says nothing. */
const MODALITIES: ReadonlySet<PartName> = new Set(["readAudio", "inputAudio", "inputImage", "outputAudio", "outputImage"]);

/** Sums always stand; of their parts those that the wire names. Parts of depth 1 with a kind add up to their sum. */
export function partsOf(tokens: Tokens): UsagePart[] {
  const usage = usageOf(tokens);
  const total = tokens.total ?? (tokens.input == null || tokens.output == null ? null : tokens.input + tokens.output);
  const splitIn = usage.read !== null || usage.write !== null;
  const parts: UsagePart[] = [
    { name: "input", count: tokens.input ?? null, kind: splitIn ? null : "fresh", depth: 0 },
    { name: "read", count: usage.read, kind: "read", depth: 1 },
    { name: "readAudio", count: tokens.cache_read_audio ?? null, kind: null, depth: 2 },
    { name: "write", count: usage.write, kind: "write", depth: 1 },
    { name: "write1h", count: tokens.cache_write_1h ?? null, kind: null, depth: 2 },
    { name: "fresh", count: splitIn ? usage.fresh : null, kind: "fresh", depth: 1 },
    { name: "inputAudio", count: tokens.input_audio ?? null, kind: null, depth: 1 },
    { name: "inputImage", count: tokens.input_image ?? null, kind: null, depth: 1 },
    { name: "output", count: tokens.output ?? null, kind: usage.reasoning === null ? "output" : null, depth: 0 },
    { name: "reasoning", count: usage.reasoning, kind: "reasoning", depth: 1 },
    { name: "rest", count: usage.reasoning === null ? null : usage.output, kind: "output", depth: 1 },
    { name: "outputAudio", count: tokens.output_audio ?? null, kind: null, depth: 1 },
    { name: "outputImage", count: tokens.output_image ?? null, kind: null, depth: 1 },
    { name: "total", count: total, kind: null, depth: 0 },
  ];
  return parts.filter(({ name, depth, count }) => depth === 0 || (count !== null && (count > 0 || !MODALITIES.has(name))));
}

export const WIRE_COUNTS = ["input", "output", "cache_read", "cache_write", "reasoning", "total"] as const;
export type WireCount = (typeof WIRE_COUNTS)[number];

export interface Difference {
  name: WireCount;
  model: number | null;
  gateway: number;
}

/** What a gateway counted otherwise than the model's own usage says; nothing where both agree. */
export function differences(usage: WireUsage | null | undefined, metrics: WireUsage | null | undefined): Difference[] {
  return WIRE_COUNTS.flatMap((name) => {
    const gateway = metrics?.[name] ?? null;
    const model = usage?.[name] ?? null;
    return gateway === null || gateway === model ? [] : [{ name, model, gateway }];
  });
}
