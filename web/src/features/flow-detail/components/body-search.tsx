import { exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Icon } from "@/ui/icon";

interface BodySearchProps {
  query: string;
  onQuery: (query: string) => void;
  count: number;
  current: number;
  onStep: (by: number) => void;
}

export function BodySearch({ query, onQuery, count, current, onStep }: BodySearchProps) {
  const t = useT();
  const said = query === "" ? "" : count === 0 ? t("body.noMatch") : t("body.matches", { at: exact(current + 1), n: exact(count) });
  return (
    <search className="flex h-(--ctl) max-w-75 min-w-30 flex-[4] items-center gap-1.5 rounded-2 border border-line-strong border-b-line-control bg-panel pl-2 focus-within:border-accent">
      <Icon name="search" small />
      <input
        type="text"
        value={query}
        placeholder={t("body.search")}
        aria-label={t("body.search")}
        spellCheck={false}
        className="min-w-0 flex-1 bg-transparent text-12 text-t1 placeholder:text-t3 focus-visible:shadow-none"
        onChange={(event) => { onQuery(event.target.value); }}
        onKeyDown={(event) => {
          if (event.key === "Enter") onStep(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <span className="pr-2 text-11 text-t3" aria-live="polite">{said}</span>
      {count === 0 ? null : (
        <>
          <Button look="ghost" shape="small" aria-label={t("body.previousMatch")} onClick={() => { onStep(-1); }}><Icon name="up" small /></Button>
          <Button look="ghost" shape="small" aria-label={t("body.nextMatch")} onClick={() => { onStep(1); }}><Icon name="down" small /></Button>
        </>
      )}
    </search>
  );
}
