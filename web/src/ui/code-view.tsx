import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";

import { lineCount, type CodeLines } from "@/lib/code-lines";
import type { Match } from "@/lib/code-search";

import { CodeLine } from "./code-line";

const LINE_PX = 18;
const OVERSCAN_LINES = 30;

interface CodeViewProps {
  lines: CodeLines;
  label: string;
  matches?: readonly Match[];
  /** Number of the match to bring into sight. */
  current?: number;
}

const NO_MATCHES: readonly Match[] = [];

/** Code of any length: only the lines in sight are drawn, objects and arrays fold. */
export function CodeView({ lines, label, matches = NO_MATCHES, current = 0 }: CodeViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const active = matches[current];
  const shown = useMemo(() => shownLines(lines, unfoldAround(folded, lines, active)), [lines, folded, active]);
  const byLine = useMemo(() => groupByLine(matches), [matches]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: OVERSCAN_LINES,
  });
  // The current match comes into sight; scrolling is outside React.
  useEffect(() => {
    if (active === undefined) return;
    const at = shown.indexOf(active.line);
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [virtual, shown, active]);
  const toggle = (line: number) => {
    const next = new Set(folded);
    if (!next.delete(line)) next.add(line);
    setFolded(next);
  };
  const gutter = String(lineCount(lines)).length;
  return (
    <div ref={scroller} tabIndex={0} role="region" aria-label={label} className="scroll min-h-0 flex-1 bg-sunken py-1.5 font-mono text-12 focus-visible:shadow-(--ring-in)">
      <div className="relative min-w-max" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => {
          const line = shown[index] ?? 0;
          return (
            <div key={key} className="absolute flex h-4.5 whitespace-pre" style={{ transform: `translateY(${start}px)` }}>
              <CodeLine
                lines={lines}
                line={line}
                gutter={gutter}
                folded={folded.has(line)}
                onFold={toggle}
                marks={byLine.get(line)}
                active={active?.line === line ? active : undefined}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function shownLines(lines: CodeLines, folded: ReadonlySet<number>): number[] {
  const shown: number[] = [];
  const count = lineCount(lines);
  for (let line = 0; line < count; line += 1) {
    shown.push(line);
    const close = folded.has(line) ? (lines.closes[line] ?? -1) : -1;
    if (close > line) line = close;
  }
  return shown;
}

/** Folds that hide the current match open. */
function unfoldAround(folded: ReadonlySet<number>, lines: CodeLines, match: Match | undefined): ReadonlySet<number> {
  if (match === undefined) return folded;
  return new Set([...folded].filter((line) => !(line < match.line && (lines.closes[line] ?? -1) >= match.line)));
}

function groupByLine(matches: readonly Match[]): ReadonlyMap<number, Match[]> {
  const byLine = new Map<number, Match[]>();
  for (const match of matches) {
    const line = byLine.get(match.line);
    if (line === undefined) byLine.set(match.line, [match]);
    else line.push(match);
  }
  return byLine;
}
