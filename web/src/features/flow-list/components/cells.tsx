import type { CSSProperties } from "react";

import type { Row } from "@/api/types";
import { dialectLabel, hasUsage } from "@/lib/dialects";
import { clock, compact, duration, exact, instant, seconds, shortModel } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { isKnown, totalOf, usageOf } from "@/lib/usage";
import { EstimateMark } from "@/ui/estimate-mark";
import { StateGlyph } from "@/ui/state-glyph";
import { UsageBar } from "@/ui/usage-bar";
import { VendorMark, vendorLetter } from "@/ui/vendor-mark";

import { barOf, elapsedUs, isRunning } from "../lib/waterfall";

export interface CellProps {
  row: Row;
  /** The time of day; 0 for rows that do not run. */
  nowUs: number;
}

export function TimeCell({ row }: CellProps) {
  return <span className="text-t3" title={instant(row.started_at)}>{clock(row.started_at)}</span>;
}

export function StateCell({ row }: CellProps) {
  const t = useT();
  return <StateGlyph state={row.state} label={t(`state.${row.state}`)} />;
}

export function ModelCell({ row }: CellProps) {
  const t = useT();
  const dialect = row.dialect == null ? null : t(dialectLabel(row.dialect));
  const model = row.model ?? row.requested_model ?? null;
  return (
    <span className="flex min-w-0 items-center gap-2" title={[model ?? "", dialect ?? ""].filter((part) => part !== "").join(" · ")}>
      <VendorMark letter={vendorLetter(row.provider)} title={row.provider ?? undefined} />
      {model === null ? <span className="truncate text-t3">{dialect ?? "–"}</span> : <span className="truncate">{shortModel(model)}</span>}
    </span>
  );
}

export function UsageCell({ row }: CellProps) {
  const usage = usageOf(row.tokens);
  return isKnown(usage) || (row.state === "completed" && (row.dialect == null || hasUsage(row.dialect))) ? <UsageBar usage={usage} size="cell" /> : null;
}

export function TokensCell({ row }: CellProps) {
  const t = useT();
  const total = totalOf(row.tokens);
  if (total === null) {
    return row.state === "completed" && hasUsage(row.dialect)
      ? <span className="text-11 text-t3" title={t("usage.none")}>{t("common.unknown")}</span>
      : <span className="text-t3" title={t("list.usageUnknown")}>–</span>;
  }
  return <span title={exact(total)}>{row.estimated ? <EstimateMark /> : null}{compact(total)}</span>;
}

export function TtftCell({ row }: CellProps) {
  return row.ttft_us == null ? <span className="text-t3">–</span> : <span title={`${exact(row.ttft_us)} µs`}>{seconds(row.ttft_us)}</span>;
}

export function TotalCell({ row, nowUs }: CellProps) {
  const elapsed = elapsedUs(row, nowUs);
  const running = isRunning(row);
  return (
    <span className={running ? "text-accent" : undefined} title={running ? undefined : `${exact(elapsed)} µs`}>
      {duration(elapsed)}
    </span>
  );
}

export function WaterfallCell({ row, nowUs }: CellProps) {
  const bar = barOf(row, nowUs);
  const look = isRunning(row) ? "live" : row.state === "failed" ? "bad" : "";
  const wait = row.ttft_us ?? row.ttfb_us;
  const title = wait == null ? duration(elapsedUs(row, nowUs)) : `${duration(wait)} + ${duration(Math.max(0, elapsedUs(row, nowUs) - wait))}`;
  return (
    <div
      className={`waterfall relative h-3.5 ${look}`}
      title={title}
      style={{ "--start": bar.start, "--wait": bar.wait, "--flow": bar.flow } as CSSProperties}
    >
      <i className="wait" />
      {bar.flow > 0 ? <i className="flow" /> : null}
    </div>
  );
}
