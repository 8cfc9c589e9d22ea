//! Families of models, and what is known of how they count.
//!
//! Every text is counted by a vocabulary of OpenAI's. For other families the count is multiplied by a ratio that
//! depends on the script. That is far closer than a number of characters for each token, which was tried on the
//! same rows: for Claude's answers the median error was 7 % against 32 %, for Llama's 3 % against 11 %.
//!
//! Ratios for Latin and code were fitted to recorded answers whose usage is known, as those of least median
//! error; for CJK and other scripts they come from the family's published vocabulary over the same story in
//! several languages, where there is one. The error is that of the estimate as it stands, over different answers
//! that are plain text or visible reasoning:
//!
//! | family | answers | median error | 90 % are below | CJK and other scripts |
//! |---|---|---|---|---|
//! | OpenAI, by vocabulary | 153 | 3 % | 33 % | by vocabulary |
//! | Claude to 4.1 | 44 | 9 % | 28 % | not measured, as Latin |
//! | Claude 4.5 and 4.6 | 74 | 4 % | 17 % | not measured, as Latin |
//! | Claude from 4.7 | 4 | 12 % | 19 % | not measured, as Latin |
//! | Gemini | 53 | 10 % | 59 % | not measured, as Latin |
//! | Llama | 39 | 2 % | 14 % | vocabulary of Llama 3 |
//! | Mistral | 53 | 4 % | 27 % | vocabulary of Tekken |
//! | Qwen | 31 | 3 % | 8 % | vocabulary of Qwen 2 |
//! | DeepSeek | 32 | 1 % | 5 % | vocabulary of V3 |
//! | others | 36 | 1 % | 7 % | not measured, 1 |
//!
//! Large errors are answers of a few words, where one token weighs much, and reasoning that the wire counts but
//! does not show. Overheads (tokens around messages, tools and calls) are OpenAI's documented ones, and else
//! medians of the same recordings. What a server adds to a prompt with tools differs more by server than by
//! family, so that such an input may be half of what was counted. Cohere's and Amazon's models, among the others,
//! are shown hundreds of tokens that no request holds.

use std::sync::LazyLock;

use flow_model::{Dialect, Reading};
use tiktoken::CoreBpe;

/// Share of characters, in percent, from which a text is of a script other than Latin.
const FOREIGN_PERCENT_MIN: usize = 30;
/// Share of characters, in percent, from which signs make a text code.
const SIGNS_PERCENT_MIN: usize = 8;

/// Models that count alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// OpenAI's, from GPT-4o on.
    Openai,
    /// OpenAI's up to GPT-4, and its embeddings.
    OpenaiOld,
    /// Claude up to 4.1.
    ClaudeOld,
    /// Claude 4.5 and 4.6, whose prompt for tools is longer.
    Claude,
    /// Claude from 4.7 on, which cuts text finer.
    ClaudeNew,
    Gemini,
    Llama,
    Mistral,
    Qwen,
    DeepSeek,
    Other,
}

/// Words in a model's name, and the family that they tell. The first that is found decides: a model that was
/// distilled from another keeps the vocabulary that it had.
const WORDS: [(&str, Family); 19] = [
    ("distill-llama", Family::Llama),
    ("distill-qwen", Family::Qwen),
    ("claude", Family::Claude),
    ("gemini", Family::Gemini),
    ("gemma", Family::Gemini),
    ("deepseek", Family::DeepSeek),
    ("qwen", Family::Qwen),
    ("qwq", Family::Qwen),
    ("llama", Family::Llama),
    ("mistral", Family::Mistral),
    ("mixtral", Family::Mistral),
    ("ministral", Family::Mistral),
    ("magistral", Family::Mistral),
    ("codestral", Family::Mistral),
    ("devstral", Family::Mistral),
    ("pixtral", Family::Mistral),
    ("voxtral", Family::Mistral),
    ("chatgpt", Family::Openai),
    ("gpt-oss", Family::Openai),
];

/// Beginnings of OpenAI's names, behind a path and `ft:`. The first that fits decides.
const OPENAI: [(&str, Family); 14] = [
    ("gpt-4o", Family::Openai),
    ("gpt-4.", Family::Openai),
    ("gpt-4", Family::OpenaiOld),
    ("gpt-3", Family::OpenaiOld),
    ("gpt-", Family::Openai),
    ("o1", Family::Openai),
    ("o3", Family::Openai),
    ("o4", Family::Openai),
    ("codex", Family::Openai),
    ("computer-use", Family::Openai),
    ("text-", Family::OpenaiOld),
    ("code-", Family::OpenaiOld),
    ("davinci", Family::OpenaiOld),
    ("babbage", Family::OpenaiOld),
];

