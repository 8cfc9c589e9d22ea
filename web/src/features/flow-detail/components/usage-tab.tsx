import type { Detail } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { Banner } from "@/ui/banner";
import { ScrollRegion } from "@/ui/scroll-region";

import { ContextSection } from "./context-section";
import { CostSection } from "./cost-section";
import { UnitsSection } from "./units-section";
import { UsageSection } from "./usage-section";

/** What a flow used and what that cost, with the arithmetic. */
export function UsageTab({ detail }: { detail: Detail }) {
  const t = useT();
  const { reading } = detail;
  return (
    <ScrollRegion label={t("tab.usage")} className="@container">
      {reading.estimated ? <Banner tone="plain">{t("usage.estimatedWhy")}</Banner> : null}
      <div className="divide-y divide-line">
        <UsageSection reading={reading} />
        <CostSection detail={detail} />
        {reading.context == null ? null : <ContextSection context={reading.context} estimated={reading.estimated} />}
        <UnitsSection reading={reading} />
      </div>
    </ScrollRegion>
  );
}
