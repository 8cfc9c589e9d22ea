import type { ReactNode } from "react";

import type { Status } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { LANGUAGES } from "@/lib/i18n/i18n";
import { setPreference, usePreferences, type Language, type Theme } from "@/lib/preferences";
import { Segmented, type Segment } from "@/ui/segmented";

const LANGUAGE_SEGMENTS: readonly Segment<Language>[] = [
  { value: "en", label: LANGUAGES.en.name },
  { value: "zh", label: LANGUAGES.zh.name },
];

/** Choices of this browser, the recording switch, and where everything is. */
export function SettingsPanel({ status, recording }: { status: Status | undefined; recording: ReactNode }) {
  const t = useT();
  const chosen = usePreferences();
  const themes: readonly Segment<Theme>[] = [
    { value: "system", label: t("settings.themeSystem") },
    { value: "light", label: t("settings.themeLight") },
    { value: "dark", label: t("settings.themeDark") },
  ];
  const switches: readonly Segment<"on" | "off">[] = [
    { value: "on", label: t("settings.on") },
    { value: "off", label: t("settings.off") },
  ];
  return (
    <div className="flex w-85 max-w-full flex-col text-12">
      <Line label={t("settings.theme")}><Segmented label={t("settings.theme")} segments={themes} value={chosen.theme} onChange={(theme) => { setPreference("theme", theme); }} /></Line>
      <Line label={t("settings.language")}><Segmented label={t("settings.language")} segments={LANGUAGE_SEGMENTS} value={chosen.language} onChange={(language) => { setPreference("language", language); }} /></Line>
      <Line label={t("settings.singleKeys")}><Segmented label={t("settings.singleKeys")} segments={switches} value={chosen.singleKeys ? "on" : "off"} onChange={(value) => { setPreference("singleKeys", value === "on"); }} /></Line>
      <Line label={t("settings.recording")}>{recording}</Line>
      {status === undefined ? null : (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3.5 gap-y-0.5 border-t border-line px-3 py-2.5">
          <Fact name={t("settings.version")} value={status.version} />
          <Fact name={t("settings.proxy")} value={status.proxy_url} />
          <Fact name={t("settings.page")} value={status.ui_url} />
          <Fact name={t("settings.data")} value={status.data_dir ?? t("settings.memoryOnly")} />
        </dl>
      )}
    </div>
  );
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return <div className="flex min-h-11 items-center justify-between gap-3 px-3 py-1.5"><span className="text-t2">{label}</span>{children}</div>;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="text-t3">{name}</dt>
      <dd className="font-mono break-all">{value}</dd>
    </>
  );
}
