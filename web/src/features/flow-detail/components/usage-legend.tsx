import type { Tokens } from "@/api/types";
import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { TOKEN_KINDS, totalOf, usageOf } from "@/lib/usage";
import { EstimateMark } from "@/ui/estimate-mark";
import { UsageBar } from "@/ui/usage-bar";

/** The bar with its five figures. */
export function UsageLegend({ tokens, estimated }: { tokens: Tokens; estimated: boolean }) {
  const t = useT();
  const usage = usageOf(tokens);
  return (
    <div className="min-w-0">
      <UsageBar usage={usage} size="head" max={totalOf(tokens) ?? 1} />
      <dl className="mt-1.5 flex flex-wrap justify-between gap-x-2 tablet:gap-x-3">
        {TOKEN_KINDS.map((kind) => {
          const count = usage[kind];
          return (
            <div key={kind}>
              <dt className="flex items-center gap-1 text-11 whitespace-nowrap text-t3">
                <i className={`inline-block size-2.25 shrink-0 rounded-[2px] kind-${kind}`} />
                {t(`usage.${kind}`)}
              </dt>
              <dd className="text-12 font-medium">
                {count === null ? <span className="font-normal text-t3">{t("common.unknown")}</span> : <>{estimated ? <EstimateMark /> : null}{exact(count)}</>}
              </dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}
