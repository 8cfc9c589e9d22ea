import { Tabs as RadixTabs } from "radix-ui";
import { useEffect, useRef } from "react";

export interface TabItem<T extends string> {
  value: T;
  label: string;
  count?: string | undefined;
  keys: string;
}

/** Text with a 2 px line below; counts are quieter than names. */
export function TabBar<T extends string>({ label, items, value }: { label: string; items: readonly TabItem<T>[]; value: T }) {
  const bar = useRef<HTMLDivElement>(null);
  // In a narrow pane the chosen tab comes into sight; scrolling is outside React.
  useEffect(() => {
    const tab = bar.current?.querySelector<HTMLElement>("[data-state=active]");
    if (bar.current == null || tab == null) return;
    const over = tab.offsetLeft + tab.offsetWidth - bar.current.clientWidth;
    bar.current.scrollLeft = Math.min(tab.offsetLeft, Math.max(bar.current.scrollLeft, over));
  }, [value]);
  return (
    <div className="@container shrink-0">
      <RadixTabs.List ref={bar} aria-label={label} className="scroll relative flex h-8.5 overflow-y-hidden border-b border-line px-1.5 [scrollbar-width:none] @max-lg:px-0.5">
        {items.map((item) => (
          <RadixTabs.Trigger
            key={item.value}
            value={item.value}
            aria-keyshortcuts={item.keys}
            className="relative flex items-center gap-1 px-1.25 text-12 @lg:px-2 whitespace-nowrap text-t2 hover:text-t1 focus-visible:shadow-(--ring-in) data-[state=active]:font-medium data-[state=active]:text-t1 data-[state=active]:after:absolute data-[state=active]:after:inset-x-1.25 @lg:data-[state=active]:after:inset-x-2 data-[state=active]:after:bottom-0 data-[state=active]:after:h-0.5 data-[state=active]:after:bg-accent"
          >
            {item.label}
            {item.count === undefined ? null : <span className="text-11 font-normal text-t3">{item.count}</span>}
          </RadixTabs.Trigger>
        ))}
      </RadixTabs.List>
    </div>
  );
}
