import { useNavigate } from "@tanstack/react-router";

import { useRegisterActions } from "@/lib/actions";
import { preferences, setPreference } from "@/lib/preferences";
import { currentToast, showToast } from "@/ui/toast";

import { useRecordingSwitch } from "./use-recording-switch";

/** Commands that every page has. */
export function usePageActions(open: (what: "palette" | "keys") => void): void {
  const navigate = useNavigate();
  const recording = useRecordingSwitch();
  useRegisterActions([
    { id: "palette", group: "view", label: "action.palette", keys: ["mod+k"], inFields: true, run: () => { open("palette"); } },
    { id: "keys", group: "view", label: "action.help", keys: ["?"], run: () => { open("keys"); } },
    {
      id: "undo", group: "view", label: "action.undo", keys: ["z"],
      enabled: () => currentToast()?.action !== undefined,
      run: () => {
        const action = currentToast()?.action;
        showToast(null);
        action?.run();
      },
    },
    {
      id: "theme", group: "view", label: "action.theme", keys: [],
      run: () => { setPreference("theme", isDark() ? "light" : "dark"); },
    },
    {
      id: "language", group: "view", label: "action.language", keys: [],
      run: () => { setPreference("language", preferences().language === "en" ? "zh" : "en"); },
    },
    { id: "pause", group: "view", label: "action.pause", keys: [], enabled: () => recording.known, run: recording.toggle },
    { id: "go-flows", group: "view", label: "action.goFlows", keys: [], run: () => { void navigate({ to: "/flows" }); } },
  ]);
}

function isDark(): boolean {
  const { theme } = preferences();
  return theme === "dark" || (theme === "system" && window.matchMedia("(prefers-color-scheme: dark)").matches);
}
