/**
 * The rows that the list shows, newest first, fed by pages and by the live feed.
 *
 * Owns order, identity (no row twice), what waits while the list is paused, and what a cleared view hides. While the
 * first page is under way messages queue and are then replayed, so that none is lost and the later state wins.
 * Changes reach subscribers at most four times a second. Rows past `ROWS_MAX` leave at the old end.
 */
import type { FeedMessage, FlowPage, FlowRows, FlowsGone, Row } from "@/api/types";

/** How often a change is shown at most. */
const SHOW_EVERY_MS = 250;
/** Rows held in the page; about 30 MB. */
export const ROWS_MAX = 20_000;
/** Messages that may wait for the first page; past it the page is fetched again instead. */
const QUEUE_MESSAGES_MAX = 2_000;

export interface LogView {
  /** Rows to show, newest first. */
  rows: readonly Row[];
  /** Flows that came while the list was paused. */
  waiting: number;
  following: boolean;
  /** The first page has not arrived yet. */
  loading: boolean;
  loadingMore: boolean;
  hasMore: boolean;
  /** Rows were dropped at the old end. */
  trimmed: boolean;
  /** Rows that a cleared view hides. */
  hidden: boolean;
  error: Error | null;
}

export type FetchPage = (cursor: string | null) => Promise<FlowPage>;

const EMPTY: LogView = {
  rows: [], waiting: 0, following: true, loading: true, loadingMore: false, hasMore: false, trimmed: false, hidden: false, error: null,
};

export class FlowLog {
  readonly #fetchPage: FetchPage;
  readonly #listeners = new Set<() => void>();
  #rows: Row[] = [];
  #cursor: string | null = null;
  /** While paused: the newest row at that time. Later ones wait. */
  #top: Row | null = null;
  #following = true;
  #after: number | null = null;
  #queue: FeedMessage[] | null = null;
  #overflowed = false;
  #loadingMore = false;
  #trimmed = false;
  #error: Error | null = null;
  #fetching = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shownAt = 0;
  #view = EMPTY;

  constructor(fetchPage: FetchPage) {
    this.#fetchPage = fetchPage;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): LogView => this.#view;

  /** Fetches the newest page and puts it in place of what is shown. Until it is there, the old rows stay. */
  async load(): Promise<void> {
    const turn = ++this.#fetching;
    this.#queue ??= [];
    this.#error = null;
    try {
      const page = await this.#fetchPage(null);
      if (turn !== this.#fetching) return;
      this.#rows = sorted(page.flows);
      this.#cursor = page.next_cursor ?? null;
      this.#trimmed = false;
      this.#replay();
      if (!this.#following && this.#top === null) this.#top = this.#rows[0] ?? null;
    } catch (error) {
      if (turn === this.#fetching) this.#error = errorOf(error);
    }
    this.#showNow();
  }

  async loadMore(): Promise<void> {
    if (this.#cursor === null || this.#loadingMore || this.#queue !== null) return;
    const turn = this.#fetching;
    this.#loadingMore = true;
    this.#showNow();
    try {
      const page = await this.#fetchPage(this.#cursor);
      if (turn === this.#fetching) {
        // What is here already was fed since, and is newer than the page.
        for (const row of page.flows) if (this.#find(row) < 0) this.#put(row);
        this.#cursor = page.next_cursor ?? null;
      }
    } catch (error) {
      if (turn === this.#fetching) this.#error = errorOf(error);
    }
    this.#loadingMore = false;
    this.#showNow();
  }

  receive(message: FeedMessage): void {
    if (this.#queue === null) {
      this.#apply(message);
      this.#showSoon();
    } else if (this.#queue.length < QUEUE_MESSAGES_MAX) {
      this.#queue.push(message);
    } else {
      this.#queue = [];
      this.#overflowed = true;
    }
  }

  setFollowing(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    this.#top = following ? null : (this.#rows[0] ?? null);
    this.#showNow();
  }

  /** Hides what began at this instant or before; `null` shows all again. */
  setAfter(after: number | null): void {
    if (after === this.#after) return;
    this.#after = after;
    this.#showNow();
  }

  row(id: string): Row | undefined {
    return this.#rows.find((row) => row.id === id);
  }

  #replay(): void {
    const queued = this.#queue ?? [];
    this.#queue = null;
    for (const message of queued) this.#apply(message);
    if (this.#overflowed) {
      this.#overflowed = false;
      void this.load();
    }
  }

  #apply(message: FeedMessage): void {
    switch (message.kind) {
      case "snapshot": {
        this.#applySnapshot((message.data as FlowRows).flows);
        break;
      }
      case "update": {
        for (const row of (message.data as FlowRows).flows) this.#put(row);
        this.#trim();
        break;
      }
      case "gone": {
        const gone = new Set((message.data as FlowsGone).ids);
        this.#rows = this.#rows.filter((row) => !gone.has(row.id));
        break;
      }
      case "reset": {
        void this.load();
        break;
      }
    }
  }

  /** A snapshot is whole from its oldest ended row on. Where it does not reach what is here, rows lie between. */
  #applySnapshot(flows: readonly Row[]): void {
    const ended = sorted(flows.filter((row) => row.end != null));
    const oldest = ended.at(-1);
    const newest = this.#rows[0];
    if (oldest !== undefined && newest !== undefined && before(newest, oldest) > 0) {
      void this.load();
      return;
    }
    if (oldest !== undefined) {
      const ids = new Set(flows.map(({ id }) => id));
      this.#rows = this.#rows.filter((row) => ids.has(row.id) || before(row, oldest) > 0);
    }
    for (const row of flows) this.#put(row);
    this.#trim();
  }

  #find(row: Row): number {
    const at = this.#place(row);
    return this.#rows[at]?.id === row.id ? at : -1;
  }

  #put(row: Row): void {
    const at = this.#place(row);
    this.#rows.splice(at, this.#rows[at]?.id === row.id ? 1 : 0, row);
  }

  /** Where the row stands, or would stand. */
  #place(row: Row): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#rows[middle];
      if (other !== undefined && before(other, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim(): void {
    if (this.#rows.length <= ROWS_MAX) return;
    this.#rows.length = ROWS_MAX;
    this.#cursor = null;
    this.#trimmed = true;
  }

  #showSoon(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#shownAt + SHOW_EVERY_MS - Date.now());
    this.#timer = setTimeout(() => { this.#showNow(); }, wait);
  }

  #showNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shownAt = Date.now();
    this.#view = this.#look();
    for (const listener of this.#listeners) listener();
  }

  #look(): LogView {
    const from = this.#top === null ? 0 : this.#place(this.#top);
    const after = this.#after;
    const hiddenAt = after === null ? -1 : this.#rows.findIndex((row) => row.started_at <= after);
    const until = hiddenAt < 0 ? this.#rows.length : hiddenAt;
    return {
      rows: this.#rows.slice(Math.min(from, until), until),
      waiting: Math.min(from, until),
      following: this.#following,
      loading: this.#queue !== null && this.#rows.length === 0 && this.#error === null,
      loadingMore: this.#loadingMore,
      hasMore: this.#cursor !== null && hiddenAt < 0,
      trimmed: this.#trimmed,
      hidden: hiddenAt >= 0,
      error: this.#error,
    };
  }
}

/** Negative where `a` stands before `b`: later start first, then the greater id. */
function before(a: Row, b: Row): number {
  if (a.started_at !== b.started_at) return b.started_at - a.started_at;
  if (a.id === b.id) return 0;
  return a.id > b.id ? -1 : 1;
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function sorted(rows: readonly Row[]): Row[] {
  return [...rows].sort(before);
}
