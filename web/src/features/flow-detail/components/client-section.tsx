import type { ReactNode } from "react";

import type { Client, Detail, Software } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { CopyButton } from "@/ui/copy-button";
import { VisibleText } from "@/ui/visible-text";

import { FactList, Section, type FactLine } from "./section";

/** The program that asked, as far as its request tells, and where it was sent. */
export function ClientSection({ detail }: { detail: Detail }) {
  const t = useT();
  const { exchange, reading } = detail;
  const client: Client = reading.client ?? {};
  const facts: FactLine[] = [
    ...software(t("client.agent"), client.agent),
    ...software(t("client.sdk"), client.sdk),
    ...word(t("client.other"), client.other),
    ...word(t("client.session"), client.session, true),
    ...word(t("client.run"), exchange.route.run, true),
    ...word(t("client.thread"), client.thread, true),
    ...word(t("client.request"), client.request, true),
  ];
  if (client.attempt != null) facts.push({ name: t("client.attempt"), value: t(client.attempt > 1 ? "client.nth" : "client.first", { n: client.attempt }) });
  facts.push({ name: t("client.peer"), value: exchange.peer ?? t("common.unknown"), wire: exchange.peer != null });
  facts.push({ name: t("headers.sentTo"), value: <span className="break-all">{exchange.route.url ?? t("common.unknown")}</span>, wire: exchange.route.url != null });
  const known = client.agent != null || client.sdk != null || client.other != null;
  return <Section title={t("headers.client")} beside={known ? null : t("client.unknown")}><FactList facts={facts} /></Section>;
}

function software(name: string, found: Software | null | undefined): FactLine[] {
  if (found == null) return [];
  const value: ReactNode = <><VisibleText text={found.name} />{found.version == null ? null : <span className="ml-2 text-t2"><VisibleText text={found.version} /></span>}</>;
  return [{ name, value, wire: true }];
}

function word(name: string, text: string | null | undefined, copied = false): FactLine[] {
  if (text == null || text === "") return [];
  return [{ name, value: <span className="inline-flex max-w-full items-center gap-1.5"><bdi className="min-w-0 break-all"><VisibleText text={text} /></bdi>{copied ? <CopyButton text={() => text} /> : null}</span>, wire: true }];
}
