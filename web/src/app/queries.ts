/** What the frame itself asks the server. */
import { queryOptions } from "@tanstack/react-query";

import { ApiError, fetchJson } from "@/api/client";
import type { Status } from "@/api/types";

/** How often an unreachable monitor is asked again. */
const AGAIN_MS = 3_000;

export const statsKey = ["stats"] as const;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => fetchJson<Status>("/api/status", signal),
  staleTime: Number.POSITIVE_INFINITY,
  retry: (_, error) => !(error instanceof ApiError && error.isSignedOut),
  retryDelay: AGAIN_MS,
});
