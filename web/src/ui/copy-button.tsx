import { useEffect, useState } from "react";

import { useT } from "@/lib/i18n/i18n";

import { Button } from "./button";
import { Icon } from "./icon";

const SHOWN_MS = 1_500;

/** Copies a text that is made only when it is asked for. */
export function CopyButton({ text, label }: { text: () => string; label?: string }) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  // The timer is outside React; it ends with the button.
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => { setCopied(false); }, SHOWN_MS);
    return () => { clearTimeout(timer); };
  }, [copied]);
  const copy = () => {
    void navigator.clipboard.writeText(text()).then(() => { setCopied(true); });
  };
  return (
    <Button look="ghost" shape={label === undefined ? "icon" : "text"} onClick={copy} title={label === undefined ? t("common.copy") : undefined} aria-label={label === undefined ? t("common.copy") : undefined}>
      <Icon name={copied ? "check" : "copy"} small />
      {label === undefined ? null : copied ? t("common.copied") : label}
      <span className="sr-only" aria-live="polite">{copied ? t("common.copied") : ""}</span>
    </Button>
  );
}
