import type { Part } from "@/api/types";

import { withBreakpoints } from "../lib/breakpoints";

import { CacheChip } from "./cache-chip";
import { LongText } from "./long-text";
import { PartBody } from "./part-view";

/** The system prompt is read as it was written: its marks are part of what the model saw. */
export function SystemParts({ parts, flow }: { parts: readonly Part[]; flow: string }) {
  return (
    <div className="flex flex-col gap-2">
      {withBreakpoints(parts).map(({ part, cache }, at) => (
        <div key={at}>
          {part.kind === "text" ? <LongText text={part.text} boxed /> : <PartBody part={part} flow={flow} side="request" live={false} />}
          <CacheChip cache={cache} />
        </div>
      ))}
    </div>
  );
}
