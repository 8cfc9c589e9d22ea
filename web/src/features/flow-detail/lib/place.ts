/** Where a byte of a body stands once the body has been laid out as lines. */

/**
 * Laying out changes nothing but space outside of strings, so that both texts have the same characters that are no
 * space, in the same order. Returns the character of `shown` that stands at `at` in `source`.
 */
export function placeIn(source: string, shown: string, at: number): number {
  if (source === shown) return Math.min(at, Math.max(0, shown.length - 1));
  let left = 0;
  for (let n = 0; n < at && n < source.length; n += 1) if (!isSpace(source.charCodeAt(n))) left += 1;
  for (let n = 0; n < shown.length; n += 1) {
    if (isSpace(shown.charCodeAt(n))) continue;
    if (left === 0) return n;
    left -= 1;
  }
  return Math.max(0, shown.length - 1);
}

/** The number of characters in so many bytes of UTF-8. */
export function charsIn(bytes: Uint8Array, offset: number): number {
  return new TextDecoder().decode(bytes.subarray(0, offset), { stream: true }).length;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
