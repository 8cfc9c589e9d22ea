import { useState, type KeyboardEvent } from "react";

import { useActions, type Action } from "@/lib/actions";
import { useT } from "@/lib/i18n/i18n";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { KeyCaps } from "@/ui/key-caps";

import { matches } from "../lib/match";

/** Every command that can run now, found by its words. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const found = useActions().filter((action) => action.id !== "palette" && action.enabled?.() !== false && matches(t(action.label), query));
  const chosen = Math.min(at, found.length - 1);
  const run = (action: Action | undefined) => {
    if (action === undefined) return;
    onClose();
    action.run();
  };
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((chosen + step + found.length) % Math.max(1, found.length));
    }
    if (event.key === "Enter") {
      event.preventDefault();
      run(found[chosen]);
    }
  };
  return (
    <Dialog label={t("commands.title")} onClose={onClose}>
      <div className="flex h-12 items-center gap-2.5 border-b border-line px-3.5">
        <span className="text-t3"><Icon name="search" /></span>
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={found[chosen] === undefined ? undefined : `command-${found[chosen].id}`}
          aria-label={t("commands.search")}
          placeholder={t("commands.search")}
          value={query}
          onChange={(event) => { setQuery(event.target.value); setAt(0); }}
          onKeyDown={pressed}
          className="min-w-0 flex-1 bg-transparent text-15 placeholder:text-t3 focus-visible:shadow-none"
        />
        <KeyCaps name="escape" />
      </div>
      <ul id="palette-list" role="listbox" aria-label={t("commands.title")} className="scroll max-h-100 p-1.5">
        {found.length === 0 ? <li className="px-2 py-2 text-12 text-t3">{t("commands.none")}</li> : null}
        {found.map((action, index) => (
          <li
            key={action.id}
            id={`command-${action.id}`}
            role="option"
            aria-selected={index === chosen}
            onMouseMove={() => { setAt(index); }}
            onClick={() => { run(action); }}
            className={`flex h-8 items-center gap-2.5 rounded-2 px-2 text-13 ${index === chosen ? "bg-accent-soft" : ""}`}
          >
            <span className="flex-1 truncate">{t(action.label)}</span>
            <span className="text-11 text-t2">{t(`commands.group.${action.group}`)}</span>
            {action.keys[0] === undefined ? null : <KeyCaps name={action.keys[0]} />}
          </li>
        ))}
      </ul>
      <div className="flex h-8.5 items-center gap-3.5 border-t border-line bg-sunken px-3.5 text-11 text-t3">
        <span className="flex items-center gap-1.5"><KeyCaps name="arrowup" /><KeyCaps name="arrowdown" />{t("commands.choose")}</span>
        <span className="flex items-center gap-1.5"><KeyCaps name="enter" />{t("commands.run")}</span>
      </div>
    </Dialog>
  );
}
