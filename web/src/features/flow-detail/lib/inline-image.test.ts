import { expect, test } from "vitest";

import { dataUrl, imageBytes, IMAGE_CHARS_MAX } from "./inline-image";

test("only pictures that cannot run anything, and whose bytes are there", () => {
  expect(imageBytes({ mime: "image/PNG", data_offset: 9, data_chars: 4 })).toEqual({ mime: "image/png", offset: 9, chars: 4 });
  expect(imageBytes({ mime: "image/svg+xml", data_offset: 9, data_chars: 4 })).toBeNull();
  expect(imageBytes({ mime: "image/png", data_chars: 4 })).toBeNull();
  expect(imageBytes({ mime: "image/png", data_offset: 0, data_chars: IMAGE_CHARS_MAX + 1 })).toBeNull();
});

test("both alphabets of base64, and nothing else", () => {
  expect(dataUrl("image/png", "ab-_\\/w==")).toBe("data:image/png;base64,ab+//w==");
  for (const text of ["", "a b", '"', "ab,cd", "ab\"onload="]) expect(dataUrl("image/png", text)).toBeNull();
});
