import { skipToken, useQuery } from "@tanstack/react-query";

import type { Stats } from "@/api/types";
import { FlowDetail } from "@/features/flow-detail/components/flow-detail";
import { isTab } from "@/features/flow-detail/lib/tabs";
import { FlowList } from "@/features/flow-list/components/flow-list";
import { ListBar } from "@/features/flow-list/components/list-bar";
import { useLogView } from "@/features/flow-list/store";
import { SetupGuide } from "@/features/setup/components/setup-guide";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Icon } from "@/ui/icon";
import { KeyCaps } from "@/ui/key-caps";

import { statsKey, statusQuery } from "../queries";
import { atByte, atEvent, byteAt, eventAt } from "../search";
import { TopBar } from "../shell/top-bar";

import { DetailButtons } from "./detail-buttons";
import { PeekPane } from "./peek-pane";
import { useFlowsState } from "./use-flows-state";

/** The list, and beside it the flow that is looked at. */
export function FlowsPage() {
  const t = useT();
  const state = useFlowsState();
  const view = useLogView();
  const { data: stats } = useQuery<Stats>({ queryKey: statsKey, queryFn: skipToken });
  const { data: status } = useQuery(statusQuery);
  const { search } = state;
  const empty = !view.loading && view.error === null && view.rows.length === 0 && view.waiting === 0 && !view.hidden;
  return (
    <>
      <TopBar>
        <h1 className="text-13 font-semibold">{t("nav.flows")}</h1>
        <ListBar stats={stats} onFollow={state.follow} onClear={state.clear} />
        <Button look="ghost" className="max-tablet:hidden" onClick={state.openPalette}>{t("commands.title")}<KeyCaps name="mod+k" /></Button>
      </TopBar>
      {empty ? <SetupGuide status={status} /> : (
        <main className="relative flex min-h-0 min-w-0 flex-1">
          <FlowList selected={search.sel ?? null} cursor={state.cursor} onSelect={state.select} onOpen={state.open} onFollow={state.follow} onShowEarlier={state.showEarlier} />
          {search.sel === undefined ? null : (
            <PeekPane label={t("detail.label")}>
              <FlowDetail
                key={search.sel}
                id={search.sel}
                layout="peek"
                tab={isTab(search.tab) ? search.tab : "conversation"}
                side={null}
                at={eventAt(search.at)}
                byte={byteAt(search.at)}
                onTab={(tab) => { state.change({ tab, at: undefined }); }}
                onAt={(at) => { state.change({ at: atEvent(at) }); }}
                onPlace={(side, offset) => { state.change({ tab: side, at: atByte(offset) }); }}
                onList={state.closePeek}
                actions={
                  <DetailButtons onPrevious={() => { state.step(-1); }} onNext={() => { state.step(1); }}>
                    <Button look="ghost" shape="icon" aria-label={t("detail.open")} title={`${t("detail.open")} (Enter)`} onClick={() => { if (search.sel !== undefined) state.open(search.sel); }}><Icon name="open" /></Button>
                    <Button look="ghost" shape="icon" aria-label={t("common.close")} title={`${t("common.close")} (Esc)`} onClick={state.closePeek}><Icon name="close" /></Button>
                  </DetailButtons>
                }
              />
            </PeekPane>
          )}
        </main>
      )}
    </>
  );
}
