import { useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";

import { useT } from "@/lib/i18n/i18n";
import { PEEK_WIDTH_MAX, PEEK_WIDTH_MIN, setPreference, usePreferences } from "@/lib/preferences";

const STEP_PX = 16;

/** A pane beside the list, dragged to its width and kept so. Below 1280 px it lies over the list. */
export function PeekPane({ label, children }: { label: string; children: ReactNode }) {
  const { peekWidth } = usePreferences();
  const pane = useRef<HTMLElement>(null);
  const resize = (width: number) => { setPreference("peekWidth", Math.round(Math.min(PEEK_WIDTH_MAX, Math.max(PEEK_WIDTH_MIN, width)))); };
  return (
    <aside
      ref={pane}
      aria-label={label}
      style={{ width: peekWidth }}
      className="relative flex max-w-[70%] shrink-0 flex-col border-l border-line bg-panel max-desk:absolute max-desk:inset-y-0 max-desk:right-0 max-desk:z-(--z-peek) max-desk:w-[min(560px,88%)]! max-desk:border-line-strong max-desk:shadow-pop"
    >
      <Handle width={peekWidth} onResize={resize} right={() => pane.current?.getBoundingClientRect().right ?? window.innerWidth} />
      {children}
    </aside>
  );
}

function Handle({ width, onResize, right }: { width: number; onResize: (width: number) => void; right: () => number }) {
  const t = useT();
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) onResize(right() - event.clientX);
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: STEP_PX, ArrowRight: -STEP_PX }[event.key];
    if (by !== undefined) onResize(width + by);
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t("detail.resize")}
      aria-valuenow={width}
      aria-valuemin={PEEK_WIDTH_MIN}
      aria-valuemax={PEEK_WIDTH_MAX}
      className="absolute inset-y-0 -left-1 z-(--z-sticky) w-2 cursor-col-resize hover:bg-accent-soft focus-visible:bg-accent-soft max-desk:hidden"
      onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); event.preventDefault(); }}
      onPointerMove={drag}
      onKeyDown={press}
    />
  );
}
