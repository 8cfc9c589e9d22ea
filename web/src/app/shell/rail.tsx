import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";

import { useFeedLostAt } from "@/lib/feed-clock";
import { useT } from "@/lib/i18n/i18n";
import { Brand, Icon } from "@/ui/icon";

import { statusQuery } from "../queries";

import { SettingsPopover } from "./settings-popover";
import { useRecordingSwitch } from "./use-recording-switch";

const ITEM = "relative flex h-8 items-center gap-2.5 rounded-2 px-2.5 text-t3 hover:bg-hover hover:text-t1";
const HERE = "bg-press text-t1 before:absolute before:inset-y-2 before:-left-1.5 before:w-0.5 before:rounded-[1px] before:bg-accent";
const LABEL = "hidden min-w-0 flex-1 truncate text-13 wide:block";

/** Where one can go. Only what exists stands here. */
export function Rail() {
  const t = useT();
  return (
    <nav aria-label={t("nav.main")} className="flex w-(--rail) shrink-0 flex-col gap-px border-r border-line bg-canvas p-1.5 wide:w-(--rail-wide) max-tablet:hidden">
      <Link to="/flows" className="mb-1.5 flex h-8 items-center gap-2.5 px-2.5 text-t1" title={t("app.name")}>
        <Brand />
        <span className={`${LABEL} font-semibold`}>{t("app.name")}</span>
      </Link>
      <Link to="/flows" className={ITEM} activeProps={{ className: HERE }} title={t("nav.flows")}>
        <Icon name="flows" />
        <span className={LABEL}>{t("nav.flows")}</span>
      </Link>
      <div className="mt-auto flex flex-col gap-px">
        <ProxyLine />
        <SettingsPopover side="right" trigger={<button type="button" className={`${ITEM} data-[state=open]:bg-press`} title={t("nav.settings")}><Icon name="settings" /><span className={`${LABEL} text-left`}>{t("nav.settings")}</span></button>} />
      </div>
    </nav>
  );
}

function ProxyLine() {
  const t = useT();
  const { data } = useQuery(statusQuery);
  const { recording } = useRecordingSwitch();
  const lost = useFeedLostAt() !== null;
  const address = data?.proxy_url.replace(/^https?:\/\//, "");
  const title = address === undefined ? t("nav.proxyUnknown") : t("nav.proxy", { address });
  if (lost) {
    return (
      <div className="flex h-8 items-center gap-2.5 px-2.5 text-held" title={t("nav.feedLost")}>
        <Icon name="warning" small />
        <span className={`${LABEL} text-12`} aria-hidden="true">{t("nav.feedLost")}</span>
        <span className="sr-only">{t("nav.feedLost")}</span>
      </div>
    );
  }
  return (
    <div className="flex h-8 items-center gap-2.5 px-2.5 text-t3" title={`${title} · ${t("settings.recording")}: ${t(recording ? "settings.recordingOn" : "settings.recordingPaused")}`}>
      <i className={`mx-1.25 size-1.75 shrink-0 rounded-full ${recording ? "bg-ok" : "bg-held"}`} />
      <span className={`${LABEL} text-12`}>{address ?? ""}</span>
      <span className="sr-only">{title}</span>
    </div>
  );
}

/** The rail of a phone. */
export function BottomTabs() {
  const t = useT();
  const tab = "flex flex-1 flex-col items-center justify-center gap-0.75 text-11 text-t3";
  return (
    <nav aria-label={t("nav.main")} className="flex h-14 shrink-0 border-t border-line bg-canvas tablet:hidden">
      <Link to="/flows" className={tab} activeProps={{ className: "text-accent" }}><Icon name="flows" />{t("nav.flows")}</Link>
      <SettingsPopover side="top" trigger={<button type="button" className={tab}><Icon name="settings" />{t("nav.settings")}</button>} />
    </nav>
  );
}
