//! Text: which flows of a segment hold a word, a phrase or a part of either.
//!
//! It owns the file `000042.fts` beside a segment. The file is derived: whatever is wrong with it is an error that
//! says so, and the owner makes it anew from the segment. It holds no text, only which tokens stand in which text,
//! so every answer is checked on the text itself, which the owner decodes. A text matches where its fold contains
//! the needle's; the index never hides one.
//!
//! ```text
//! texts   FTS5   t ► tokens                a text is stored once, newer ones have higher numbers
//! uses           t ► n, node, kind, part   where it stands; node 0 where it is not in a chain
//! terms          every token as one list, for parts of words
//! heads          n ► last node of each chain of its request, for carriers
//! hashes         t ► keyed hash            to tell known texts; gone when the file is finished
//! done, meta     which flows are in, the key
//! ```
//!
//! Limits: 512 terms for a part of a word, 32 tokens of a needle (`terms`, `question`); the writer remembers
//! 1.8 million terms and 1.8 million texts (`terms`, `writer`); checks and time as the caller's budget says.

mod file;
mod flows;
mod question;
mod reader;
mod snippet;
mod terms;
mod tokens;
mod writer;

#[cfg(test)]
mod tests;

pub use file::{TextError, audit};
pub use flow_query::{Needle, TextKind, fold};
pub use flows::{Heads, Progress};
pub use question::Question;
pub use reader::{Budget, Cursor, Flows, Found, Hit, Source, TextReader, carriers};
pub use snippet::Snippet;
pub use writer::{Finished, TextWriter};

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The flow that introduced it here.
    pub n: i64,
    /// The node of the conversation's chain that holds it, or 0.
    pub node: i64,
    /// What part of the flow it is.
    pub kind: TextKind,
    /// Which of the flow's texts with this node and kind it is, counted from 0.
    pub part: u32,
}
