import { useT } from "@/lib/i18n/i18n";

/** Stands before a figure that was not counted by the provider. */
export function EstimateMark() {
  const t = useT();
  return (
    <span title={t("usage.estimated")}>
      <span aria-hidden="true">≈ </span>
      <span className="sr-only">{t("usage.about")} </span>
    </span>
  );
}
