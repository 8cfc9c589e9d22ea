import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { answering } from "@/testing/fixtures";
import { render } from "@/testing/render";

import { Diagnostics } from "./diagnostics";

test("each side names its own, and a known place is one click away", () => {
  const onPlace = vi.fn();
  const reading = answering({ diagnostics: [{ code: "unknown_event", message: "m", offset: null }] });
  const both = { ...reading, request: { ...reading.request, diagnostics: [{ code: "invalid_json", message: "a value was expected", offset: 4_096 }] } };
  render(<Diagnostics reading={both} onPlace={onPlace} />);
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["Requestinvalid_jsona value was expectedbyte 4,096", "Responseunknown_eventm"]);
  fireEvent.click(screen.getByRole("button", { name: "byte 4,096" }));
  expect(onPlace.mock.calls).toEqual([["request", 4_096]]);
});

test("nothing to say is nothing to see", () => {
  const { container } = render(<Diagnostics reading={answering({})} onPlace={() => undefined} />);
  expect(container.childElementCount).toBe(0);
});
