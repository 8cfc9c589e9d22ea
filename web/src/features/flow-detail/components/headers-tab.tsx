import type { Detail, Header } from "@/api/types";
import { useT } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";
import { ScrollRegion } from "@/ui/scroll-region";

import { ClientSection } from "./client-section";

/** How the tap writes a credential that it replaced. */
const FINGERPRINT = /redacted-/;

export function HeadersTab({ detail }: { detail: Detail }) {
  const t = useT();
  const { exchange } = detail;
  const { request, response } = exchange;
  const trailers = [...(exchange.request_body.trailers ?? []), ...(exchange.response_body.trailers ?? [])];
  const status = response == null ? "" : `${response.version} ${response.status} ${response.reason ?? ""}`;
  return (
    <ScrollRegion label={t("tab.headers")}>
      <ClientSection detail={detail} />
      <table className="w-full table-fixed border-collapse text-12">
        <Group title={t("headers.request", { n: request.headers.length })} line={`${request.method} ${request.target} ${request.version}`} headers={request.headers} />
        {response == null
          ? <Group title={t("headers.noResponse")} line="" headers={[]} />
          : <Group title={t("headers.response", { n: response.headers.length })} line={status} headers={response.headers} />}
        {trailers.length === 0 ? null : <Group title={t("headers.trailers", { n: trailers.length })} line="" headers={trailers} />}
      </table>
    </ScrollRegion>
  );
}

function Group({ title, line, headers }: { title: string; line: string; headers: readonly Header[] }) {
  const t = useT();
  return (
    <>
      <thead>
        <tr className="h-6.5 border-y border-line bg-sunken text-11 text-t3">
          <th scope="col" className="w-2/5 max-w-62 px-3 text-left font-normal">{title}</th>
          <th scope="col" className="truncate px-2.5 text-left font-mono font-normal" title={line}>{line}</th>
        </tr>
      </thead>
      <tbody>
        {headers.map((header, at) => (
          <tr key={at} className="border-b border-line align-top hover:bg-hover">
            <td className="px-3 py-1.25 font-mono break-words text-t2">{header.name}</td>
            <td className="px-2.5 py-1.25 font-mono break-all text-t1">
              <span className={FINGERPRINT.test(header.value) ? "text-t3" : undefined}>{header.value}</span>
              {FINGERPRINT.test(header.value) ? <Chip className="ml-2 font-ui">{t("headers.redacted")}</Chip> : null}
              {header.latin1 === true ? <Chip tone="held" className="ml-2 font-ui">{t("headers.latin1")}</Chip> : null}
            </td>
          </tr>
        ))}
      </tbody>
    </>
  );
}
