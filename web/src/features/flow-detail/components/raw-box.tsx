import { useMemo, useState } from "react";

import { bytes } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { Icon } from "@/ui/icon";
import { VisibleText } from "@/ui/visible-text";

import { rawFields, rawSummary } from "../lib/raw-fields";
import { utf8Bytes } from "../lib/text-size";

import { FieldList } from "./field-list";
import { LongText } from "./long-text";

/** A longer part stays closed until someone asks. */
const OPEN_BYTES_MAX = 2_000;

/** A part without a shape of its own: named, kept as it came, closed where it is long. */
export function RawBox({ name, raw }: { name: string; raw: unknown }) {
  const t = useT();
  const text = useMemo(() => textOf(raw), [raw]);
  const size = utf8Bytes(text);
  const [open, setOpen] = useState(size <= OPEN_BYTES_MAX);
  return (
    <div className="overflow-hidden rounded-2 border border-line-strong">
      <div className="flex h-7 items-center gap-2 bg-sunken pr-1 text-12 whitespace-nowrap text-t3">
        <button type="button" aria-expanded={open} title={t("talk.other")} onClick={() => { setOpen(!open); }} className="flex h-full min-w-0 flex-1 items-center gap-2 pl-2 hover:text-t1 focus-visible:shadow-(--ring-in)">
          <Icon name={open ? "down" : "right"} small />
          <b className="shrink-0 font-mono font-semibold text-t1"><VisibleText text={name} /></b>
          <span className="min-w-0 flex-1 truncate"><bdi><VisibleText text={open ? "" : rawSummary(raw)} /></bdi></span>
          <span>{bytes(size)}</span>
        </button>
        <CopyButton text={() => text} />
      </div>
      {open ? <div className="border-t border-line bg-panel"><RawValue raw={raw} text={text} /></div> : null}
    </div>
  );
}

/** As names and values where that gives an overview, and as it came. */
export function RawValue({ raw, text }: { raw: unknown; text: string }) {
  const t = useT();
  const fields = useMemo(() => rawFields(raw), [raw]);
  const [asText, setAsText] = useState(false);
  if (fields === null) return <LongText text={text} />;
  return (
    <div className="relative">
      <Button look="ghost" shape="small" className="absolute top-0.5 right-1" aria-pressed={asText} onClick={() => { setAsText(!asText); }}>{t(asText ? "talk.fields" : "talk.raw")}</Button>
      {asText ? <LongText text={text} /> : <div className="pr-14"><FieldList fields={fields} /></div>}
    </div>
  );
}

export function textOf(raw: unknown): string {
  return typeof raw === "string" ? raw : (JSON.stringify(raw, null, 2) ?? "");
}
