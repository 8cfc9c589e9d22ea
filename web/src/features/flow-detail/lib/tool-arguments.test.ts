import { expect, test } from "vitest";

import { argumentsOf } from "./tool-arguments";

test("an object becomes keys and values", () => {
  expect(argumentsOf('{"command":"ls","timeout":120000,"dry":true,"env":{"A":1},"none":null}')).toEqual([
    { key: "command", text: "ls", kind: "string" },
    { key: "timeout", text: "120000", kind: "number" },
    { key: "dry", text: "true", kind: "word" },
    { key: "env", text: '{\n  "A": 1\n}', kind: "json" },
    { key: "none", text: "null", kind: "word" },
  ]);
  expect(argumentsOf("{}")).toEqual([]);
});

test("what is no object, or not whole yet, stays raw", () => {
  for (const text of ["", '{"command":"l', "[1]", '"x"', "12", "null"]) expect(argumentsOf(text), text).toBeNull();
});
