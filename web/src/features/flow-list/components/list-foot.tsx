import type { ReactNode } from "react";

import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Problem } from "@/ui/problem";
import { SkeletonRows } from "@/ui/skeleton";

import { ROWS_MAX, type LogView } from "../lib/flow-log";

interface ListFootProps {
  view: LogView;
  rowHeight: number;
  onRetry: () => void;
  onShowEarlier: () => void;
}

/** What stands below the last row: more to come, an error, or why there is no more. */
export function ListFoot({ view, rowHeight, onRetry, onShowEarlier }: ListFootProps) {
  const t = useT();
  if (view.error !== null) {
    const message = view.error.message;
    return <Problem title={t("list.loadFailed")} action={<Button onClick={onRetry}>{t("common.retry")}</Button>}>{message}</Problem>;
  }
  if (view.loading) return <SkeletonRows count={12} height={rowHeight} />;
  if (view.loadingMore || view.hasMore) return <SkeletonRows count={3} height={rowHeight} />;
  if (view.trimmed) {
    return (
      <Line text={t("list.trimmed", { n: exact(ROWS_MAX) })}>
        <Button look="ghost" onClick={onRetry}>{t("page.reload")}</Button>
      </Line>
    );
  }
  if (view.hidden) {
    return (
      <Line text={view.rows.length === 0 ? t("list.clearedHelp") : ""}>
        <Button look="ghost" onClick={onShowEarlier}>{t("list.showEarlier")}</Button>
      </Line>
    );
  }
  return view.rows.length === 0 ? null : <Line text={t("list.end")} />;
}

function Line({ text, children }: { text: string; children?: ReactNode }) {
  return <div className="flex min-h-9 items-center justify-center gap-3 px-3 py-1 text-11 text-t3">{text}{children}</div>;
}
