import type { ReactNode } from "react";

import { Icon } from "./icon";

/** One line of what is wrong and what can be done, under the top bar or inside its pane. */
export function Banner({ tone, children, action }: { tone: "held" | "fail" | "plain"; children: ReactNode; action?: ReactNode }) {
  const look = { held: "bg-held-soft text-held", fail: "bg-fail-soft text-fail", plain: "bg-raised text-t3" }[tone];
  return (
    <div role={tone === "plain" ? "note" : "status"} className={`flex min-h-9 shrink-0 items-center gap-2.5 px-3 py-1.5 text-12 ${look}`}>
      <Icon name="warning" small />
      <div className="min-w-0 flex-1 text-t1">{children}</div>
      {action}
    </div>
  );
}
