import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { FlowPage, Row } from "@/api/types";
import { messageOf, rowOf } from "@/testing/fixtures";

import { FlowLog, ROWS_MAX, type FetchPage } from "./flow-log";

/** A log whose pages the test hands out when it likes. */
class Server {
  asked: (string | null)[] = [];
  #answers: ((page: FlowPage | Error) => void)[] = [];

  readonly fetchPage: FetchPage = (cursor) => {
    this.asked.push(cursor);
    return new Promise((resolve, reject) => {
      this.#answers.push((page) => { if (page instanceof Error) reject(page); else resolve(page); });
    });
  };

  async answer(rows: Row[] | Error, cursor: string | null = null): Promise<void> {
    const page = rows instanceof Error ? rows : { flows: rows, next_cursor: cursor, total: null, partial: false };
    this.#answers.shift()?.(page);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function start() {
  const server = new Server();
  const log = new FlowLog(server.fetchPage);
  const numbers = () => log.view().rows.map((row) => Number(row.id.slice(-12)));
  const feed = (kind: "snapshot" | "update", ...rows: Row[]) => { log.receive(messageOf(kind, { flows: rows })); };
  return { server, log, numbers, feed };
}

async function loaded(...rows: number[]) {
  const started = start();
  void started.log.load();
  await started.server.answer(rows.map((n) => rowOf(n)), "older");
  return started;
}

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

test("messages that come during the first fetch are replayed: none lost, none twice, the later state wins", async () => {
  const { server, log, numbers, feed } = start();
  void log.load();
  feed("snapshot", rowOf(3, { state: "streaming", end: null }), rowOf(2));
  feed("update", rowOf(4), rowOf(3, { answer: "whole" }));
  expect(log.view().rows).toEqual([]);
  await server.answer([rowOf(3, { state: "streaming", end: null }), rowOf(2), rowOf(1)]);
  expect(numbers()).toEqual([4, 3, 2, 1]);
  expect(log.view().rows[1]).toMatchObject({ state: "completed", answer: "whole" });
});

test("changes are shown four times a second at most", async () => {
  const { log, feed } = await loaded(1);
  let shown = 0;
  log.subscribe(() => { shown += 1; });
  for (let n = 0; n < 100; n += 1) {
    feed("update", rowOf(1, { response_bytes: n }));
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(shown).toBeLessThanOrEqual(5);
  await vi.advanceTimersByTimeAsync(250);
  expect(log.view().rows[0]?.response_bytes).toBe(99);
});

test("while paused new flows wait, and flows that are shown still change", async () => {
  const { log, numbers, feed } = await loaded(2, 1);
  log.setFollowing(false);
  feed("update", rowOf(4), rowOf(3), rowOf(2, { answer: "more" }));
  await vi.advanceTimersByTimeAsync(250);
  expect(numbers()).toEqual([2, 1]);
  expect(log.view().waiting).toBe(2);
  expect(log.view().rows[0]?.answer).toBe("more");
  log.setFollowing(true);
  expect(numbers()).toEqual([4, 3, 2, 1]);
  expect(log.view().waiting).toBe(0);
});

test("rows that were not changed stay the same objects", async () => {
  const { log, feed } = await loaded(2, 1);
  const first = log.view().rows[1];
  feed("update", rowOf(2, { answer: "x" }));
  await vi.advanceTimersByTimeAsync(250);
  expect(log.view().rows[1]).toBe(first);
});

test("pages follow by cursor; a row that the feed brought since is not set back", async () => {
  const { server, log, numbers, feed } = await loaded(5, 4);
  feed("update", rowOf(3, { answer: "from the feed" }));
  void log.loadMore();
  void log.loadMore();
  expect(server.asked).toEqual([null, "older"]);
  await server.answer([rowOf(3), rowOf(2)]);
  expect(numbers()).toEqual([5, 4, 3, 2]);
  expect(log.view().rows[2]?.answer).toBe("from the feed");
  expect(log.view().hasMore).toBe(false);
});

test("a reset keeps what is shown until the new page is there", async () => {
  const { server, log, numbers, feed } = await loaded(2, 1);
  log.receive(messageOf("reset", null));
  feed("update", rowOf(9));
  expect(numbers()).toEqual([2, 1]);
  await server.answer([rowOf(8), rowOf(7)]);
  expect(numbers()).toEqual([9, 8, 7]);
});

test("a snapshot after a long silence that does not reach what is here asks for the page again", async () => {
  const { server, numbers, feed } = await loaded(2, 1);
  feed("snapshot", rowOf(30), rowOf(29));
  expect(server.asked).toEqual([null, null]);
  await server.answer([rowOf(30), rowOf(29), rowOf(28)]);
  expect(numbers()).toEqual([30, 29, 28]);
});

test("a snapshot drops what is gone within its reach and leaves what is older", async () => {
  const { numbers, feed } = await loaded(4, 3, 2, 1);
  feed("snapshot", rowOf(5), rowOf(4), rowOf(2));
  await vi.advanceTimersByTimeAsync(250);
  expect(numbers()).toEqual([5, 4, 2, 1]);
});

test("gone flows leave, a cleared view hides and shows again", async () => {
  const { log, numbers } = await loaded(4, 3, 2, 1);
  log.receive(messageOf("gone", { ids: [rowOf(3).id] }));
  await vi.advanceTimersByTimeAsync(250);
  expect(numbers()).toEqual([4, 2, 1]);
  log.setAfter(rowOf(2).started_at);
  expect(numbers()).toEqual([4]);
  expect(log.view()).toMatchObject({ hidden: true, hasMore: false });
  log.setAfter(null);
  expect(numbers()).toEqual([4, 2, 1]);
  expect(log.view().hasMore).toBe(true);
});

test("a failed fetch is said, and trying again brings what was said meanwhile", async () => {
  const { server, log, numbers, feed } = start();
  void log.load();
  await server.answer(new Error("no"));
  expect(log.view()).toMatchObject({ loading: false, error: new Error("no") });
  feed("update", rowOf(2));
  void log.load();
  await server.answer([rowOf(1)]);
  expect(numbers()).toEqual([2, 1]);
  expect(log.view().error).toBeNull();
});

test("too many messages before the first page mean that page again, not endless memory", async () => {
  const { server, log, feed } = start();
  void log.load();
  for (let n = 0; n <= 2_000; n += 1) feed("update", rowOf(n));
  await server.answer([rowOf(1)]);
  expect(server.asked).toEqual([null, null]);
});

test("the page holds a bounded number of rows and says that it dropped some", async () => {
  const { log, feed } = await loaded(0);
  feed("update", ...Array.from({ length: ROWS_MAX + 5 }, (_, n) => rowOf(n)));
  await vi.advanceTimersByTimeAsync(250);
  expect(log.view().rows).toHaveLength(ROWS_MAX);
  expect(log.view()).toMatchObject({ trimmed: true, hasMore: false });
});
