//! A call in the making: what was asked and answered becomes an exchange with heads, times and a fate.
//!
//! Three calls in a hundred fail, one is broken off by its client, and one in five hundred never reaches the
//! provider.

use std::fmt::Write as _;

use bytes::Bytes;
use flow_model::{
    BodyFacts, Choice, Chunk, EndReason, ErrorReading, Exchange, Failure, FailureKind, Fault,
    FlowId, Message, Outcome, Part, Reading, RequestHead, RequestReading, ResponseHead,
    ResponseReading, Role, Route, Timestamp, Timings,
};

use crate::call::Call;
use crate::random::Random;
use crate::refusal::{self, Refusal};
use crate::source::{Model, Source, header};
use crate::text::Author;
use crate::wire::{Answer, Counts, Reply, Sse};

/// Bytes of a text that the preview of a row may need.
const PREVIEW_BYTES: usize = 900;

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Good,
    /// The provider answers with an error.
    Refused,
    /// The client goes away in the middle of the answer.
    Aborted,
    /// No connection to the provider can be made.
    Unreachable,
}

/// What a call is made of.
pub(crate) struct Draft<'a> {
    pub(crate) source: &'a Source,
    pub(crate) model: Model,
    pub(crate) started_at: Timestamp,
    pub(crate) session: Option<&'a str>,
    pub(crate) run: Option<&'a str>,
    /// Which try it is, counted from 1.
    pub(crate) attempt: u64,
    pub(crate) request: String,
    pub(crate) stream: bool,
    /// The newest text of the prompt.
    pub(crate) prompt: &'a str,
    pub(crate) answer: &'a Answer,
    pub(crate) counts: Counts,
    pub(crate) fate: Fate,
}

/// A response's body with its times.
struct Answered {
    body: String,
    coding: Option<&'static str>,
    chunks: Vec<Chunk>,
    /// When the first output had arrived.
    first_us: Option<u64>,
    events: u64,
}

// === impl Fate ===

impl Fate {
    /// Returns the fate of a call.
    pub(crate) fn draw(random: &mut Random, stream: bool) -> Self {
        match random.below(1000) {
            0..30 => Self::Refused,
            30..40 if stream => Self::Aborted,
            40..42 => Self::Unreachable,
            _ => Self::Good,
        }
    }
}

// === impl Draft ===

