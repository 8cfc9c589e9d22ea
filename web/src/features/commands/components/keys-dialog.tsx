import { useActions, type Action, type ActionGroup } from "@/lib/actions";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { KeyCaps } from "@/ui/key-caps";

const GROUPS: readonly ActionGroup[] = ["list", "flow", "view"];

/** Every key that does something here. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const all = useActions().filter((action) => action.keys.length > 0);
  return (
    <Dialog label={t("commands.keys")} onClose={onClose}>
      <div className="flex h-11 items-center border-b border-line pr-2 pl-3.5">
        <h2 className="flex-1 text-13 font-semibold">{t("commands.keys")}</h2>
        <Button look="ghost" shape="icon" aria-label={t("common.close")} onClick={onClose}><Icon name="close" /></Button>
      </div>
      <div className="scroll max-h-130 columns-2 gap-6 px-3.5 py-3 max-tablet:columns-1">
        {GROUPS.map((group) => <Group key={group} title={t(`commands.group.${group}`)} actions={all.filter((action) => action.group === group)} />)}
      </div>
    </Dialog>
  );
}

function Group({ title, actions }: { title: string; actions: readonly Action[] }) {
  const t = useT();
  if (actions.length === 0) return null;
  return (
    <section className="mb-3 break-inside-avoid">
      <h3 className="mb-1 text-11 text-t3">{title}</h3>
      <dl>
        {actions.map((action) => (
          <div key={action.id} className="flex min-h-7 items-center gap-2 text-12">
            <dt className="flex-1">{t(action.label)}</dt>
            <dd className="flex gap-2">{action.keys.map((key) => <KeyCaps key={key} name={key} />)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
