import { expect, test } from "vitest";

import { differences, partsOf } from "./usage-parts";

const shape = (tokens: Parameters<typeof partsOf>[0]) => partsOf(tokens).map(({ name, count, depth }) => `${"  ".repeat(depth)}${name} ${count ?? "?"}`);

test("what the wire names has a line, below the sum that it is a part of", () => {
  const tokens = {
    input: 100, output: 50, total: 150, cache_read: 60, cache_write: 10, cache_write_1h: 4, reasoning: 20,
    input_audio: 5, input_image: 6, cache_read_audio: 3, output_audio: 7, output_image: 8,
  };
  expect(shape(tokens)).toEqual([
    "input 100", "  read 60", "    readAudio 3", "  write 10", "    write1h 4", "  fresh 30", "  inputAudio 5", "  inputImage 6",
    "output 50", "  reasoning 20", "  rest 30", "  outputAudio 7", "  outputImage 8", "total 150",
  ]);
});

test("sums stand even where they are unknown, and nothing is split that is whole", () => {
  expect(shape({ input: 12 })).toEqual(["input 12", "output ?", "total ?"]);
  expect(shape({ input: 12, output: 3 })).toEqual(["input 12", "output 3", "total 15"]);
});

test("a known 0 has its line, but for sound and images; unknown has none", () => {
  expect(shape({ input: 12, output: 3, cache_read: 0, reasoning: 0, input_audio: 0, output_image: 0 })).toEqual(["input 12", "  read 0", "  fresh 12", "output 3", "  reasoning 0", "  rest 3", "total 15"]);
});

test("a gateway is named only where it counted otherwise", () => {
  expect(differences({ input: 10, output: 5 }, { input: 10, output: 5 })).toEqual([]);
  expect(differences({ input: 10, output: 5 }, { input: 12, cache_read: 0 })).toEqual([
    { name: "input", model: 10, gateway: 12 },
    { name: "cache_read", model: null, gateway: 0 },
  ]);
  expect(differences({ input: 10 }, null)).toEqual([]);
});
