//! The rows of flags and scopes.

use super::{About, FlagRow, ScopeRow, Verb};
use crate::value::{Flag, Scope};

pub(crate) static FLAGS: [FlagRow; 9] = [
    FlagRow {
        flag: Flag::Streaming,
        verb: Verb::Is,
        about: About {
            name: "streaming",
            aliases: &["stream", "streamed"],
            help: "The answer is or was to be a stream.",
            example: r#"{"is":"streaming"}"#,
        },
    },
    FlagRow {
        flag: Flag::Error,
        verb: Verb::Has,
        about: About {
            name: "error",
            aliases: &["errors"],
            help: "It ended with an error; one that the client broke off did not.",
            example: r#"{"has":"error"}"#,
        },
    },
    FlagRow {
        flag: Flag::Tools,
        verb: Verb::Has,
        about: About {
            name: "tools",
            aliases: &["tool", "tool_calls"],
            help: "The answer calls tools.",
            example: r#"{"has":"tools"}"#,
        },
    },
    FlagRow {
        flag: Flag::Estimated,
        verb: Verb::Is,
        about: About {
            name: "estimated",
            aliases: &[],
            help: "The token counts are an estimate.",
            example: r#"{"is":"estimated"}"#,
        },
    },
    FlagRow {
        flag: Flag::Gap,
        verb: Verb::Has,
        about: About {
            name: "gap",
            aliases: &["gaps"],
            help: "A part of a body could not be recorded.",
            example: r#"{"has":"gap"}"#,
        },
    },
    FlagRow {
        flag: Flag::Truncated,
        verb: Verb::Is,
        about: About {
            name: "truncated",
            aliases: &["cut"],
            help: "A body is longer than the setting allowed to keep.",
            example: r#"{"is":"truncated"}"#,
        },
    },
    FlagRow {
        flag: Flag::Diagnostics,
        verb: Verb::Has,
        about: About {
            name: "diagnostics",
            aliases: &["diagnostic"],
            help: "The reading has diagnostics.",
            example: r#"{"has":"diagnostics"}"#,
        },
    },
    FlagRow {
        flag: Flag::Running,
        verb: Verb::Is,
        about: About {
            name: "running",
            aliases: &["live"],
            help: "It has not ended yet.",
            example: r#"{"is":"running"}"#,
        },
    },
    FlagRow {
        flag: Flag::Priced,
        verb: Verb::Is,
        about: About {
            name: "priced",
            aliases: &["cost"],
            help: "It has a cost.",
            example: r#"{"is":"priced"}"#,
        },
    },
];

pub(crate) static SCOPES: [ScopeRow; 7] = [
    ScopeRow {
        scope: Scope::Content,
        about: About {
            name: "content",
            aliases: &["text"],
            help: "Prompt and answer.",
            example: r#"{"text":"content","contains":"rate limit"}"#,
        },
    },
    ScopeRow {
        scope: Scope::Request,
        about: About {
            name: "request",
            aliases: &["prompt"],
            help: "The prompt: system prompt, messages, arguments and results of tools in it.",
            example: r#"{"text":"request","contains":"rate limit"}"#,
        },
    },
    ScopeRow {
        scope: Scope::Response,
        about: About {
            name: "response",
            aliases: &["answer"],
            help: "The answer: its text, thinking and arguments of tools, and its error.",
            example: r#"{"text":"response","contains":"rate limit"}"#,
        },
    },
    ScopeRow {
        scope: Scope::System,
        about: About {
            name: "system",
            aliases: &["system_prompt"],
            help: "The system prompt.",
            example: r#"{"text":"system","contains":"rate limit"}"#,
        },
    },
    ScopeRow {
        scope: Scope::Thinking,
        about: About {
            name: "thinking",
            aliases: &[],
            help: "Thinking, in prompt and answer.",
            example: r#"{"text":"thinking","contains":"rate limit"}"#,
        },
    },
    ScopeRow {
        scope: Scope::ToolText,
        about: About {
            name: "tool_text",
            aliases: &[],
            help: "Arguments and results of tools, in prompt and answer.",
            example: r#"{"text":"tool_text","contains":"rate limit"}"#,
        },
    },
    ScopeRow {
        scope: Scope::New,
        about: About {
            name: "new",
            aliases: &[],
            help: "What this flow was the first in its conversation to bring.",
            example: r#"{"text":"new","contains":"rate limit"}"#,
        },
    },
];
