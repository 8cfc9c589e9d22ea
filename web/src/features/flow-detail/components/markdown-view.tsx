import { memo, useMemo } from "react";

import { useT } from "@/lib/i18n/i18n";
import { VisibleText } from "@/ui/visible-text";

import { isTooLongForProse } from "../lib/long-text";
import { parseMarkdown, type Block, type Inline } from "../lib/markdown";

import { LongText } from "./long-text";

/** Markdown as React nodes. No HTML, nothing loaded; a link does nothing until it is clicked. */
export const MarkdownView = memo(function MarkdownView({ text, live }: { text: string; live: boolean }) {
  const blocks = useMemo(() => (isTooLongForProse(text) ? null : parseMarkdown(text)), [text]);
  if (blocks === null) return <LongText text={text} boxed />;
  return (
    <div className="flex max-w-[76ch] flex-col gap-1.5 text-13">
      {blocks.map((block, at) => <BlockView key={at} block={block} live={live && at === blocks.length - 1} />)}
      {live && blocks.length === 0 ? <span className="caret" /> : null}
    </div>
  );
});

function BlockView({ block, live }: { block: Block; live: boolean }) {
  const caret = live ? <span className="caret" /> : null;
  switch (block.kind) {
    case "paragraph":
      return <p className="break-words whitespace-pre-wrap"><Inlines inlines={block.inlines} />{caret}</p>;
    case "heading":
      return <p role="heading" aria-level={block.level} className={`font-semibold ${block.level <= 2 ? "mt-1 text-15" : ""}`}><Inlines inlines={block.inlines} />{caret}</p>;
    case "quote":
      return <blockquote className="border-l-2 border-line-strong pl-3 whitespace-pre-wrap text-t2"><Inlines inlines={block.inlines} />{caret}</blockquote>;
    case "rule":
      return <hr className="border-line" />;
    case "code":
      return (
        <pre className="scroll max-h-130 rounded-2 border border-line bg-sunken px-2.5 py-1.5 font-mono text-12 [tab-size:2]"><VisibleText text={block.text} />{caret}</pre>
      );
    case "list":
      return (
        <ul className="flex flex-col gap-0.5">
          {block.items.map((item, at) => (
            <li key={at} className="relative whitespace-pre-wrap" style={{ paddingLeft: (block.ordered ? 22 : 14) + item.depth * 16 }}>
              <span className="absolute text-t3" style={{ left: 2 + item.depth * 16 }} aria-hidden="true">{block.ordered && item.depth === 0 ? `${ordinal(block, at)}.` : "–"}</span>
              <Inlines inlines={item.inlines} />
              {live && at === block.items.length - 1 ? caret : null}
            </li>
          ))}
        </ul>
      );
  }
}

function ordinal(block: Extract<Block, { kind: "list" }>, at: number): number {
  return block.start + block.items.slice(0, at).filter(({ depth }) => depth === 0).length;
}

function Inlines({ inlines }: { inlines: readonly Inline[] }) {
  return inlines.map((inline, at) => <InlineView key={at} inline={inline} />);
}

function InlineView({ inline }: { inline: Inline }) {
  const t = useT();
  switch (inline.kind) {
    case "text":
      return <VisibleText text={inline.text} />;
    case "code":
      return <code className="rounded-1 bg-raised px-0.75 font-mono text-12"><VisibleText text={inline.text} /></code>;
    case "strong":
      return <strong className="font-semibold"><VisibleText text={inline.text} /></strong>;
    case "em":
      return <em><VisibleText text={inline.text} /></em>;
    case "link":
      return (
        <a className="text-accent underline decoration-line-strong underline-offset-2 hover:decoration-current" href={inline.href} target="_blank" rel="noopener noreferrer nofollow" title={t("talk.link", { url: inline.href })}>
          <VisibleText text={inline.text} />
        </a>
      );
  }
}
