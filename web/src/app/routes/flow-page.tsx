import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";

import { FlowDetail } from "@/features/flow-detail/components/flow-detail";
import { isTab, SIDE_TABS, type TabId } from "@/features/flow-detail/lib/tabs";
import { useFlowLog } from "@/features/flow-list/store";
import { useRegisterActions } from "@/lib/actions";
import { shortId } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { CopyButton } from "@/ui/copy-button";
import { Icon } from "@/ui/icon";

import { atByte, atEvent, byteAt, eventAt, type FlowSearch } from "../search";
import { TopBar } from "../shell/top-bar";

import { DetailButtons } from "./detail-buttons";
import { tabActions } from "./use-flows-state";

/** One flow as a page. */
export function FlowPage() {
  const t = useT();
  const log = useFlowLog();
  const navigate = useNavigate();
  const { id } = useParams({ from: "/flows/$id" });
  const search = useSearch({ from: "/flows/$id" });
  const change = (part: FlowSearch) => {
    void navigate({ to: "/flows/$id", params: { id }, search: (old) => ({ ...old, ...part }), replace: true });
  };
  // A wide page has two panes: each tab goes to its own.
  const choose = (tab: TabId) => { change(SIDE_TABS.includes(tab) && isWide() ? { side: tab, at: undefined } : { tab, at: undefined }); };
  const back = () => { void navigate({ to: "/flows", search: { ...search, sel: isPhone() ? undefined : id, side: undefined, follow: "off" } }); };
  const step = (by: number) => {
    const { rows } = log.view();
    const next = rows[rows.findIndex((row) => row.id === id) + by];
    if (next !== undefined) void navigate({ to: "/flows/$id", params: { id: next.id }, search: { ...search, at: undefined }, replace: true });
  };
  useRegisterActions([
    { id: "next", group: "list", label: "action.next", keys: ["j"], run: () => { step(1); } },
    { id: "previous", group: "list", label: "action.previous", keys: ["k"], run: () => { step(-1); } },
    { id: "back", group: "list", label: "action.back", keys: ["escape"], run: back },
    ...tabActions(choose, () => true),
  ]);
  return (
    <>
      <TopBar>
        <div className="flex min-w-0 flex-1 items-center gap-1.5 text-t3">
          <Link to="/flows" search={{ ...search, sel: undefined, side: undefined, at: undefined }} className="text-accent hover:underline">{t("nav.flows")}</Link>
          <Icon name="right" small />
          <b className="truncate font-mono text-12 font-medium text-t1" title={id}>{shortId(id)}</b>
          <CopyButton text={() => id} />
        </div>
        <DetailButtons onPrevious={() => { step(-1); }} onNext={() => { step(1); }} />
      </TopBar>
      <main className="flex min-h-0 min-w-0 flex-1 flex-col">
        <FlowDetail
          key={id}
          id={id}
          layout="page"
          tab={isTab(search.tab) ? search.tab : "conversation"}
          side={isTab(search.side) ? search.side : null}
          at={eventAt(search.at)}
          byte={byteAt(search.at)}
          onTab={choose}
          onAt={(at) => { change({ at: atEvent(at) }); }}
          onPlace={(side, offset) => { change({ tab: side, at: atByte(offset) }); }}
          onList={() => { void navigate({ to: "/flows" }); }}
          actions={null}
        />
      </main>
    </>
  );
}

function isWide(): boolean {
  return window.matchMedia("(min-width: 1280px)").matches;
}

function isPhone(): boolean {
  return window.matchMedia("(max-width: 767px)").matches;
}
