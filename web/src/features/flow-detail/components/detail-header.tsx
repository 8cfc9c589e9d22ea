import type { ReactNode } from "react";

import type { Detail } from "@/api/types";
import { dialectLabel } from "@/lib/dialects";
import { clockMs, cut, instant, undated } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";
import { StateGlyph } from "@/ui/state-glyph";

import { DetailFigures } from "./detail-figures";
import { UsageLegend } from "./usage-legend";

/** What an unknown client calls itself may be long; all of it stands among the headers. */
const UNKNOWN_CLIENT_CHARS_MAX = 32;

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
          <span className="min-w-0 flex-1" />
          {actions}
        </div>
        <div className="flex flex-col gap-2.5 px-3.5 pb-3">
          <p className="-mt-1.5 truncate text-12 text-t3"><Where detail={detail} /></p>
          <DetailFigures detail={detail} spread />
          {usage}
        </div>
      </header>
    );
  }
  return (
    <header className="grid shrink-0 items-center gap-x-7 gap-y-2.5 border-b border-line px-3.5 py-2.5 desk:grid-cols-[minmax(0,1.15fr)_auto_minmax(320px,1fr)]">
      <div className="min-w-0">
        <div className="flex min-w-0 items-center gap-2"><Title detail={detail} large /></div>
        <p className="truncate pl-5 text-12 text-t3"><Where detail={detail} /></p>
      </div>
      <DetailFigures detail={detail} />
      {usage}
    </header>
  );
}

function Title({ detail, large = false }: { detail: Detail; large?: boolean }) {
  const t = useT();
  const { flow } = detail;
  const asked = detail.reading.request.model ?? flow.requested_model ?? null;
  const name = flow.model ?? asked ?? (flow.dialect == null ? (flow.upstream ?? flow.path) : t(dialectLabel(flow.dialect)));
  return (
    <>
      <StateGlyph state={flow.state} label={t(`state.${flow.state}`)} loud />
      <h1 className={`truncate font-semibold ${large ? "text-15" : "text-13"}`} title={asked !== null && asked !== name ? t("detail.requested", { model: asked }) : name}>{undated(name)}</h1>
      {flow.status == null ? null : <Chip tone={flow.status >= 400 ? "fail" : "plain"}>{flow.status}</Chip>}
      {flow.error_class == null ? null : <Chip tone="fail">{t(`errorClass.${flow.error_class}`)}</Chip>}
      {flow.attempt == null || flow.attempt < 2 ? null : <Chip tone="held" title={t("client.again", { n: flow.attempt })}>{t("list.attempt", { n: flow.attempt })}</Chip>}
      {flow.streaming ? <Chip tone="line">{t("detail.stream")}</Chip> : null}
    </>
  );
}

/** In the order in which it is looked for, so that a narrow pane cuts the rest. */
function Where({ detail: { flow } }: { detail: Detail }) {
  const t = useT();
  const parts = [
    flow.dialect == null ? "" : t(dialectLabel(flow.dialect)),
    flow.agent == null && flow.sdk == null ? cut(flow.client ?? "", UNKNOWN_CLIENT_CHARS_MAX) : (flow.client ?? ""),
    flow.provider ?? flow.upstream ?? "",
    `${flow.method} ${flow.path}`,
  ].filter((part) => part !== "");
  return (
    <>
      <span title={parts.join(" · ")}>{parts.join(" · ")}</span>
      <span title={instant(flow.started_at)}>{` · ${clockMs(flow.started_at)}`}</span>
    </>
  );
}
