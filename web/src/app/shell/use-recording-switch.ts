import { useQuery } from "@tanstack/react-query";

import { healthQuery, usePauseRecording } from "@/features/health/api";
import { useT } from "@/lib/i18n/i18n";
import { showToast } from "@/ui/toast";

export interface RecordingSwitch {
  known: boolean;
  recording: boolean;
  busy: boolean;
  toggle: () => void;
}

/** Pauses and resumes recording, and says when that failed. */
export function useRecordingSwitch(): RecordingSwitch {
  const t = useT();
  const { data } = useQuery(healthQuery);
  const pause = usePauseRecording();
  const recording = data?.recording ?? true;
  return {
    known: data !== undefined,
    recording,
    busy: pause.isPending,
    toggle: () => {
      pause.mutate(recording, {
        onError: (error) => { showToast({ text: t("health.patchFailed", { message: error.message }), stays: true }); },
      });
    },
  };
}
