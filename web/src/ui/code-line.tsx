import { inksOf, type Ink } from "@/lib/code-inks";
import { lineText } from "@/lib/code-lines";
import type { CodeRows } from "@/lib/code-rows";
import type { Match } from "@/lib/code-search";
import { useT } from "@/lib/i18n/i18n";

import { Icon } from "./icon";
import { VisibleText } from "./visible-text";

const INKS: Record<Ink, string> = { key: "text-c-key", string: "text-c-str", number: "text-c-num", word: "text-c-kw", plain: "" };

interface CodeLineProps {
  rows: CodeRows;
  row: number;
  gutter: number;
  folded: boolean;
  onFold: (line: number) => void;
  /** Matches in this row, by their places in the whole text. */
  marks: readonly Match[];
  active: Match | undefined;
}

export function CodeLine({ rows, row, gutter, folded, onFold, marks, active }: CodeLineProps) {
  const t = useT();
  const text = lineText(rows, row);
  const number = rows.numbers[row] ?? 0;
  const close = rows.closes[row] ?? -1;
  return (
    <>
      <span className="shrink-0 pr-2 pl-2.5 text-right text-t4 select-none before:content-[attr(data-line)]" style={{ width: `${gutter}ch` }} data-line={number === 0 ? "" : number} aria-hidden="true" />
      <span className="w-4 shrink-0 select-none">
        {close < 0 ? null : (
          <button type="button" tabIndex={-1} aria-expanded={!folded} aria-label={folded ? t("body.unfold") : t("body.fold")} className="flex h-4.5 w-4 items-center text-t3 hover:text-t1" onClick={() => { onFold(number); }}>
            <Icon name={folded ? "right" : "down"} small />
          </button>
        )}
      </span>
      <span className="pr-4 [tab-size:2]">
        {marks.length === 0 ? <Inked text={text} json={rows.kind === "json"} within={number === 0} /> : <Marked text={text} start={rows.starts[row] ?? 0} marks={marks} active={active} />}
        {folded && close >= 0 ? (
          <span className="text-t3">{` … ${t("body.items", { n: Math.max(0, (rows.numbers[close] ?? 0) - number - 1) })} … `}{lineText(rows, close).trim()}</span>
        ) : null}
      </span>
    </>
  );
}

/** `within`: the row goes on with a line, which only strings make so long. */
function Inked({ text, json, within }: { text: string; json: boolean; within: boolean }) {
  if (!json) return <VisibleText text={text} />;
  if (within) return <span className={INKS.string}><VisibleText text={text} /></span>;
  return inksOf(text).map(({ text: piece, ink }, at) => <span key={at} className={INKS[ink]}><VisibleText text={piece} /></span>);
}

/** A match that goes on in the next row is marked in both. */
function Marked({ text, start, marks, active }: { text: string; start: number; marks: readonly Match[]; active: Match | undefined }) {
  const clip = (at: number) => Math.min(text.length, Math.max(0, at - start));
  return (
    <>
      {marks.map((match, at) => (
        <span key={match.from}>
          <VisibleText text={text.slice(clip(marks[at - 1]?.to ?? start), clip(match.from))} />
          <mark className={match === active ? "outline-1 outline-accent" : ""}><VisibleText text={text.slice(clip(match.from), clip(match.to))} /></mark>
        </span>
      ))}
      <VisibleText text={text.slice(clip(marks.at(-1)?.to ?? start))} />
    </>
  );
}
