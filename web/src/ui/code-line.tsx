import { inksOf, type Ink } from "@/lib/code-inks";
import { lineText, type CodeLines } from "@/lib/code-lines";
import type { Match } from "@/lib/code-search";
import { bytes, cut } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";

import { Icon } from "./icon";

/** A line longer than this is a picture or a blob; its rest is named, not drawn. */
const LINE_CHARS_MAX = 2_000;

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
  const whole = lineText(lines, line);
  const text = cut(whole, LINE_CHARS_MAX);
  const close = lines.closes[line] ?? -1;
  return (
    <>
      <span className="shrink-0 pr-2 pl-2.5 text-right text-t4 select-none" style={{ width: `${gutter + 3}ch` }} aria-hidden="true">{line + 1}</span>
      <span className="w-4 shrink-0 select-none">
        {close < 0 ? null : (
          <button type="button" tabIndex={-1} aria-expanded={!folded} aria-label={folded ? t("body.unfold") : t("body.fold")} className="flex h-4.5 w-4 items-center text-t3 hover:text-t1" onClick={() => { onFold(line); }}>
            <Icon name={folded ? "right" : "down"} small />
          </button>
        )}
      </span>
      <span className="pr-4">
        {marks === undefined ? <Inked text={text} json={lines.kind === "json"} /> : <Marked text={text} marks={marks} active={active} />}
        {folded && close >= 0 ? (
          <span className="text-t3">{` … ${t("body.items", { n: close - line - 1 })} … `}{lineText(lines, close).trim()}</span>
        ) : null}
        {whole.length > text.length ? <span className="ml-1 font-ui text-11 text-t3">{t("body.clipped", { size: bytes(whole.length - text.length) })}</span> : null}
      </span>
    </>
  );
}

function Inked({ text, json }: { text: string; json: boolean }) {
  if (!json) return text;
  return inksOf(text).map(({ text: piece, ink }, at) => <span key={at} className={INKS[ink]}>{piece}</span>);
}

function Marked({ text, marks, active }: { text: string; marks: readonly Match[]; active: Match | undefined }) {
  let end = 0;
  const pieces = marks.map((match) => {
    const before = text.slice(end, match.from);
    end = match.to;
    return (
      <span key={match.from}>
        {before}
        <mark className={match === active ? "outline-1 outline-accent" : ""}>{text.slice(match.from, match.to)}</mark>
      </span>
    );
  });
  return <>{pieces}{text.slice(end)}</>;
}
