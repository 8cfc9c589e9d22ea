import { Tabs } from "radix-ui";
import { useSyncExternalStore, type ReactNode } from "react";

import { ApiError } from "@/api/client";
import type { Detail, Side } from "@/api/types";
import { compact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Problem } from "@/ui/problem";
import { SkeletonRows } from "@/ui/skeleton";
import { TabBar } from "@/ui/tabs";

import { useFlowDetail } from "../api";
import { MAIN_TABS, SIDE_TABS, TABS, tabKey, tabLabel, type TabId } from "../lib/tabs";

import { DetailHeader } from "./detail-header";
import { Notices } from "./notices";
import { TabContent } from "./tab-content";

export interface FlowDetailProps {
  id: string;
  layout: "peek" | "page";
  tab: TabId;
  /** Right pane of a wide page. */
  side: TabId | null;
  /** Chosen event. */
  at: number | null;
  /** Byte of the body that is shown. */
  byte: number | null;
  onTab: (tab: TabId) => void;
  onAt: (at: number | null) => void;
  onPlace: (side: Side, offset: number) => void;
  /** Leaves the flow for the list. */
  onList: () => void;
  /** Buttons of the place that shows it. */
  actions: ReactNode;
}

const WIDE = "(min-width: 1280px)";

export function FlowDetail(props: FlowDetailProps) {
  const t = useT();
  const query = useFlowDetail(props.id);
  const split = useMedia(WIDE) && props.layout === "page";
  if (query.error !== null && query.data === undefined) {
    return <DetailProblem error={query.error} actions={props.actions} onList={props.onList} onRetry={() => { void query.refetch(); }} />;
  }
  const detail = query.data;
  if (detail === undefined) {
    return (
      <div className="flex min-h-0 flex-1 flex-col" aria-busy="true" aria-label={t("common.loading")}>
        <div className="flex h-10 shrink-0 items-center justify-end px-1.5">{props.actions}</div>
        <SkeletonRows count={8} height={32} />
      </div>
    );
  }
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col" key={props.id}>
      <DetailHeader detail={detail} layout={props.layout} actions={props.actions} />
      <Notices exchange={detail.exchange} />
      {split ? <SplitPanes {...props} detail={detail} /> : <Pane {...props} detail={detail} tabs={TABS} tab={props.tab} />}
    </div>
  );
}

function SplitPanes(props: FlowDetailProps & { detail: Detail }) {
  const main = MAIN_TABS.includes(props.tab) ? props.tab : "conversation";
  const asked = props.side ?? props.tab;
  const usual: TabId = props.detail.flow.events > 0 ? "events" : "usage";
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_minmax(420px,46%)] divide-x divide-line">
      <Pane {...props} tabs={MAIN_TABS} tab={main} />
      <Pane {...props} tabs={SIDE_TABS} tab={SIDE_TABS.includes(asked) ? asked : usual} />
    </div>
  );
}

function Pane({ detail, tabs, tab, at, byte, onTab, onAt, onPlace }: FlowDetailProps & { detail: Detail; tabs: readonly TabId[] }) {
  const t = useT();
  const choose = (value: string) => {
    const found = tabs.find((each) => each === value);
    if (found !== undefined) onTab(found);
  };
  const items = tabs.map((value) => ({
    value,
    label: t(tabLabel(value)),
    count: value === "events" && detail.flow.events > 0 ? compact(detail.flow.events) : undefined,
    keys: tabKey(value),
  }));
  return (
    <Tabs.Root value={tab} onValueChange={choose} activationMode="manual" className="flex min-h-0 min-w-0 flex-1 flex-col">
      <TabBar label={t("detail.tabs")} items={items} value={tab} />
      <Tabs.Content value={tab} tabIndex={-1} className="flex min-h-0 flex-1 flex-col">
        <TabContent detail={detail} tab={tab} at={at} byte={byte} onAt={onAt} onPlace={onPlace} />
      </Tabs.Content>
    </Tabs.Root>
  );
}

function DetailProblem({ error, actions, onList, onRetry }: { error: Error; actions: ReactNode; onList: () => void; onRetry: () => void }) {
  const t = useT();
  const missing = error instanceof ApiError && error.status === 404;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-10 shrink-0 items-center justify-end px-1.5">{actions}</div>
      <Problem title={t(missing ? "detail.notFound" : "detail.failed")} action={missing ? <Button onClick={onList}>{t("detail.toList")}</Button> : <Button onClick={onRetry}>{t("common.retry")}</Button>}>
        {missing ? t("detail.notFoundHelp") : error.message}
      </Problem>
    </div>
  );
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = window.matchMedia(query);
      media.addEventListener("change", listener);
      return () => { media.removeEventListener("change", listener); };
    },
    () => window.matchMedia(query).matches,
  );
}
