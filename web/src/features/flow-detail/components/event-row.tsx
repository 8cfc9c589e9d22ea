import { memo, useMemo } from "react";

import type { FlowEvent } from "@/api/types";
import { compact, duration, exact, seconds } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { VisibleText } from "@/ui/visible-text";

import { digestOf } from "../lib/event-digest";

const GRID = "grid items-center gap-x-2.5 px-3";
/** Streams whose events have no names give their column to the data. */
const TRACKS = {
  named: "grid-cols-[34px_52px_minmax(0,2fr)_minmax(0,3fr)] @xl:grid-cols-[52px_56px_86px_minmax(80px,170px)_minmax(0,1fr)_52px]",
  plain: "grid-cols-[34px_52px_minmax(0,1fr)] @xl:grid-cols-[52px_56px_86px_minmax(0,1fr)_52px]",
};
/** Columns that a narrow pane leaves to the data. */
const WIDE_ONLY = "@max-xl:hidden";
/** A gap this long fills its bar. */
const GAP_BAR_US = 1_000_000;
const GAP_BAR_PX = 34;
/** Shorter times are said in microseconds: in the column's unit they would all be 0. */
const US_PER_MS = 1_000;

export function EventHead({ named }: { named: boolean }) {
  const t = useT();
  return (
    <div role="row" aria-rowindex={1} className={`${GRID} ${named ? TRACKS.named : TRACKS.plain} h-6.5 shrink-0 border-b border-line text-11 whitespace-nowrap text-t3`}>
      <span role="columnheader" className="text-right">{t("events.index")}</span>
      <span role="columnheader" className="text-right">{t("events.at")}</span>
      <span role="columnheader" className={WIDE_ONLY}>{t("events.gap")}</span>
      {named ? <span role="columnheader">{t("events.name")}</span> : null}
      <span role="columnheader">{t("events.data")}</span>
      <span role="columnheader" className={`text-right ${WIDE_ONLY}`}>{t("events.bytes")}</span>
    </div>
  );
}

interface EventRowProps {
  index: number;
  top: number;
  /** Not there yet: drawn as its shape. */
  event: FlowEvent | undefined;
  previousAtUs: number | null;
  chosen: boolean;
  /** The stream's events have names. */
  named: boolean;
  onChoose: (at: number | null) => void;
}

export const EventRow = memo(function EventRow({ index, top, event, previousAtUs, chosen, named, onChoose }: EventRowProps) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={chosen}
      className={`${GRID} ${named ? TRACKS.named : TRACKS.plain} absolute inset-x-0 h-6.5 border-b border-line text-12 whitespace-nowrap text-t2 ${chosen ? "bg-selected" : "hover:bg-hover"}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => { onChoose(chosen ? null : index); }}
    >
      <span role="gridcell" className="text-right text-t3">{exact(index + 1)}</span>
      {event === undefined ? <span role="gridcell" className="col-start-2 -col-end-1"><i className="skeleton w-2/3" /></span> : <Cells event={event} previousAtUs={previousAtUs} named={named} />}
    </div>
  );
});

function Cells({ event, previousAtUs, named }: { event: FlowEvent; previousAtUs: number | null; named: boolean }) {
  const digest = useMemo(() => digestOf(event.data), [event.data]);
  const at = event.at_us ?? null;
  const gap = at === null || previousAtUs === null ? null : Math.max(0, at - previousAtUs);
  return (
    <>
      <span role="gridcell" className="text-right">{at === null ? "–" : at > 0 && at < US_PER_MS ? duration(at) : seconds(at, 3)}</span>
      <span role="gridcell" className={`flex items-center gap-1.5 text-t3 ${WIDE_ONLY}`}>
        {gap === null ? "–" : (
          <>
            <i className="h-1.5 shrink-0 rounded-[1px] bg-t4" style={{ width: Math.max(2, Math.min(1, gap / GAP_BAR_US) * GAP_BAR_PX) }} />
            {gap > 0 && gap < US_PER_MS ? duration(gap) : exact(Math.round(gap / US_PER_MS))}
          </>
        )}
      </span>
      {named ? <span role="gridcell" className="truncate font-mono text-11 text-t1">{event.name ?? ""}</span> : null}
      <span role="gridcell" className={`truncate font-mono text-11 ${digest.words ? "text-t1" : "text-t3"}`}><bdi><VisibleText text={digest.text} /></bdi></span>
      <span role="gridcell" className={`text-right text-t3 ${WIDE_ONLY}`}>{compact(event.bytes)}</span>
    </>
  );
}
