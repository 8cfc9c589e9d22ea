import type { Detail, Side } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { Icon } from "@/ui/icon";
import { VisibleText } from "@/ui/visible-text";

import { explain, type Explanation } from "../lib/explain";

import { Diagnostics } from "./diagnostics";
import { FactList } from "./section";

/** What stands below the last message: that more is to come, or how it ended. */
export function Ending({ detail, waiting, onPlace }: { detail: Detail; waiting: boolean; onPlace: (side: Side, offset: number) => void }) {
  const t = useT();
  return (
    <div className="flex flex-col gap-2 border-t border-line px-3.5 py-3 empty:hidden">
      {waiting ? <p className="flex items-center gap-2 text-12 text-t3" role="status">{t(detail.exchange.response == null ? "talk.waiting" : "talk.receiving")}<span className="caret" /></p> : null}
      {explain(detail, t).map((explanation) => <Explained key={explanation.title} explanation={explanation} />)}
      <Diagnostics reading={detail.reading} onPlace={onPlace} />
    </div>
  );
}

const TONES = { fail: "border-fail/40 bg-fail-soft", held: "border-held/40 bg-held-soft", plain: "border-line-strong bg-sunken" };
const INKS = { fail: "text-fail", held: "text-held", plain: "text-t3" };

function Explained({ explanation }: { explanation: Explanation }) {
  const { tone, title, said, facts } = explanation;
  return (
    <section className={`flex max-w-[90ch] gap-2.5 rounded-2 border px-3 py-2 text-12 ${TONES[tone]}`}>
      <span className={`pt-0.25 ${INKS[tone]}`}><Icon name="warning" small /></span>
      <div className="min-w-0 flex-1">
        <p className="font-medium text-t1">{title}</p>
        {said === null ? null : <p className="font-mono break-words whitespace-pre-wrap text-t1"><bdi><VisibleText text={said} /></bdi></p>}
        {facts.length === 0 ? null : <div className="mt-1.5"><FactList facts={facts} /></div>}
      </div>
    </section>
  );
}
