/** How a flow ended, in words: what happened, whose doing it was, whether trying again helps. */
import type { Detail, ErrorReading } from "@/api/types";
import { duration } from "@/lib/format";
import type { MessageKey } from "@/lib/i18n/en";
import type { Translate } from "@/lib/i18n/i18n";

export interface Explanation {
  tone: "fail" | "plain" | "held";
  title: string;
  /** What the other side or the monitor said, word for word. */
  said: string | null;
  facts: Fact[];
}

export interface Fact {
  name: string;
  value: string;
  /** It stood on the wire, word for word. */
  wire: boolean;
}

export function explain({ flow, exchange, reading }: Detail, t: Translate): Explanation[] {
  const found: Explanation[] = [];
  const { response } = reading;
  if (response.error != null) found.push(errorOf(response.error, t));
  // The cause comes before what it left behind.
  const end = flow.end ?? null;
  if (end === "client_abort") {
    const title = flow.duration_us == null ? t("end.client_abort_unknown") : t("end.client_abort", { duration: duration(flow.duration_us) });
    found.push({ tone: "plain", title, said: null, facts: [] });
  } else if (end !== null && end !== "ended" && !(end === "upstream_error" && response.error != null)) {
    const failure = exchange.failure ?? null;
    found.push({ tone: "fail", title: t(`end.${end}`), said: failure?.message ?? null, facts: failure === null ? [] : [said("error.cause", t(`fault.${failure.fault}`), t), said("error.kind", t(`failure.${failure.kind}`), t)] });
  }
  if (response.block_reason != null) found.push({ tone: "held", title: t("note.blocked", { reason: response.block_reason }), said: null, facts: [] });
  if (response.outcome === "stream_error") found.push({ tone: "held", title: t("note.streamError"), said: null, facts: [] });
  if (response.outcome === "stream_truncated") found.push({ tone: "held", title: t("note.streamTruncated"), said: null, facts: [] });
  const stop = response.choices[0]?.stop;
  if (stop === "length") found.push({ tone: "held", title: t("note.length"), said: null, facts: [] });
  if (stop === "content_filter") found.push({ tone: "held", title: t("note.filter"), said: null, facts: [] });
  return found;
}

function errorOf(error: ErrorReading, t: Translate): Explanation {
  const facts: Fact[] = [];
  if (error.class != null) facts.push(said("error.kind", t(`errorClass.${error.class}`), t));
  if (error.fault != null) facts.push(said("error.cause", t(`fault.${error.fault}`), t));
  if (error.retryable != null) facts.push(said("error.again", t(error.retryable ? "error.retryable" : "error.notRetryable"), t));
  if (error.retry_after_us != null) facts.push(said("error.retryAfter", duration(error.retry_after_us), t));
  if (error.status != null) facts.push({ ...said("error.status", String(error.status), t), wire: true });
  if (error.type != null) facts.push({ ...said("error.type", error.type, t), wire: true });
  if (error.code != null) facts.push({ ...said("error.code", error.code, t), wire: true });
  return { tone: "fail", title: error.class == null ? t("error.unclassified") : t(`error.${error.class}`), said: error.message ?? null, facts };
}

function said(name: MessageKey, value: string, t: Translate): Fact {
  return { name: t(name), value, wire: false };
}
