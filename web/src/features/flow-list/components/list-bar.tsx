import type { FlowState, Stats } from "@/api/types";
import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Icon } from "@/ui/icon";
import { StateGlyph } from "@/ui/state-glyph";

import { useLogView } from "../store";

interface ListBarProps {
  stats: Stats | undefined;
  onFollow: (following: boolean) => void;
  onClear: () => void;
}

/** How many flows there are, and the two things to do with the list as a whole. */
export function ListBar({ stats, onFollow, onClear }: ListBarProps) {
  const t = useT();
  const { following, rows } = useLogView();
  const state: FlowState = following ? "streaming" : "pending";
  return (
    <>
      <div className="flex min-w-0 flex-1 items-center gap-3.5 overflow-hidden text-12 whitespace-nowrap text-t3">
        {stats === undefined ? null : <span>{t("list.flows", { n: exact(stats.total) })}</span>}
        {stats === undefined || stats.in_flight === 0 ? null : <span className="text-accent">{t("list.inFlight", { n: exact(stats.in_flight) })}</span>}
      </div>
      <Button look="ghost" onClick={onClear} disabled={rows.length === 0} title={t("list.clearTitle")}>
        <Icon name="clear" />
        <span className="max-tablet:sr-only">{t("list.clear")}</span>
      </Button>
      <Button look={following ? "on" : "plain"} aria-label={t(following ? "list.followingLabel" : "list.notFollowingLabel")} aria-keyshortcuts="f" onClick={() => { onFollow(!following); }} title={t("list.followTitle")}>
        <StateGlyph state={state} />
        <span className="max-tablet:sr-only">{t(following ? "list.following" : "list.notFollowing")}</span>
      </Button>
    </>
  );
}
