import { expect, test } from "vitest";

import { digestOf } from "./event-digest";

const words = (event: unknown) => digestOf(JSON.stringify(event));

test.each([
  [{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } }, "Hello"],
  [{ type: "content_block_delta", delta: { type: "thinking_delta", thinking: "hm" } }, "hm"],
  [{ type: "content_block_delta", delta: { type: "input_json_delta", partial_json: '{"path":' } }, '{"path":'],
  [{ type: "response.output_text.delta", delta: "退款" }, "退款"],
  [{ choices: [{ index: 0, delta: { content: "one" } }, { index: 1, delta: { content: "two" } }] }, "onetwo"],
  [{ choices: [{ delta: { reasoning_content: "why" } }] }, "why"],
  [{ choices: [{ delta: { tool_calls: [{ index: 0, function: { name: "Read", arguments: "" } }] } }] }, "Read("],
  [{ choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '"a"}' } }] } }] }, '"a"}'],
  [{ candidates: [{ content: { parts: [{ text: "a" }, { functionCall: { name: "f", args: { x: 1 } } }] } }] }, 'af({"x":1}'],
  [[{ candidates: [{ content: { parts: [{ text: "in an array" }] } }] }], "in an array"],
  [{ message: { role: "assistant", content: "by line" }, done: false }, "by line"],
])("%j brings %s", (event, text) => {
  expect(words(event)).toEqual({ text, words: true });
});

test("what brings no words is shown as it came", () => {
  for (const data of ["[DONE]", "", '{"type":"ping"}', '{"type":"message_start","message":{"content":[]}}', '{"delta":{"text":"cut in the mid', "null", '{"choices":[{"delta":{}}]}']) {
    expect(digestOf(data), data).toEqual({ text: data, words: false });
  }
});

test("a digest is one line, and spaces can be seen", () => {
  expect(words({ delta: { text: "a\n\nb" } }).text).toBe("a↵↵b");
  expect(words({ delta: { text: "  " } }).text).toBe('"  "');
  expect(words({ delta: { text: "\n" } }).text).toBe('"\\n"');
  expect(words({ delta: { text: "x".repeat(9_000) } }).text).toHaveLength(300);
});
