//! Sessions of agents: each request holds everything that was said before, and a little more.
//!
//! A session is a list of steps, one call each. A step asks with the history, is answered, and what was answered
//! and what its tools gave is added to the history. A step that failed changes nothing; the next one is its retry.
//! Now and then a tool call starts an agent below, whose steps have a small history of their own and whose last
//! answer is the result of that call. A history over its limit is summarised, and goes on from the summary.

use flow_model::Timestamp;

use crate::agent::{self, Lengths, VERSIONS};
use crate::call::Call;
use crate::draft::{Draft, Fate};
use crate::random::{Domain, Random};
use crate::single::TOKEN_BYTES;
use crate::source::{AGENTS, Model, Sender, Source};
use crate::text::{Author, Language};
use crate::wire::{Answer, Counts, Head};
use crate::words::Words;

/// Bytes of a step that are neither text nor result: ids, members, quotes.
const FRAME_BYTES: u64 = 600;
/// Fewest bytes by which a step makes the history longer.
const GROWTH_BYTES_MIN: u64 = 400;
/// Bytes of a summary.
const SUMMARY_BYTES: u64 = 5_000;
/// Steps that keep a session from starting an agent below: it must come to its end.
const LAST_STEPS: u32 = 12;

/// How long sessions are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Calls of a session.
    pub(crate) turns: u32,
    /// Mean bytes of a request's body.
    pub(crate) request_bytes: u64,
}

/// One session.
pub(crate) struct Session {
    seed: u64,
    number: u64,
    shape: Shape,
    source: Source,
    model: Model,
    id: String,
    run: Option<String>,
    head: Head,
    main: Context,
    below: Option<Below>,
    /// Bytes by which a step makes the history longer.
    growth: u64,
    /// Bytes of a request over which the history is summarised.
    request_bytes_max: u64,
    next: u32,
    attempt: u64,
}

/// What is sent with every request of one conversation.
struct Context {
    before: String,
    after: String,
    history: String,
    /// The newest text.
    newest: String,
    /// Tokens of the last request and its answer, which the provider has cached.
    cached: u64,
}

/// An agent that the session's own has started.
struct Below {
    context: Context,
    steps_left: u64,
    /// The answer whose call started it.
    caller: Answer,
}

/// What a step is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// Call tools and go on.
    Work,
    /// Start an agent below.
    Delegate,
    /// Answer, and be asked something new.
    Answer,
    /// Summarise the history.
    Compact,
}

// === impl Context ===

impl Context {
    fn new(source: &Source, head: &Head) -> Self {
        let (before, after) = source.wire.around(head);
        Self {
            before,
            after,
            history: String::new(),
            newest: String::new(),
            cached: 0,
        }
    }

    fn ask(&mut self, source: &Source, text: String) {
        source.wire.user(&mut self.history, &text);
        self.newest = text;
    }

    fn len(&self) -> u64 {
        (self.before.len() + self.history.len() + self.after.len()) as u64
    }

    fn request(&self, source: &Source, extra: &str) -> String {
        let mut out = String::with_capacity(
            self.before.len() + self.history.len() + extra.len() + self.after.len() + 64,
        );
        out.push_str(&self.before);
        if extra.is_empty() {
            source.wire.history(&mut out, &self.history);
        } else {
            out.push_str(&self.history);
            out.push(',');
            source.wire.history(&mut out, extra);
        }
        out.push_str(&self.after);
        out
    }
}

// === impl Session ===

