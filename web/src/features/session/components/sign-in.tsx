import { useState, type FormEvent } from "react";

import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { Brand } from "@/ui/icon";

import { signIn } from "../api";
import { credentialOf } from "../lib/credential";

const COMMAND = "flow-monitor token --link";

/** The way in, for a browser without a session. */
export function SignIn({ refused, onSignedIn }: { refused: boolean; onSignedIn: () => void }) {
  const t = useT();
  const [pasted, setPasted] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const credential = credentialOf(pasted);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (credential === null) return;
    setProblem(null);
    signIn(credential).then(onSignedIn, (error: unknown) => {
      setProblem(error instanceof Error ? error.message : String(error));
    });
  };
  return (
    <main className="scroll flex h-full items-start justify-center px-4 pt-[16vh]">
      <form className="flex w-115 max-w-full flex-col gap-4 rounded-3 border border-line-strong bg-panel p-6" onSubmit={submit}>
        <h1 className="flex items-center gap-2.5 text-15 font-semibold"><Brand />{t("app.name")}</h1>
        <p className="text-t2">{t("session.why")}</p>
        {refused ? <p role="alert" className="text-12 text-fail">{t("session.codeUsed")}</p> : null}
        <div>
          <p className="mb-1.5 text-12 text-t2">{t("session.how")}</p>
          <div className="flex h-9 items-center rounded-2 border border-line-strong bg-sunken pr-1 pl-3">
            <code className="flex-1 font-mono text-12">{COMMAND}</code>
            <CopyButton text={() => COMMAND} label={t("common.copy")} />
          </div>
          <p className="mt-1.5 text-12 text-t3">{t("session.dataDir")}</p>
        </div>
        <label className="flex flex-col gap-1.5 text-12 text-t2">
          {t("session.paste")}
          <input
            type="password"
            autoFocus
            autoComplete="off"
            spellCheck={false}
            value={pasted}
            onChange={(event) => { setPasted(event.target.value); }}
            className="h-9 rounded-2 border border-line-control bg-panel px-3 font-mono text-12 text-t1 focus-visible:border-accent focus-visible:shadow-[0_0_0_3px_var(--accent-soft)]"
          />
        </label>
        {problem === null ? null : <p role="alert" className="text-12 text-fail">{t("session.wrong", { message: problem })}</p>}
        <Button type="submit" look="primary" className="self-start" disabled={credential === null}>{t("session.signIn")}</Button>
      </form>
    </main>
  );
}
