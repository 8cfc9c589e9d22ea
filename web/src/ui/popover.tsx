import { Popover as RadixPopover } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

interface PopoverProps {
  label: string;
  trigger: ReactElement;
  children: ReactNode;
  side?: "top" | "right" | "bottom";
  align?: "start" | "end";
}

/** Opens at its anchor, takes the focus, gives it back on Escape. Never pushes what is around it. */
export function Popover({ label, trigger, children, side = "bottom", align = "end" }: PopoverProps) {
  return (
    <RadixPopover.Root>
      <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
      <RadixPopover.Portal>
        <RadixPopover.Content
          aria-label={label}
          side={side}
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="pop-in z-(--z-pop) max-w-[calc(100vw-16px)] rounded-3 border border-line-strong bg-overlay text-t1 shadow-pop"
        >
          {children}
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}
