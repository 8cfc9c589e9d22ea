import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";

import { SettingsPanel } from "@/features/settings/components/settings-panel";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Icon } from "@/ui/icon";
import { Popover } from "@/ui/popover";

import { statusQuery } from "../queries";

import { useRecordingSwitch } from "./use-recording-switch";

export function SettingsPopover({ trigger, side }: { trigger: ReactElement; side: "right" | "top" }) {
  const t = useT();
  const { data } = useQuery(statusQuery);
  const { known, recording, busy, toggle } = useRecordingSwitch();
  return (
    <Popover label={t("settings.title")} trigger={trigger} side={side}>
      <SettingsPanel
        status={data}
        recording={
          <Button onClick={toggle} disabled={!known || busy}>
            <Icon name={recording ? "pause" : "record"} small />
            {t(recording ? "health.pause" : "health.resume")}
          </Button>
        }
      />
    </Popover>
  );
}
