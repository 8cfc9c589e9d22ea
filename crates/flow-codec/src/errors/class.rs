//! What kind of error it is, whose doing, and whether to try again.
//!
//! The wire's own words come first, because a status means several things: 429 is a rate limit or an empty
//! account, 400 a wrong request or a prompt that is too long, 404 a wrong path or an unknown model. Words that
//! are told apart from nothing, such as `invalid_request_error`, count only where there is no status. A message
//! counts where no word tells, and where the word is one that covers several things.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`super::MESSAGE_BYTES_MAX`] | 8 KiB of a message are searched for phrases | the rest is not |
//! | [`WORD_CHARS_MAX`] | 64 letters and digits of a word are looked up | no known word is as long |

mod words;

use std::borrow::Cow;

use flow_model::{Dialect, ErrorClass, ErrorReading, Fault};

use self::words::{COMPLAINTS, MODEL_MISSING, NUMBERS, PHRASES, WORDS};
use super::start;

/// Letters and digits of a word that are looked up.
const WORD_CHARS_MAX: usize = 64;

/// What is said of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) class: ErrorClass,
    pub(super) fault: Fault,
    pub(super) retryable: bool,
}

/// What is known of an error beside its reading.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints<'a> {
    /// The reasons and quotas that are named beside type and code.
    pub(super) reasons: Vec<&'a str>,
    /// What the provider behind a gateway said.
    pub(super) upstream: Option<Cow<'a, str>>,
}

/// Returns what is said of an error, from its status, type, code and message, and from what else is known.
pub(super) fn classify(dialect: Dialect, error: &ErrorReading, hints: &Hints<'_>) -> Verdict {
    let words = || {
        let told = [error.code.as_deref(), error.kind.as_deref()];
        let reasons = hints.reasons.iter().copied();
        reasons.chain(told.into_iter().flatten())
    };
    let numbers = words().filter_map(|word| word.parse::<u16>().ok());
    let mut statuses = error.status.into_iter().chain(numbers);
    let status = statuses.find(|status| (400..600).contains(status));
    let telling = by_number(error).or_else(|| {
        let mut meant = words().filter_map(by_word);
        meant.find(|class| is_telling(*class))
    });
    // A daily quota does not come back by waiting a moment, though it is told as a rate limit.
    let daily = hints.reasons.iter().any(|reason| reason.contains("PerDay"));
    let class = if daily {
        ErrorClass::Quota
    } else {
        let phrase = by_phrases(error, hints);
        weigh(telling, phrase, error).unwrap_or_else(|| {
            if is_unknown_model(dialect, error) {
                return ErrorClass::ModelUnavailable;
            }
            let vague = || words().find_map(by_word).unwrap_or(ErrorClass::ServerError);
            status.map_or_else(vague, by_status)
        })
    };
    verdict(class, status)
}

/// Returns whether a class says more than a status does.
fn is_telling(class: ErrorClass) -> bool {
    !matches!(class, ErrorClass::ServerError | ErrorClass::BadRequest)
}

/// Chooses between what a word and what a phrase means.
fn weigh(
    word: Option<ErrorClass>,
    phrase: Option<ErrorClass>,
    error: &ErrorReading,
) -> Option<ErrorClass> {
    use ErrorClass::{
        Authentication, ContentFilter, ContextTooLong, ModelUnavailable, Overloaded, Quota,
        RateLimit,
    };
    match (word, phrase) {
        (Some(RateLimit), Some(Quota)) if is_momentary(error) => Some(RateLimit),
        // These words cover several things, which only the message tells apart: an empty account, a request
        // larger than the limit, a full model; a filter, a model that is not for this account.
        (Some(RateLimit), Some(Quota | ContextTooLong | Overloaded))
        | (Some(Authentication), Some(Quota | ContentFilter | ModelUnavailable)) => phrase,
        _ => word.or(phrase),
    }
}

/// Returns whether it is one of Google's limits for a moment, which speak of a quota as well.
fn is_momentary(error: &ErrorReading) -> bool {
    let kind = error.kind.as_deref();
    let exhausted = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("RESOURCE_EXHAUSTED"));
    let message = error.message.as_deref().unwrap_or_default();
    exhausted && lower(message).contains("exceeded your current quota")
}

