/** Pictures from the record. Only kinds that a browser draws and that cannot run anything. */

/** Characters of base64 text that are drawn; larger ones are a download of the body. */
export const IMAGE_CHARS_MAX = 8_000_000;
const DRAWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export interface ImageBytes {
  mime: string;
  offset: number;
  chars: number;
}

/** Returns where the picture's bytes are; `null` where it cannot be shown from the record. */
export function imageBytes(media: { mime?: string | null; data_chars?: number | null; data_offset?: number | null }): ImageBytes | null {
  const mime = media.mime?.toLowerCase() ?? "";
  if (media.data_offset == null || media.data_chars == null) return null;
  if (!DRAWN.has(mime) || media.data_chars > IMAGE_CHARS_MAX) return null;
  return { mime, offset: media.data_offset, chars: media.data_chars };
}

/** Returns the picture's address; `null` where the text is not base64. */
export function dataUrl(mime: string, base64: string): string | null {
  // JSON may escape the slash; Google's clients write base64url.
  const text = base64.replaceAll("\\/", "/").replaceAll("-", "+").replaceAll("_", "/");
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? `data:${mime};base64,${text}` : null;
}
