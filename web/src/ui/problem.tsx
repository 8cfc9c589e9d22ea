import type { ReactNode } from "react";

import { Icon } from "./icon";

/** An error inside its pane: what, why, one action. The rest of the page stays. */
export function Problem({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div role="alert" className="flex max-w-[76ch] flex-col items-start gap-2 p-4">
      <span className="text-t3"><Icon name="warning" /></span>
      <h2 className="text-13 font-semibold">{title}</h2>
      <div className="text-12 break-words text-t2">{children}</div>
      {action}
    </div>
  );
}
