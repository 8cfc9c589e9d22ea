import type { Part, Side } from "@/api/types";
import { bytes, cut } from "@/lib/format";
import { useT, type Translate } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";
import { Icon } from "@/ui/icon";
import { VisibleText } from "@/ui/visible-text";

import { withBreakpoints } from "../lib/breakpoints";
import { isTooLongForProse } from "../lib/long-text";
import { partBytes, type TranscriptItem } from "../lib/transcript";

import { CacheChip } from "./cache-chip";
import { LongText } from "./long-text";
import { MarkdownView } from "./markdown-view";
import { MediaView } from "./media-view";
import { RawBox } from "./raw-box";
import { ToolCallBox } from "./tool-call-box";

const SUMMARY_CHARS = 120;

export function PartView({ item, flow }: { item: Extract<TranscriptItem, { kind: "part" }>; flow: string }) {
  return (
    <>
      <PartBody part={item.part} flow={flow} side={item.answer ? "response" : "request"} live={item.live} />
      <CacheChip cache={item.cache} />
    </>
  );
}

interface PartBodyProps {
  part: Part;
  flow: string;
  /** The body in which its bytes are. */
  side: Side;
  live: boolean;
}

/** A part of a message. Everything in it is hostile: only text nodes. */
export function PartBody({ part, flow, side, live }: PartBodyProps) {
  const t = useT();
  switch (part.kind) {
    case "text":
      return (
        <>
          <MarkdownView text={part.text} live={live} />
          <div className="flex flex-wrap gap-1.5 empty:hidden [&>*]:mt-1.5">
            {(part.citations ?? []).length === 0 ? null : <Chip title={JSON.stringify(part.citations)}>{t("talk.citations", { n: part.citations?.length ?? 0 })}</Chip>}
          </div>
        </>
      );
    case "thinking":
      if (!part.redacted && isTooLongForProse(part.text)) return <LongText text={part.text} boxed />;
      return (
        <p className="max-w-[76ch] text-12 break-words whitespace-pre-wrap text-t2">
          {part.redacted ? t("talk.thinkingWithheld") : <bdi><VisibleText text={part.text} /></bdi>}
          {live ? <span className="caret" /> : null}
        </p>
      );
    case "refusal":
      if (isTooLongForProse(part.text)) return <><Chip tone="held" className="mb-1.5">{t("talk.refusal")}</Chip><LongText text={part.text} boxed /></>;
      return <p className="max-w-[76ch] whitespace-pre-wrap"><Chip tone="held" className="mr-2">{t("talk.refusal")}</Chip><bdi><VisibleText text={part.text} /></bdi></p>;
    case "image":
    case "audio":
    case "file":
      return <MediaView part={part} path={`/api/flows/${flow}/${side}/body`} />;
    case "tool_call":
      return <ToolCallBox call={part} live={live} />;
    case "tool_result":
      return <ToolResult part={part} flow={flow} side={side} />;
    case "other":
      return <RawBox name={part.name} raw={part.raw} />;
  }
}

function ToolResult({ part, flow, side }: { part: Extract<Part, { kind: "tool_result" }>; flow: string; side: Side }) {
  const t = useT();
  return (
    <div className="overflow-hidden rounded-2 border border-line-strong">
      <div className="flex h-7 items-center gap-2 bg-sunken px-2 text-12 whitespace-nowrap text-t3">
        <Icon name="result" small />
        <span className="min-w-0 flex-1 truncate font-mono" title={part.call_id ?? undefined}>{part.name ?? part.call_id ?? ""}</span>
        {part.is_error ? <Chip tone="fail">{t("talk.toolFailed")}</Chip> : null}
        {part.server === true ? <Chip>{t("talk.toolServer")}</Chip> : null}
        <span>{bytes(partBytes(part))}</span>
      </div>
      <div className="divide-y divide-line border-t border-line">
        {part.content.length === 0 ? <p className="px-2.5 py-1.5 text-12 text-t3">{t("talk.empty")}</p> : null}
        {withBreakpoints(part.content).map(({ part: inner, cache }, at) => (
          <div key={at} className={inner.kind === "text" ? "" : "p-2"}>
            {inner.kind === "text" ? <LongText text={inner.text} /> : <PartBody part={inner} flow={flow} side={side} live={false} />}
            {cache == null ? null : <div className={inner.kind === "text" ? "px-2.5 pb-1.5" : ""}><CacheChip cache={cache} /></div>}
          </div>
        ))}
      </div>
    </div>
  );
}

/** The folded form of a part of thinking. */
export function partSummary(part: Part, t: Translate): string {
  if (part.kind !== "thinking") return "";
  if (part.redacted) return t("talk.thinkingWithheld");
  const words = part.text.trim().replace(/\s+/g, " ");
  const start = cut(words, SUMMARY_CHARS);
  return `“${start}${start.length < words.length ? "…" : ""}”${part.signed ? ` · ${t("talk.thinkingSigned")}` : ""}`;
}