/// A vocabulary of OpenAI's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    O200k,
    Cl100k,
}

/// How a family counts. Ratios are in thousandths of a token of its vocabulary; the rest is tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calibration {
    pub(crate) vocabulary: Vocabulary,
    latin: u64,
    code: u64,
    cjk: u64,
    foreign: u64,
    /// Around the whole prompt.
    pub(crate) prompt: u64,
    /// Around each message.
    pub(crate) message: u64,
    /// Around each answer.
    pub(crate) answer: u64,
    /// Once, where tools are offered.
    pub(crate) tools: u64,
    /// Around each tool.
    pub(crate) tool: u64,
    /// Around each call of a tool.
    pub(crate) call: u64,
    /// Around several calls in one message.
    pub(crate) parallel: u64,
    /// Tools are shown as types, not as JSON.
    pub(crate) declares: bool,
}

/// What a text is written in, as far as it changes how it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Latin,
    /// Programs, JSON and the like, in Latin letters.
    Code,
    /// Chinese, Japanese, Korean.
    Cjk,
    Foreign,
}

// === impl Family ===

impl Family {
    /// Returns the family of the model that answered, or else of the one that was asked for.
    pub(crate) fn of(reading: &Reading) -> Self {
        let names = [&reading.response.model, &reading.request.model];
        names
            .into_iter()
            .flatten()
            .find_map(|name| Self::named(name))
            .unwrap_or_else(|| Self::usual(reading.dialect))
    }

    /// Returns the family of a model's name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let bare = name.rsplit('/').next().unwrap_or(&name);
        let bare = bare.strip_prefix("ft:").unwrap_or(bare);
        // Azure writes `gpt-35-turbo`, Bedrock `openai.gpt-oss-120b-1:0`.
        let openai = OPENAI.iter().find(|(start, _)| bare.starts_with(start));
        let word = WORDS.iter().find(|(word, _)| bare.contains(word));
        match word.or(openai).map(|(_, family)| *family) {
            Some(Self::Claude) => Some(Self::claude(bare)),
            found => found,
        }
    }

    /// Returns the family of a name of Claude's: `claude-3-5-haiku-20241022`, `claude-opus-4.7`.
    fn claude(name: &str) -> Self {
        let is_digit = |c: char| c.is_ascii_digit();
        let mut numbers = name
            .split(|c: char| !is_digit(c))
            .filter(|digits| (1..=2).contains(&digits.len()))
            .filter_map(|digits| digits.parse::<u8>().ok());
        let version = (numbers.next(), numbers.next().unwrap_or(0));
        match version {
            (None, _) => Self::Claude,
            (Some(0..=3), _) | (Some(4), 0..=4) => Self::ClaudeOld,
            (Some(4), 5 | 6) => Self::Claude,
            (Some(_), _) => Self::ClaudeNew,
        }
    }

    /// Returns the family whose dialect it is, for models whose name says nothing.
    fn usual(dialect: Option<Dialect>) -> Self {
        match dialect {
            Some(Dialect::AnthropicMessages | Dialect::AnthropicComplete | Dialect::Kiro) => {
                Self::Claude
            }
            Some(Dialect::GeminiGenerate | Dialect::GeminiInteractions | Dialect::GeminiEmbed) => {
                Self::Gemini
            }
            // A deployment at Azure has whatever name its owner gave it.
            Some(Dialect::OpenaiResponses) => Self::Openai,
            _ => Self::Other,
        }
    }

    /// Returns how the family counts.
    pub(crate) const fn calibration(self) -> &'static Calibration {
        match self {
            Self::Openai => &OPENAI_NEW,
            Self::OpenaiOld => &OPENAI_OLD,
            Self::ClaudeOld => &CLAUDE_OLD,
            Self::Claude => &CLAUDE,
            Self::ClaudeNew => &CLAUDE_NEW,
            Self::Gemini => &GEMINI,
            Self::Llama => &LLAMA,
            Self::Mistral => &MISTRAL,
            Self::Qwen => &QWEN,
            Self::DeepSeek => &DEEPSEEK,
            Self::Other => &OTHER,
        }
    }
}

const OPENAI_NEW: Calibration = Calibration {
    vocabulary: Vocabulary::O200k,
    latin: 1000,
    code: 1000,
    cjk: 1000,
    foreign: 1000,
    prompt: 3,
    message: 4,
    answer: 0,
    tools: 2,
    tool: 0,
    call: 8,
    parallel: 12,
    declares: true,
};

