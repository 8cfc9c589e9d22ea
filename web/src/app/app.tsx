import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";

import { ApiError } from "@/api/client";
import { SignIn } from "@/features/session/components/sign-in";
import { useT } from "@/lib/i18n/i18n";
import { Problem } from "@/ui/problem";
import { Toaster } from "@/ui/toast";

import { LiveProvider } from "./live";
import { statusQuery } from "./queries";
import { router } from "./router";

const client = new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false } } });

/** `refused`: the link that opened the page had been used, or was too old. */
export function App({ refused }: { refused: boolean }) {
  const t = useT();
  return (
    <QueryClientProvider client={client}>
      <Gate refused={refused} />
      <Toaster closeLabel={t("common.close")} />
    </QueryClientProvider>
  );
}

/** Lets in who has a session. A monitor that goes away later leaves the page as it is. */
function Gate({ refused }: { refused: boolean }) {
  const t = useT();
  const status = useQuery(statusQuery);
  if (status.error instanceof ApiError && status.error.isSignedOut) {
    return <SignIn refused={refused} onSignedIn={() => { void status.refetch(); }} />;
  }
  if (status.data === undefined) {
    return status.failureCount === 0 ? null : (
      <main className="flex h-full items-center justify-center"><Problem title={t("session.unreachable")}>{t("session.unreachableHelp")}</Problem></main>
    );
  }
  return (
    <LiveProvider>
      <RouterProvider router={router} />
    </LiveProvider>
  );
}
