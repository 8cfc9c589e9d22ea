/** How recording goes. The feed keeps the cache fresh; the route is asked once, for the time before the feed is there. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { fetchJson, sendJson } from "@/api/client";
import type { Health } from "@/api/types";

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => fetchJson<Health>("/api/health", signal),
  staleTime: Number.POSITIVE_INFINITY,
});

export function usePauseRecording() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (paused: boolean) => sendJson("PATCH", "/api/config", { "recording.paused": paused }),
    onSettled: () => client.invalidateQueries({ queryKey: healthQuery.queryKey }),
  });
}
