/** What the worker that reads bodies is asked and what it answers. */
import type { CodeLines } from "@/lib/code-lines";

/** Bytes of a body that are shown; the rest is a download. */
export const BODY_SHOWN_BYTES_MAX = 10_000_000;

export type BodyRequest =
  | { id: number; kind: "lines"; path: string; mark: number | null }
  | { id: number; kind: "slice"; path: string; from: number; length: number };

/** `mark`: the character at the byte that was asked for; `null` where none was, or where it lies past what is shown. */
export type BodyContent = { kind: "lines"; lines: CodeLines; read: number; whole: boolean; mark: number | null } | { kind: "binary"; read: number };

export type BodyAnswer =
  | { id: number; content: BodyContent }
  | { id: number; slice: string }
  | { id: number; error: string };

/** Reads a stream up to a limit. Returns what was read and whether that is all. */
export async function readUpTo(stream: ReadableStream<Uint8Array>, limit: number): Promise<{ bytes: Uint8Array<ArrayBuffer>; whole: boolean }> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: join(pieces, size), whole: true };
    pieces.push(value);
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      return { bytes: join(pieces, size).slice(0, limit), whole: false };
    }
  }
}

function join(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Bytes that no text has, or too many that are no UTF-8, near the beginning. */
export function isBinary(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 4_096);
  if (head.includes(0)) return true;
  const replaced = new TextDecoder().decode(head, { stream: true }).match(/\ufffd/g)?.length ?? 0;
  return replaced > head.length / 10;
}
