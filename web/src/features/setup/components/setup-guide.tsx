import { Tabs } from "radix-ui";

import type { Status } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { ScrollRegion } from "@/ui/scroll-region";
import { SkeletonRows } from "@/ui/skeleton";
import { VendorMark } from "@/ui/vendor-mark";

import { clientsFor } from "../lib/clients";

import { ClientSteps } from "./client-steps";
import { SetupAside } from "./setup-aside";

/** The first start: it does the wiring, and waits for the first call. */
export function SetupGuide({ status }: { status: Status | undefined }) {
  const t = useT();
  const proxy = status?.proxy_url.replace(/\/+$/, "");
  return (
    <ScrollRegion label={t("setup.title")}>
      <div className="mx-auto max-w-300 px-8 pt-11 pb-8 max-desk:px-4 max-desk:pt-6">
        <header className="mb-6.5 flex items-center gap-4.5">
          <Pulse />
          <div>
            <h1 className="text-20 font-semibold">{t("setup.title")}</h1>
            <p className="text-t2">
              {proxy === undefined ? t("setup.addressMissing") : (
                <>{t("setup.listens")} <code className="rounded-1 bg-raised px-1.25 font-mono text-12">{proxy.replace(/^https?:\/\//, "")}</code>{t("setup.point")}</>
              )}
            </p>
          </div>
        </header>
        {proxy === undefined ? null : <Clients proxy={proxy} status={status} />}
        <div className="mt-6.5 opacity-60 [mask-image:linear-gradient(black,transparent)]"><SkeletonRows count={7} height={32} /></div>
      </div>
    </ScrollRegion>
  );
}

function Clients({ proxy, status }: { proxy: string; status: Status | undefined }) {
  const t = useT();
  const clients = clientsFor(proxy);
  return (
    <Tabs.Root
      defaultValue={clients[0]?.id ?? ""}
      orientation="vertical"
      className="grid overflow-hidden rounded-3 border border-line-strong desk:grid-cols-[228px_minmax(0,1fr)_264px]"
    >
      <Tabs.List aria-label={t("setup.clients")} className="scroll flex border-line bg-sunken p-1.5 max-desk:border-b desk:flex-col desk:border-r">
        {clients.map(({ id, name, mark }) => (
          <Tabs.Trigger
            key={id}
            value={id}
            className="flex h-8.5 shrink-0 items-center gap-2.25 rounded-2 px-2.25 text-13 whitespace-nowrap text-t2 hover:text-t1 focus-visible:shadow-(--ring-in) data-[state=active]:bg-panel data-[state=active]:font-semibold data-[state=active]:text-t1 data-[state=active]:inset-ring data-[state=active]:inset-ring-line-strong"
          >
            <VendorMark letter={mark} />
            {name}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {clients.map((client) => (
        <Tabs.Content key={client.id} value={client.id} tabIndex={-1} className="min-w-0 bg-panel px-4.5 pt-3 pb-4"><ClientSteps client={client} /></Tabs.Content>
      ))}
      <SetupAside status={status} />
    </Tabs.Root>
  );
}

function Pulse() {
  return (
    <div className="relative size-10 shrink-0 *:absolute *:inset-0 *:m-auto *:rounded-full" aria-hidden="true">
      <i className="ring-pulse size-5.5 border-[1.5px] border-accent opacity-50" />
      <i className="ring-pulse size-9 border-[1.5px] border-accent opacity-22 [animation-delay:0.5s]" />
      <b className="size-2.5 bg-accent" />
    </div>
  );
}
