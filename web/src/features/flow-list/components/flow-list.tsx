import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type CSSProperties, type MouseEvent } from "react";

import type { Row } from "@/api/types";
import { useFlowClockUs } from "@/lib/feed-clock";
import { useT } from "@/lib/i18n/i18n";
import { totalOf } from "@/lib/usage";

import { isRunning, windowOf } from "../lib/waterfall";
import { useFlowLog, useLogView } from "../store";

import { FlowRow } from "./flow-row";
import { ListFoot } from "./list-foot";
import { ListHead } from "./list-head";
import { NewFlowsPill } from "./new-flows-pill";
import { useColumns } from "./use-columns";
import { useListGeometry } from "./use-list-geometry";

const OVERSCAN_ROWS = 12;
/** Rows before the end at which the next page is asked for. */
const AHEAD_ROWS = 40;
/** Height of the column heads. */
const HEAD_PX = 26;
/** Scrolling further than this from the top is reading. */
const SLACK_PX = 4;

interface FlowListProps {
  selected: string | null;
  cursor: string | null;
  onSelect: (id: string) => void;
  onOpen: (id: string) => void;
  onFollow: (following: boolean) => void;
  onShowEarlier: () => void;
}

export function FlowList({ selected, cursor, onSelect, onOpen, onFollow, onShowEarlier }: FlowListProps) {
  const t = useT();
  const log = useFlowLog();
  const view = useLogView();
  const scroller = useRef<HTMLDivElement>(null);
  const { width, phone, rowHeight } = useListGeometry(scroller);
  const { columns, template } = useColumns(width);
  const { rows, following, hasMore } = view;
  const headHeight = phone ? 0 : HEAD_PX;

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN_ROWS,
    getItemKey: (index) => rows[index]?.id ?? index,
    // The head stays in sight inside the scrolling grid.
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
  });
  const items = virtual.getVirtualItems();
  const range = virtual.range;
  const visible = range === null ? [] : rows.slice(range.startIndex, range.endIndex + 1);
  const nowUs = useFlowClockUs(visible.some(isRunning));

  // Row heights change with the window's width; the virtualizer keeps what it measured.
  useEffect(() => { virtual.measure(); }, [virtual, rowHeight]);
  // Following pins the top; the scroll position is outside React.
  useEffect(() => {
    if (following) scroller.current?.scrollTo({ top: 0 });
  }, [following, rows]);
  // The keyboard's row comes into sight.
  const cursorIndex = cursor === null ? -1 : rows.findIndex(({ id }) => id === cursor);
  useEffect(() => {
    if (cursorIndex >= 0) virtual.scrollToIndex(cursorIndex, { align: "auto" });
  }, [virtual, cursor]); // eslint-disable-line react-hooks/exhaustive-deps -- only a move of the cursor scrolls, not a row that came
  // The next page comes before the end is in sight.
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last + AHEAD_ROWS >= rows.length) void log.loadMore();
  }, [log, hasMore, last, rows.length]);

  const flowAt = (event: MouseEvent): string | null =>
    event.target instanceof Element ? (event.target.closest<HTMLElement>("[data-flow]")?.dataset["flow"] ?? null) : null;
  const scrolled = () => {
    if (following && (scroller.current?.scrollTop ?? 0) > SLACK_PX) onFollow(false);
  };

  return (
    <section className="relative flex min-h-0 min-w-0 flex-1 flex-col" aria-busy={view.loading}>
      <div
        ref={scroller}
        role="grid"
        tabIndex={0}
        aria-label={t("list.label")}
        aria-rowcount={hasMore ? -1 : rows.length + 1}
        aria-colcount={phone ? undefined : columns.length}
        aria-activedescendant={cursorIndex < 0 ? undefined : `flow-${cursor ?? ""}`}
        className="flow-list scroll min-h-0 flex-1"
        onScroll={scrolled}
        onClick={(event) => { const id = flowAt(event); if (id !== null) (phone ? onOpen : onSelect)(id); }}
        onDoubleClick={(event) => { const id = flowAt(event); if (id !== null) onOpen(id); }}
      >
        {phone ? null : <ListHead columns={columns} template={template} />}
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize(), ...scales(visible, nowUs) }}>
          {items.map(({ key, index, start }) => {
            const row = rows[index];
            return row === undefined ? null : (
              <FlowRow
                key={key}
                row={row}
                index={index}
                top={start - headHeight}
                height={rowHeight}
                columns={phone ? null : columns}
                template={template}
                selected={row.id === selected}
                cursor={row.id === cursor}
                nowUs={isRunning(row) ? nowUs : 0}
              />
            );
          })}
        </div>
        <ListFoot view={view} rowHeight={rowHeight} onRetry={() => { void log.load(); }} onShowEarlier={onShowEarlier} />
      </div>
      <NewFlowsPill count={view.waiting} onResume={() => { onFollow(true); }} />
    </section>
  );
}

/** The scales that all rows share: the longest usage and the time window, both of the visible rows. */
function scales(visible: readonly Row[], nowUs: number): CSSProperties {
  const { from, span } = windowOf(visible, nowUs);
  const usage = Math.max(1, ...visible.map((row) => totalOf(row.tokens) ?? 0));
  return { "--usage-max": usage, "--from": from.toFixed(3), "--span": span.toFixed(3) } as CSSProperties;
}
