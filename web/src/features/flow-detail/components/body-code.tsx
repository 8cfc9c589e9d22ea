import { useDeferredValue, useMemo, useState } from "react";

import { lineAt } from "@/lib/code-lines";
import { findAll, type Match } from "@/lib/code-search";
import { useT } from "@/lib/i18n/i18n";
import { setPreference, usePreferences } from "@/lib/preferences";
import { Banner } from "@/ui/banner";
import { Button } from "@/ui/button";
import { CodeView } from "@/ui/code-view";
import { CopyButton } from "@/ui/copy-button";

import type { BodyContent } from "../lib/body-reader";

import { BodyBar } from "./body-bar";
import { BodySearch } from "./body-search";

/** Characters that are marked at a place. */
const PLACE_CHARS_MAX = 40;

interface BodyCodeProps {
  content: Extract<BodyContent, { kind: "lines" }>;
  label: string;
  facts: string;
  capped: string | null;
  path: string;
  name: string;
  query: string;
  onQuery: (query: string) => void;
}

/** A body as lines, with search, copy and download. */
export function BodyCode({ content, label, facts, capped, path, name, query, onQuery }: BodyCodeProps) {
  const t = useT();
  const wanted = useDeferredValue(query);
  const matches = useMemo(() => findAll(content.lines, wanted), [content.lines, wanted]);
  // A place that was asked for is marked until someone searches.
  const place = useMemo(() => placed(content), [content]);
  const { wrapCode } = usePreferences();
  const [step, setStep] = useState(0);
  const current = matches.length === 0 ? 0 : ((step % matches.length) + matches.length) % matches.length;
  return (
    <>
      <BodyBar facts={facts} path={path} name={name}>
        <BodySearch query={query} onQuery={(next) => { onQuery(next); setStep(0); }} count={matches.length} current={current} onStep={(by) => { setStep(current + by); }} />
        <Button look={wrapCode ? "on" : "ghost"} aria-pressed={wrapCode} title={t("body.wrapTitle")} onClick={() => { setPreference("wrapCode", !wrapCode); }}>{t("body.wrap")}</Button>
        <CopyButton text={() => content.lines.text} />
      </BodyBar>
      {capped === null ? null : (
        <Banner tone="plain" action={<a className="text-accent hover:underline" href={path} download={name}>{t("common.download")}</a>}>{capped}</Banner>
      )}
      <CodeView lines={content.lines} label={label} matches={wanted === "" ? place : matches} current={wanted === "" ? 0 : current} wrap={wrapCode} />
    </>
  );
}

function placed({ lines, mark }: BodyCodeProps["content"]): Match[] {
  if (mark === null) return [];
  const end = lines.starts[lineAt(lines, mark) + 1] ?? lines.text.length;
  return [{ from: mark, to: Math.min(mark + PLACE_CHARS_MAX, Math.max(mark + 1, end - 1)) }];
}
