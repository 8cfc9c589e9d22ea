/**
 * The live feed: one connection that outlives its sockets.
 *
 * Owns connecting (WebSocket, or SSE where a socket never opens), resuming from the last cursor, and waiting between
 * tries. Knows nothing of topics' contents. Messages come in order, and none is given twice: a cursor that was seen
 * is what the next connection resumes after.
 */
import type { FeedMessage } from "./types";

export type FeedStatus =
  | { state: "connecting" }
  | { state: "open" }
  /** Lost; the next try is at this time of `Date.now`. */
  | { state: "lost"; retryAt: number };

export interface FeedOptions {
  topics: string[];
  onMessage: (message: FeedMessage) => void;
  onStatus?: (status: FeedStatus) => void;
  transport?: FeedTransport;
}

export interface Feed {
  close: () => void;
  /** Tries at once instead of waiting. */
  retry: () => void;
}

interface LinkEvents {
  onOpen: () => void;
  onText: (text: string) => void;
  onClose: () => void;
}

/** How bytes arrive. Two real ones stand below; tests hand in their own. */
export type FeedTransport = (kind: "ws" | "sse", path: string, events: LinkEvents) => () => void;

const WAITS_MS = [1_000, 3_000, 5_000, 10_000];

function socketOrigin(): string {
  return location.origin.replace(/^http/, "ws");
}

const browserTransport: FeedTransport = (kind, path, events) => {
  if (kind === "ws") {
    const socket = new WebSocket(`${socketOrigin()}${path}`);
    socket.onopen = events.onOpen;
    socket.onmessage = (message) => { events.onText(String(message.data)); };
    socket.onclose = events.onClose;
    return () => {
      socket.onclose = null;
      socket.close();
    };
  }
  const source = new EventSource(path);
  source.onopen = events.onOpen;
  source.onmessage = (message) => { events.onText(String(message.data)); };
  source.onerror = () => {
    source.close();
    events.onClose();
  };
  return () => { source.close(); };
};

export function openFeed(options: FeedOptions): Feed {
  return new FeedConnection(options);
}

class FeedConnection implements Feed {
  readonly #options: FeedOptions;
  readonly #transport: FeedTransport;
  #kind: "ws" | "sse" = "ws";
  #cursor: string | null = null;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #disconnect: (() => void) | undefined;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#transport = options.transport ?? browserTransport;
    this.#connect();
  }

  close = (): void => {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#disconnect?.();
  };

  retry = (): void => {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #connect(): void {
    this.#timer = undefined;
    this.#options.onStatus?.({ state: "connecting" });
    let opened = false;
    this.#disconnect = this.#transport(this.#kind, this.#path(), {
      onOpen: () => {
        opened = true;
        this.#tries = 0;
        this.#options.onStatus?.({ state: "open" });
      },
      onText: (text) => { this.#receive(text); },
      onClose: () => { this.#lost(opened); },
    });
  }

  #path(): string {
    const query = new URLSearchParams({ topics: this.#options.topics.join(",") });
    if (this.#cursor !== null) query.set("resume", this.#cursor);
    return `/api/feed?${query.toString()}`;
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (this.#closed || message === null) return;
    this.#cursor = message.cursor;
    this.#options.onMessage(message);
  }

  #lost(opened: boolean): void {
    if (this.#closed) return;
    // A socket that never opened may be blocked on the way; the other transport is tried in turn.
    if (!opened) this.#kind = this.#kind === "ws" ? "sse" : "ws";
    const wait = WAITS_MS[Math.min(this.#tries, WAITS_MS.length - 1)] ?? 0;
    this.#tries += 1;
    this.#options.onStatus?.({ state: "lost", retryAt: Date.now() + wait });
    this.#timer = setTimeout(() => { this.#connect(); }, wait);
  }
}

function parseMessage(text: string): FeedMessage | null {
  try {
    const value = JSON.parse(text) as Partial<FeedMessage> | null;
    if (value === null || typeof value.topic !== "string" || typeof value.cursor !== "string") return null;
    return value as FeedMessage;
  } catch {
    return null;
  }
}
