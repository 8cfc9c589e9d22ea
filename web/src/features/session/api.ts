/** Exchanges of a code or a token for the session cookie. */
import { sendJson } from "@/api/client";
import type { SessionLink } from "@/api/types";

import { codeIn, type Credential } from "./lib/credential";

export async function signIn(credential: Credential): Promise<void> {
  const code = credential.kind === "code" ? credential.code : await codeFor(credential.token);
  await sendJson("POST", "/api/session", { code });
}

/** The page's own code, taken out of the address before anything else sees it. */
export async function signInFromAddress(): Promise<void> {
  const code = codeIn(location.hash);
  if (code === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  // A code that was used already is no error where the cookie is still there; the first request tells.
  await signIn({ kind: "code", code }).catch(() => undefined);
}

async function codeFor(token: string): Promise<string> {
  const link = await sendJson<SessionLink>("POST", "/api/session/link", {}, { authorization: `Bearer ${token}` });
  const code = link === null ? null : codeIn(link.url);
  if (code === null) throw new Error("the monitor gave no code");
  return code;
}
