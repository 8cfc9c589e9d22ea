import type { FlowState } from "@/api/types";

/** State by shape first and colour second. A completed flow is silent in lists and gets its check in the detail. */
export function StateGlyph({ state, label, loud = false }: { state: FlowState; label?: string; loud?: boolean }) {
  return (
    <svg className="glyph" viewBox="0 0 12 12" role={label === undefined ? undefined : "img"} aria-label={label} aria-hidden={label === undefined}>
      <Shape state={state} loud={loud} />
    </svg>
  );
}

function Shape({ state, loud }: { state: FlowState; loud: boolean }) {
  switch (state) {
    case "pending":
      return <circle cx="6" cy="6" r="4" fill="none" stroke="var(--s-pending)" strokeWidth="1.4" strokeDasharray="2 1.6" />;
    case "streaming":
      return (
        <>
          <circle className="pulse" cx="6" cy="6" r="4" fill="var(--s-stream)" />
          <circle cx="6" cy="6" r="4" fill="var(--s-stream)" />
        </>
      );
    case "intercepted":
      return (
        <>
          <rect x="1" y="1" width="10" height="10" rx="2.5" fill="var(--s-held)" />
          <path d="M4.6 3.8v4.4M7.4 3.8v4.4" stroke="var(--panel)" strokeWidth="1.4" />
        </>
      );
    case "failed":
      return (
        <>
          <path d="M6 .8 11.6 11H.4z" fill="var(--s-fail)" strokeLinejoin="round" />
          <path d="M6 4.4v3M6 9v.4" stroke="var(--panel)" strokeWidth="1.3" strokeLinecap="round" />
        </>
      );
    case "cancelled":
      return (
        <g fill="none" stroke="var(--s-cancel)" strokeWidth="1.3">
          <circle cx="6" cy="6" r="4.4" />
          <path d="M3 9l6-6" />
        </g>
      );
    case "completed":
      return loud ? (
        <>
          <circle cx="6" cy="6" r="5" fill="var(--s-ok)" />
          <path d="M3.7 6.1l1.7 1.7 3-3.3" fill="none" stroke="var(--panel)" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" />
        </>
      ) : (
        <circle cx="6" cy="6" r="2.6" fill="var(--t3)" />
      );
  }
}
