import type { Reading } from "@/api/types";
import { decimal, duration, exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";

import { FactList, Section, type FactLine } from "./section";

/** What is counted beside tokens, and the tier that served the call. */
export function UnitsSection({ reading }: { reading: Reading }) {
  const t = useT();
  const { units, response } = reading;
  const facts: FactLine[] = [];
  if (units?.credits != null) facts.push({ name: t("units.credits"), value: <span title={units.credits}>{decimal(units.credits)}</span> });
  if (units?.audio_ms != null) facts.push({ name: t("units.audio"), value: duration(units.audio_ms * 1_000) });
  if (units?.images != null) facts.push({ name: t("units.images"), value: exact(units.images) });
  if (units?.characters != null) facts.push({ name: t("units.characters"), value: exact(units.characters) });
  if (units?.searches != null) facts.push({ name: t("units.searches"), value: exact(units.searches) });
  if (response.embeddings != null) facts.push({ name: t("units.vectors"), value: vectorsOf(response.embeddings, t("common.unknown")) });
  if (response.service_tier != null) facts.push({ name: t("units.tier"), value: response.service_tier, wire: true });
  return facts.length === 0 ? null : <Section title={t("units.title")}><FactList facts={facts} /></Section>;
}

/** `12 × 1,536`: how many, and how many numbers each has. */
export function vectorsOf({ count, dimensions }: { count: number; dimensions?: number | null }, unknown: string): string {
  return `${exact(count)} × ${dimensions == null ? unknown : exact(dimensions)}`;
}
