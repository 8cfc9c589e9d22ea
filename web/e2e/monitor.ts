/**
 * The real program, started for the specs, and a page that fails when anything is wrong in it: an error in the console,
 * an uncaught exception, or a breach of the content security policy.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { expect, test as base, type Page } from "@playwright/test";

import type { FlowPage, Row, SessionLink } from "../src/api/types";

const START_MS_MAX = 30_000;

export class Monitor {
  private constructor(
    private readonly child: ChildProcess,
    private readonly dir: string,
    readonly url: string,
    readonly token: string,
  ) {}

  static async start(command: "demo" | "serve"): Promise<Monitor> {
    const program = process.env["MONITOR_BIN"];
    if (program === undefined) throw new Error("MONITOR_BIN must name the program to test");
    const dir = mkdtempSync(join(tmpdir(), "flow-monitor-e2e-"));
    const args = [command, "--data-dir", dir, "--proxy-listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0"];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    const line = JSON.parse(await firstLine(child)) as { ui_url: string };
    return new Monitor(child, dir, line.ui_url, readFileSync(join(dir, "token"), "utf8").trim());
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const gone = new Promise((resolve) => this.child.once("exit", resolve));
      this.child.kill("SIGTERM");
      await gone;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A link that signs one browser in. */
  async link(): Promise<string> {
    const response = await fetch(`${this.url}/api/session/link`, { method: "POST", body: "{}", headers: this.headers() });
    return ((await response.json()) as SessionLink).url;
  }

  /** Waits until there is a flow that the specs need. */
  async flow(what: string, wanted: (row: Row) => boolean): Promise<Row> {
    let found: Row | undefined;
    await expect
      .poll(async () => {
        const response = await fetch(`${this.url}/api/flows?limit=200`, { headers: this.headers() });
        found = ((await response.json()) as FlowPage).flows.find(wanted);
        return found !== undefined;
      }, { message: what, timeout: 45_000 })
      .toBe(true);
    if (found === undefined) throw new Error(what);
    return found;
  }

  private headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error("the program has no standard output");
    const timer = setTimeout(() => { reject(new Error("the program did not say where it listens")); }, START_MS_MAX);
    createInterface(child.stdout).once("line", (line) => {
      clearTimeout(timer);
      resolve(line);
    });
    child.once("error", reject);
    child.once("exit", (code) => { reject(new Error(`the program ended with ${code ?? "a signal"} before it listened`)); });
  });
}

interface Fixtures {
  /** Errors that a spec brings about itself. */
  allowed: RegExp | null;
}

export const test = base.extend<Fixtures, { monitor: Monitor }>({
  allowed: [null, { option: true }],
  monitor: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from this pattern
    async ({}, use) => {
      const monitor = await Monitor.start("demo");
      await use(monitor);
      await monitor.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  page: async ({ page, allowed }, use) => {
    const wrong: string[] = [];
    const note = (text: string) => { if (allowed?.test(text) !== true) wrong.push(text); };
    page.on("console", (message) => { if (message.type() === "error") note(message.text()); });
    page.on("pageerror", (error) => { note(error.message); });
    page.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol !== "data:" && protocol !== "blob:" && hostname !== "127.0.0.1") note(`a request left the machine: ${request.url()}`);
    });
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => { console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`); });
    });
    await use(page);
    expect(wrong).toEqual([]);
  },
});

export async function open(page: Page, monitor: Monitor, path = "/flows"): Promise<void> {
  await page.goto(await monitor.link());
  await expect(page).toHaveURL(/\/flows/);
  if (path !== "/flows") await page.goto(monitor.url + path);
}

export { expect };
