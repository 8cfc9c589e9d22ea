import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { bodyPath } from "@/api/client";
import type { Detail, Side } from "@/api/types";
import { bytes, exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Banner } from "@/ui/banner";
import { Problem } from "@/ui/problem";
import { SkeletonRows } from "@/ui/skeleton";

import { readBody } from "../lib/body-client";

import { BodyBar } from "./body-bar";
import { BodyCode } from "./body-code";

/** A body as it was on the wire, content-decoded. `byte` is brought into sight. */
export function BodyTab({ detail, side, byte }: { detail: Detail; side: Side; byte: number | null }) {
  const t = useT();
  const [query, setQuery] = useState("");
  const { id } = detail.flow;
  const facts = side === "request" ? detail.exchange.request_body : detail.exchange.response_body;
  const path = bodyPath(id, side);
  const body = useQuery({
    // A body that grows is another body.
    queryKey: ["flow", id, "body", side, facts.bytes, byte],
    queryFn: () => readBody(path, byte),
    enabled: facts.bytes > 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    retry: false,
    placeholderData: (old) => old,
  });
  if (facts.bytes === 0) return <p className="p-4 text-12 text-t3">{t(facts.complete ? "body.empty" : "body.none")}</p>;
  if (body.error !== null) return <Problem title={t("body.failed")}>{body.error.message}</Problem>;
  const content = body.data;
  const size = t("body.exact", { n: exact(facts.bytes) });
  const wire = facts.coding == null ? size : `${size}, ${t("body.coded", { size: bytes(facts.wire_bytes), coding: facts.coding })}`;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      {detail.reading.dialect == null ? <Banner tone="plain">{t("body.notRead")}</Banner> : null}
      {!facts.complete && detail.exchange.end != null ? <Banner tone="plain">{t("note.incomplete")}</Banner> : null}
      {content === undefined ? (
        <div aria-busy="true" aria-label={t("body.loading", { size: bytes(facts.bytes) })}><SkeletonRows count={8} height={24} /></div>
      ) : content.kind === "binary" ? (
        <BodyBar facts={wire} path={path} name={`${id}-${side}`} />
      ) : (
        <BodyCode
          content={content}
          label={t(side === "request" ? "tab.request" : "tab.response")}
          facts={wire}
          capped={content.whole ? null : t("body.capped", { shown: bytes(content.read), whole: bytes(facts.bytes) })}
          path={path}
          name={`${id}-${side}`}
          query={query}
          onQuery={setQuery}
        />
      )}
      {content?.kind === "binary" ? <p className="p-4 text-12 text-t2">{t("body.binary", { size: bytes(facts.bytes) })}</p> : null}
    </div>
  );
}
