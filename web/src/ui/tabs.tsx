import { Tabs as RadixTabs } from "radix-ui";

export interface TabItem<T extends string> {
  value: T;
  label: string;
  count?: string | undefined;
  keys: string;
}

/** Text with a 2 px line below; counts are quieter than names. */
export function TabBar<T extends string>({ label, items }: { label: string; items: readonly TabItem<T>[] }) {
  return (
    <RadixTabs.List aria-label={label} className="scroll flex h-8.5 shrink-0 overflow-y-hidden border-b border-line px-1.5 [scrollbar-width:none]">
      {items.map((item) => (
        <RadixTabs.Trigger
          key={item.value}
          value={item.value}
          aria-keyshortcuts={item.keys}
          className="relative flex items-center gap-1 px-2 text-12 whitespace-nowrap text-t2 hover:text-t1 focus-visible:shadow-(--ring-in) data-[state=active]:font-medium data-[state=active]:text-t1 data-[state=active]:after:absolute data-[state=active]:after:inset-x-2 data-[state=active]:after:bottom-0 data-[state=active]:after:h-0.5 data-[state=active]:after:bg-accent"
        >
          {item.label}
          {item.count === undefined ? null : <span className="text-11 font-normal text-t3">{item.count}</span>}
        </RadixTabs.Trigger>
      ))}
    </RadixTabs.List>
  );
}
