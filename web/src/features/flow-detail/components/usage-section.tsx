import type { Reading } from "@/api/types";
import { sideCall } from "@/lib/dialects";
import { exact, percent } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { totalOf, usageOf } from "@/lib/usage";
import { EstimateMark } from "@/ui/estimate-mark";
import { UsageBar } from "@/ui/usage-bar";

import { differences, partsOf, type UsagePart } from "../lib/usage-parts";

import { LongText } from "./long-text";
import { Section } from "./section";

const INDENTS = ["", "pl-4", "pl-8"];

/** The bar, and a line for each count that the wire names. */
export function UsageSection({ reading }: { reading: Reading }) {
  const t = useT();
  const { tokens, estimated, response } = reading;
  const total = totalOf(tokens);
  // A call that only counts a prompt generates nothing; its answer is the provider's number.
  const counted = response.usage?.input ?? response.usage?.total ?? null;
  const noTotal = counted === null ? t("usage.none") : t("usage.promptCount", { n: exact(counted) });
  // A call that answers without text has no output that could be unknown.
  const parts = partsOf(tokens).filter(({ name, count }) => count !== null || name !== "output" || sideCall(reading.dialect) === null);
  return (
    <Section title={t("usage.title")} beside={total === null ? noTotal : null}>
      <UsageBar usage={usageOf(tokens)} size="head" max={total ?? 1} />
      {total === null ? null : (
        <table className="mt-2 w-full max-w-[560px] border-collapse text-12">
          <thead className="sr-only"><tr><th scope="col">{t("usage.what")}</th><th scope="col">{t("usage.count")}</th><th scope="col">{t("usage.share")}</th></tr></thead>
          <tbody>{parts.map((part) => <PartRow key={part.name} part={part} total={total} estimated={estimated} />)}</tbody>
        </table>
      )}
      <Gateway reading={reading} />
      {response.usage_raw == null ? null : (
        <details className="mt-2 text-12 text-t2">
          <summary className="rounded-1 text-t3 hover:text-t1">{t("usage.raw")}</summary>
          <div className="mt-1.5"><LongText text={JSON.stringify(response.usage_raw, null, 2)} boxed /></div>
        </details>
      )}
    </Section>
  );
}

function PartRow({ part, total, estimated }: { part: UsagePart; total: number; estimated: boolean }) {
  const t = useT();
  const { name, count, kind, depth } = part;
  const sum = name === "total";
  return (
    <tr className={sum ? "border-t border-line-strong" : "border-t border-line first:border-t-0"}>
      <th scope="row" className={`py-0.75 pr-3 text-left ${depth === 0 ? "font-medium text-t1" : "font-normal text-t2"} ${INDENTS[depth] ?? ""}`}>
        <i className={`mr-1.5 inline-block size-2.25 rounded-[2px] ${kind === null ? "" : `kind-${kind}`}`} />
        {t(`usage.part.${name}`)}
      </th>
      <td className={`py-0.75 text-right ${depth === 0 ? "font-medium text-t1" : "text-t1"}`}>
        {count === null ? <span className="font-normal text-t3">{t("common.unknown")}</span> : <>{estimated ? <EstimateMark /> : null}{exact(count)}</>}
      </td>
      <td className="w-18 py-0.75 text-right text-t3">{count === null || sum || total === 0 ? "" : percent(Math.round((count / total) * 10_000))}</td>
    </tr>
  );
}

/** What a gateway counted beside the model; silent where both agree. */
function Gateway({ reading }: { reading: Reading }) {
  const t = useT();
  const found = differences(reading.response.usage, reading.response.metrics);
  if (found.length === 0) return null;
  return (
    <table className="mt-3 w-full max-w-[560px] border-collapse text-12">
      <caption className="mb-1 text-left text-held">{t("usage.gateway")}</caption>
      <thead>
        <tr className="text-11 text-t3">
          <th scope="col" className="text-left font-normal">{t("usage.what")}</th>
          <th scope="col" className="text-right font-normal">{t("usage.byModel")}</th>
          <th scope="col" className="text-right font-normal">{t("usage.byGateway")}</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ name, model, gateway }) => (
          <tr key={name} className="border-t border-line">
            <th scope="row" className="py-0.75 text-left font-normal text-t2">{t(`usage.wire.${name}`)}</th>
            <td className="py-0.75 text-right text-t1">{model === null ? <span className="text-t3">{t("common.unknown")}</span> : exact(model)}</td>
            <td className="py-0.75 text-right text-t1">{exact(gateway)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
