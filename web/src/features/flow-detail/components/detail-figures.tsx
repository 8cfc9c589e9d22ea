import type { ReactNode } from "react";

import type { Detail } from "@/api/types";
import { isFree, sideCall } from "@/lib/dialects";
import { useFlowClockUs } from "@/lib/feed-clock";
import { compact, decimal, durationExact, exact, percent } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { money } from "@/lib/money";
import { tokensPerSecond, totalOf } from "@/lib/usage";
import { EstimateMark } from "@/ui/estimate-mark";
import { isNearlyFull } from "@/ui/meter";

/** The figures that people look for first. */
export function DetailFigures({ detail, spread = false }: { detail: Detail; spread?: boolean }) {
  const t = useT();
  const { flow, reading } = detail;
  const running = flow.end == null;
  const nowUs = useFlowClockUs(running);
  const elapsed = flow.duration_us ?? Math.max(0, nowUs - flow.started_at);
  const total = totalOf(reading.tokens);
  const whole = flow.end === "ended" && !reading.response.streamed;
  return (
    <dl className={`flex flex-wrap gap-y-1 ${spread ? "justify-between gap-x-3" : "gap-x-5"}`}>
      <CostFigure detail={detail} />
      <Figure label={t("detail.tokens")} title={total === null ? undefined : exact(total)}>
        {total === null ? <Unknown /> : <>{reading.estimated ? <EstimateMark /> : null}{compact(total)}</>}
      </Figure>
      <Figure label={t("detail.firstToken")}>
        {flow.ttft_us == null ? <Quiet text={whole ? t("detail.noFirstToken") : "–"} /> : durationExact(flow.ttft_us)}
      </Figure>
      <Figure label={t("detail.total")} title={`${exact(elapsed)} µs`}>
        <span className={running ? "text-accent" : undefined}>{durationExact(elapsed)}</span>
      </Figure>
      <Figure label={t("detail.speed")}><Speed detail={detail} /></Figure>
      <ContextFigure detail={detail} />
    </dl>
  );
}

/** Money, or credits, or that neither is known. */
function CostFigure({ detail }: { detail: Detail }) {
  const t = useT();
  const { flow, reading } = detail;
  const cost = reading.cost?.total ?? flow.cost ?? null;
  const credits = reading.units?.credits ?? flow.credits ?? null;
  if (cost !== null) {
    const uncertain = reading.cost?.disputed != null || (reading.cost?.unpriced ?? []).length > 0;
    return (
      <Figure label={t("cost.title")} title={uncertain ? `$${cost} · ${t("cost.uncertain")}` : `$${cost}`}>
        {reading.estimated ? <EstimateMark /> : null}{money(cost)}{uncertain ? <span className="text-held" aria-label={t("cost.uncertain")} role="img"> *</span> : null}
      </Figure>
    );
  }
  if (credits !== null) return <Figure label={t("units.credits")} title={credits}>{decimal(credits)}</Figure>;
  return <Figure label={t("cost.title")} title={isFree(flow.dialect) ? t("cost.free") : undefined}>{flow.end == null || isFree(flow.dialect) ? <Quiet text="–" /> : <Unknown />}</Figure>;
}

function Speed({ detail: { flow, reading } }: { detail: Detail }) {
  const t = useT();
  const speed = tokensPerSecond(reading.tokens, flow);
  if (speed === null) return flow.state === "completed" && reading.tokens.output == null && sideCall(reading.dialect) === null ? <Unknown /> : <Quiet text="–" />;
  return <>{reading.estimated ? <EstimateMark /> : null}{t("detail.perSecond", { n: speed < 10 ? speed.toFixed(1) : exact(Math.round(speed)) })}</>;
}

function ContextFigure({ detail: { reading } }: { detail: Detail }) {
  const t = useT();
  const { context } = reading;
  if (context == null) return null;
  const window = context.window ?? null;
  return (
    <Figure label={t("context.short")} title={window === null ? undefined : t("context.window", { n: exact(window) })}>
      <span className={isNearlyFull(context.used_bp) ? "text-held" : undefined}>{reading.estimated && !context.from_wire ? <EstimateMark /> : null}{percent(context.used_bp)}</span>
    </Figure>
  );
}

function Figure({ label, title, children }: { label: string; title?: string | undefined; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-11 whitespace-nowrap text-t3">{label}</dt>
      <dd className="text-15 font-medium whitespace-nowrap" title={title}>{children}</dd>
    </div>
  );
}

function Unknown() {
  const t = useT();
  return <Quiet text={t("common.unknown")} />;
}

function Quiet({ text }: { text: string }) {
  return <span className="text-13 font-normal text-t3">{text}</span>;
}
