import type { ReactNode } from "react";

/** One block of facts inside a tab. */
export function Section({ title, beside, children }: { title: string; beside?: ReactNode; children: ReactNode }) {
  return (
    <section className="px-3 pt-2.5 pb-3">
      <h2 className="mb-1.5 flex flex-wrap items-baseline gap-x-2 text-12 font-semibold">
        {title}
        {beside == null ? null : <span className="font-normal text-t3">{beside}</span>}
      </h2>
      {children}
    </section>
  );
}

export interface FactLine {
  name: string;
  value: ReactNode;
  /** It stood on the wire, word for word. */
  wire?: boolean;
}

/** Names and values below each other. */
export function FactList({ facts }: { facts: readonly FactLine[] }) {
  return (
    <dl className="grid grid-cols-[fit-content(45%)_minmax(0,1fr)] items-baseline gap-x-3.5 gap-y-0.5 text-12">
      {facts.map(({ name, value, wire = false }) => (
        <div key={name} className="contents">
          <dt className="text-t3">{name}</dt>
          <dd className={`min-w-0 break-words text-t1 ${wire ? "font-mono" : ""}`}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
