//! What is sent for a request, step by step: the answer's bytes with the behaviours applied.
//!
//! Pure: the same ask and behaviour give the same plan. [`crate::delivery`] carries it out.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::ask::Ask;
use crate::behaviour::{Behaviour, Cut, Encoding};
use crate::coding::Coding;
use crate::render::{self, Kind};
use crate::reply::Reply;
use crate::sign::{self, request_id};
use crate::target::{Api, Framing, Provider};

/// Seconds that a client is asked to wait where nothing else was said.
const RETRY_AFTER_SECONDS: u64 = 2;

/// A response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) head_delay: Option<Duration>,
    pub(crate) steps: Vec<Step>,
    pub(crate) coding: Option<Coding>,
    pub(crate) pieces: Pieces,
    /// The body's length is sent ahead.
    pub(crate) length: Option<u64>,
}

/// One step of a response's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Bytes(Bytes),
    Wait(Duration),
    /// Close without the end of the body.
    Break,
    /// Reset the connection.
    Reset,
    /// Send nothing more, and do not end.
    Hang,
}

/// How bytes are cut before they are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pieces {
    #[default]
    Whole,
    Bytes(usize),
    /// Inside characters of several bytes and inside `data:`.
    Characters,
}

// === impl Plan ===

impl Plan {
    /// Returns a response of one piece, of that type.
    pub(crate) fn fixed(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers,
            length: Some(body.len() as u64),
            steps: vec![Step::Bytes(body)],
            ..Self::default()
        }
    }

    /// Returns the response to a chat request.
    pub(crate) fn chat(
        api: Api,
        reply: &Reply,
        ask: &Ask,
        framing: Framing,
        behaviour: &Behaviour,
        accepted: Option<Coding>,
    ) -> Self {
        let (frames, error) = bodies(api, reply, ask, framing, behaviour);
        let streamed = framing != Framing::Whole;
        let coding = match behaviour.encoding {
            Some(Encoding::Fixed(coding)) => Some(coding),
            // Providers do not compress streams unasked; a whole body they do.
            Some(Encoding::Accepted) if !streamed => accepted,
            _ => None,
        };
        let length: u64 = frames.iter().map(|frame| frame.len() as u64).sum();
        let ends_early = matches!(behaviour.cut, Some((Cut::End, _)));
        let sized = !streamed && coding.is_none() && !behaviour.chunked && !ends_early;
        let mut plan = Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            head_delay: behaviour.head_delay,
            steps: steps(frames, &error, behaviour, delay(api, framing, behaviour)),
            coding,
            pieces: pieces(behaviour),
            length: sized.then_some(length),
        };
        plan.put(header::CONTENT_TYPE, content_type(api, framing));
        if let Some(value) = behaviour.content_type.as_deref().and_then(field) {
            plan.headers.insert(header::CONTENT_TYPE, value);
        }
        if let Some(coding) = coding {
            plan.put(header::CONTENT_ENCODING, coding.name());
        }
        if api == Api::Anthropic && streamed {
            plan.put(header::CACHE_CONTROL, "no-cache");
        }
        plan
    }

    /// Returns an error in the provider's shape.
    pub(crate) fn error(
        api: Api,
        status: u16,
        message: &str,
        request: u64,
        behaviour: &Behaviour,
    ) -> Self {
        let body = render::error_body(api, status, message, &request_id(api, request));
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut plan = Self::fixed(code, content_type(api, Framing::Whole), body.into());
        plan.head_delay = behaviour.head_delay;
        plan.pieces = pieces(behaviour);
        if let Some(Encoding::Fixed(coding)) = behaviour.encoding {
            plan.coding = Some(coding);
            plan.length = None;
            plan.put(header::CONTENT_ENCODING, coding.name());
        }
        let waits = matches!(status, 429 | 503 | 529).then_some(RETRY_AFTER_SECONDS);
        if let Some(seconds) = behaviour.retry_after.or(waits) {
            plan.headers
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(api.provider(), Provider::Bedrock | Provider::Kiro) {
            let name = HeaderName::from_static("x-amzn-errortype");
            plan.put(name, render::exception(status));
        }
        if api == Api::Anthropic {
            let again = if matches!(status, 408 | 409 | 429 | 500..) {
                "true"
            } else {
                "false"
            };
            plan.put(HeaderName::from_static("x-should-retry"), again);
        }
        plan
    }

    /// Adds the header fields that a provider sends with everything.
    pub(crate) fn sign(mut self, api: Api, request: u64) -> Self {
        sign::sign(&mut self.headers, api, request);
        self
    }

    /// Returns the response to a request that asks for the head alone.
    pub(crate) fn without_body(mut self) -> Self {
        self.steps.clear();
        self.length = Some(0);
        self
    }

    fn put(&mut self, name: HeaderName, value: &'static str) {
        self.headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Returns the frames of an answer, and the frame of an error that may take their place.
fn bodies(
    api: Api,
    reply: &Reply,
    ask: &Ask,
    framing: Framing,
    behaviour: &Behaviour,
) -> (Vec<Bytes>, Bytes) {
    if behaviour.empty {
        return (Vec::new(), Bytes::new());
    }
    if framing == Framing::Whole {
        let mut first = Bytes::from(render::whole(api, reply, ask, behaviour));
        let second = first.split_off(first.len() / 2);
        return (vec![first, second], Bytes::new());
    }
    let mut events = render::events(api, reply, ask, behaviour);
    if behaviour.no_done {
        events.retain(|event| event.kind != Kind::Closing);
    }
    // Google ends the lines of its streams with CRLF.
    let crlf = behaviour.crlf || api == Api::Gemini;
    let after = behaviour.cut.map_or(0, |(_, after)| after);
    let error = render::error_events(api, reply, after, &request_id(api, 0));
    let error_framing = match framing {
        // An array that breaks off has no place for an error.
        Framing::JsonArray => Framing::Sse,
        other => other,
    };
    let error = render::frames(&error, error_framing, crlf).concat().into();
    (render::frames(&events, framing, crlf), error)
}

fn steps(
    frames: Vec<Bytes>,
    error: &Bytes,
    behaviour: &Behaviour,
    delay: Option<Duration>,
) -> Vec<Step> {
    let mut steps = Vec::with_capacity(frames.len());
    let cut = behaviour.cut;
    let count = frames.len();
    for (place, frame) in frames.into_iter().enumerate() {
        if cut.is_some_and(|(_, after)| after == place) {
            break;
        }
        if behaviour.stall_at.unwrap_or(1) == place {
            steps.extend(behaviour.stall.map(Step::Wait));
        }
        steps.extend(delay.map(Step::Wait));
        steps.push(Step::Bytes(frame));
    }
    if let Some((kind, after)) = cut
        && after <= count
    {
        match kind {
            Cut::Break => steps.push(Step::Break),
            Cut::Reset => steps.push(Step::Reset),
            Cut::Hang => steps.push(Step::Hang),
            Cut::Error => steps.push(Step::Bytes(error.clone())),
            Cut::End => {}
        }
    }
    steps
}

/// Returns the time before each event. A pace is for events as short as `OpenAI`'s; those of the others hold up to
/// ten times as much text.
fn delay(api: Api, framing: Framing, behaviour: &Behaviour) -> Option<Duration> {
    let weight = match (framing, api.provider()) {
        (Framing::Whole, _) => 0,
        (_, Provider::OpenAi | Provider::Ollama | Provider::Cohere) => 1,
        (_, Provider::Bedrock | Provider::Kiro) => 2,
        (_, Provider::Anthropic) => 3,
        (_, Provider::Google) => 10,
    };
    let paced = behaviour.pace.filter(|_| weight > 0);
    behaviour.delay.or_else(|| paced.map(|pace| pace * weight))
}

const fn pieces(behaviour: &Behaviour) -> Pieces {
    match behaviour.split_bytes {
        Some(bytes) => Pieces::Bytes(bytes),
        None if behaviour.split_characters => Pieces::Characters,
        None => Pieces::Whole,
    }
}

const fn content_type(api: Api, framing: Framing) -> &'static str {
    match (api.provider(), framing) {
        (Provider::OpenAi | Provider::Anthropic, Framing::Sse) => {
            "text/event-stream; charset=utf-8"
        }
        (_, Framing::Sse) => "text/event-stream",
        (_, Framing::Lines) => "application/x-ndjson",
        (_, Framing::EventStream) => "application/vnd.amazon.eventstream",
        (Provider::Google, _) => "application/json; charset=UTF-8",
        (Provider::Ollama, _) => "application/json; charset=utf-8",
        (_, _) => "application/json",
    }
}

fn field(value: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(value).ok()
}
