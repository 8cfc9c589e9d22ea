/** What a person pastes: the start link, its code, or the API token. */

export type Credential = { kind: "code"; code: string } | { kind: "token"; token: string };

export function credentialOf(pasted: string): Credential | null {
  const text = pasted.trim();
  if (text === "") return null;
  const code = codeIn(text);
  if (code !== null) return { kind: "code", code };
  return /\s|:\/\//.test(text) ? null : { kind: "token", token: text };
}

/** The code in a link's fragment, such as `#code=…`. */
export function codeIn(link: string): string | null {
  const hash = link.indexOf("#");
  if (hash < 0) return null;
  const code = new URLSearchParams(link.slice(hash + 1)).get("code");
  return code === null || code === "" ? null : code;
}
