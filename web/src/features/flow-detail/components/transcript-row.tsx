import { memo, useState, type ReactNode } from "react";

import { bytes, exact } from "@/lib/format";
import { useT, type Translate } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";
import { Icon } from "@/ui/icon";

import { withBreakpoints } from "../lib/breakpoints";
import type { TranscriptItem } from "../lib/transcript";

import { PartView, partSummary } from "./part-view";
import { RawList } from "./raw-list";
import { SystemParts } from "./system-parts";
import { ToolList } from "./tool-list";

interface TranscriptRowProps {
  item: TranscriptItem;
  flow: string;
  showEarlier: boolean;
  onShowEarlier: () => void;
}

/** One item with its spine at the left and who speaks. */
export const TranscriptRow = memo(function TranscriptRow({ item, flow, showEarlier, onShowEarlier }: TranscriptRowProps) {
  const t = useT();
  switch (item.kind) {
    case "system":
      return (
        <Fold item={item} who={t("role.system")} title={t("talk.systemPrompt")} hint={firstWords(item.parts)} cached={withBreakpoints(item.parts).some(({ cache }) => cache != null)}>
          <SystemParts parts={item.parts} flow={flow} />
        </Fold>
      );
    case "tools":
      return (
        <Fold item={item} who={t("role.tools")} title={t("talk.tools", { n: item.tools.length })} hint={item.tools.map(({ name }) => name).join(", ")} cached={item.tools.some(({ cache }) => cache != null)}>
          <ToolList tools={item.tools} />
        </Fold>
      );
    case "earlier":
      return (
        <Shell item={item} who={t("role.earlier")} folded>
          <FoldLine open={showEarlier} onToggle={onShowEarlier} title={t("talk.earlier", { n: item.count })} hint="" size={item.bytes === 0 ? "" : bytes(item.bytes)} />
        </Shell>
      );
    case "raws":
      return <Shell item={item} who={t(`role.${item.speaker === "other" ? "assistant" : item.speaker}`)}><RawList name={item.name} raws={item.raws} /></Shell>;
    case "vectors":
      return <Shell item={item} who={t("role.assistant")}><p className="text-13">{t("talk.vectors", { n: exact(item.embeddings.count), size: item.embeddings.dimensions == null ? t("common.unknown") : exact(item.embeddings.dimensions) })}</p></Shell>;
    case "count":
      return <Shell item={item} who={t("role.assistant")}><p className="text-13">{t("talk.promptTokens", { n: exact(item.tokens) })}</p></Shell>;
    case "answer":
      return <Shell item={item} who={t("role.answer", { n: item.index + 1 })} folded><div className="h-7.5" /></Shell>;
    case "end":
      return (
        <Shell item={item} who={t("role.end")} folded>
          <div className="flex h-7.5 items-center gap-2"><Chip mono>{item.stop}</Chip></div>
        </Shell>
      );
    case "part":
      return <PartRow item={item} flow={flow} />;
  }
});

function PartRow({ item, flow }: { item: Extract<TranscriptItem, { kind: "part" }>; flow: string }) {
  const t = useT();
  const folds = item.part.kind === "thinking" && !item.live;
  if (folds) {
    return (
      <Fold item={item} who={t("role.thinking")} title={partSummary(item.part, t)} hint="" muted>
        <PartView item={item} flow={flow} />
      </Fold>
    );
  }
  return (
    <Shell item={item} who={<Who item={item} t={t} />}>
      <PartView item={item} flow={flow} />
    </Shell>
  );
}

function Who({ item, t }: { item: Extract<TranscriptItem, { kind: "part" }>; t: Translate }) {
  if (!item.first && item.speaker !== "tool") return null;
  return (
    <>
      <b className="block font-medium text-t2">{item.speaker === "other" ? item.name : t(`role.${item.speaker}`)}</b>
      {item.call === null ? null : <small className="block truncate text-11">{item.call.name}</small>}
      {item.bytes === 0 ? null : <small className="block text-11">{bytes(item.bytes)}</small>}
      {item.isNew ? <small className="block text-11">{t("talk.new")}</small> : null}
    </>
  );
}

interface ShellProps {
  item: TranscriptItem;
  who: ReactNode;
  folded?: boolean;
  children: ReactNode;
}

function Shell({ item, who, folded = false, children }: ShellProps) {
  const t = useT();
  const prompt = item.kind !== "part" || !item.answer;
  return (
    <div className="grid grid-cols-[3px_74px_minmax(0,1fr)] gap-x-3 pr-3.5 pl-3 max-tablet:grid-cols-[3px_minmax(0,1fr)]">
      <i className={`spine max-tablet:row-span-2 ${item.spine === null ? "bg-track" : `kind-${item.spine}`}`} title={prompt && item.spine !== null ? t("talk.spineNote") : undefined} />
      <div className={`min-w-0 border-t border-line text-12 text-t3 ${folded ? "leading-7.5 max-tablet:hidden" : "py-2 max-tablet:pb-0 max-tablet:[&_small]:ml-2 max-tablet:[&>*]:inline"}`}>{who}</div>
      <div className={`min-w-0 border-t border-line break-words max-tablet:border-t-0 ${folded ? "" : "py-2"}`}>{children}</div>
    </div>
  );
}

interface FoldProps {
  item: TranscriptItem;
  who: string;
  title: string;
  hint: string;
  muted?: boolean;
  /** A cache breakpoint stands in it. */
  cached?: boolean;
  children: ReactNode;
}

function Fold({ item, who, title, hint, muted = false, cached = false, children }: FoldProps) {
  const t = useT();
  const [open, setOpen] = useState(false);
  return (
    <Shell item={item} who={who} folded>
      <FoldLine open={open} onToggle={() => { setOpen(!open); }} title={title} hint={hint} size={bytes(item.bytes)} mark={cached ? t("talk.cacheBreakpoint") : null} muted={muted} />
      {open ? <div className="pb-2.5">{children}</div> : null}
    </Shell>
  );
}

interface FoldLineProps {
  open: boolean;
  onToggle: () => void;
  title: string;
  hint: string;
  size: string;
  mark?: string | null;
  muted?: boolean;
}

function FoldLine({ open, onToggle, title, hint, size, mark = null, muted = false }: FoldLineProps) {
  return (
    <button type="button" aria-expanded={open} onClick={onToggle} className="flex h-7.5 w-full items-center gap-2 text-12 whitespace-nowrap text-t2 hover:text-t1 focus-visible:shadow-(--ring-in)">
      <span className="text-t3"><Icon name={open ? "down" : "right"} small /></span>
      <span className={muted ? "min-w-0 truncate" : ""}>{title}</span>
      <span className="min-w-0 flex-1 truncate text-t3">{hint}</span>
      {mark === null ? null : <Chip tone="line">{mark}</Chip>}
      <span className="text-t3">{size}</span>
    </button>
  );
}

function firstWords(parts: Extract<TranscriptItem, { kind: "system" }>["parts"]): string {
  const text = parts.find((part) => part.kind === "text");
  return text?.kind === "text" ? text.text.trim().slice(0, 160).replace(/\s+/g, " ") : "";
}
