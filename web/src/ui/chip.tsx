import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";

const chip = cva("inline-flex h-5 shrink-0 items-center gap-1.25 rounded-1 px-1.5 text-11 whitespace-nowrap", {
  variants: {
    tone: {
      plain: "bg-raised text-t2",
      line: "text-t2 inset-ring inset-ring-line-strong",
      fail: "bg-fail-soft text-fail",
      held: "bg-held-soft text-held",
      ok: "bg-ok-soft text-ok",
      accent: "bg-accent-soft text-accent",
    },
    mono: { true: "font-mono text-t1", false: "" },
  },
  defaultVariants: { tone: "plain", mono: false },
});

export function Chip({ tone, mono, className, ...props }: ComponentProps<"span"> & VariantProps<typeof chip>) {
  return <span className={chip({ tone, mono, className })} {...props} />;
}
