import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";

const button = cva(
  "inline-flex shrink-0 items-center gap-1.5 rounded-2 border text-12 whitespace-nowrap transition-colors duration-(--m-fast) disabled:pointer-events-none",
  {
    variants: {
      look: {
        plain: "border-line-strong bg-panel text-t1 hover:bg-raised disabled:text-t3",
        ghost: "border-transparent text-t2 hover:bg-hover hover:text-t1 disabled:text-t4",
        // The tint lies on the panel's colour everywhere: on the frame's its text would miss AA.
        on: "border-transparent [background:linear-gradient(var(--accent-soft),var(--accent-soft))_var(--panel)] text-accent",
        primary: "border-transparent bg-accent-solid font-medium text-on-accent hover:bg-accent-hover disabled:border-line-strong disabled:bg-raised disabled:text-t2",
      },
      shape: { text: "h-(--ctl) px-2.25", icon: "h-(--ctl) w-(--ctl) justify-center", small: "h-(--ctl-sm) px-1.5" },
    },
    defaultVariants: { look: "plain", shape: "text" },
  },
);

export type ButtonProps = ComponentProps<"button"> & VariantProps<typeof button>;

export function Button({ look, shape, className, type = "button", ...props }: ButtonProps) {
  return <button type={type} className={button({ look, shape, className })} {...props} />;
}
