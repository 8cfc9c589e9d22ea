import { useState } from "react";

import type { Tool } from "@/api/types";
import { bytes } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";
import { Icon } from "@/ui/icon";

import { LongText } from "./long-text";

/** The tools that the request offers, each with the size of its entry. */
export function ToolList({ tools }: { tools: readonly Tool[] }) {
  return (
    <ul className="divide-y divide-line overflow-hidden rounded-2 border border-line-strong">
      {tools.map((tool, at) => <ToolEntry key={at} tool={tool} />)}
    </ul>
  );
}

function ToolEntry({ tool }: { tool: Tool }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  return (
    <li>
      <button type="button" aria-expanded={open} onClick={() => { setOpen(!open); }} className="flex h-7 w-full items-center gap-2 px-2 text-12 whitespace-nowrap text-t3 hover:bg-hover focus-visible:shadow-(--ring-in)">
        <Icon name={open ? "down" : "right"} small />
        <b className="font-mono font-semibold text-t1">{tool.name}</b>
        {tool.server === true ? <Chip>{t("talk.toolServer")}</Chip> : null}
        <span className="min-w-0 flex-1 truncate">{tool.description?.split("\n", 1)[0] ?? ""}</span>
        {tool.cache == null ? null : <Chip tone="line" title={JSON.stringify(tool.cache)}>{t("talk.cacheBreakpoint")}</Chip>}
        <span>{bytes(tool.bytes)}</span>
      </button>
      {open ? (
        <div className="flex flex-col gap-2 px-2 pt-1 pb-2">
          {tool.description == null ? null : <LongText text={tool.description} />}
          {tool.schema == null ? null : <LongText text={JSON.stringify(tool.schema, null, 2)} boxed />}
        </div>
      ) : null}
    </li>
  );
}
