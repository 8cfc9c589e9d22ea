/** Exchanges of a code or a token for the session cookie. */
import { sendJson } from "@/api/client";
import type { SessionLink } from "@/api/types";

import { codeIn, type Credential } from "./lib/credential";

export async function signIn(credential: Credential): Promise<void> {
  const code = credential.kind === "code" ? credential.code : await codeFor(credential.token);
  await sendJson("POST", "/api/session", { code });
}

/** Exchanges the code in the page's own address, which loses it before anything else reads it. */
export async function signInFromAddress(): Promise<"none" | "in" | "refused"> {
  const code = codeIn(location.hash);
  if (code === null) return "none";
  history.replaceState(null, "", location.pathname + location.search);
  // A code that was used already is no error where the cookie is still there; the first request tells.
  return signIn({ kind: "code", code }).then(() => "in" as const, () => "refused" as const);
}

async function codeFor(token: string): Promise<string> {
  const link = await sendJson<SessionLink>("POST", "/api/session/link", {}, { authorization: `Bearer ${token}` });
  const code = link === null ? null : codeIn(link.url);
  if (code === null) throw new Error("the monitor gave no code");
  return code;
}
