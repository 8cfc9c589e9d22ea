/**
 * One flow: fetched once, then kept live over its own feed topic while it runs. What the feed brings goes into the
 * query cache, so that there is one place to read it from.
 */
import { queryOptions, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { fetchJson } from "@/api/client";
import { openFeed } from "@/api/feed";
import type { Detail, EventPage, FeedMessage, FlowProgress } from "@/api/types";

/** Events in one request. */
export const EVENTS_PAGE = 200;
/** How often the events of a running stream are asked for again. */
const EVENTS_EVERY_MS = 1_000;

export function flowDetail(id: string) {
  return queryOptions({
    queryKey: ["flow", id],
    queryFn: ({ signal }) => fetchJson<Detail>(`/api/flows/${id}`, signal),
    // An ended flow does not change; a running one is kept by the feed.
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

export function flowEvents(id: string, page: number, running: boolean) {
  return queryOptions({
    queryKey: ["flow", id, "events", page],
    queryFn: ({ signal }) => fetchJson<EventPage>(`/api/flows/${id}/events?from=${page * EVENTS_PAGE}&limit=${EVENTS_PAGE}`, signal),
    staleTime: running ? EVENTS_EVERY_MS : Number.POSITIVE_INFINITY,
    refetchInterval: running ? EVENTS_EVERY_MS : (false as const),
  });
}

export function useFlowDetail(id: string) {
  const client = useQueryClient();
  const query = useQuery(flowDetail(id));
  const running = query.data !== undefined && query.data.exchange.end == null;
  // The feed is outside React; it stays open while the flow runs and is shown.
  useEffect(() => {
    if (!running) return;
    const feed = openFeed({ topics: [`flow/${id}`], onMessage: (message) => { applyToFlow(client, id, message); } });
    return () => { feed.close(); };
  }, [client, id, running]);
  return query;
}

export function applyToFlow(client: QueryClient, id: string, message: FeedMessage): void {
  const key = flowDetail(id).queryKey;
  switch (message.kind) {
    case "snapshot": {
      client.setQueryData(key, message.data as Detail);
      // What is known of the events of a stream that has ended was known too early.
      void client.invalidateQueries({ queryKey: ["flow", id, "events"] });
      break;
    }
    case "update": {
      const progress = message.data as FlowProgress;
      client.setQueryData(key, (old) => (old === undefined ? old : withProgress(old, progress)));
      break;
    }
    case "gone":
    case "reset": {
      void client.invalidateQueries({ queryKey: key });
      break;
    }
  }
}

export function withProgress(detail: Detail, { flow, exchange, response }: FlowProgress): Detail {
  const units = response.units ?? detail.reading.units;
  const reading = { ...detail.reading, response, tokens: flow.tokens, estimated: flow.estimated, dialect: flow.dialect ?? detail.reading.dialect ?? null, ...(units === undefined ? {} : { units }) };
  return { ...detail, flow, exchange, reading };
}
