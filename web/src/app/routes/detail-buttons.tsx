import type { ReactNode } from "react";

import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Icon } from "@/ui/icon";

export function DetailButtons({ onPrevious, onNext, children }: { onPrevious: () => void; onNext: () => void; children?: ReactNode }) {
  const t = useT();
  return (
    <div className="flex shrink-0">
      <Button look="ghost" shape="icon" aria-label={t("detail.previous")} title={`${t("detail.previous")} (K)`} onClick={onPrevious}><Icon name="up" /></Button>
      <Button look="ghost" shape="icon" aria-label={t("detail.next")} title={`${t("detail.next")} (J)`} onClick={onNext}><Icon name="down" /></Button>
      {children}
    </div>
  );
}
