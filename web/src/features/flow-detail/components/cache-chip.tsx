import { useT } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";

/** Says that a cache breakpoint stands behind a part. */
export function CacheChip({ cache }: { cache: unknown }) {
  const t = useT();
  return cache == null ? null : <div className="mt-1.5"><Chip tone="line" title={JSON.stringify(cache)}>{t("talk.cacheBreakpoint")}</Chip></div>;
}
