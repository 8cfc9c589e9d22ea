//! Thinking that stands in the text, between tags.
//!
//! ```text
//! Start ──<thinking>──► Within ──</thinking>──► After ──something else than line ends──► Plain
//!   └──────────────────────something else────────────────────────────────────────────────▲
//! ```
//!
//! Only a text that begins with the tag is taken for thinking: an answer may speak of such tags.

use flow_model::Part;

use crate::answer::{Answer, Speech};
use crate::dialects::text_part;
use crate::json::{Document, Token};

const OPENING: &str = "<thinking>";
const CLOSING: &str = "</thinking>";
/// Bytes of blanks in front of the tag. A text with more of them begins without it.
const BLANK_BYTES_MAX: usize = 64;

/// Tells thinking from text, over any cuts.
#[derive(Clone, Debug, Default)]
pub(super) struct Splitter {
    place: Place,
    /// What may be the beginning of a tag.
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    Within,
    /// Behind the closing tag, where line ends belong to it.
    After,
    Plain,
}

// === impl Splitter ===

impl Splitter {
    /// Reads the next piece of a text.
    pub(super) fn say(&mut self, token: Token<'_>, document: &Document<'_>, answer: &mut Answer) {
        // What cannot hold a tag goes on as it is, so that halves of characters find each other.
        let is_plain = self.held.is_empty() && memchr::memchr(b'<', token.raw()).is_none();
        match self.place {
            Place::Plain => answer.say(0, Speech::Text, token, document),
            Place::Within if is_plain => answer.say(0, Speech::Thinking, token, document),
            _ => {
                let more = token.decode(document);
                self.push(&more, &mut |speech, words| {
                    answer.say_str(0, speech, words);
                });
            }
        }
    }

    /// Says what is held back, and begins a new text.
    pub(super) fn finish(&mut self, answer: &mut Answer) {
        self.flush(&mut |speech, words| answer.say_str(0, speech, words));
    }

    fn push(&mut self, more: &str, each: &mut impl FnMut(Speech, &str)) {
        let mut text = std::mem::take(&mut self.held);
        text.push_str(more);
        let mut rest = text.as_str();
        loop {
            match self.place {
                Place::Start => match opened(rest) {
                    Opened::Yes(after) => {
                        self.place = Place::Within;
                        rest = after;
                    }
                    Opened::Maybe => break,
                    Opened::No => self.place = Place::Plain,
                },
                Place::Within => {
                    let Some((thought, after)) = rest.split_once(CLOSING) else {
                        let held = tail(rest);
                        let (thought, tail) = rest.split_at(rest.len() - held);
                        each(Speech::Thinking, thought);
                        rest = tail;
                        break;
                    };
                    each(Speech::Thinking, thought);
                    self.place = Place::After;
                    rest = after;
                }
                Place::After => {
                    rest = rest.trim_start_matches(['\n', '\r']);
                    if rest.is_empty() {
                        break;
                    }
                    self.place = Place::Plain;
                }
                Place::Plain => {
                    each(Speech::Text, rest);
                    rest = "";
                    break;
                }
            }
        }
        rest.clone_into(&mut self.held);
    }

    fn flush(&mut self, each: &mut impl FnMut(Speech, &str)) {
        let speech = match self.place {
            Place::Within => Speech::Thinking,
            Place::Start | Place::After | Place::Plain => Speech::Text,
        };
        each(speech, &self.held);
        *self = Self::default();
    }
}

/// Takes a whole text apart.
pub(super) fn split(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut splitter = Splitter::default();
    let mut each = |speech: Speech, words: &str| match (parts.last_mut(), speech) {
        _ if words.is_empty() => {}
        (Some(Part::Thinking { text, .. }), Speech::Thinking)
        | (Some(Part::Text { text, .. }), Speech::Text) => text.push_str(words),
        (_, Speech::Thinking) => parts.push(Part::Thinking {
            text: words.to_owned(),
            signed: false,
            redacted: false,
        }),
        _ => parts.push(text_part(words.to_owned())),
    };
    splitter.push(text, &mut each);
    splitter.flush(&mut each);
    parts
}

/// Whether a text begins with the opening tag.
enum Opened<'a> {
    /// It does, and this is what follows.
    Yes(&'a str),
    /// It is too short to say.
    Maybe,
    No,
}

fn opened(text: &str) -> Opened<'_> {
    let start = text.trim_start();
    if let Some(after) = start.strip_prefix(OPENING) {
        return Opened::Yes(after);
    }
    let is_short = text.len() - start.len() <= BLANK_BYTES_MAX && OPENING.starts_with(start);
    if is_short { Opened::Maybe } else { Opened::No }
}

/// Returns how many bytes at the end of a text may be the beginning of the closing tag.
fn tail(text: &str) -> usize {
    let longest = CLOSING.len().min(text.len());
    let ends = (1..=longest).rev();
    let is_tag = |length: &usize| {
        let start = CLOSING.get(..*length);
        start.is_some_and(|start| text.ends_with(start))
    };
    ends.into_iter().find(is_tag).unwrap_or(0)
}
