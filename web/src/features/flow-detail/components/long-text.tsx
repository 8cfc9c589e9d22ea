import { useMemo, useState } from "react";

import { linesOf } from "@/lib/code-lines";
import { bytes, exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { CodeView } from "@/ui/code-view";
import { VisibleText } from "@/ui/visible-text";

import { countLines, excerptOf, isTooLongForProse } from "../lib/long-text";

/** From here on the whole text is drawn in a box of its own, line by line. */
const LINES_INLINE_MAX = 400;

/** Text as it was sent: its beginning, and the rest on demand. */
export function LongText({ text, boxed = false }: { text: string; boxed?: boolean }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const { text: shown, rest } = useMemo(() => excerptOf(text), [text]);
  const frame = boxed ? "overflow-hidden rounded-2 border border-line-strong bg-sunken" : "overflow-hidden bg-sunken";
  const huge = open && (isTooLongForProse(text) || countLines(text) > LINES_INLINE_MAX);
  return (
    <div className={frame}>
      {huge ? <HugeText text={text} /> : (
        <pre className="max-w-full px-2.5 py-1.5 font-mono text-12 break-words whitespace-pre-wrap text-t1 [tab-size:2]"><VisibleText text={open ? text : shown} />{text === "" ? <span className="font-ui text-t3">{t("talk.empty")}</span> : null}</pre>
      )}
      {rest === null ? null : (
        <button type="button" aria-expanded={open} onClick={() => { setOpen(!open); }} className="block w-full border-t border-dashed border-line-strong px-2.5 py-0.75 text-11 text-t3 hover:text-t1 focus-visible:shadow-(--ring-in)">
          {open ? t("talk.fewerLines") : t("talk.moreLines", { n: exact(rest.lines), size: bytes(rest.bytes) })}
        </button>
      )}
    </div>
  );
}

function HugeText({ text }: { text: string }) {
  const t = useT();
  const lines = useMemo(() => linesOf(text), [text]);
  return <div className="flex h-105 flex-col"><CodeView lines={lines} label={t("common.showAll")} /></div>;
}
