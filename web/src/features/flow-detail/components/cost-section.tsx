import type { Cost, CostLine, Detail } from "@/api/types";
import { decimal } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { moneyExact, priceOf } from "@/lib/money";
import { Chip } from "@/ui/chip";
import { CopyButton } from "@/ui/copy-button";
import { EstimateMark } from "@/ui/estimate-mark";

import { costState, paidCount, paidKind, paidLabel, priceOverride, priceUnit, unpricedLabel } from "../lib/cost-lines";

import { Section } from "./section";

/** What it cost, line by line; or why that is not known and what helps. */
export function CostSection({ detail }: { detail: Detail }) {
  const t = useT();
  const { cost, estimated } = detail.reading;
  if (cost == null) return <Section title={t("cost.title")}><NoCost detail={detail} /></Section>;
  return (
    <Section title={t("cost.title")} beside={<Source cost={cost} />}>
      {(cost.conditions ?? []).length === 0 ? null : (
        <p className="mb-1.5 flex flex-wrap items-center gap-1.5 text-12 text-t3">
          {t("cost.conditions")}
          {cost.conditions?.map((condition) => <Chip key={condition} mono className="h-auto! whitespace-normal">{condition}</Chip>)}
        </p>
      )}
      <table className="w-full max-w-[560px] border-collapse text-12">
        <thead>
          <tr className="text-11 text-t3">
            <th scope="col" className="text-left font-normal">{t("usage.what")}</th>
            <th scope="col" className="pl-2 text-right font-normal">{t("usage.count")}</th>
            <th scope="col" className="pl-2 text-right font-normal">{t("cost.price")}</th>
            <th scope="col" className="pl-2 text-right font-normal">{t("cost.amount")}</th>
          </tr>
        </thead>
        <tbody>{cost.lines.map((line, at) => <Line key={at} line={line} estimated={estimated} />)}</tbody>
        <tfoot>
          <tr className="border-t border-line-strong font-semibold text-t1">
            <th scope="row" colSpan={3} className="py-0.75 text-left font-semibold">{t("cost.sum")}</th>
            <td className="py-0.75 text-right" title={`$${cost.total}`}>{estimated ? <EstimateMark /> : null}{moneyExact(cost.total)}</td>
          </tr>
        </tfoot>
      </table>
      <Doubts cost={cost} />
    </Section>
  );
}

function Source({ cost }: { cost: Cost }) {
  const t = useT();
  return (
    <>
      <span className="font-mono">{cost.price}</span>
      {` · ${cost.version === "user" ? t("cost.ownPrice") : t("cost.version", { version: cost.version })}`}
    </>
  );
}

function Line({ line, estimated }: { line: CostLine; estimated: boolean }) {
  const t = useT();
  const kind = paidKind(line.what);
  return (
    <tr className="border-t border-line align-top">
      <th scope="row" className="py-0.75 text-left font-normal text-t1">
        <i className={`mr-1.5 inline-block size-2.25 rounded-[2px] ${kind === null ? "" : `kind-${kind}`}`} />
        {paidLabel(line.what, t)}
      </th>
      <td className="py-0.75 pl-2 text-right text-t1">{estimated ? <EstimateMark /> : null}{paidCount(line)}</td>
      <td className="py-0.75 pl-2 text-right whitespace-nowrap text-t2">× {priceOf(line.price)} {priceUnit(line, t)}</td>
      <td className="py-0.75 pl-2 text-right text-t1" title={`$${line.amount}`}>{moneyExact(line.amount)}</td>
    </tr>
  );
}

/** What makes the sum less than certain. */
function Doubts({ cost }: { cost: Cost }) {
  const t = useT();
  const unpriced = cost.unpriced ?? [];
  return (
    <div className="mt-2 flex max-w-[76ch] flex-col gap-1 text-12 text-t2 empty:hidden">
      {unpriced.length === 0 ? null : <p><Chip tone="held" className="mr-2">{t("cost.tooLow")}</Chip>{t("cost.unpriced", { what: unpriced.map((text) => unpricedLabel(text, t)).join(", ") })}</p>}
      {cost.disputed == null ? null : <p><Chip tone="held" className="mr-2">{t("cost.disputed")}</Chip><span className="font-mono">{cost.disputed}</span>. {t("cost.disputedHelp")}</p>}
    </div>
  );
}

function NoCost({ detail }: { detail: Detail }) {
  const t = useT();
  const { flow, reading } = detail;
  const state = costState(detail);
  if (state === "credits") return <p className="text-12 text-t2">{t("cost.credits", { n: decimal(reading.units?.credits ?? "") })}</p>;
  if (state === "running" || state === "free" || state === "uncounted") return <p className="text-12 text-t2">{t(`cost.${state}`)}</p>;
  const model = flow.model ?? flow.requested_model ?? null;
  if (state === "known" || model === null) return <p className="text-12 text-t2">{t("cost.noModel")}</p>;
  const lines = priceOverride(flow.provider ?? null, model);
  return (
    <div className="flex max-w-[76ch] flex-col items-start gap-1.5 text-12 text-t2">
      <p className="text-t1">{t("cost.unknown", { model })}</p>
      <p>{t("cost.override")}</p>
      <div className="flex w-full items-start rounded-2 border border-line-strong bg-sunken">
        <pre className="min-w-0 flex-1 px-2.5 py-1.5 font-mono text-12 break-words whitespace-pre-wrap text-t1">{lines}</pre>
        <CopyButton text={() => lines} />
      </div>
      <p className="text-t3">{t("cost.overrideHelp")}</p>
    </div>
  );
}
