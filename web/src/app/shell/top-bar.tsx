import type { ReactNode } from "react";

import { HealthBanner } from "@/features/health/components/health-banner";
import { useT } from "@/lib/i18n/i18n";
import { useNowUs } from "@/lib/use-now";
import { Banner } from "@/ui/banner";
import { Button } from "@/ui/button";

import { useLive } from "../live";

/** The line above a page, and the one banner below it. */
export function TopBar({ children }: { children: ReactNode }) {
  const { status } = useLive();
  return (
    <>
      <header className="flex h-(--top) shrink-0 items-center gap-2 border-b border-line bg-canvas px-3 max-tablet:h-13">{children}</header>
      {status.state === "lost" ? <FeedBanner retryAt={status.retryAt} /> : <HealthBanner />}
    </>
  );
}

function FeedBanner({ retryAt }: { retryAt: number }) {
  const t = useT();
  const { retry } = useLive();
  const seconds = Math.ceil((retryAt - useNowUs(true) / 1_000) / 1_000);
  return (
    <Banner tone="held" action={<Button onClick={retry}>{t("common.retryNow")}</Button>}>
      {seconds > 0 ? t("feed.lost", { n: seconds }) : t("feed.trying")}. <span className="text-t2">{t("feed.kept")}</span>
    </Banner>
  );
}
