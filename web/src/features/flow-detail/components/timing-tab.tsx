import type { Detail } from "@/api/types";
import { useFlowClockUs } from "@/lib/feed-clock";
import { bytes, clockMs, duration, durationExact, exact } from "@/lib/format";
import { useT, type Translate } from "@/lib/i18n/i18n";
import { ScrollRegion } from "@/ui/scroll-region";

import { phasesOf, type Phase } from "../lib/phases";

const BARS: Partial<Record<Phase["id"], string>> = { stream: "kind-output", download: "kind-output", firstToken: "bg-accent" };

export function TimingTab({ detail }: { detail: Detail }) {
  const t = useT();
  const { flow, exchange, reading } = detail;
  const running = exchange.end == null;
  const nowUs = useFlowClockUs(running);
  const elapsedUs = exchange.timings.duration_us ?? Math.max(0, nowUs - exchange.started_at);
  const streamed = reading.response.streamed;
  const phases = phasesOf({ timings: exchange.timings, ttftUs: reading.response.ttft_us ?? null, streamed, elapsedUs, running });
  const from = clockMs(exchange.started_at);
  const clock = running ? t("timing.since", { from }) : t("timing.clock", { from, to: clockMs(exchange.started_at + elapsedUs) });
  return (
    <ScrollRegion label={t("tab.timing")} className="@container">
      <section className="border-b border-line px-3 pt-2.5 pb-3">
        <h2 className="mb-2 flex flex-wrap items-baseline gap-x-2 text-12 font-semibold">
          {t("timing.title")}
          <span className="font-normal text-t3">{clock}</span>
        </h2>
        {phases.map((phase) => (
          <div key={phase.id} className="grid h-6 grid-cols-[112px_52px_minmax(0,1fr)_84px] items-center gap-3 text-12 @lg:grid-cols-[118px_60px_minmax(0,1fr)_150px] text-t2">
            <span className="truncate">{t(`timing.${phase.id}`)}</span>
            <span className="text-right text-t1">{phase.durationUs === null ? <span className="text-t3">–</span> : duration(phase.durationUs)}</span>
            <PhaseBar phase={phase} wholeUs={Math.max(1, elapsedUs)} />
            <span className="truncate text-t3">{remark(phase, detail, t)}</span>
          </div>
        ))}
        <p className="flex flex-wrap gap-x-4 pt-2 text-12 text-t3">
          {flow.ttfb_us == null ? null : <Sum value={durationExact(flow.ttfb_us)} name={t("timing.ttfb")} />}
          {flow.ttft_us == null ? null : <Sum value={durationExact(flow.ttft_us)} name={t("timing.summary")} />}
          <Sum value={durationExact(elapsedUs)} name={t("timing.whole")} />
        </p>
      </section>
      <Parameters parameters={reading.request.parameters} />
    </ScrollRegion>
  );
}

function PhaseBar({ phase, wholeUs }: { phase: Phase; wholeUs: number }) {
  const left = Math.min(100, (phase.startUs / wholeUs) * 100);
  const width = Math.min(100 - left, ((phase.durationUs ?? 0) / wholeUs) * 100);
  return (
    <div className="relative h-2">
      <i className="absolute inset-x-0 top-1/2 h-px bg-line" />
      {phase.durationUs === null ? null : (
        <i className={`absolute top-0 h-2 rounded-[1px] ${BARS[phase.id] ?? "bg-t4"}`} style={{ left: `min(${left}%, 100% - 2px)`, width: `max(2px, ${width}%)` }} />
      )}
    </div>
  );
}

function remark(phase: Phase, { flow, exchange }: Detail, t: Translate): string {
  const { request_body: request, response_body: response, timings } = exchange;
  switch (phase.id) {
    case "dns":
    case "connect":
    case "tls":
      return phase.durationUs !== null ? "" : t(timings.reused ? "timing.reused" : "timing.notMeasured");
    case "send":
      return bytes(request.wire_bytes);
    case "wait":
      return phase.durationUs === null ? t("timing.notOver") : (exchange.response?.version ?? "");
    case "firstToken":
      return t("timing.toFirstDelta");
    case "stream":
      return t("timing.events", { n: exact(flow.events) });
    case "download":
      return `${bytes(response.wire_bytes)} · ${t("timing.chunks", { n: exact(response.chunks) })}`;
  }
}

function Sum({ value, name }: { value: string; name: string }) {
  return <span><b className="font-semibold text-t1">{value}</b> {name}</span>;
}

function Parameters({ parameters }: { parameters: Detail["reading"]["request"]["parameters"] }) {
  const t = useT();
  const entries = Object.entries(parameters);
  if (entries.length === 0) return null;
  return (
    <section className="px-3 pt-2.5 pb-3">
      <h2 className="mb-2 text-12 font-semibold">{t("talk.parameters")}</h2>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3.5 gap-y-0.5 font-mono text-12">
        {entries.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-t3">{name}</dt>
            <dd className="break-words text-t1">{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
