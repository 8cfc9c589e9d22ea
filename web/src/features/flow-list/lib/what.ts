/** What a row says is new: the tools first, then the prompt's last words and the answer's first. */
import type { Row } from "@/api/types";
import { duration } from "@/lib/format";
import type { Translate } from "@/lib/i18n/i18n";

/** Chips that fit in a row. */
const TOOLS_SHOWN = 2;

export interface What {
  /** Names of tools; one that is called more than once has its count behind it. */
  tools: string[];
  toolsMore: number;
  /** What was asked. */
  text: string;
  /** Why it did not come to its end; drawn after what was asked. */
  cause: string;
  /** What was answered; drawn after an arrow. */
  answer: string;
  tone: "plain" | "failed" | "dim" | "wire";
}

export function whatOf(row: Row, t: Translate): What {
  const named = counted(row.tools);
  const tools = named.slice(0, TOOLS_SHOWN);
  const base = { tools, toolsMore: named.length - tools.length };
  if (row.state === "failed") {
    const text = row.dialect == null ? wire(row) : (row.preview ?? "");
    const broken = (row.status ?? 0) < 400 && row.end != null && row.end !== "ended" && row.end !== "client_abort";
    if (broken && text !== "") return { ...base, text, cause: causeOf(row, t), answer: "", tone: "failed" };
    return { ...base, tools: [], toolsMore: 0, text: failure(row, t), cause: "", answer: "", tone: "failed" };
  }
  if (row.state === "cancelled") {
    const ended = row.duration_us == null ? t("end.client_abort_unknown") : t("end.client_abort", { duration: duration(row.duration_us) });
    const text = row.dialect == null ? wire(row) : (row.preview ?? "");
    return { ...base, text, cause: ended, answer: row.answer ?? "", tone: "dim" };
  }
  if (row.dialect == null) return { ...base, text: wire(row), cause: "", answer: row.answer ?? "", tone: "wire" };
  return { ...base, text: row.preview ?? "", cause: "", answer: row.answer ?? "", tone: "plain" };
}

function wire(row: Row): string {
  return `${row.method} ${row.path}`;
}

/** How it ended and what was said of it; a stop of the monitor needs no more words. */
function causeOf(row: Row, t: Translate): string {
  if (row.end === "interrupted") return t("end.interrupted_short");
  if (row.end == null || row.end === "ended" || row.end === "client_abort") return "";
  return [t(`end.${row.end}`), row.answer ?? ""].filter((part) => part !== "").join(" · ");
}

function counted(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
}

function failure(row: Row, t: Translate): string {
  const parts: string[] = [];
  if (row.end === "interrupted" && (row.status ?? 0) < 400) return t("end.interrupted_short");
  if (row.status != null && row.status >= 400) parts.push(String(row.status));
  else if (row.end != null && row.end !== "ended" && row.end !== "client_abort") parts.push(t(`end.${row.end}`));
  const said = row.answer ?? "";
  if (said !== "") parts.push(said);
  else if (row.dialect == null || parts.length === 0) parts.push(wire(row));
  return parts.join(" · ");
}
