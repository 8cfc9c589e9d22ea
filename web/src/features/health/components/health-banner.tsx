import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { exact } from "@/lib/format";
import { useT, type Translate } from "@/lib/i18n/i18n";
import { Banner } from "@/ui/banner";
import { Button } from "@/ui/button";

import { healthQuery, usePauseRecording } from "../api";
import { troubleOf, type Trouble } from "../lib/trouble";

/** The one line of what is wrong with recording. Counts can be put aside until they grow. */
export function HealthBanner() {
  const t = useT();
  const { data } = useQuery(healthQuery);
  const pause = usePauseRecording();
  const [aside, setAside] = useState("");
  const trouble = data === undefined ? null : troubleOf(data);
  if (trouble === null || aside === nameOf(trouble)) return null;
  if (trouble.kind === "paused") {
    return <Banner tone="held" action={<Button onClick={() => { pause.mutate(false); }}>{t("health.resume")}</Button>}>{t("health.paused")}</Banner>;
  }
  const counted = trouble.kind !== "disk";
  return (
    <Banner tone={counted ? "held" : "fail"} action={counted ? <Button look="ghost" onClick={() => { setAside(nameOf(trouble)); }}>{t("common.hide")}</Button> : null}>
      {words(trouble, t)}
    </Banner>
  );
}

function nameOf(trouble: Trouble): string {
  return JSON.stringify(trouble);
}

function words(trouble: Trouble, t: Translate): string {
  switch (trouble.kind) {
    case "disk":
      return t("health.disk", { problem: trouble.problem === "" ? t("health.diskUnknown") : trouble.problem });
    case "paused":
      return t("health.paused");
    case "lost":
      return t("health.lost", { n: exact(trouble.flows) });
    case "gaps":
      return t("health.gaps", { n: exact(trouble.frames) });
  }
}
