import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";

import { lineAt, lineCount, type CodeLines } from "@/lib/code-lines";
import { rowsOf, type CodeRows } from "@/lib/code-rows";
import { matchesIn, type Match } from "@/lib/code-search";

import { CodeLine } from "./code-line";
import { useTextColumns } from "./use-text-columns";

const LINE_PX = 18;
const OVERSCAN_LINES = 30;
/** Columns beside the line's number, and pixels for the fold's arrow and the room at the right. */
const GUTTER_COLUMNS = 3;
const BESIDE_TEXT_PX = 32;

interface CodeViewProps {
  lines: CodeLines;
  label: string;
  matches?: readonly Match[];
  /** Number of the match to bring into sight. */
  current?: number;
  /** Long lines go on in the next row instead of to the right. */
  wrap?: boolean;
}

const NO_MATCHES: readonly Match[] = [];

/** Code of any length: only the rows in sight are drawn, objects and arrays fold. */
export function CodeView({ lines, label, matches = NO_MATCHES, current = 0, wrap = true }: CodeViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const gutter = String(lineCount(lines)).length + GUTTER_COLUMNS;
  const columns = useDeferredValue(useTextColumns(scroller, probe, BESIDE_TEXT_PX)) - gutter;
  const rows = useMemo(() => rowsOf(lines, wrap ? columns : null), [lines, wrap, columns]);
  // By number of the line, which stays when the rows change.
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const active = matches[current];
  const shown = useMemo(() => shownRows(rows, folded, active), [rows, folded, active]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: OVERSCAN_LINES,
  });
  // The current match comes into sight; scrolling is outside React.
  useEffect(() => {
    if (active === undefined) return;
    const at = shown.indexOf(lineAt(rows, active.from));
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [virtual, rows, shown, active]);
  const toggle = (line: number) => {
    const next = new Set(folded);
    if (!next.delete(line)) next.add(line);
    setFolded(next);
  };
  return (
    <div ref={scroller} tabIndex={0} role="region" aria-label={label} className="scroll relative min-h-0 flex-1 bg-sunken py-1.5 font-mono text-12 focus-visible:shadow-(--ring-in)">
      <span ref={probe} aria-hidden="true" className="invisible absolute before:content-['00000000000000000000']" />
      <div className={`relative ${wrap ? "" : "min-w-max"}`} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => {
          const row = shown[index] ?? 0;
          return (
            <div key={key} className="absolute flex h-4.5 whitespace-pre" style={{ transform: `translateY(${start}px)` }}>
              <CodeLine
                rows={rows}
                row={row}
                gutter={gutter}
                folded={folded.has(rows.numbers[row] ?? 0)}
                onFold={toggle}
                marks={matchesIn(matches, rows.starts[row] ?? 0, rows.starts[row + 1] ?? 0)}
                active={active}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The rows that no fold hides. A fold that hides the current match is open. */
function shownRows(rows: CodeRows, folded: ReadonlySet<number>, active: Match | undefined): number[] {
  const shown: number[] = [];
  const count = lineCount(rows);
  const wanted = active === undefined ? -1 : lineAt(rows, active.from);
  for (let row = 0; row < count; row += 1) {
    shown.push(row);
    const close = folded.has(rows.numbers[row] ?? 0) ? (rows.closes[row] ?? -1) : -1;
    if (close > row && !(row < wanted && wanted <= close)) row = close;
  }
  return shown;
}
