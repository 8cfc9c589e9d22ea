/** Reads and lays out bodies away from the page's thread: 10 MB of JSON would hold it up. */
import { linesOf } from "@/lib/code-lines";

import { BODY_SHOWN_BYTES_MAX, isBinary, readUpTo, type BodyAnswer, type BodyContent, type BodyRequest } from "./body-reader";
import { charsIn, placeIn } from "./place";

self.onmessage = (event: MessageEvent<BodyRequest>) => {
  const request = event.data;
  void answer(request).catch((error: unknown): BodyAnswer => ({ id: request.id, error: error instanceof Error ? error.message : String(error) })).then((reply) => {
    self.postMessage(reply, { transfer: transferred(reply) });
  });
};

async function answer(request: BodyRequest): Promise<BodyAnswer> {
  const [from, length] = request.kind === "slice" ? [request.from, request.length] : [0, BODY_SHOWN_BYTES_MAX + 1];
  const response = await fetch(request.path, { credentials: "same-origin", headers: { range: `bytes=${from}-${from + length - 1}` } });
  if (!response.ok || response.body === null) throw new Error(`${response.status} ${response.statusText}`);
  if (request.kind === "slice") {
    if (response.status !== 206) throw new Error("the server gave no part of the body");
    const { bytes } = await readUpTo(response.body, request.length);
    return { id: request.id, slice: new TextDecoder("latin1").decode(bytes) };
  }
  const { bytes, whole } = await readUpTo(response.body, BODY_SHOWN_BYTES_MAX);
  return { id: request.id, content: contentOf(bytes, whole, request.mark) };
}

function contentOf(bytes: Uint8Array, whole: boolean, wanted: number | null): BodyContent {
  if (isBinary(bytes)) return { kind: "binary", read: bytes.length };
  const text = new TextDecoder().decode(bytes);
  const lines = linesOf(text, whole);
  const mark = wanted === null || wanted > bytes.length || lines.text === "" ? null : placeIn(text, lines.text, charsIn(bytes, wanted));
  return { kind: "lines", lines, read: bytes.length, whole, mark };
}

function transferred(reply: BodyAnswer): Transferable[] {
  if (!("content" in reply) || reply.content.kind !== "lines") return [];
  const { starts, closes } = reply.content.lines;
  return [starts.buffer, closes.buffer];
}