const OPENAI_OLD: Calibration = Calibration {
    vocabulary: Vocabulary::Cl100k,
    ..OPENAI_NEW
};

const OTHER: Calibration = Calibration {
    prompt: 2,
    message: 3,
    tools: 120,
    call: 12,
    parallel: 0,
    declares: false,
    ..OPENAI_NEW
};

const CLAUDE: Calibration = Calibration {
    latin: 1130,
    code: 1120,
    cjk: 1130,
    foreign: 1130,
    prompt: 4,
    message: 3,
    answer: 3,
    tools: 500,
    tool: 35,
    call: 40,
    ..OTHER
};

const CLAUDE_OLD: Calibration = Calibration {
    tools: 330,
    ..CLAUDE
};

const CLAUDE_NEW: Calibration = Calibration {
    latin: 1450,
    code: 1400,
    cjk: 1450,
    foreign: 1450,
    ..CLAUDE
};

const GEMINI: Calibration = Calibration {
    latin: 1050,
    code: 1020,
    cjk: 1050,
    foreign: 1050,
    prompt: 0,
    message: 1,
    tools: 0,
    tool: 0,
    call: 0,
    ..OTHER
};

const LLAMA: Calibration = Calibration {
    latin: 1020,
    code: 1000,
    cjk: 1010,
    foreign: 1260,
    prompt: 5,
    message: 5,
    answer: 1,
    call: 15,
    ..OTHER
};

const MISTRAL: Calibration = Calibration {
    latin: 1030,
    code: 1120,
    cjk: 930,
    foreign: 1060,
    prompt: 1,
    message: 3,
    answer: 1,
    tools: 0,
    tool: 40,
    call: 3,
    ..OTHER
};

const QWEN: Calibration = Calibration {
    latin: 1020,
    code: 1010,
    cjk: 860,
    foreign: 1610,
    prompt: 3,
    message: 5,
    answer: 1,
    tools: 130,
    call: 14,
    ..OTHER
};

const DEEPSEEK: Calibration = Calibration {
    latin: 1040,
    code: 1010,
    cjk: 910,
    foreign: 1230,
    tools: 240,
    call: 30,
    ..OTHER
};

// === impl Vocabulary ===

impl Vocabulary {
    /// Returns the number of tokens in a text. A vocabulary is unpacked when it is first used: a quarter of a
    /// second and 25 MB, which only those pay whose providers send no usage.
    pub(crate) fn count(self, text: &str) -> u64 {
        static O200K: LazyLock<CoreBpe> = LazyLock::new(tiktoken::encoding::o200k_base);
        static CL100K: LazyLock<CoreBpe> = LazyLock::new(tiktoken::encoding::cl100k_base);
        let vocabulary = match self {
            Self::O200k => &O200K,
            Self::Cl100k => &CL100K,
        };
        vocabulary.count(text) as u64
    }
}

// === impl Calibration ===

impl Calibration {
    /// Returns the ratio for a script.
    pub(crate) const fn ratio(&self, script: Script) -> u64 {
        match script {
            Script::Latin => self.latin,
            Script::Code => self.code,
            Script::Cjk => self.cjk,
            Script::Foreign => self.foreign,
        }
    }
}

// === impl Script ===

impl Script {
    /// Returns what most of a text is written in.
    pub(crate) fn of(text: &str) -> Self {
        let (mut all, mut cjk, mut foreign, mut signs) = (0_usize, 0_usize, 0_usize, 0_usize);
        for character in text.chars() {
            all += 1;
            match character {
                '\u{2e80}'..='\u{9fff}'
                | '\u{ac00}'..='\u{d7af}'
                | '\u{f900}'..='\u{faff}'
                | '\u{ff00}'..='\u{ffef}'
                | '\u{20000}'..='\u{3ffff}' => cjk += 1,
                // Greek is the first script behind Latin and its accents.
                '\u{370}'..='\u{1fff}' if character.is_alphabetic() => foreign += 1,
                '{' | '}' | '[' | ']' | '(' | ')' | ';' | '=' | '<' | '>' | '"' | '\\' | '/'
                | '_' | '|' | '+' | '*' | '&' | '#' => signs += 1,
                _ => {}
            }
        }
        let share = |count: usize, percent: usize| count * 100 > all * percent;
        if share(cjk, FOREIGN_PERCENT_MIN) {
            Self::Cjk
        } else if share(foreign, FOREIGN_PERCENT_MIN) {
            Self::Foreign
        } else if share(signs, SIGNS_PERCENT_MIN) {
            Self::Code
        } else {
            Self::Latin
        }
    }
}
