import type { Diagnostic, Reading, Side } from "@/api/types";
import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Chip } from "@/ui/chip";
import { VisibleText } from "@/ui/visible-text";

interface DiagnosticsProps {
  reading: Reading;
  /** Shows a byte of a body. */
  onPlace: (side: Side, offset: number) => void;
}

/** What a codec could not make sense of, in what was asked and in what was answered. */
export function Diagnostics({ reading, onPlace }: DiagnosticsProps) {
  const t = useT();
  const all = [...found("request", reading.request.diagnostics), ...found("response", reading.response.diagnostics)];
  if (all.length === 0) return null;
  return (
    <section className="text-12">
      <h3 className="mb-1 text-t2">{t("talk.diagnostics", { n: all.length })}</h3>
      <ul className="flex flex-col gap-1">
        {all.map(({ side, diagnostic: { code, message, offset } }, at) => (
          <li key={at} className="flex flex-wrap items-center gap-2 text-t2">
            <Chip tone="line">{t(`tab.${side}`)}</Chip>
            <Chip mono>{code}</Chip>
            <span className="min-w-0 break-words"><VisibleText text={message} /></span>
            {offset == null ? null : (
              <button type="button" className="min-h-6 rounded-1 text-accent hover:underline" onClick={() => { onPlace(side, offset); }}>{t("talk.atByte", { offset: exact(offset) })}</button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function found(side: Side, diagnostics: readonly Diagnostic[] | undefined): { side: Side; diagnostic: Diagnostic }[] {
  return (diagnostics ?? []).map((diagnostic) => ({ side, diagnostic }));
}
