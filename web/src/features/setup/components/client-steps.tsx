import { useState } from "react";

import { useT } from "@/lib/i18n/i18n";
import { CopyButton } from "@/ui/copy-button";
import { Segmented } from "@/ui/segmented";

import { shellLines, SHELLS, type Client, type Shell, type Step } from "../lib/clients";

/** What to do for one client, step by step; each step can be copied. */
export function ClientSteps({ client }: { client: Client }) {
  const t = useT();
  const [shell, setShell] = useState<Shell>("posix");
  const hasVariables = client.steps.some((step) => step.kind === "variables");
  return (
    <>
      <div className="mb-3 flex min-h-(--ctl) items-center gap-2">
        <h2 className="flex-1 text-13 font-semibold">{client.name}</h2>
        {hasVariables ? <Segmented label={t("setup.shell")} segments={SHELLS} value={shell} onChange={setShell} /> : null}
      </div>
      <ol>
        {client.steps.map((step, at) => (
          <li key={step.title} className="relative pb-4 pl-8.5 last:pb-0.5 not-last:after:absolute not-last:after:top-6 not-last:after:bottom-1 not-last:after:left-2.5 not-last:after:w-px not-last:after:bg-line">
            <span className="absolute top-0 left-0 size-5 rounded-full text-center text-[11px]/5 font-medium text-t2 inset-ring inset-ring-line-strong" aria-hidden="true">{at + 1}</span>
            <StepView step={step} text={step.kind === "text" ? step.text : shellLines(shell, step.variables)} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** Quiet inks: the command word and the addresses. */
function ShellText({ text }: { text: string }) {
  return text.split(/(^export(?= )|^set -x(?= )|https?:\/\/[^\s"'}]+)/m).map((piece, at) => (
    <span key={at} className={at % 2 === 0 ? undefined : piece.startsWith("http") ? "text-c-str" : "text-c-kw"}>{piece}</span>
  ));
}

function StepView({ step, text }: { step: Step; text: string }) {
  const t = useT();
  return (
    <>
      <h3 className="font-medium">{t(step.title, step.kind === "text" ? step.params : undefined)}</h3>
      <p className="text-12 text-t2">{t(step.help)}</p>
      <div className="mt-1.75 flex items-start rounded-2 border border-line-strong bg-sunken py-1 pr-1 pl-3">
        <pre className="scroll min-w-0 flex-1 py-1 font-mono text-12"><ShellText text={text} /></pre>
        <CopyButton text={() => text} label={t("common.copy")} />
      </div>
    </>
  );
}
