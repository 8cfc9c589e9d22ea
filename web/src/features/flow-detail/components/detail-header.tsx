import type { ReactNode } from "react";

import type { Detail } from "@/api/types";
import { useFlowClockUs } from "@/lib/feed-clock";
import { clockMs, compact, durationExact, exact, instant, undated } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { tokensPerSecond, totalOf } from "@/lib/usage";
import { Chip } from "@/ui/chip";
import { StateGlyph } from "@/ui/state-glyph";

import { UsageLegend } from "./usage-legend";

interface DetailHeaderProps {
  detail: Detail;
  layout: "peek" | "page";
  actions: ReactNode;
}

/** State, model, figures and usage: the same facts in both layouts. */
export function DetailHeader({ detail, layout, actions }: DetailHeaderProps) {
  const usage = <UsageLegend tokens={detail.reading.tokens} estimated={detail.reading.estimated} />;
  if (layout === "peek") {
    return (
      <header className="shrink-0 border-b border-line">
        <div className="flex h-10 items-center gap-2 pr-1.5 pl-3.5">
          <Title detail={detail} />
          <span className="min-w-0 flex-1 truncate text-12 text-t3"><Where detail={detail} short /></span>
          {actions}
        </div>
        <div className="flex flex-col gap-2.5 px-3.5 pt-0.5 pb-3">
          <Figures detail={detail} spread />
          {usage}
        </div>
      </header>
    );
  }
  return (
    <header className="grid shrink-0 items-center gap-x-7 gap-y-2.5 border-b border-line px-3.5 py-2.5 desk:grid-cols-[minmax(0,1.15fr)_auto_minmax(320px,1fr)]">
      <div className="min-w-0">
        <div className="flex items-center gap-2"><Title detail={detail} large /></div>
        <p className="truncate pl-5 text-12 text-t3"><Where detail={detail} /></p>
      </div>
      <Figures detail={detail} />
      {usage}
    </header>
  );
}

function Title({ detail, large = false }: { detail: Detail; large?: boolean }) {
  const t = useT();
  const { flow } = detail;
  const asked = detail.reading.request.model ?? flow.requested_model ?? null;
  const name = flow.model ?? asked ?? flow.upstream ?? flow.path;
  return (
    <>
      <StateGlyph state={flow.state} label={t(`state.${flow.state}`)} loud />
      <h1 className={`truncate font-semibold ${large ? "text-15" : "text-13"}`} title={asked !== null && asked !== name ? t("detail.requested", { model: asked }) : name}>{undated(name)}</h1>
      {flow.status == null ? null : <Chip tone={flow.status >= 400 ? "fail" : "plain"}>{flow.status}</Chip>}
      {flow.streaming ? <Chip tone="line">{t("detail.stream")}</Chip> : null}
    </>
  );
}

function Where({ detail, short = false }: { detail: Detail; short?: boolean }) {
  const { flow } = detail;
  const parts = short
    ? [`${flow.method} ${flow.path}`]
    : [`${flow.method} ${flow.path}`, flow.provider ?? flow.upstream ?? "", flow.client ?? ""].filter((part) => part !== "");
  return (
    <>
      {parts.join(" · ")}
      {short ? null : <span title={instant(flow.started_at)}>{` · ${clockMs(flow.started_at)}`}</span>}
    </>
  );
}

function Figures({ detail, spread = false }: { detail: Detail; spread?: boolean }) {
  const t = useT();
  const { flow, reading } = detail;
  const running = flow.end == null;
  const nowUs = useFlowClockUs(running);
  const elapsed = flow.duration_us ?? Math.max(0, nowUs - flow.started_at);
  const total = totalOf(reading.tokens);
  const speed = tokensPerSecond(reading.tokens, flow);
  const whole = flow.end === "ended" && !reading.response.streamed;
  return (
    <dl className={`flex gap-6 ${spread ? "justify-between" : ""}`}>
      <Figure label={t("detail.tokens")} title={total === null ? undefined : exact(total)}>
        {total === null ? <Unknown /> : `${reading.estimated ? "≈ " : ""}${compact(total)}`}
      </Figure>
      <Figure label={t("detail.firstToken")}>
        {flow.ttft_us == null ? <Quiet text={whole ? t("detail.noFirstToken") : "–"} /> : durationExact(flow.ttft_us)}
      </Figure>
      <Figure label={t("detail.total")} title={`${exact(elapsed)} µs`}>
        <span className={running ? "text-accent" : undefined}>{durationExact(elapsed)}</span>
      </Figure>
      <Figure label={t("detail.speed")}>
        {speed === null ? (flow.state === "completed" && reading.tokens.output == null ? <Unknown /> : <Quiet text="–" />) : t("detail.perSecond", { n: `${reading.estimated ? "≈ " : ""}${speed < 10 ? speed.toFixed(1) : exact(Math.round(speed))}` })}
      </Figure>
    </dl>
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
