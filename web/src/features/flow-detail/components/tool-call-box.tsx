import { useMemo, useState } from "react";

import type { ToolCall } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { CopyButton } from "@/ui/copy-button";
import { Icon } from "@/ui/icon";
import { VisibleText } from "@/ui/visible-text";

import { isTooLongForProse } from "../lib/long-text";
import { argumentsOf, type Argument } from "../lib/tool-arguments";

import { FieldList } from "./field-list";
import { LongText } from "./long-text";

/** A call with its arguments as key and value; the raw text is one click away. */
export function ToolCallBox({ call, live }: { call: ToolCall; live: boolean }) {
  const t = useT();
  const [raw, setRaw] = useState(false);
  const fields = useMemo(() => argumentsOf(call.arguments), [call.arguments]);
  return (
    <div className="overflow-hidden rounded-2 border border-line-strong">
      <div className="flex h-7 items-center gap-2 bg-sunken pr-1 pl-2 text-12 whitespace-nowrap text-t3">
        <Icon name="tool" small />
        <b className="font-mono font-semibold text-t1">{call.name}</b>
        {call.server === true ? <Chip>{t("talk.toolServer")}</Chip> : null}
        <span className="min-w-0 flex-1 truncate font-mono">{call.id ?? ""}</span>
        {fields === null ? null : <Button look="ghost" shape="small" aria-pressed={raw} onClick={() => { setRaw(!raw); }}>{t(raw ? "talk.fields" : "talk.raw")}</Button>}
        <CopyButton text={() => call.arguments} />
      </div>
      <div className="border-t border-line bg-panel">
        {raw || fields === null ? <RawArguments text={call.arguments} live={live} /> : <Fields fields={fields} />}
      </div>
    </div>
  );
}

function RawArguments({ text, live }: { text: string; live: boolean }) {
  const t = useT();
  if (live && !isTooLongForProse(text)) return <pre className="px-2.5 py-1.5 font-mono text-12 break-words whitespace-pre-wrap"><VisibleText text={text} /><span className="caret" /></pre>;
  return text === "" ? <p className="px-2.5 py-1.5 text-12 text-t3">{t("talk.noArguments")}</p> : <LongText text={text} />;
}

function Fields({ fields }: { fields: readonly Argument[] }) {
  const t = useT();
  if (fields.length === 0) return <p className="px-2.5 py-1.5 text-12 text-t3">{t("talk.noArguments")}</p>;
  return <FieldList fields={fields} />;
}
