/** One letter for a vendor: an icon, so that it may be smaller than text. */
const LETTERS: Record<string, string> = {
  anthropic: "A", openai: "O", gemini: "G", vertex: "V", azure: "Az", bedrock: "B", kiro: "K", openrouter: "R",
  deepseek: "D", xai: "X", groq: "Gq", mistral: "M", cohere: "C", moonshot: "Mo", qwen: "Q", zhipu: "Z", ollama: "Ol",
};

export function vendorLetter(provider: string | null | undefined): string {
  if (provider == null || provider === "") return "·";
  return LETTERS[provider] ?? provider.charAt(0).toUpperCase();
}

export function VendorMark({ letter, title }: { letter: string; title?: string | undefined }) {
  return (
    <span
      className="inline-grid size-4 shrink-0 place-items-center rounded-1 font-mono text-[9px]/none font-semibold text-t2 inset-ring inset-ring-line-strong"
      title={title}
      aria-hidden="true"
    >
      {letter}
    </span>
  );
}
