import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";

import { isTab, TABS, tabKey, tabLabel, type TabId } from "@/features/flow-detail/lib/tabs";
import { useFlowLog } from "@/features/flow-list/store";
import { actions, useRegisterActions, type Action } from "@/lib/actions";
import { useT } from "@/lib/i18n/i18n";
import { showToast } from "@/ui/toast";

import type { FlowSearch } from "../search";

/** How long the keyboard rests on a row before the peek follows. */
const PEEK_AFTER_MS = 60;
const PAGE_ROWS = 20;

/** What the list page can do, over the address and the log. */
export function useFlowsState() {
  const t = useT();
  const log = useFlowLog();
  const navigate = useNavigate();
  const search = useSearch({ from: "/flows" });
  const [cursor, setCursor] = useState<string | null>(search.sel ?? null);
  const peekTimer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const following = search.follow !== "off";
  // The log is outside React; the address decides what it does.
  useEffect(() => { log.setFollowing(following); }, [log, following]);
  useEffect(() => { log.setAfter(search.after ?? null); }, [log, search.after]);
  useEffect(() => () => { clearTimeout(peekTimer.current); }, []);

  const change = (part: FlowSearch) => {
    void navigate({ to: "/flows", search: (old) => ({ ...old, ...part }), replace: true });
  };
  const follow = (on: boolean) => {
    log.setFollowing(on);
    change({ follow: on ? undefined : "off" });
  };
  const select = (id: string) => {
    log.setFollowing(false);
    setCursor(id);
    change({ sel: id, follow: "off", at: undefined });
  };
  const open = (id: string) => {
    clearTimeout(peekTimer.current);
    void navigate({ to: "/flows/$id", params: { id }, search: (old) => ({ ...old, sel: undefined, follow: "off" as const }) });
  };
  const closePeek = () => {
    clearTimeout(peekTimer.current);
    change({ sel: undefined, at: undefined });
  };
  const moveTo = (id: string | undefined) => {
    if (id === undefined) return;
    if (following) follow(false);
    setCursor(id);
    clearTimeout(peekTimer.current);
    if (search.sel !== undefined) peekTimer.current = setTimeout(() => { select(id); }, PEEK_AFTER_MS);
  };
  const step = (by: number) => {
    const { rows } = log.view();
    const at = rows.findIndex(({ id }) => id === cursor);
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
    moveTo(rows[next]?.id);
  };
  const showEarlier = () => { change({ after: undefined }); };
  const clear = () => {
    const before = search.after;
    change({ after: log.view().rows[0]?.started_at ?? before, sel: undefined, follow: undefined });
    showToast({ text: t("list.cleared"), action: { label: t("common.undo"), key: "z", run: () => { change({ after: before }); } } });
  };

  const state = { search, cursor, change, follow, select, open, closePeek, step, clear, showEarlier, openPalette: () => { run("palette"); } };
  const first = () => { moveTo(log.view().rows[0]?.id); };
  const last = () => { moveTo(log.view().rows.at(-1)?.id); };
  const back = () => { if (search.sel === undefined) setCursor(null); else closePeek(); };
  useRegisterActions([
    { id: "next", group: "list", label: "action.next", keys: ["j", "arrowdown"], run: () => { step(1); } },
    { id: "previous", group: "list", label: "action.previous", keys: ["k", "arrowup"], run: () => { step(-1); } },
    { id: "page-down", group: "list", label: "action.pageDown", keys: ["pagedown"], run: () => { step(PAGE_ROWS); } },
    { id: "page-up", group: "list", label: "action.pageUp", keys: ["pageup"], run: () => { step(-PAGE_ROWS); } },
    { id: "first", group: "list", label: "action.first", keys: ["home"], run: first },
    { id: "last", group: "list", label: "action.last", keys: ["end"], run: last },
    { id: "open", group: "list", label: "action.open", keys: ["enter"], enabled: () => cursor !== null, run: () => { if (cursor !== null) open(cursor); } },
    {
      id: "peek", group: "list", label: "action.peek", keys: ["space"], enabled: () => cursor !== null,
      run: () => { if (search.sel === cursor) closePeek(); else if (cursor !== null) select(cursor); },
    },
    { id: "back", group: "list", label: "action.back", keys: ["escape"], enabled: () => search.sel !== undefined || cursor !== null, run: back },
    { id: "follow", group: "list", label: "action.follow", keys: ["f"], run: () => { follow(!following); } },
    { id: "clear", group: "list", label: "action.clear", keys: ["shift+c"], enabled: () => log.view().rows.length > 0, run: clear },
    ...tabActions((tab) => { change({ tab, at: undefined }); }, () => search.sel !== undefined),
  ]);
  return state;
}

/** Number keys choose a view of the flow that is shown. */
export function tabActions(choose: (tab: TabId) => void, enabled: () => boolean): Action[] {
  return TABS.filter(isTab).map((tab) => ({ id: `tab-${tab}`, group: "flow", label: tabLabel(tab), keys: [tabKey(tab)], enabled, run: () => { choose(tab); } }));
}

function run(id: string): void {
  actions.list().find((action) => action.id === id)?.run();
}
