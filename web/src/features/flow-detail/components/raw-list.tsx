import { useState } from "react";

import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Icon } from "@/ui/icon";
import { VisibleText } from "@/ui/visible-text";

import { rawSummary } from "../lib/raw-fields";

import { RawValue, textOf } from "./raw-box";

/** Entries that are drawn before someone asks for all. */
const SHOWN_MAX = 40;

/** Many parts of one name, such as the models of a list: a line each, opened one by one. */
export function RawList({ name, raws }: { name: string; raws: readonly unknown[] }) {
  const t = useT();
  const [all, setAll] = useState(false);
  const shown = all ? raws : raws.slice(0, SHOWN_MAX);
  return (
    <div className="overflow-hidden rounded-2 border border-line-strong">
      <p className="flex h-7 items-center gap-2 bg-sunken px-2 text-12 text-t3"><b className="font-mono font-semibold text-t1"><VisibleText text={name} /></b>× {exact(raws.length)}</p>
      <ul className="divide-y divide-line border-t border-line">{shown.map((raw, at) => <Entry key={at} raw={raw} />)}</ul>
      {raws.length > SHOWN_MAX ? (
        <button type="button" aria-expanded={all} onClick={() => { setAll(!all); }} className="block w-full border-t border-dashed border-line-strong px-2.5 py-0.75 text-11 text-t3 hover:text-t1 focus-visible:shadow-(--ring-in)">
          {all ? t("talk.fewerLines") : t("talk.moreEntries", { n: exact(raws.length - SHOWN_MAX) })}
        </button>
      ) : null}
    </div>
  );
}

function Entry({ raw }: { raw: unknown }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <button type="button" aria-expanded={open} onClick={() => { setOpen(!open); }} className="flex h-7 w-full items-center gap-2 px-2 text-12 text-t3 hover:bg-hover focus-visible:shadow-(--ring-in)">
        <Icon name={open ? "down" : "right"} small />
        <span className="min-w-0 flex-1 truncate font-mono text-t1"><bdi><VisibleText text={rawSummary(raw)} /></bdi></span>
      </button>
      {open ? <div className="border-t border-line"><RawValue raw={raw} text={textOf(raw)} /></div> : null}
    </li>
  );
}
