//! What is sent for a request, step by step: the answer's bytes with the behaviours applied.
//!
//! Pure: the same ask and behaviour give the same plan. [`crate::delivery`] carries it out.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::ask::{Api, Ask, Framing};
use crate::behaviour::{Behaviour, Cut, Encoding};
use crate::coding::Coding;
use crate::digest::Ids;
use crate::render;
use crate::reply::Reply;

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
        let content_type = match api {
            Api::Gemini => "application/json; charset=UTF-8",
            Api::OpenAi | Api::Anthropic => "application/json",
        };
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut plan = Self::fixed(code, content_type, body.into());
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
        let ids = Ids::new("provider");
        let id = request_id(api, request);
        match api {
            Api::OpenAi => {
                self.text("x-request-id", &id);
                self.text("openai-organization", "example-org");
                self.text("openai-processing-ms", &(180 + request % 700).to_string());
                self.text("openai-version", "2020-10-01");
                self.text("x-ratelimit-limit-requests", "5000");
                self.text("x-ratelimit-limit-tokens", "800000");
                self.text(
                    "x-ratelimit-remaining-requests",
                    &(4999 - request % 40).to_string(),
                );
                self.text(
                    "x-ratelimit-remaining-tokens",
                    &(799_000 - request % 997 * 31).to_string(),
                );
                self.text("x-ratelimit-reset-requests", "12ms");
                self.text("x-ratelimit-reset-tokens", "74ms");
                self.text("x-content-type-options", "nosniff");
                self.text("cf-cache-status", "DYNAMIC");
                self.text("cf-ray", &format!("{}-FRA", ids.hex(&id, 16)));
                self.text("server", "cloudflare");
            }
            Api::Anthropic => {
                self.text("request-id", &id);
                self.text(
                    "anthropic-organization-id",
                    "00000000-0000-4000-8000-000000000000",
                );
                self.text("anthropic-ratelimit-requests-limit", "4000");
                self.text(
                    "anthropic-ratelimit-requests-remaining",
                    &(3999 - request % 40).to_string(),
                );
                self.text("anthropic-ratelimit-input-tokens-limit", "2000000");
                self.text(
                    "anthropic-ratelimit-input-tokens-remaining",
                    &(1_999_000 - request % 97 * 1000).to_string(),
                );
                self.text("anthropic-ratelimit-output-tokens-limit", "400000");
                self.text(
                    "anthropic-ratelimit-output-tokens-remaining",
                    &(399_000 - request % 97 * 1000).to_string(),
                );
                self.text("cf-cache-status", "DYNAMIC");
                self.text("cf-ray", &format!("{}-FRA", ids.hex(&id, 16)));
                self.text("server", "cloudflare");
            }
            Api::Gemini => {
                self.text("server", "scaffolding on HTTPServer2");
                self.text(
                    "server-timing",
                    &format!("gfet4t7; dur={}", 240 + request % 900),
                );
                self.text("x-content-type-options", "nosniff");
                self.text("x-frame-options", "SAMEORIGIN");
                self.text("x-xss-protection", "0");
                for field in ["Origin", "X-Origin", "Referer"] {
                    self.headers
                        .append(header::VARY, HeaderValue::from_static(field));
                }
            }
        }
        self
    }

    fn text(&mut self, name: &'static str, value: &str) {
        if let Some(value) = field(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    fn put(&mut self, name: HeaderName, value: &'static str) {
        self.headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Returns the id that a provider gives to a request.
pub(crate) fn request_id(api: Api, request: u64) -> String {
    let ids = Ids::new("request");
    let label = request.to_string();
    match api {
        Api::OpenAi => format!("req_{}", ids.hex(&label, 32)),
        Api::Anthropic | Api::Gemini => format!("req_011C{}", ids.letters(&label, 20)),
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
        let mut first = Bytes::from(render::whole(api, reply, behaviour));
        let second = first.split_off(first.len() / 2);
        return (vec![first, second], Bytes::new());
    }
    let mut events = render::events(api, reply, ask, behaviour);
    if behaviour.no_done {
        events.retain(|event| !event.closing);
    }
    // Google ends the lines of its streams with CRLF.
    let crlf = behaviour.crlf || api == Api::Gemini;
    let error = [render::error_event(api, &request_id(api, 0))];
    let error = render::frames(&error, Framing::Sse, crlf).concat().into();
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

/// Returns the time before each event. A pace is for events as short as `OpenAI`'s; those of the others hold three
/// and ten times as much text.
fn delay(api: Api, framing: Framing, behaviour: &Behaviour) -> Option<Duration> {
    let weight = match (framing, api) {
        (Framing::Whole, _) => 0,
        (_, Api::OpenAi) => 1,
        (_, Api::Anthropic) => 3,
        (_, Api::Gemini) => 10,
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
    match (api, framing) {
        (Api::OpenAi | Api::Anthropic, Framing::Sse) => "text/event-stream; charset=utf-8",
        (Api::Gemini, Framing::Sse) => "text/event-stream",
        (Api::Gemini, _) => "application/json; charset=UTF-8",
        (_, _) => "application/json",
    }
}

fn field(value: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(value).ok()
}
