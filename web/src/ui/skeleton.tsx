const WIDTHS = [52, 92, 38, 64, 46, 71, 58];

/** The shape of rows to come. */
export function SkeletonRows({ count, height }: { count: number; height: number }) {
  return (
    <div aria-hidden="true">
      {Array.from({ length: count }, (_, row) => (
        <div key={row} className="flex items-center gap-3.5 px-3" style={{ height }}>
          <i className="skeleton w-12" />
          <i className="skeleton w-3 rounded-full" />
          <i className="skeleton w-24" />
          <i className="skeleton" style={{ width: `${WIDTHS[row % WIDTHS.length] ?? 50}%`, maxWidth: 420 }} />
          <span className="flex-1" />
          <i className="skeleton w-14" />
        </div>
      ))}
    </div>
  );
}
