import type { Part } from "@/api/types";

import { LongText } from "./long-text";
import { PartBody } from "./part-view";

/** The system prompt is read as it was written: its marks are part of what the model saw. */
export function SystemParts({ parts, flow }: { parts: readonly Part[]; flow: string }) {
  return (
    <div className="flex flex-col gap-2">
      {parts.map((part, at) => (part.kind === "text" ? <LongText key={at} text={part.text} boxed /> : <PartBody key={at} part={part} flow={flow} side="request" live={false} />))}
    </div>
  );
}