impl Draft<'_> {
    /// Makes the call.
    pub(crate) fn finish(self, author: &mut Author<'_>) -> Call {
        let mut id = String::with_capacity(24);
        author.hex(&mut id, 24);
        let length = self.request.len();
        let mut exchange = self.exchange(author);
        let sent_us = 300 + length as u64 / 900;
        exchange.timings.sent_us = Some(sent_us);
        let sent = vec![Chunk {
            at_us: sent_us - 200,
            wire_bytes: u32::try_from(length).unwrap_or(u32::MAX),
            bytes_end: length as u64,
        }];
        let head_us = sent_us + author.random.around(700_000);
        let known = match self.fate {
            Fate::Unreachable => {
                self.unreachable(&mut exchange);
                return self.call(
                    exchange,
                    String::new(),
                    sent,
                    Vec::new(),
                    Some(ResponseReading::default()),
                );
            }
            Fate::Refused => {
                let refusal = refusal::draw(self.source.wire, self.model.0, author);
                return self.refused(exchange, &refusal, sent, head_us);
            }
            Fate::Good | Fate::Aborted => self.answered(&id, head_us, author),
        };
        let (answered, response) = known;
        exchange.response = Some(self.head(200, &id, answered.coding));
        exchange.end = Some(EndReason::Ended);
        let response = self.times(&mut exchange, &answered, response);
        self.call(exchange, answered.body, sent, answered.chunks, response)
    }

    fn exchange(&self, author: &mut Author<'_>) -> Exchange {
        let source = self.source;
        let path = source.path(self.model.0, self.stream);
        let mut target = String::with_capacity(path.len() + 40);
        if let Some(run) = self.run {
            write!(target, "/run/{run}").ok();
        }
        write!(target, "/{}{path}", source.provider).ok();
        let length = self.request.len();
        Exchange {
            id: flow_id(self.started_at, &mut author.random),
            started_at: self.started_at,
            peer: Some(format!(
                "127.0.0.1:{}",
                author.random.between(32_768, 61_000)
            )),
            route: Route {
                upstream: Some(source.provider.to_owned()),
                provider: Some(source.provider.to_owned()),
                url: Some(["https://", source.host, &path].concat()),
                run: self.run.map(str::to_owned),
            },
            request: RequestHead {
                method: "POST".to_owned(),
                target,
                version: "HTTP/1.1".to_owned(),
                headers: source.sender.headers(
                    "127.0.0.1:8377",
                    length,
                    self.session,
                    self.attempt,
                ),
            },
            request_body: BodyFacts {
                wire_bytes: length as u64,
                bytes: length as u64,
                chunks: 1,
                complete: true,
                ..BodyFacts::default()
            },
            response: None,
            response_body: BodyFacts::default(),
            timings: connecting(&mut author.random),
            end: None,
            failure: None,
        }
    }

    /// Returns the body of a good answer, and what a reading says of it; none where it will be cut.
    fn answered(
        &self,
        id: &str,
        head_us: u64,
        author: &mut Author<'_>,
    ) -> (Answered, ResponseReading) {
        let reply = Reply {
            model: self.model.1,
            id,
            created: u64::try_from(self.started_at.0 / 1_000_000).unwrap_or(0),
            answer: self.answer,
            counts: self.counts,
        };
        let answered = if self.stream {
            let aborted = self.fate == Fate::Aborted;
            timed(
                self.source.wire.stream(&reply),
                head_us,
                aborted,
                &mut author.random,
            )
        } else {
            whole(
                self.source.wire.whole(&reply),
                head_us + self.counts.output * 9_000,
            )
        };
        let mut parts = Vec::with_capacity(1 + self.answer.calls.len());
        if !self.answer.text.is_empty() {
            parts.push(text(&self.answer.text));
        }
        parts.extend(self.answer.calls.iter().map(|call| Part::ToolCall {
            id: None,
            name: call.name.clone(),
            arguments: String::new(),
            server: false,
        }));
        let response = ResponseReading {
            outcome: Outcome::Ok,
            streamed: self.stream,
            model: Some(self.model.1.to_owned()),
            choices: vec![Choice {
                index: 0,
                message: Message {
                    role: Role::Assistant,
                    name: None,
                    parts,
                },
                stop_reason: None,
                stop: Some(self.answer.stop()),
                logprobs: None,
            }],
            events: answered.events,
            ttft_us: answered.first_us,
            ..ResponseReading::default()
        };
        (answered, response)
    }

    /// Notes the times and facts of a body; a call that was broken off has no reading that is known.
    fn times(
        &self,
        exchange: &mut Exchange,
        answered: &Answered,
        response: ResponseReading,
    ) -> Option<ResponseReading> {
        let aborted = self.fate == Fate::Aborted;
        let first = answered.chunks.first().map_or(0, |chunk| chunk.at_us);
        let last = answered.chunks.last().map_or(0, |chunk| chunk.at_us);
        exchange.timings.head_us = Some(first.saturating_sub(150));
        let sent_us = exchange.timings.sent_us.unwrap_or(0);
        exchange.timings.ttfb_us = Some(first.saturating_sub(sent_us));
        exchange.timings.duration_us = Some(last + 90);
        exchange.response_body = BodyFacts {
            coding: answered.coding.map(str::to_owned),
            wire_bytes: answered
                .chunks
                .iter()
                .map(|chunk| u64::from(chunk.wire_bytes))
                .sum(),
            bytes: answered.body.len() as u64,
            chunks: u32::try_from(answered.chunks.len()).unwrap_or(u32::MAX),
            complete: !aborted,
            ..BodyFacts::default()
        };
        if !aborted {
            return Some(response);
        }
        exchange.end = Some(EndReason::ClientAbort);
        exchange.failure = Some(Failure {
            kind: FailureKind::ClientGone,
            fault: Fault::Client,
            message: "the client closed its connection before the end of the response".to_owned(),
        });
        None
    }

    fn refused(
        self,
        mut exchange: Exchange,
        refusal: &Refusal,
        sent: Vec<Chunk>,
        head_us: u64,
    ) -> Call {
        exchange.response = Some(self.head(refusal.status, "refused", None));
        let answered = whole(refusal.body.clone(), head_us);
        let response = ResponseReading {
            outcome: Outcome::Error,
            error: Some(ErrorReading {
                message: Some(refusal.message.clone()),
                class: Some(refusal.class),
                ..ErrorReading::default()
            }),
            ..ResponseReading::default()
        };
        let response = self.times(&mut exchange, &answered, response);
        exchange.end = Some(EndReason::UpstreamError);
        self.call(exchange, answered.body, sent, answered.chunks, response)
    }

    fn unreachable(&self, exchange: &mut Exchange) {
        exchange.end = Some(EndReason::Timeout);
        exchange.timings.duration_us = Some(10_000_400);
        exchange.timings.sent_us = None;
        exchange.failure = Some(Failure {
            kind: FailureKind::Connect,
            fault: Fault::Upstream,
            message: ["no connection to ", self.source.host, " within 10 s"].concat(),
        });
    }

    fn head(&self, status: u16, id: &str, coding: Option<&str>) -> ResponseHead {
        let mut headers = Vec::with_capacity(12);
        let mut add = |name: &str, value: &str| headers.push(header(name, value));
        add("date", "Thu, 01 Oct 2026 08:00:00 GMT");
        let stream = self.stream && status == 200;
        add(
            "content-type",
            if stream {
                "text/event-stream; charset=utf-8"
            } else {
                "application/json"
            },
        );
        add("transfer-encoding", "chunked");
        add("connection", "keep-alive");
        if let Some(coding) = coding {
            add("content-encoding", coding);
        }
        add("x-request-id", id);
        add("x-ratelimit-limit-requests", "10000");
        add("x-ratelimit-remaining-requests", "9994");
        add(
            "strict-transport-security",
            "max-age=31536000; includeSubDomains; preload",
        );
        add("server", "cloudflare");
        add("cf-cache-status", "DYNAMIC");
        ResponseHead {
            status,
            reason: None,
            version: "HTTP/2.0".to_owned(),
            headers,
        }
    }

    /// Puts the call together. What its reading says of the request is known in any case.
    fn call(
        self,
        exchange: Exchange,
        body: String,
        sent: Vec<Chunk>,
        chunks: Vec<Chunk>,
        response: Option<ResponseReading>,
    ) -> Call {
        let source = self.source;
        let known = response.map(|response| {
            let good = response.outcome == Outcome::Ok;
            Box::new(Reading {
                dialect: Some(source.wire.dialect()),
                request: RequestReading {
                    model: Some(self.model.0.to_owned()),
                    stream: self.stream.then_some(true),
                    messages: vec![Message {
                        role: Role::User,
                        name: None,
                        parts: vec![text(self.prompt)],
                    }],
                    ..RequestReading::default()
                },
                tokens: if good {
                    self.counts.tokens(source.wire)
                } else {
                    flow_model::Tokens::default()
                },
                response,
                client: source.sender.client(self.session, self.attempt),
                ..Reading::default()
            })
        });
        Call {
            exchange,
            request: Bytes::from(self.request),
            response: Bytes::from(body),
            sent,
            chunks,
            known,
        }
    }
}

