import type { ReactNode } from "react";

/** A part of the page that scrolls, and that the keyboard reaches. */
export function ScrollRegion({ label, className = "", children }: { label: string; className?: string; children: ReactNode }) {
  return (
    <div tabIndex={0} role="region" aria-label={label} className={`scroll min-h-0 flex-1 focus-visible:shadow-(--ring-in) ${className}`}>
      {children}
    </div>
  );
}
