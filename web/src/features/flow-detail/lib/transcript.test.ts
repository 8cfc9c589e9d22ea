import { expect, test } from "vitest";

import type { Message, Part } from "@/api/types";
import { answering, readingOf } from "@/testing/fixtures";

import { mediaBytes, transcriptOf, type TranscriptItem } from "./transcript";

const text = (words: string): Part => ({ kind: "text", text: words });
const says = (role: Message["role"], ...parts: Part[]): Message => ({ role, parts });

const CALL: Part = { kind: "tool_call", id: "c1", name: "Read", arguments: '{"path":"a"}' };
const RESULT: Part = { kind: "tool_result", call_id: "c1", content: [text("file")], is_error: false };

function reading(messages: Message[], answer: Part[] = []) {
  const whole = readingOf();
  return {
    ...whole,
    request: { ...whole.request, system: [text("be kind")], tools: [{ name: "Read", bytes: 400 }], messages },
    response: { ...whole.response, choices: [{ index: 0, message: says("assistant", ...answer), stop_reason: "tool_use", stop: "tool_use" as const }] },
  };
}

function shape(items: TranscriptItem[]): string {
  return items.map((item) => (item.kind === "part" ? `${item.speaker}:${item.part.kind}${item.isNew ? "*" : ""}` : item.kind)).join(" ");
}

const TURN = [says("user", text("go")), says("assistant", text("ok"), CALL), says("user", RESULT)];

test("what this turn added stands open, what was before is one fold", () => {
  const items = transcriptOf(reading(TURN, [text("done")]), { showEarlier: false, running: false });
  expect(shape(items)).toBe("tools system earlier tool:tool_result* assistant:text end");
  expect(items.find(({ kind }) => kind === "earlier")).toMatchObject({ count: 2, bytes: 2 + 2 + 12 });
});

test("opening the fold shows every earlier part and loses none", () => {
  const items = transcriptOf(reading(TURN), { showEarlier: true, running: false });
  expect(shape(items)).toBe("tools system earlier user:text assistant:text assistant:tool_call tool:tool_result* end");
});

test("a first turn has no fold", () => {
  const items = transcriptOf(reading([says("user", text("go"))]), { showEarlier: false, running: false });
  expect(shape(items)).toBe("tools system user:text* end");
});

test("a result finds the call that it answers", () => {
  const items = transcriptOf(reading(TURN), { showEarlier: false, running: false });
  expect(items.find((item) => item.kind === "part" && item.part === RESULT)).toMatchObject({ call: CALL });
});

test("only the last part of a running answer is live; thinking and text are billed apart", () => {
  const thinking: Part = { kind: "thinking", text: "hm", signed: false, redacted: false };
  const running = reading([says("user", text("go"))], [thinking, text("so")]);
  const parts = transcriptOf(running, { showEarlier: false, running: true }).filter((item) => item.kind === "part" && item.answer);
  expect(parts.map((item) => item.kind === "part" && [item.live, item.spine])).toEqual([[false, "reasoning"], [true, "output"]]);
});

test("several answers are numbered", () => {
  const one = reading([says("user", text("go"))], [text("a")]);
  const choices = [0, 1].map((index) => ({ index, message: says("assistant", text("a")), stop_reason: "stop", stop: "stop" as const }));
  const items = transcriptOf({ ...one, response: { ...one.response, choices } }, { showEarlier: false, running: false });
  expect(shape(items)).toBe("tools system user:text* answer assistant:text end answer assistant:text end");
  expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
});

test("a cache breakpoint is a mark on the part before it, never a message", () => {
  const mark: Part = { kind: "other", name: "cache_control", raw: { type: "ephemeral" } };
  const turn = [says("user", text("go")), says("assistant", CALL), says("user", RESULT, mark)];
  const items = transcriptOf(reading(turn), { showEarlier: false, running: false });
  expect(shape(items)).toBe("tools system earlier tool:tool_result* end");
  expect(items.find((item) => item.kind === "part")).toMatchObject({ cache: { type: "ephemeral" }, bytes: 4 });
});

test("raw parts of one name in a row are one list; two of them are not", () => {
  const raw = (name: string, id: string): Part => ({ kind: "other", name, raw: { id } });
  const listed = reading([says("user", text("go"))], [raw("model", "a"), raw("model", "b"), raw("model", "c"), raw("next", "d"), raw("next", "e")]);
  const items = transcriptOf(listed, { showEarlier: false, running: false });
  expect(shape(items)).toBe("tools system user:text* raws assistant:other assistant:other end");
  expect(items.find(({ kind }) => kind === "raws")).toMatchObject({ name: "model", raws: [{ id: "a" }, { id: "b" }, { id: "c" }], spine: "output" });
  expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
});

test("vectors and the count of a prompt are answers", () => {
  const embedded = answering({ embeddings: { count: 3, dimensions: 1_536 } }, { dialect: "openai_embeddings" });
  expect(transcriptOf(embedded, { showEarlier: false, running: false })).toMatchObject([{ kind: "vectors", embeddings: { count: 3, dimensions: 1_536 } }]);
  const counted = answering({}, { dialect: "anthropic_count_tokens", tokens: { input: 41 } });
  expect(transcriptOf(counted, { showEarlier: false, running: false })).toMatchObject([{ kind: "count", tokens: 41 }]);
  expect(transcriptOf(answering({}, { tokens: { input: 41 } }), { showEarlier: false, running: false })).toEqual([]);
});

test("the size of a medium is that of its bytes, not of their base64 text", () => {
  expect([mediaBytes({ data_chars: 400 }), mediaBytes({ bytes: 12 }), mediaBytes({})]).toEqual([300, 12, null]);
});
