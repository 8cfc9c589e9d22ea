/** How much of something limited is used, in hundredths of a per cent. Nearly full is something that needs a person. */
const NEARLY_FULL_BP = 9_000;
const WHOLE_BP = 10_000;

export function Meter({ label, usedBp }: { label: string; usedBp: number }) {
  const width = Math.min(100, usedBp / 100);
  return (
    <div role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={WHOLE_BP / 100} aria-valuenow={Math.round(width)} className="h-2 overflow-hidden rounded-[2px] bg-track">
      <i className={`block h-full min-w-0.5 forced-color-adjust-none ${isNearlyFull(usedBp) ? "bg-held" : "bg-t3"}`} style={{ width: `${width}%` }} />
    </div>
  );
}

export function isNearlyFull(usedBp: number): boolean {
  return usedBp >= NEARLY_FULL_BP;
}
