import { VisibleText } from "@/ui/visible-text";

import type { Argument } from "../lib/tool-arguments";

import { LongText } from "./long-text";

const INKS: Record<Argument["kind"], string> = { string: "text-t1", number: "text-c-num", word: "text-c-kw", json: "text-t1" };
/** What says no is read last. */
const QUIET = new Set(["false", "null"]);
/** Past it a value is folded like any long text. */
const VALUE_CHARS_MAX = 600;

/** Names and values as the wire has them. */
export function FieldList({ fields }: { fields: readonly Argument[] }) {
  return (
    <dl className="grid grid-cols-[fit-content(45%)_minmax(0,1fr)] gap-x-3.5 px-2.5 py-1.5 font-mono text-12">
      {fields.map(({ key, text, kind }) => (
        <div key={key} className="contents">
          <dt className="break-words text-c-key"><VisibleText text={key} /></dt>
          <dd className={`min-w-0 break-words whitespace-pre-wrap ${kind === "word" && QUIET.has(text) ? "text-t3" : INKS[kind]}`}>
            {text.length > VALUE_CHARS_MAX ? <LongText text={text} boxed /> : <VisibleText text={text} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}
