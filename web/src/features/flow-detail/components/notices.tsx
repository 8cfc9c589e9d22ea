import type { BodyFacts, Exchange } from "@/api/types";
import { bytes } from "@/lib/format";
import { useT, type Translate } from "@/lib/i18n/i18n";
import { Banner } from "@/ui/banner";

/** What the record lacks, in words. */
export function Notices({ exchange }: { exchange: Exchange }) {
  const t = useT();
  const notes = [...bodyNotes(exchange.request_body, t), ...bodyNotes(exchange.response_body, t)];
  return notes.map((note) => <Banner key={note} tone="held">{note}</Banner>);
}

function bodyNotes(body: BodyFacts, t: Translate): string[] {
  const notes: string[] = [];
  const gaps = body.gaps ?? [];
  if (gaps.length > 0) notes.push(t("note.gap", { n: gaps.length, size: bytes(gaps.reduce((sum, gap) => sum + gap.bytes, 0)) }));
  if (body.truncated) notes.push(t("note.truncated", { kept: bytes(body.bytes), whole: bytes(body.wire_bytes) }));
  if (body.decode_error != null) notes.push(t("note.decodeError", { coding: body.coding ?? "–", message: body.decode_error }));
  return notes;
}
