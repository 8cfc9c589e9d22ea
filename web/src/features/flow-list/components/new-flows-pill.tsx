import { useEffect, useState } from "react";

import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Icon } from "@/ui/icon";
import { KeyCaps } from "@/ui/key-caps";

/** How often readers are told. */
const TELL_EVERY_MS = 5_000;

/** New rows wait here while someone reads. */
export function NewFlowsPill({ count, onResume }: { count: number; onResume: () => void }) {
  const t = useT();
  return (
    <>
      <Announcer text={count === 0 ? "" : t("list.newFlows", { n: exact(count) })} />
      {count === 0 ? null : (
        <button
          type="button"
          onClick={onResume}
          className="pop-in absolute top-8.5 left-1/2 z-(--z-bar) flex h-7 -translate-x-1/2 items-center max-desk:left-4 max-desk:translate-x-0 max-tablet:left-1/2 max-tablet:-translate-x-1/2 gap-2 rounded-full bg-accent-solid px-3 text-12 font-medium text-on-accent shadow-pop hover:bg-accent-hover max-tablet:top-2"
        >
          <Icon name="up" small />
          {t("list.newFlows", { n: exact(count) })}
          <KeyCaps name="f" tone="primary" />
        </button>
      )}
    </>
  );
}

/** Says the newest text, but not at every change. */
function Announcer({ text }: { text: string }) {
  const [said, setSaid] = useState("");
  const [due, setDue] = useState(true);
  if (due && said !== text) {
    setSaid(text);
    setDue(false);
  }
  // The pause between two announcements is a timer.
  useEffect(() => {
    if (due) return;
    const timer = setTimeout(() => { setDue(true); }, TELL_EVERY_MS);
    return () => { clearTimeout(timer); };
  }, [due]);
  return <span className="sr-only" aria-live="polite">{said}</span>;
}
