import { cva, type VariantProps } from "class-variance-authority";
import type { CSSProperties } from "react";

import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { isKnown, TOKEN_KINDS, type Usage } from "@/lib/usage";

const bar = cva("flex w-full overflow-hidden gap-px", {
  variants: {
    size: { text: "h-1.5 rounded-[2px]", cell: "h-2 rounded-[2px]", head: "h-3 rounded-1" },
    known: { true: "bg-track", false: "rule-dashed" },
  },
});

/**
 * The one picture of usage. `max` fixes the scale; without it the surrounding list does, through `--usage-max`.
 */
export function UsageBar({ usage, size, max }: { usage: Usage; max?: number } & Pick<VariantProps<typeof bar>, "size">) {
  const t = useT();
  const known = isKnown(usage);
  const figure = (count: number | null) => (count === null ? t("common.unknown") : exact(count));
  const label = known
    ? t("usage.label", {
        read: figure(usage.read), write: figure(usage.write), fresh: figure(usage.fresh),
        reasoning: figure(usage.reasoning), output: figure(usage.output),
      })
    : t("usage.none");
  const scale = max === undefined ? undefined : ({ "--usage-max": Math.max(1, max) } as CSSProperties);
  return (
    <div className={bar({ size, known })} style={scale} role="img" aria-label={label} title={label}>
      {TOKEN_KINDS.map((kind) => {
        const count = usage[kind] ?? 0;
        return count === 0 ? null : <i key={kind} className={`usage-part kind-${kind}`} style={{ "--n": count } as CSSProperties} />;
      })}
    </div>
  );
}