fn verdict(class: ErrorClass, status: Option<u16>) -> Verdict {
    let (fault, retryable) = match class {
        ErrorClass::Network
        | ErrorClass::Timeout
        | ErrorClass::Overloaded
        | ErrorClass::ServerError => (Fault::Upstream, true),
        ErrorClass::RateLimit => (Fault::Client, true),
        // A conflict is one with another call, which is over a moment later.
        ErrorClass::BadRequest => (Fault::Client, status == Some(409)),
        ErrorClass::Authentication
        | ErrorClass::Quota
        | ErrorClass::ContentFilter
        | ErrorClass::ContextTooLong
        | ErrorClass::ModelUnavailable => (Fault::Client, false),
    };
    Verdict {
        class,
        fault,
        retryable,
    }
}

fn by_word(word: &str) -> Option<ErrorClass> {
    let plain = plain(word);
    let is_complaint = COMPLAINTS.iter().any(|start| plain.starts_with(start));
    known(&plain)
        // Alibaba's words have a finer one behind a dot.
        .or_else(|| known(&self::plain(word.split_once('.')?.0)))
        .or_else(|| is_complaint.then_some(ErrorClass::BadRequest))
}

fn known(plain: &str) -> Option<ErrorClass> {
    let found = WORDS.iter().find(|(_, words)| words.contains(&plain));
    found.map(|(class, _)| *class)
}

/// Returns a word in the form of the table of words.
fn plain(word: &str) -> String {
    let mut plain: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(WORD_CHARS_MAX)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let ends = ["exception", "error"];
    if let Some(rest) = ends.iter().find_map(|end| plain.strip_suffix(end)) {
        plain.truncate(rest.len());
    }
    plain
}

fn by_number(error: &ErrorReading) -> Option<ErrorClass> {
    let code = error.code.as_ref().filter(|_| error.kind.is_none())?;
    let code: u16 = code.parse().ok()?;
    let found = NUMBERS
        .iter()
        .find(|(_, ranges)| ranges.iter().any(|range| range.contains(&code)));
    found.map(|(class, _)| *class)
}

fn by_phrases(error: &ErrorReading, hints: &Hints<'_>) -> Option<ErrorClass> {
    let told = [error.message.as_deref(), hints.upstream.as_deref()];
    told.into_iter().flatten().find_map(by_phrase)
}

fn by_phrase(message: &str) -> Option<ErrorClass> {
    let message = lower(message);
    let found = PHRASES
        .iter()
        .find(|(_, phrases)| phrases.iter().any(|phrase| message.contains(phrase)));
    found.map(|(class, _)| *class)
}

/// Returns the start of a message in lower case.
fn lower(message: &str) -> String {
    let message = start(message).to_ascii_lowercase();
    message.replace('\u{2019}', "'")
}

/// Returns whether something was not found, and that something is a model.
fn is_unknown_model(dialect: Dialect, error: &ErrorReading) -> bool {
    let message = lower(error.message.as_deref().unwrap_or_default());
    let kind = error.kind.as_deref().map(plain);
    let kind = kind.as_deref();
    let missing =
        error.status == Some(404) || matches!(kind, Some("notfound" | "resourcenotfound"));
    let named = message.strip_prefix("model ");
    let refused = matches!(error.status, Some(400 | 422) | None)
        && named.is_some_and(|rest| MODEL_MISSING.iter().any(|words| rest.contains(words)));
    // Models are the only resources that these paths name.
    let is_aws = matches!(
        dialect,
        Dialect::BedrockConverse
            | Dialect::BedrockInvoke
            | Dialect::BedrockCountTokens
            | Dialect::Kiro
    );
    let resource = is_aws && matches!(kind, None | Some("resourcenotfound"));
    refused || (missing && (resource || message.contains("model")))
}

/// Returns what a status means where nothing else tells; those past 500 are Cloudflare's and nginx'.
fn by_status(status: u16) -> ErrorClass {
    match status {
        401 | 403 | 407 => ErrorClass::Authentication,
        402 => ErrorClass::Quota,
        408 | 504 | 522 | 524 | 598 | 599 => ErrorClass::Timeout,
        // Bedrock's model failed.
        424 => ErrorClass::ServerError,
        429 => ErrorClass::RateLimit,
        // 498 is Groq's.
        498 | 503 | 529 => ErrorClass::Overloaded,
        521 | 523 | 525 | 526 | 530 => ErrorClass::Network,
        500.. => ErrorClass::ServerError,
        _ => ErrorClass::BadRequest,
    }
}
