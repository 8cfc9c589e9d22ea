import { ToggleGroup } from "radix-ui";

export interface Segment<T extends string> {
  value: T;
  label: string;
}

interface SegmentedProps<T extends string> {
  label: string;
  segments: readonly Segment<T>[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few; always exactly one is on. */
export function Segmented<T extends string>({ label, segments, value, onChange }: SegmentedProps<T>) {
  const choose = (next: string) => {
    const found = segments.find((segment) => segment.value === next);
    if (found !== undefined) onChange(found.value);
  };
  return (
    <ToggleGroup.Root
      type="single"
      value={value}
      onValueChange={choose}
      aria-label={label}
      className="inline-flex h-(--ctl) shrink-0 divide-x divide-line-strong overflow-hidden rounded-2 border border-line-strong"
    >
      {segments.map((segment) => (
        <ToggleGroup.Item
          key={segment.value}
          value={segment.value}
          className="px-2.25 text-12 whitespace-nowrap text-t2 hover:text-t1 focus-visible:shadow-(--ring-in) data-[state=on]:bg-press data-[state=on]:font-medium data-[state=on]:text-t1"
        >
          {segment.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
