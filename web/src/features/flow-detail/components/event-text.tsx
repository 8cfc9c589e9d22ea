import { useMemo } from "react";

import type { FlowEvent } from "@/api/types";
import { linesOf } from "@/lib/code-lines";
import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { CodeView } from "@/ui/code-view";
import { CopyButton } from "@/ui/copy-button";
import { Icon } from "@/ui/icon";

/** The chosen event in full, below the list. */
export function EventText({ event, onClose }: { event: FlowEvent; onClose: () => void }) {
  const t = useT();
  const lines = useMemo(() => linesOf(event.data), [event.data]);
  return (
    <section className="flex h-2/5 min-h-30 shrink-0 flex-col border-t border-line-strong">
      <div className="flex h-8 shrink-0 items-center gap-2 bg-sunken pr-1.5 pl-3 text-12 text-t3">
        <span className="font-mono text-t1">{event.name ?? `#${event.index + 1}`}</span>
        <span className="min-w-0 flex-1 truncate">{t("body.exact", { n: exact(event.bytes) })} · {t("talk.atByte", { offset: exact(event.offset) })}</span>
        <CopyButton text={() => event.data} />
        <Button look="ghost" shape="icon" aria-label={t("common.close")} onClick={onClose}><Icon name="close" small /></Button>
      </div>
      <CodeView lines={lines} label={event.name ?? t("events.data")} />
    </section>
  );
}
