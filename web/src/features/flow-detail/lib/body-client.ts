/** The page's side of the worker that reads bodies. The worker starts with the first body that is looked at. */
import type { BodyAnswer, BodyContent, BodyRequest } from "./body-reader";

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, { resolve: (answer: BodyAnswer) => void; reject: (error: Error) => void }>();

export async function readBody(path: string, mark: number | null): Promise<BodyContent> {
  const answer = await ask((id) => ({ id, kind: "lines", path, mark }));
  if (!("content" in answer)) throw new Error("the worker gave no content");
  return answer.content;
}

/** Reads `length` bytes from an offset, as Latin-1: base64 text is ASCII. */
export async function readSlice(path: string, from: number, length: number): Promise<string> {
  const answer = await ask((id) => ({ id, kind: "slice", path, from, length }));
  if (!("slice" in answer)) throw new Error("the worker gave no slice");
  return answer.slice;
}

function ask(request: (id: number) => BodyRequest): Promise<BodyAnswer> {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    start().postMessage(request(id));
  });
}

function start(): Worker {
  if (worker !== undefined) return worker;
  worker = new Worker(new URL("./body-worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<BodyAnswer>) => {
    const answer = event.data;
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) asked?.reject(new Error(answer.error));
    else asked?.resolve(answer);
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message));
    waiting.clear();
  };
  return worker;
}
