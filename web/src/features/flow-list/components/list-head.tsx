import { useT } from "@/lib/i18n/i18n";

import type { ShownColumn } from "./use-columns";

export function ListHead({ columns, template }: { columns: readonly ShownColumn[]; template: string }) {
  const t = useT();
  return (
    <div
      role="row"
      aria-rowindex={1}
      className="sticky top-0 z-(--z-sticky) grid h-6.5 items-center gap-x-2.5 border-b border-line bg-sunken px-3 text-11 whitespace-nowrap text-t3"
      style={{ gridTemplateColumns: template }}
    >
      {columns.map(({ id, label, numeric }, at) => (
        <div
          key={id}
          role="columnheader"
          aria-colindex={at + 1}
          aria-sort={id === "time" ? "descending" : undefined}
          className={`${numeric ? "text-right" : ""} ${id === "time" ? "font-medium text-t1" : ""}`}
        >
          {id === "state" ? <span className="sr-only">{t(label)}</span> : t(label)}
          {id === "time" ? " ↓" : null}
        </div>
      ))}
    </div>
  );
}
