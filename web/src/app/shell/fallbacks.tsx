import { Link } from "@tanstack/react-router";

import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Problem } from "@/ui/problem";

export function NotFoundPage() {
  const t = useT();
  return <Problem title={t("page.notFound")} action={<Link to="/flows" className="text-accent hover:underline">{t("action.goFlows")}</Link>} />;
}

export function CrashedPage({ error }: { error: unknown }) {
  const t = useT();
  return (
    <Problem title={t("page.crashed")} action={<Button onClick={() => { location.reload(); }}>{t("page.reload")}</Button>}>
      <p>{t("page.crashedHelp")}</p>
      <p className="font-mono">{error instanceof Error ? error.message : String(error)}</p>
    </Problem>
  );
}
