import type { Status } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { CopyButton } from "@/ui/copy-button";

import { sortUpstreams } from "../lib/clients";

/** Every upstream with its base URL, and the way to see the product without a client. */
export function SetupAside({ status }: { status: Status | undefined }) {
  const t = useT();
  return (
    <aside className="flex min-h-0 flex-col border-line bg-panel px-4 py-3 max-desk:border-t desk:max-h-110 desk:border-l">
      <h2 className="text-12 leading-6.5 font-semibold">{t("setup.upstreams")}</h2>
      <p className="mb-1 text-12 text-t3">{t("setup.upstreamsHelp")}</p>
      <ul className="scroll -mx-1 min-h-0 flex-1 px-1">
        {sortUpstreams(status?.upstreams ?? []).map(({ name, url, base_url: base }) => (
          <li key={name} className="flex h-7 items-center gap-2 text-12 whitespace-nowrap" title={`${base} → ${url}`}>
            <span className="min-w-0 flex-1 truncate text-t1">{name}</span>
            <span className="min-w-0 truncate font-mono text-11 text-t3">{base.replace(/^https?:\/\/[^/]+/, "")}</span>
            <CopyButton text={() => base} />
          </li>
        ))}
      </ul>
      <h2 className="mt-3 text-12 leading-6.5 font-semibold">{t("setup.noClient")}</h2>
      <p className="text-12 text-t2"><code className="rounded-1 bg-raised px-1 font-mono">flow-monitor demo</code> {t("setup.demo")}</p>
    </aside>
  );
}
