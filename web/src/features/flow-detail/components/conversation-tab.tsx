import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";

import type { Detail, Side } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { Banner } from "@/ui/banner";

import { isRead, transcriptOf } from "../lib/transcript";

import { Ending } from "./ending";
import { TranscriptRow } from "./transcript-row";

const ITEM_PX = 64;
const OVERSCAN_ITEMS = 6;
/** Whoever is this close to the end follows it. */
const AT_END_PX = 48;

/** The conversation as the codec reads it. Drawn item by item, so that its length does not matter. */
export function ConversationTab({ detail, onPlace }: { detail: Detail; onPlace: (side: Side, offset: number) => void }) {
  const t = useT();
  const scroller = useRef<HTMLDivElement>(null);
  const [showEarlier, setShowEarlier] = useState(false);
  const running = detail.exchange.end == null;
  const items = useMemo(() => transcriptOf(detail.reading, { showEarlier, running }), [detail.reading, showEarlier, running]);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (items[index]?.kind === "part" ? ITEM_PX : 31),
    overscan: OVERSCAN_ITEMS,
    getItemKey: (index) => items[index]?.key ?? index,
  });
  // While text arrives, the end stays in sight for whoever is there; the scroll position is outside React.
  const atEnd = useRef(true);
  const size = virtual.getTotalSize();
  useEffect(() => {
    const pane = scroller.current;
    if (running && atEnd.current && pane !== null) pane.scrollTop = pane.scrollHeight;
  }, [running, size, items]);
  const scrolled = () => {
    const pane = scroller.current;
    if (pane !== null) atEnd.current = pane.scrollHeight - pane.scrollTop - pane.clientHeight < AT_END_PX;
  };
  const drawn = virtual.getVirtualItems();
  const last = items.at(-1);
  const waiting = running && !(last?.kind === "part" && last.answer);
  return (
    <div ref={scroller} onScroll={scrolled} tabIndex={0} role="region" aria-label={t("tab.conversation")} className="scroll min-h-0 flex-1 focus-visible:shadow-(--ring-in)">
      {isRead(detail) ? null : <Banner tone="plain">{t("talk.notRead")}</Banner>}
      <div className="relative" style={{ height: size }}>
        {drawn.map(({ key, index, start }) => {
          const item = items[index];
          return item === undefined ? null : (
            <div key={key} ref={virtual.measureElement} data-index={index} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${start}px)` }}>
              <TranscriptRow
                item={item}
                flow={detail.flow.id}
                showEarlier={showEarlier}
                onShowEarlier={() => { setShowEarlier(!showEarlier); }}
              />
            </div>
          );
        })}
      </div>
      {isRead(detail) && items.length === 0 ? <p className="p-3.5 text-12 text-t3">{t("talk.nothing")}</p> : null}
      <Ending detail={detail} waiting={waiting} onPlace={onPlace} />
    </div>
  );
}
