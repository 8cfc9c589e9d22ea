import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { openFeed, type FeedStatus, type FeedTransport } from "./feed";
import type { FeedMessage } from "./types";

/** A line that the test opens, speaks into and cuts. */
class Line {
  kind = "";
  path = "";
  links: { open: () => void; say: (text: string) => void; cut: () => void; hungUp: boolean }[] = [];

  readonly transport: FeedTransport = (kind, path, events) => {
    this.kind = kind;
    this.path = path;
    const link = { open: events.onOpen, say: events.onText, cut: events.onClose, hungUp: false };
    this.links.push(link);
    return () => { link.hungUp = true; };
  };

  get last() {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("nothing connected");
    return link;
  }
}

function start() {
  const line = new Line();
  const messages: FeedMessage[] = [];
  const states: FeedStatus[] = [];
  const feed = openFeed({
    topics: ["flows", "health"],
    onMessage: (message) => messages.push(message),
    onStatus: (status) => states.push(status),
    transport: line.transport,
  });
  return { line, messages, states, feed };
}

const say = (cursor: string) => JSON.stringify({ topic: "flows", cursor, kind: "update", data: { flows: [] } });

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

test("resumes after the last message it saw", () => {
  const { line, messages, states } = start();
  expect(line.path).toBe("/api/feed?topics=flows%2Chealth");
  line.last.open();
  line.last.say(say("7"));
  line.last.say(say("8"));
  line.last.cut();
  expect(states.at(-1)).toMatchObject({ state: "lost", retryAt: Date.now() + 1_000 });
  vi.advanceTimersByTime(999);
  expect(line.links).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(line.path).toBe("/api/feed?topics=flows%2Chealth&resume=8");
  expect(line.kind).toBe("ws");
  expect(messages.map(({ cursor }) => cursor)).toEqual(["7", "8"]);
});

test("waits longer each time, and from the start again once it was open", () => {
  const { line, states } = start();
  const waits: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    line.last.cut();
    const status = states.at(-1);
    if (status?.state !== "lost") throw new Error("not lost");
    waits.push(status.retryAt - Date.now());
    vi.advanceTimersByTime(10_000);
  }
  expect(waits).toEqual([1_000, 3_000, 5_000, 10_000, 10_000]);
  line.last.open();
  line.last.cut();
  expect(states.at(-1)).toMatchObject({ retryAt: Date.now() + 1_000 });
});

test("takes the other transport where a socket never opens", () => {
  const { line } = start();
  expect(line.kind).toBe("ws");
  line.last.cut();
  vi.advanceTimersByTime(1_000);
  expect(line.kind).toBe("sse");
  line.last.open();
  line.last.cut();
  vi.advanceTimersByTime(1_000);
  expect(line.kind).toBe("sse");
});

test("passes over what is no message, and is silent once closed", () => {
  const { line, messages, feed } = start();
  line.last.open();
  for (const text of ["", "{", "[]", '"x"', '{"topic":1}', "null"]) line.last.say(text);
  expect(messages).toEqual([]);
  feed.close();
  line.last.say(say("9"));
  line.last.cut();
  vi.advanceTimersByTime(60_000);
  expect(messages).toEqual([]);
  expect(line.links).toHaveLength(1);
  expect(line.last.hungUp).toBe(true);
});

test("a retry by hand does not wait", () => {
  const { line, feed } = start();
  line.last.open();
  line.last.cut();
  feed.retry();
  expect(line.links).toHaveLength(2);
  feed.retry();
  expect(line.links).toHaveLength(2);
});
