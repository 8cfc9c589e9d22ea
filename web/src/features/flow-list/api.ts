/** Pages of the list. They go into the log, not into the query cache: live rows change four times a second. */
import { fetchJson } from "@/api/client";
import type { FlowPage } from "@/api/types";

const PAGE_ROWS = 100;

export function fetchFlows(cursor: string | null): Promise<FlowPage> {
  const query = new URLSearchParams({ limit: String(PAGE_ROWS) });
  if (cursor !== null) query.set("cursor", cursor);
  return fetchJson<FlowPage>(`/api/flows?${query.toString()}`);
}
