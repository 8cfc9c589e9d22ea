import { isFree } from "@/lib/dialects";
import { decimal } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { moneyShort } from "@/lib/money";
import { EstimateMark } from "@/ui/estimate-mark";

import type { CellProps } from "./cells";

/** Money, or credits where those are what is paid. Unknown is a dash, never an amount. */
export function CostCell({ row }: CellProps) {
  const t = useT();
  if (row.cost != null) return <span className="whitespace-nowrap text-t1" title={`$${row.cost}`}>{row.estimated ? <EstimateMark /> : null}{moneyShort(row.cost)}</span>;
  if (row.credits != null) return <span className="whitespace-nowrap text-t1" title={t("cost.credits", { n: row.credits })}>{t("list.credits", { n: decimal(row.credits, 2) })}</span>;
  return <span className="text-t3" title={row.end == null ? undefined : t(isFree(row.dialect) ? "cost.free" : "list.costUnknown")}>–</span>;
}

/** Nothing where there is nothing to say: for narrow rows. */
export function CostFact(props: CellProps) {
  return props.row.cost == null && props.row.credits == null ? null : <CostCell {...props} />;
}
