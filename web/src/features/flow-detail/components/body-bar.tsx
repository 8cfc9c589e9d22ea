import type { ReactNode } from "react";

import { useT } from "@/lib/i18n/i18n";
import { Icon } from "@/ui/icon";

interface BodyBarProps {
  facts: string;
  path: string;
  name: string;
  children?: ReactNode;
}

export function BodyBar({ facts, path, name, children }: BodyBarProps) {
  const t = useT();
  return (
    <div className="@container flex h-9 shrink-0 items-center gap-2 border-b border-line px-3 text-12 whitespace-nowrap text-t3">
      <span className="min-w-0 flex-1 truncate" title={facts}>{facts}</span>
      {children}
      <a href={path} download={name} title={t("common.download")} className="flex h-(--ctl) items-center gap-1.5 rounded-2 px-2 text-t2 hover:bg-hover hover:text-t1">
        <Icon name="download" small />
        <span className="@max-xl:sr-only">{t("common.download")}</span>
      </a>
    </div>
  );
}
