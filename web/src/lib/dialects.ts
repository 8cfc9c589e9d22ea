/** What a wire format is called, and what its calls are for. */
import type { Dialect } from "@/api/types";

import type { MessageKey } from "./i18n/en";

/** What is done beside talking; lists mark it. */
export type SideCall = "count" | "embed" | "images" | "audio" | "moderation" | "models" | "batch" | "predict";

const SIDE_CALLS: Partial<Record<Dialect, SideCall>> = {
  openai_input_tokens: "count",
  openai_embeddings: "embed",
  openai_images: "images",
  openai_audio: "audio",
  openai_moderations: "moderation",
  models: "models",
  anthropic_count_tokens: "count",
  anthropic_batches: "batch",
  gemini_embed: "embed",
  gemini_count_tokens: "count",
  gemini_predict: "predict",
  bedrock_count_tokens: "count",
  ollama_embed: "embed",
  cohere_embed: "embed",
};

/** `null` for a conversation with a model. */
export function sideCall(dialect: Dialect | null | undefined): SideCall | null {
  return dialect == null ? null : (SIDE_CALLS[dialect] ?? null);
}

/** Calls that no provider lets anyone pay for. */
export function isFree(dialect: Dialect | null | undefined): boolean {
  const call = sideCall(dialect);
  return call === "count" || call === "models";
}

/** Whether tokens are to be expected at all. */
export function hasUsage(dialect: Dialect | null | undefined): boolean {
  const call = sideCall(dialect);
  return dialect != null && call !== "models" && call !== "moderation" && call !== "batch";
}

export function dialectLabel(dialect: Dialect): MessageKey {
  return `dialect.${dialect}`;
}
