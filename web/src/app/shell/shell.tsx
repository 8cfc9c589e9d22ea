import { Outlet } from "@tanstack/react-router";
import { useState } from "react";

import { CommandPalette } from "@/features/commands/components/command-palette";
import { KeysDialog } from "@/features/commands/components/keys-dialog";

import { BottomTabs, Rail } from "./rail";
import { useKeyboard } from "./use-keyboard";
import { usePageActions } from "./use-page-actions";

/** The frame: rail, page, and what opens over it. */
export function Shell() {
  const [open, setOpen] = useState<"palette" | "keys" | null>(null);
  useKeyboard();
  usePageActions(setOpen);
  const close = () => { setOpen(null); };
  return (
    <div className="flex h-dvh min-w-0">
      <Rail />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col bg-panel">
        <Outlet />
        <BottomTabs />
      </div>
      {open === "palette" ? <CommandPalette onClose={close} /> : null}
      {open === "keys" ? <KeysDialog onClose={close} /> : null}
    </div>
  );
}
