import { expect, test } from "vitest";

import { clientsFor, shellLines, sortUpstreams, type Step } from "./clients";

const clients = clientsFor("http://127.0.0.1:8377");

function textOf(id: string): string {
  const steps: readonly Step[] = clients.find((client) => client.id === id)?.steps ?? [];
  return steps.map((step) => (step.kind === "text" ? step.text : shellLines("posix", step.variables))).join("\n");
}

test("each client gets its address with or without the version, as it wants it", () => {
  expect(textOf("claude-code")).toContain("export ANTHROPIC_BASE_URL=http://127.0.0.1:8377/anthropic\n");
  expect(textOf("codex")).toContain(`codex -c 'openai_base_url="http://127.0.0.1:8377/openai/v1"'`);
  expect(textOf("codex")).not.toContain("OPENAI_BASE_URL");
  expect(textOf("gemini-cli")).toContain("export GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8377/gemini\n");
  expect(textOf("opencode")).toContain('"baseURL": "http://127.0.0.1:8377/anthropic/v1"');
  expect(textOf("aider")).toContain("export OPENAI_API_BASE=http://127.0.0.1:8377/openai/v1\nexport ANTHROPIC_API_BASE=http://127.0.0.1:8377/anthropic");
  expect(textOf("python")).toContain('Anthropic(base_url="http://127.0.0.1:8377/anthropic")');
  expect(textOf("typescript")).toContain('createAnthropic({ baseURL: "http://127.0.0.1:8377/anthropic/v1" })');
});

test("every client has steps, and no two the same id", () => {
  expect(new Set(clients.map(({ id }) => id)).size).toBe(8);
  for (const { id, steps } of clients) expect(steps.length, id).toBeGreaterThan(0);
});

test("upstreams that most clients speak stand first, addresses with a hole last", () => {
  const names = ["kiro/{region}", "xai", "gemini", "groq", "openai"].map((path) => ({ name: path.split("/")[0] ?? "", base_url: `http://p/${path}` }));
  expect(sortUpstreams(names).map(({ name }) => name)).toEqual(["openai", "gemini", "groq", "xai", "kiro"]);
});

test("shells set variables in their own way", () => {
  const one = [{ name: "A", value: "b" }];
  expect([shellLines("posix", one), shellLines("fish", one), shellLines("powershell", one)]).toEqual(["export A=b", "set -x A b", '$env:A = "b"']);
});
