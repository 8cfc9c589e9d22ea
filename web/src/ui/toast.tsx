import { useEffect, useSyncExternalStore } from "react";

import { Button } from "./button";
import { KeyCaps } from "./key-caps";

const SHOWN_MS = 6_000;

export interface Toast {
  text: string;
  action?: { label: string; key?: string; run: () => void };
  /** Failures stay until they are closed. */
  stays?: boolean;
}

let current: Toast | null = null;
const listeners = new Set<() => void>();

export function showToast(toast: Toast | null): void {
  current = toast;
  for (const listener of listeners) listener();
}

export function currentToast(): Toast | null {
  return current;
}

/** One line at the bottom right, with one action. */
export function Toaster({ closeLabel }: { closeLabel: string }) {
  const toast = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    currentToast,
  );
  // The time it is shown is a timer.
  useEffect(() => {
    if (toast === null || toast.stays === true) return;
    const timer = setTimeout(() => { showToast(null); }, SHOWN_MS);
    return () => { clearTimeout(timer); };
  }, [toast]);
  const run = (action: () => void) => {
    showToast(null);
    action();
  };
  const action = toast?.action;
  return (
    <div role="status" aria-live="polite" className="fixed right-4 bottom-4 z-(--z-toast) max-tablet:right-2 max-tablet:bottom-16 max-tablet:left-2">
      {toast === null ? null : (
        <div className="pop-in flex min-h-9.5 items-center gap-2.5 rounded-3 border border-line-strong bg-overlay pr-2 pl-3 text-12 shadow-pop">
          <span className="flex-1">{toast.text}</span>
          {action === undefined ? null : (
            <Button look="ghost" onClick={() => { run(action.run); }}>{action.label}{action.key === undefined ? null : <KeyCaps name={action.key} />}</Button>
          )}
          {toast.stays === true ? <Button look="ghost" onClick={() => { showToast(null); }}>{closeLabel}</Button> : null}
        </div>
      )}
    </div>
  );
}
