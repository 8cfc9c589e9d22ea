import { expect, test } from "vitest";

import { isBinary, readUpTo } from "./body-reader";

function stream(...pieces: string[]): { stream: ReadableStream<Uint8Array>; cancelled: () => boolean } {
  let cancelled = false;
  const rest = pieces.map((piece) => new TextEncoder().encode(piece));
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = rest.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
    cancel() { cancelled = true; },
  });
  return { stream: source, cancelled: () => cancelled };
}

test("reads all of a short body", async () => {
  const { bytes, whole } = await readUpTo(stream("ab", "c").stream, 3);
  expect([new TextDecoder().decode(bytes), whole]).toEqual(["abc", true]);
});

test("stops a long body at the limit and says so", async () => {
  const source = stream("abc", "def", "ghi", "jkl", "mno");
  const { bytes, whole } = await readUpTo(source.stream, 4);
  expect([new TextDecoder().decode(bytes), whole, source.cancelled()]).toEqual(["abcd", false, true]);
});

test("pictures are told from text, also from text cut inside a character", () => {
  const bytes = (...codes: number[]) => Uint8Array.from(codes);
  expect(isBinary(bytes(0x89, 0x50, 0x4e, 0x47, 0))).toBe(true);
  expect(isBinary(bytes(0xff, 0xd8, 0xff, 0xe0))).toBe(true);
  expect(isBinary(new TextEncoder().encode("退款".repeat(2_000)))).toBe(false);
  expect(isBinary(bytes())).toBe(false);
});
