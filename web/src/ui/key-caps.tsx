import { keyCaps } from "@/lib/actions";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** A key as its caps; hidden from readers, who get it through `aria-keyshortcuts` or the label. */
export function KeyCaps({ name, tone = "plain" }: { name: string; tone?: "plain" | "primary" }) {
  const look =
    tone === "primary" ? "border-transparent bg-[#ffffff26] text-on-accent" : "border-line-strong bg-raised text-t2";
  return (
    <span className="inline-flex gap-0.5" aria-hidden="true">
      {keyCaps(name, IS_MAC).map((cap) => (
        <kbd key={cap} className={`h-4.5 min-w-4.5 rounded-1 border px-1 text-center font-ui text-11 ${look}`}>
          {cap}
        </kbd>
      ))}
    </span>
  );
}
