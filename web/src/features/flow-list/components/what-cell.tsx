import { sideCall } from "@/lib/dialects";
import { useT } from "@/lib/i18n/i18n";

import { whatOf, type What } from "../lib/what";

import type { CellProps } from "./cells";

const TONES = { plain: "text-t1", failed: "text-fail", dim: "text-t3", wire: "font-mono text-t2" };

/** Tools first, then what was asked, then what came back. */
export function WhatCell({ row }: CellProps) {
  const t = useT();
  const what = whatOf(row, t);
  const title = [what.tools.join(", "), what.text, what.cause, what.answer].filter((part) => part !== "").join(" → ");
  if (what.cause !== "") {
    return (
      <span className="flex min-w-0 gap-2 whitespace-nowrap" title={title}>
        <span className={`min-w-12 truncate ${row.dialect == null ? TONES.wire : TONES.plain}`}><Before row={row} what={what} /><bdi>{what.text}</bdi></span>
        <span className={`max-w-3/5 shrink-0 truncate ${what.tone === "failed" ? "text-fail" : "text-cancel"}`}><bdi>{what.cause}</bdi></span>
        {what.answer === "" ? null : <span className="min-w-0 flex-1 truncate text-t3"><bdi>→ {what.answer}</bdi></span>}
      </span>
    );
  }
  return (
    <span className={`block truncate ${TONES[what.tone]}`} title={title}>
      <Before row={row} what={what} />
      <bdi>{what.text}</bdi>
      {what.answer === "" ? null : <bdi className={what.tone === "dim" ? undefined : "text-t2"}><span className="px-1 text-t3">→</span>{what.answer}</bdi>}
      {what.tone === "wire" && row.state === "completed" ? <span className="ml-2 font-ui text-11 text-t3">{t("list.notRead")}</span> : null}
      {row.state === "streaming" ? <span className="caret" /> : null}
    </span>
  );
}

/** Tools and marks, before the words. */
function Before({ row, what }: { row: CellProps["row"]; what: What }) {
  const t = useT();
  const call = sideCall(row.dialect);
  return (
    <>
      {call === null ? null : <ToolChip name={t(`call.${call}`)} plain />}
      {row.error_class == null ? null : <Mark text={t(`errorClass.${row.error_class}`)} failed />}
      {row.attempt == null || row.attempt < 2 ? null : <Mark text={t("list.attempt", { n: row.attempt })} title={t("client.again", { n: row.attempt })} />}
      {what.tools.map((tool, at) => <ToolChip key={`${tool} ${at}`} name={tool} />)}
      {what.toolsMore > 0 ? <span className="mr-1.5 text-11 text-t3">{t("list.moreTools", { n: what.toolsMore })}</span> : null}
      {row.gap ? <Mark text={t("list.gap")} /> : null}
      {row.truncated ? <Mark text={t("list.truncated")} /> : null}
    </>
  );
}

const CHIP = "mr-1.5 inline-flex h-4.25 items-center rounded-1 px-1.25 text-[11px]/4.25";

/** `plain`: a word of the page rather than a name from the wire. */
function ToolChip({ name, plain = false }: { name: string; plain?: boolean }) {
  return <span className={`${CHIP} ${plain ? "text-t2 inset-ring inset-ring-line-strong" : "bg-raised font-mono text-t1"}`}>{name}</span>;
}

function Mark({ text, title, failed = false }: { text: string; title?: string; failed?: boolean }) {
  return <span className={`${CHIP} ${failed ? "bg-fail-soft text-fail" : "bg-held-soft text-held"}`} title={title}>{text}</span>;
}
