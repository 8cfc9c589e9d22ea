import { useEffect, useState } from "react";

const TICK_MS = 250;

/** The time of day in microseconds, four times a second while something runs. */
export function useNowUs(running: boolean): number {
  const [now, setNow] = useState(() => Date.now() * 1_000);
  // The clock is outside React.
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => { setNow(Date.now() * 1_000); }, TICK_MS);
    return () => { clearInterval(timer); };
  }, [running]);
  return now;
}
