import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from "react";

import { openFeed, type Feed, type FeedStatus } from "@/api/feed";
import type { FeedMessage, Health } from "@/api/types";
import { fetchFlows } from "@/features/flow-list/api";
import { FlowLog } from "@/features/flow-list/lib/flow-log";
import { FlowLogContext } from "@/features/flow-list/store";
import { healthQuery } from "@/features/health/api";
import { setFeedLost } from "@/lib/feed-clock";

import { statsKey, statusQuery } from "./queries";

const TOPICS = ["flows", "stats", "health"];

interface LiveState {
  status: FeedStatus;
  retry: () => void;
}

const LiveContext = createContext<LiveState>({ status: { state: "connecting" }, retry: () => undefined });

export function useLive(): LiveState {
  return useContext(LiveContext);
}

/** The one feed of the page, given out to the list and the query cache. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [log] = useState(() => new FlowLog(fetchFlows));
  const [status, setStatus] = useState<FeedStatus>({ state: "connecting" });
  const feed = useRef<Feed>(null);
  // The feed is outside React.
  useEffect(() => {
    void log.load();
    const opened = openFeed({
      topics: TOPICS,
      onMessage: (message) => { dispatch(message, log, client); },
      onStatus: (next) => {
        setStatus(next);
        // The clock stands from the loss until the feed is open again, also while it is tried.
        if (next.state !== "connecting") setFeedLost(next.state === "lost");
        if (next.state === "open" && log.view().error !== null) void log.load();
        // A lost feed may mean that the session is over: the status tells.
        if (next.state === "lost") void client.invalidateQueries({ queryKey: statusQuery.queryKey });
      },
    });
    feed.current = opened;
    return () => { opened.close(); };
  }, [client, log]);
  return (
    <FlowLogContext value={log}>
      <LiveContext value={{ status, retry: () => { feed.current?.retry(); } }}>{children}</LiveContext>
    </FlowLogContext>
  );
}

function dispatch(message: FeedMessage, log: FlowLog, client: QueryClient): void {
  if (message.topic === "flows") log.receive(message);
  else if (message.kind === "reset" || message.data === null) void client.invalidateQueries({ queryKey: message.topic === "health" ? healthQuery.queryKey : statsKey });
  else if (message.topic === "stats") client.setQueryData(statsKey, message.data);
  else if (message.topic === "health") client.setQueryData(healthQuery.queryKey, message.data as Health);
}
