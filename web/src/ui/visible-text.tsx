import { hasInvisible, visiblePieces } from "@/lib/invisible";

/** A text in which characters that cannot be seen, or that turn the direction, are drawn as small markers. */
export function VisibleText({ text }: { text: string }) {
  if (!hasInvisible(text)) return text;
  return visiblePieces(text).map(({ text: piece, code, count }, at) =>
    code === null ? piece : <Marker key={at} text={count === 1 ? code : `${code}×${count}`} />,
  );
}

function Marker({ text }: { text: string }) {
  return <bdi dir="ltr" data-hidden={text} className="mx-px inline-block rounded-1 px-0.5 font-mono text-[11px]/3.5 whitespace-nowrap text-held inset-ring inset-ring-held">{text}</bdi>;
}
