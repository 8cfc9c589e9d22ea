import { idTail } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { VisibleText } from "@/ui/visible-text";

import type { CellProps } from "./cells";

/** The agent, or else the library; and the end of its session's id, the same for all that belongs together. */
export function ClientCell({ row }: CellProps) {
  const t = useT();
  const { agent, sdk, client, session } = row;
  const name = agent ?? sdk ?? client ?? null;
  const title = [client ?? name ?? t("client.unknown"), sdk != null && sdk !== name ? sdk : ""].filter((part) => part !== "").join(" · ");
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <span className={`min-w-0 flex-1 truncate ${agent == null ? "text-t3" : ""}`} title={title}><bdi><VisibleText text={name ?? "–"} /></bdi></span>
      {session == null || session === "" ? null : (
        <span className="inline-flex h-4.25 shrink-0 items-center rounded-1 px-1 font-mono text-[11px]/4.25 text-t3 inset-ring inset-ring-line-strong" title={t("list.session", { id: session })}><VisibleText text={idTail(session)} /></span>
      )}
    </span>
  );
}
