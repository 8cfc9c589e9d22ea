import type { ContextUse } from "@/api/types";
import { exact, percent } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { EstimateMark } from "@/ui/estimate-mark";
import { isNearlyFull, Meter } from "@/ui/meter";

import { Section } from "./section";

/** How full the model's window was, and who says so. */
export function ContextSection({ context, estimated }: { context: ContextUse; estimated: boolean }) {
  const t = useT();
  const { used_bp: used, window, from_wire: fromWire } = context;
  const share = percent(used);
  const guessed = estimated && !fromWire;
  return (
    <Section title={t("context.title")} beside={t(fromWire ? "context.fromWire" : "context.fromTable")}>
      <div className="flex max-w-[560px] flex-col gap-1.5">
        <Meter label={t("context.label", { share })} usedBp={used} />
        <p className="flex justify-between gap-3 text-12 text-t2">
          <span><b className={`font-semibold ${isNearlyFull(used) ? "text-held" : "text-t1"}`}>{guessed ? <EstimateMark /> : null}{share}</b>{isNearlyFull(used) ? ` ${t("context.nearlyFull")}` : ""}</span>
          <span className="text-t3">{window == null ? t("context.windowUnknown") : t("context.window", { n: exact(window) })}</span>
        </p>
      </div>
    </Section>
  );
}
