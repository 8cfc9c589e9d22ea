/** The one log of the page, and hooks on it. It outlives the list, so that coming back finds the rows in place. */
import { createContext, useContext, useSyncExternalStore } from "react";

import type { FlowLog, LogView } from "./lib/flow-log";

export const FlowLogContext = createContext<FlowLog | null>(null);

export function useFlowLog(): FlowLog {
  const log = useContext(FlowLogContext);
  if (log === null) throw new Error("the page has no flow log");
  return log;
}

export function useLogView(): LogView {
  const log = useFlowLog();
  return useSyncExternalStore(log.subscribe, log.view);
}
