import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";

import type { Detail, FlowEvent } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { Problem } from "@/ui/problem";

import { EVENTS_PAGE, flowEvents } from "../api";

import { EventHead, EventRow } from "./event-row";
import { EventText } from "./event-text";

const ROW_PX = 26;
const OVERSCAN_ROWS = 20;

interface EventsTabProps {
  detail: Detail;
  at: number | null;
  onAt: (at: number | null) => void;
}

/** Every event of the stream with its time. Only pages in sight are fetched, only rows in sight are drawn. */
export function EventsTab({ detail, at, onAt }: EventsTabProps) {
  const t = useT();
  const scroller = useRef<HTMLDivElement>(null);
  const running = detail.exchange.end == null;
  const expected = detail.flow.events;
  const virtual = useVirtualizer({ count: expected, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX, overscan: OVERSCAN_ROWS });
  const items = virtual.getVirtualItems();
  const { pages, error } = usePages(detail.flow.id, items[0]?.index ?? 0, items.at(-1)?.index ?? 0, running, expected > 0);
  const eventAt = (index: number): FlowEvent | undefined => pages.get(Math.floor(index / EVENTS_PAGE))?.[index % EVENTS_PAGE];
  if (expected === 0) return <p className="p-4 text-12 text-t3">{t(running ? "events.noneYet" : "events.none")}</p>;
  if (error !== null) return <Problem title={t("events.failed")}>{error.message}</Problem>;
  const named = [...pages.values()].some((page) => page?.some((event) => event.name != null) ?? true);
  const chosen = at === null ? undefined : eventAt(at);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div role="grid" aria-label={t("events.label")} aria-rowcount={expected + 1} className="@container flex min-h-0 flex-1 flex-col">
        <EventHead named={named} />
        <div ref={scroller} role="rowgroup" tabIndex={0} className="scroll min-h-0 flex-1 focus-visible:shadow-(--ring-in)" onKeyDown={(event) => { moveBy(event.key, at, expected, onAt, virtual.scrollToIndex); }}>
          <div className="relative" style={{ height: virtual.getTotalSize() }}>
            {items.map(({ index, start }) => (
              <EventRow key={index} index={index} top={start} event={eventAt(index)} previousAtUs={index === 0 ? 0 : (eventAt(index - 1)?.at_us ?? null)} chosen={index === at} named={named} onChoose={onAt} />
            ))}
          </div>
        </div>
      </div>
      {chosen === undefined ? null : <EventText event={chosen} onClose={() => { onAt(null); }} />}
    </div>
  );
}

/** The pages that hold the rows in sight. */
function usePages(id: string, first: number, last: number, running: boolean, enabled: boolean) {
  const from = Math.floor(first / EVENTS_PAGE);
  const count = enabled ? Math.floor(last / EVENTS_PAGE) - from + 1 : 0;
  return useQueries({
    queries: Array.from({ length: count }, (_, at) => flowEvents(id, from + at, running)),
    combine: (results) => ({
      pages: new Map(results.map((result, at) => [from + at, result.data?.events])),
      error: results.find((result) => result.error !== null && result.data === undefined)?.error ?? null,
    }),
  });
}

function moveBy(key: string, at: number | null, count: number, onAt: (at: number) => void, show: (index: number) => void): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step === undefined) return;
  const next = Math.min(count - 1, Math.max(0, (at ?? -1) + step));
  onAt(next);
  show(next);
}
