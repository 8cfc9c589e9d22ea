//! Calls on their own: programs that classify, translate, extract, summarise. About 4 KB each, hardly any of it
//! said before.

use flow_model::Timestamp;

use crate::call::Call;
use crate::draft::{Draft, Fate};
use crate::random::{Domain, Random};
use crate::source::SINGLES;
use crate::text::{Author, Language};
use crate::wire::{Answer, Counts, Single};
use crate::words::Words;

/// Bytes of text that make one token, about.
pub(crate) const TOKEN_BYTES: u64 = 4;
/// Mean bytes of a prompt's text.
const PROMPT_BYTES: u64 = 1_750;
/// Mean bytes of an answer that comes at once, and of a streamed one, whose events take many times its own room.
const ANSWER_BYTES: u64 = 600;
const STREAMED_BYTES: u64 = 280;
/// Bytes of a call with texts of these lengths, about.
pub(crate) const CALL_BYTES: u64 = 4_000;
/// Programs, each with a system prompt of its own.
const PROGRAMS: u64 = 40;
/// Calls that one run of a program makes.
const RUN_CALLS: u64 = 500;

/// Makes the calls on their own of one seed.
pub(crate) struct Singles {
    seed: u64,
    /// Bytes of a call, about.
    call_bytes: u64,
    /// System prompts of the programs.
    systems: Vec<String>,
    prompt: String,
    answer: Answer,
}

// === impl Singles ===

impl Singles {
    pub(crate) fn new(seed: u64, call_bytes: u64, words: &Words) -> Self {
        let system = |program| {
            let mut author = Author::new(words, Random::keyed(seed, Domain::Agent, 1000 + program));
            let mut text = String::new();
            let language = Language::of_person(&mut author.random);
            author.text(
                &mut text,
                language,
                180 * call_bytes.min(CALL_BYTES) / CALL_BYTES,
            );
            text
        };
        Self {
            seed,
            call_bytes,
            systems: (0..PROGRAMS).map(system).collect(),
            prompt: String::new(),
            answer: Answer::default(),
        }
    }

    /// Returns the length of a text that is `bytes` long in a call of the usual length.
    fn scaled(&self, bytes: u64) -> u64 {
        (bytes * self.call_bytes / CALL_BYTES).max(8)
    }

    /// Returns the call with this number.
    pub(crate) fn call(&mut self, number: u64, started_at: Timestamp, words: &Words) -> Call {
        let mut author = Author::new(words, Random::keyed(self.seed, Domain::Single, number));
        // The first sources of the list call most.
        let last = SINGLES.len() as u64;
        let place = author.random.below(last).min(author.random.below(last));
        let place = usize::try_from(place).unwrap_or(0);
        let source = SINGLES.get(place).copied().unwrap_or_default();
        let model = author.random.pick(source.models);
        let stream = author.random.chance(350);
        let language = Language::of_person(&mut author.random);
        self.prompt.clear();
        let bytes = author.random.around(self.scaled(PROMPT_BYTES));
        author.text(&mut self.prompt, language, bytes);
        if author.random.chance(150) && self.call_bytes >= CALL_BYTES {
            self.prompt.push_str("\n\n```\n");
            author.text(&mut self.prompt, Language::Code, 400);
            self.prompt.push_str("\n```");
        }
        self.answer.text.clear();
        let bytes = if stream { STREAMED_BYTES } else { ANSWER_BYTES };
        let bytes = author.random.around(self.scaled(bytes));
        author.text(&mut self.answer.text, language, bytes);
        let system = author.random.place(self.systems.len());
        let system = self.systems.get(system).map_or("", String::as_str);
        let request = source.wire.single(&Single {
            model: model.0,
            system,
            prompt: &self.prompt,
            stream,
        });
        let counts = Counts {
            input: request.len() as u64 / TOKEN_BYTES,
            output: self.answer.text.len() as u64 / TOKEN_BYTES + 1,
            ..Counts::default()
        };
        // Every fourth block of calls is one run of a program.
        let block = number / RUN_CALLS;
        let run = (block % 4 == 1).then(|| format!("nightly-{block}"));
        let fate = Fate::draw(&mut author.random, stream);
        let draft = Draft {
            source: &source,
            model,
            started_at,
            session: None,
            run: run.as_deref(),
            attempt: 1 + u64::from(author.random.chance(25)),
            request,
            stream,
            prompt: &self.prompt,
            answer: &self.answer,
            counts,
            fate,
        };
        draft.finish(&mut author)
    }
}
