/** Line icons of 16 px, drawn with the text's colour. Decoration only: the name stands beside them or in a label. */
const PATHS = {
  flows: "M2.5 4h11M2.5 8h7M2.5 12h11",
  settings:
    "M8 10.1a2.1 2.1 0 1 0 0-4.2 2.1 2.1 0 0 0 0 4.2zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M12.4 3.6 11 5M5 11l-1.4 1.4",
  search: "M7.2 11.9a4.7 4.7 0 1 0 0-9.4 4.7 4.7 0 0 0 0 9.4zM10.7 10.7 13.8 13.8",
  right: "M6 3.5 10.5 8 6 12.5",
  down: "M3.5 6 8 10.5 12.5 6",
  up: "M3.5 10 8 5.5 12.5 10",
  close: "M4 4l8 8M12 4l-8 8",
  open: "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  check: "M3.5 8.5 6.5 11.5 12.5 5",
  tool: "M9.3 6.7 3.2 12.8M13.3 5a3.2 3.2 0 0 1-4.5 2.2M11 2.7a3.2 3.2 0 0 0-2.2 4.5M11 2.7 9.9 5.2l.9.9L13.3 5",
  result: "M13 3.5v5H4M6.5 6 4 8.5 6.5 11",
  warning: "M8 2.5 14.2 13.3H1.8zM8 6.5v3.2M8 11.4v.1",
  clear: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9",
  download: "M8 2v7.2M5 6.5 8 9.5l3-3M2.8 10.5v3h10.4v-3",
  image: "M2.5 3h11v10h-11zM2.5 11l3.2-3.4 2.6 2.6 1.8-1.7 3.4 3M10.6 6.2h.1",
  file: "M4 2h5l3 3v9H4zM9 2v3h3",
  pause: "M6 3.5v9M10 3.5v9",
  record: "M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z",
  command: "M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10.2h3",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6L13 6M13 2.5V6H9.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, small = false }: { name: IconName; small?: boolean }) {
  return (
    <svg className={small ? "icon small" : "icon"} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The product's mark: three usage bars. */
export function Brand() {
  return (
    <svg className="icon" viewBox="0 0 16 16" strokeWidth={0} aria-hidden="true">
      <g stroke="none">
        <rect x="1" y="2.5" width="9" height="3" rx="1" fill="var(--k-read)" />
        <rect x="11" y="2.5" width="4" height="3" rx="1" fill="var(--k-fresh)" />
        <rect x="1" y="6.5" width="5" height="3" rx="1" fill="var(--k-fresh)" />
        <rect x="7" y="6.5" width="8" height="3" rx="1" fill="var(--k-reason)" />
        <rect x="1" y="10.5" width="12" height="3" rx="1" fill="var(--k-out)" />
      </g>
    </svg>
  );
}
