import { inksOf, type Ink } from "@/lib/code-inks";
import { lineText, type CodeLines } from "@/lib/code-lines";
import type { Match } from "@/lib/code-search";
import { useT } from "@/lib/i18n/i18n";

import { Icon } from "./icon";

const INKS: Record<Ink, string> = { key: "text-c-key", string: "text-c-str", number: "text-c-num", word: "text-c-kw", plain: "" };

interface CodeLineProps {
  lines: CodeLines;
  line: number;
  gutter: number;
  folded: boolean;
  onFold: (line: number) => void;
  marks: readonly Match[] | undefined;
  active: Match | undefined;
}

export function CodeLine({ lines, line, gutter, folded, onFold, marks, active }: CodeLineProps) {
  const t = useT();
  const text = lineText(lines, line);
  const number = lines.numbers[line] ?? 0;
  const close = lines.closes[line] ?? -1;
  return (
    <>
      <span className="shrink-0 pr-2 pl-2.5 text-right text-t4 select-none before:content-[attr(data-line)]" style={{ width: `${gutter + 3}ch` }} data-line={number === 0 ? "" : number} aria-hidden="true" />
      <span className="w-4 shrink-0 select-none">
        {close < 0 ? null : (
          <button type="button" tabIndex={-1} aria-expanded={!folded} aria-label={folded ? t("body.unfold") : t("body.fold")} className="flex h-4.5 w-4 items-center text-t3 hover:text-t1" onClick={() => { onFold(line); }}>
            <Icon name={folded ? "right" : "down"} small />
          </button>
        )}
      </span>
      <span className="pr-4">
        {marks === undefined ? <Inked text={text} json={lines.kind === "json"} within={number === 0} /> : <Marked text={text} marks={marks} active={active} />}
        {folded && close >= 0 ? (
          <span className="text-t3">{` … ${t("body.items", { n: (lines.numbers[close] ?? 0) - number - 1 })} … `}{lineText(lines, close).trim()}</span>
        ) : null}
      </span>
    </>
  );
}

/** `within`: the row goes on with a line, which only strings make so long. */
function Inked({ text, json, within }: { text: string; json: boolean; within: boolean }) {
  if (!json) return text;
  if (within) return <span className={INKS.string}>{text}</span>;
  return inksOf(text).map(({ text: piece, ink }, at) => <span key={at} className={INKS[ink]}>{piece}</span>);
}

function Marked({ text, marks, active }: { text: string; marks: readonly Match[]; active: Match | undefined }) {
  return (
    <>
      {marks.map((match, at) => (
        <span key={match.from}>
          {text.slice(marks[at - 1]?.to ?? 0, match.from)}
          <mark className={match === active ? "outline-1 outline-accent" : ""}>{text.slice(match.from, match.to)}</mark>
        </span>
      ))}
      {text.slice(marks.at(-1)?.to ?? 0)}
    </>
  );
}
