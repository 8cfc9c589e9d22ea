import { useLayoutEffect, useState, type RefObject } from "react";

/** Characters in the probe that is measured. */
const PROBE_CHARS = 20;
/** Where nothing can be measured yet. */
const COLUMNS_DEFAULT = 100;

/** How many characters of a font of fixed width fit beside each other in a pane, less `reservedPx`. */
export function useTextColumns(pane: RefObject<HTMLElement | null>, probe: RefObject<HTMLElement | null>, reservedPx: number): number {
  const [columns, setColumns] = useState(COLUMNS_DEFAULT);
  // The size of an element is outside React; it is read before the first paint, so that no row moves.
  useLayoutEffect(() => {
    const target = pane.current;
    if (target === null || typeof ResizeObserver === "undefined") return;
    const update = () => {
      const charPx = (probe.current?.getBoundingClientRect().width ?? 0) / PROBE_CHARS;
      if (charPx > 0 && target.clientWidth > 0) setColumns(Math.floor((target.clientWidth - reservedPx) / charPx));
    };
    const observer = new ResizeObserver(update);
    observer.observe(target);
    update();
    return () => { observer.disconnect(); };
  }, [pane, probe, reservedPx]);
  return columns;
}