impl Session {
    /// Begins the session with this number.
    pub(crate) fn new(seed: u64, number: u64, shape: Shape, words: &Words) -> Self {
        let mut own = Author::new(words, Random::keyed(seed, Domain::Session, number));
        let agent = match own.random.below(20) {
            0..=9 => 0,
            10..=13 => 1,
            14..=16 => 2,
            _ => 3,
        };
        let source = AGENTS.get(agent).copied().unwrap_or_default();
        let model = own.random.pick(source.models);
        let mut id = String::new();
        if source.sender == Sender::Opencode {
            id.push_str("ses_");
            own.hex(&mut id, 24);
        } else {
            own.uuid(&mut id);
        }
        let version = own.random.below(VERSIONS);
        let mut head = agent::head(seed, agent as u64, version, model.0, &mut own, words);
        head.session.clone_from(&id);
        let mut main = Context::new(&source, &head);
        let mut prompt = String::new();
        let language = Language::of_person(&mut own.random);
        own.text(&mut prompt, language, 500);
        main.ask(&source, prompt);
        let compacts = own.random.chance(200);
        let (growth, request_bytes_max) = growth(main.len(), shape, compacts);
        Self {
            seed,
            number,
            shape,
            model,
            // Its program sends no session: the run names it.
            run: (source.sender == Sender::GeminiCli).then(|| format!("gemini-{number}")),
            source,
            id,
            head,
            main,
            below: None,
            growth,
            request_bytes_max,
            next: 0,
            attempt: 1,
        }
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    #[cfg(test)]
    pub(crate) const fn wire(&self) -> crate::wire::Wire {
        self.source.wire
    }

    /// Returns the step that comes next.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// Takes the next step.
    pub(crate) fn step(&mut self, started_at: Timestamp, words: &Words) -> Call {
        let index = self.number << 20 | u64::from(self.next);
        let mut author = Author::new(words, Random::keyed(self.seed, Domain::Step, index));
        let aim = self.aim(&mut author);
        let (answer, results) = self.say(aim, &mut author);
        let extra = self.extra(aim);
        let source = self.source;
        let context = self
            .below
            .as_ref()
            .map_or(&self.main, |below| &below.context);
        let request = context.request(&source, &extra);
        let counts = counts(&request, context, &answer);
        let fate = if self.attempt > 1 || self.next == 0 {
            Fate::Good
        } else {
            Fate::draw(&mut author.random, true)
        };
        let named = source.sender != Sender::GeminiCli;
        let draft = Draft {
            source: &source,
            model: self.model,
            started_at,
            session: named.then_some(self.id.as_str()),
            run: self.run.as_deref(),
            attempt: self.attempt,
            request,
            stream: true,
            prompt: if aim == Aim::Compact {
                COMPACT
            } else {
                &context.newest
            },
            answer: &answer,
            counts,
            fate,
        };
        let call = draft.finish(&mut author);
        self.next += 1;
        if fate == Fate::Good {
            self.attempt = 1;
            let context = self
                .below
                .as_mut()
                .map_or(&mut self.main, |below| &mut below.context);
            context.cached = counts.input + counts.output;
            self.remember(aim, answer, results, &mut author);
        } else {
            self.attempt += 1;
        }
        call
    }

    fn aim(&self, author: &mut Author<'_>) -> Aim {
        if let Some(below) = &self.below {
            return if below.steps_left == 0 {
                Aim::Answer
            } else {
                Aim::Work
            };
        }
        if self.main.len() > self.request_bytes_max {
            return Aim::Compact;
        }
        let left = self.shape.turns.saturating_sub(self.next);
        match author.random.below(100) {
            0..12 => Aim::Answer,
            12..14 if left > LAST_STEPS => Aim::Delegate,
            _ => Aim::Work,
        }
    }

    /// Returns what the model says, and what its calls give.
    fn say(&self, aim: Aim, author: &mut Author<'_>) -> (Answer, Vec<String>) {
        let payload = self
            .growth
            .saturating_sub(FRAME_BYTES)
            .max(GROWTH_BYTES_MIN / 2);
        let signature = match self.source.sender {
            Sender::ClaudeCode => 340,
            Sender::Codex => 700,
            Sender::GeminiCli => 260,
            _ => 0,
        };
        let lengths = Lengths {
            thinking: payload / 12,
            signature,
            text: match aim {
                Aim::Work | Aim::Delegate => payload / 8,
                Aim::Answer => payload * 2 / 3,
                Aim::Compact => SUMMARY_BYTES,
            },
            call: payload / 8,
            result: payload * 7 / 10,
        };
        let mut answer = agent::answer(author, lengths);
        let mut results = Vec::new();
        match aim {
            Aim::Work => {
                let calls = 1 + u64::from(author.random.chance(150));
                for _ in 0..calls {
                    answer.calls.push(agent::call(author, lengths.call));
                    let mut result = String::new();
                    let bytes = author.random.around(lengths.result / calls).max(20);
                    author.output(&mut result, bytes);
                    results.push(result);
                }
            }
            Aim::Delegate => {
                let mut prompt = String::new();
                author.text(&mut prompt, Language::English, 600);
                answer.calls.push(agent::task(author, &prompt));
            }
            Aim::Answer | Aim::Compact => {}
        }
        (answer, results)
    }

    /// Returns what a request holds beyond the history.
    fn extra(&self, aim: Aim) -> String {
        let mut extra = String::new();
        if aim == Aim::Compact {
            self.source.wire.user(&mut extra, COMPACT);
        }
        extra
    }

    /// Adds a step to the history that it belongs to.
    fn remember(
        &mut self,
        aim: Aim,
        answer: Answer,
        results: Vec<String>,
        author: &mut Author<'_>,
    ) {
        let source = self.source;
        match (aim, self.below.take()) {
            (Aim::Answer, Some(below)) => {
                // The agent below is done: what it says is the result of the call that started it.
                let result = vec![answer.text];
                source
                    .wire
                    .turn(&mut self.main.history, &below.caller, &result);
                self.main.newest = source.wire.shown(result.concat());
            }
            (_, Some(mut below)) => {
                worked(&source, &mut below.context, &answer, results);
                below.steps_left -= 1;
                self.below = Some(below);
            }
            (Aim::Delegate, None) => self.delegate(answer, author),
            (Aim::Compact, None) => {
                let summary = [CONTINUED, &answer.text].concat();
                self.main.history.clear();
                self.main.cached = 0;
                self.main.ask(&source, summary);
            }
            (Aim::Work, None) => worked(&source, &mut self.main, &answer, results),
            (Aim::Answer, None) => {
                source.wire.turn(&mut self.main.history, &answer, &[]);
                let mut prompt = String::new();
                let language = Language::of_person(&mut author.random);
                let bytes = author.random.around(self.growth / 3).max(30);
                author.text(&mut prompt, language, bytes);
                self.main.ask(&source, prompt);
            }
        }
    }

    fn delegate(&mut self, answer: Answer, author: &mut Author<'_>) {
        let mut context = Context::new(&self.source, &agent::head_below(&self.head));
        let mut prompt = String::new();
        author.text(&mut prompt, Language::English, 700);
        context.ask(&self.source, prompt);
        self.below = Some(Below {
            context,
            steps_left: author.random.between(3, 8),
            caller: answer,
        });
    }
}

/// What asks for a summary, and what stands in front of it afterwards.
const COMPACT: &str = "Summarise the conversation so far in detail, so that the work can go on from the summary alone.";
const CONTINUED: &str =
    "This session continues an earlier one that grew too long. What happened in it:\n\n";

fn worked(source: &Source, context: &mut Context, answer: &Answer, mut results: Vec<String>) {
    source.wire.turn(&mut context.history, answer, &results);
    context.newest = source.wire.shown(results.pop().unwrap_or_default());
}

fn counts(request: &str, context: &Context, answer: &Answer) -> Counts {
    let input = request.len() as u64 / TOKEN_BYTES;
    let said: usize = answer
        .calls
        .iter()
        .map(|call| call.arguments.len() + 20)
        .sum();
    let reasoning = (answer.thinking.len() + answer.signature.len() / 3) as u64 / TOKEN_BYTES;
    let cached = context.cached.min(input.saturating_sub(8));
    Counts {
        input,
        output: (answer.text.len() + said) as u64 / TOKEN_BYTES + 1 + reasoning,
        cached,
        written: input.saturating_sub(cached + 4),
        reasoning,
    }
}

/// Returns by how much a step makes the history longer, and at which length it is summarised, so that the mean of
/// all requests is what the shape says.
fn growth(head: u64, shape: Shape, compacts: bool) -> (u64, u64) {
    // Agents below have short requests, and steps that failed add nothing.
    let wanted = shape.request_bytes * 108 / 100;
    let total = wanted.saturating_sub(head) * 2;
    let growth = total * 100 / (u64::from(shape.turns.max(1)) * 86);
    if compacts {
        return ((growth * 8 / 5).max(GROWTH_BYTES_MIN), head + total);
    }
    (growth.max(GROWTH_BYTES_MIN), u64::MAX)
}