/// Returns the beginning of a text as a part: as much as a preview shows.
fn text(whole: &str) -> Part {
    let end = whole.floor_char_boundary(PREVIEW_BYTES);
    Part::Text {
        text: whole.get(..end).unwrap_or(whole).to_owned(),
        citations: Vec::new(),
        cache: None,
    }
}

/// Returns a body that arrives at once.
fn whole(body: String, at_us: u64) -> Answered {
    let bytes = body.len() as u64;
    // Most answers of some length come compressed.
    let coding = (bytes > 900).then_some("gzip");
    let wire_bytes = if coding.is_some() {
        bytes * 9 / 20
    } else {
        bytes
    };
    Answered {
        chunks: vec![Chunk {
            at_us,
            wire_bytes: u32::try_from(wire_bytes).unwrap_or(u32::MAX),
            bytes_end: bytes,
        }],
        body,
        coding,
        first_us: None,
        events: 0,
    }
}

/// Returns a stream that arrives event by event, a few of them together; cut in the middle where its client
/// goes away.
fn timed(sse: Sse, head_us: u64, cut: bool, random: &mut Random) -> Answered {
    let Sse {
        mut body,
        ends,
        first,
    } = sse;
    let until = if cut { ends.len() / 2 } else { ends.len() };
    let mut chunks = Vec::with_capacity(until / 2 + 1);
    let (mut at_us, mut from, mut first_us) = (head_us + 200, 0, None);
    let mut waiting = 0;
    for (place, end) in ends.iter().copied().enumerate().take(until) {
        if waiting > 0 && place + 1 < until {
            waiting -= 1;
            continue;
        }
        let drawn = random.next();
        waiting = drawn & 3;
        chunks.push(Chunk {
            at_us,
            wire_bytes: u32::try_from(end - from).unwrap_or(u32::MAX),
            bytes_end: end as u64,
        });
        if first.is_some_and(|first| first <= end) {
            first_us = first_us.or(Some(at_us));
        }
        from = end;
        at_us += 4_000 + (drawn >> 49);
    }
    body.truncate(from);
    Answered {
        body,
        coding: None,
        chunks,
        first_us,
        events: ends.len() as u64,
    }
}

fn connecting(random: &mut Random) -> Timings {
    if random.chance(850) {
        return Timings {
            reused: true,
            ..Timings::default()
        };
    }
    Timings {
        dns_us: Some(random.between(300, 9_000)),
        connect_us: Some(random.between(2_000, 30_000)),
        tls_us: Some(random.between(4_000, 60_000)),
        ..Timings::default()
    }
}

/// Returns an id that sorts by the time at which the flow began.
fn flow_id(at: Timestamp, random: &mut Random) -> FlowId {
    let micros = u64::try_from(at.0).unwrap_or(0);
    let within = u16::try_from(micros % 1000 * 4).unwrap_or(0).to_be_bytes();
    let drawn = random.next().to_be_bytes();
    let mut bytes = [0; 10];
    for (slot, byte) in bytes.iter_mut().zip(within.into_iter().chain(drawn)) {
        *slot = byte;
    }
    let builder = uuid::Builder::from_unix_timestamp_millis(micros / 1000, &bytes);
    FlowId::from_uuid(builder.into_uuid())
}
