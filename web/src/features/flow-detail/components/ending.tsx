import type { Detail, Reading } from "@/api/types";
import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";
import { Icon } from "@/ui/icon";

import { explain, type Explanation } from "../lib/explain";

/** What stands below the last message: that more is to come, or how it ended. */
export function Ending({ detail, waiting }: { detail: Detail; waiting: boolean }) {
  const t = useT();
  return (
    <div className="flex flex-col gap-2 border-t border-line px-3.5 py-3 empty:hidden">
      {waiting ? <p className="flex items-center gap-2 text-12 text-t3" role="status">{t(detail.exchange.response == null ? "talk.waiting" : "talk.receiving")}<span className="caret" /></p> : null}
      {explain(detail, t).map((explanation) => <Explained key={explanation.title} explanation={explanation} />)}
      <Diagnostics reading={detail.reading} />
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
        {said === null ? null : <p className="font-mono break-words whitespace-pre-wrap text-t1"><bdi>{said}</bdi></p>}
        {facts.length === 0 ? null : <p className="text-t2">{facts.join(" · ")}</p>}
      </div>
    </section>
  );
}

function Diagnostics({ reading }: { reading: Reading }) {
  const t = useT();
  const all = [...(reading.request.diagnostics ?? []), ...(reading.response.diagnostics ?? [])];
  if (all.length === 0) return null;
  return (
    <section className="text-12">
      <h3 className="mb-1 text-t2">{t("talk.diagnostics", { n: all.length })}</h3>
      <ul className="flex flex-col gap-1">
        {all.map(({ code, message, offset }, at) => (
          <li key={at} className="flex flex-wrap items-center gap-2 text-t2">
            <Chip mono>{code}</Chip>
            <span className="min-w-0 break-words">{message}</span>
            {offset == null ? null : <span className="text-t3">{t("talk.atByte", { offset: exact(offset) })}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
