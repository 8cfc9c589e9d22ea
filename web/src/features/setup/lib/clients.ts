/**
 * How each client is pointed at the proxy. Data only.
 *
 * | client | takes | version segment |
 * |---|---|---|
 * | Claude Code, Anthropic SDKs | `ANTHROPIC_BASE_URL` | none |
 * | Codex | `-c openai_base_url=…`; no variable any more | `/v1` |
 * | Gemini CLI, Google SDKs | `GOOGLE_GEMINI_BASE_URL` | none |
 * | opencode | `provider.<id>.options.baseURL` | `/v1` |
 * | aider | `OPENAI_API_BASE`, `ANTHROPIC_API_BASE` | OpenAI's has it |
 * | OpenAI SDKs | `OPENAI_BASE_URL` | `/v1` |
 */
import type { MessageKey } from "@/lib/i18n/en";

export type Shell = "posix" | "fish" | "powershell";

export const SHELLS: readonly { value: Shell; label: string }[] = [
  { value: "posix", label: "bash, zsh" },
  { value: "fish", label: "fish" },
  { value: "powershell", label: "PowerShell" },
];

export type Step =
  | { kind: "variables"; title: MessageKey; help: MessageKey; variables: readonly { name: string; value: string }[] }
  | { kind: "text"; title: MessageKey; help: MessageKey; params?: Record<string, string>; text: string };

export interface Client {
  id: string;
  name: string;
  mark: string;
  steps: readonly Step[];
}

/** `proxy` is the proxy's address without a slash at its end. */
export function clientsFor(proxy: string): readonly Client[] {
  const anthropic = `${proxy}/anthropic`;
  const openai = `${proxy}/openai/v1`;
  const gemini = `${proxy}/gemini`;
  return [
    {
      id: "claude-code", name: "Claude Code", mark: "A",
      steps: [variables({ ANTHROPIC_BASE_URL: anthropic }), ask('claude -p "hello"')],
    },
    {
      id: "codex", name: "Codex", mark: "O",
      steps: [
        { kind: "text", title: "setup.flag", help: "setup.flagHelp", text: `codex -c 'openai_base_url="${openai}"'` },
        { kind: "text", title: "setup.config", help: "setup.configHelp", params: { file: "~/.codex/config.toml" }, text: `openai_base_url = "${openai}"` },
      ],
    },
    {
      id: "gemini-cli", name: "Gemini CLI", mark: "G",
      steps: [variables({ GOOGLE_GEMINI_BASE_URL: gemini }), ask('gemini -p "hello"')],
    },
    {
      id: "opencode", name: "opencode", mark: "·",
      steps: [
        { kind: "text", title: "setup.config", help: "setup.configHelp", params: { file: "opencode.json" }, text: opencodeJson(anthropic, openai) },
        ask('opencode run "hello"'),
      ],
    },
    {
      id: "aider", name: "aider", mark: "·",
      steps: [variables({ OPENAI_API_BASE: openai, ANTHROPIC_API_BASE: anthropic }), ask('aider --message "hello"')],
    },
    {
      id: "python", name: "Python SDKs", mark: "Py",
      steps: [
        variables({ OPENAI_BASE_URL: openai, ANTHROPIC_BASE_URL: anthropic, GOOGLE_GEMINI_BASE_URL: gemini }),
        { kind: "text", title: "setup.code", help: "setup.codeHelp", text: pythonCode(openai, anthropic, gemini) },
      ],
    },
    {
      id: "typescript", name: "TypeScript SDKs", mark: "TS",
      steps: [
        variables({ OPENAI_BASE_URL: openai, ANTHROPIC_BASE_URL: anthropic, GOOGLE_GEMINI_BASE_URL: gemini }),
        { kind: "text", title: "setup.code", help: "setup.codeHelp", text: typescriptCode(openai, anthropic, gemini) },
      ],
    },
    { id: "curl", name: "curl", mark: "/", steps: [{ kind: "text", title: "setup.sendIt", help: "setup.curlHelp", text: curlCommand(openai) }] },
  ];
}

/** Those that most clients speak first, those whose address has a hole last. */
const FIRST = ["openai", "anthropic", "gemini"];

export function sortUpstreams<T extends { name: string; base_url: string }>(upstreams: readonly T[]): T[] {
  const rank = ({ name, base_url: base }: T) => {
    const first = FIRST.indexOf(name);
    if (first >= 0) return first;
    return base.includes("{") ? FIRST.length + 1 : FIRST.length;
  };
  return [...upstreams].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** The lines that set variables in a shell. */
export function shellLines(shell: Shell, list: readonly { name: string; value: string }[]): string {
  const line = {
    posix: (name: string, value: string) => `export ${name}=${value}`,
    fish: (name: string, value: string) => `set -x ${name} ${value}`,
    powershell: (name: string, value: string) => `$env:${name} = "${value}"`,
  }[shell];
  return list.map(({ name, value }) => line(name, value)).join("\n");
}

function variables(values: Record<string, string>): Step {
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  return { kind: "variables", title: list.length === 1 ? "setup.variable" : "setup.variables", help: "setup.profile", variables: list };
}

function ask(command: string): Step {
  return { kind: "text", title: "setup.ask", help: "setup.askHelp", text: command };
}

function opencodeJson(anthropic: string, openai: string): string {
  const provider = { anthropic: { options: { baseURL: `${anthropic}/v1` } }, openai: { options: { baseURL: openai } } };
  return JSON.stringify({ provider }, null, 2);
}

function pythonCode(openai: string, anthropic: string, gemini: string): string {
  return [
    `OpenAI(base_url="${openai}")`,
    `Anthropic(base_url="${anthropic}")`,
    `genai.Client(http_options={"base_url": "${gemini}"})`,
  ].join("\n");
}

function typescriptCode(openai: string, anthropic: string, gemini: string): string {
  return [
    `new OpenAI({ baseURL: "${openai}" })`,
    `new Anthropic({ baseURL: "${anthropic}" })`,
    `new GoogleGenAI({ httpOptions: { baseUrl: "${gemini}" } })`,
    `createAnthropic({ baseURL: "${anthropic}/v1" })  // ai-sdk`,
  ].join("\n");
}

function curlCommand(openai: string): string {
  return [
    `curl ${openai}/chat/completions \\`,
    `  -H "authorization: Bearer $OPENAI_API_KEY" \\`,
    `  -H "content-type: application/json" \\`,
    `  -d '{"model": "gpt-5.1", "messages": [{"role": "user", "content": "hello"}]}'`,
  ].join("\n");
}
