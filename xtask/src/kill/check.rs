//! Compares what the clients saw with what the monitor kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::clients::{CALL_HEADER, Call, sha256};
use crate::load::Api;
use crate::out;

/// A call that was answered this long, and the longest commit, before the kill is never lost.
const ANSWERED_GRACE: Duration = Duration::from_millis(50);
/// What arrived this long, and the longest commit, before the kill is never lost.
const STREAM_GRACE: Duration = Duration::from_millis(250);
/// Problems of one round that are printed; all are counted.
const PROBLEMS_SHOWN: usize = 20;

/// When the monitor died.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) killed_at: Instant,
    /// The longest commit of the run that ended then.
    pub(super) commit_max: Duration,
}

/// What was seen.
#[derive(Default)]
pub(super) struct Figures {
    /// Calls made.
    calls: usize,
    /// Calls that were answered in time and had to be whole.
    pub(super) answered: usize,
    /// Calls that were answered too late to be sure of.
    late: usize,
    /// Those of them that were whole all the same.
    late_whole: usize,
    /// Streams that were cut off and had to hold something.
    pub(super) cut: usize,
    /// Calls without an answer that had to be there.
    unanswered: usize,
    /// How long before the kill the oldest byte arrived that a cut stream does not hold.
    loss_max: Duration,
    /// The longest commit.
    commit_max: Duration,
    /// What is wrong.
    pub(super) problems: Vec<String>,
}

/// A flow that the monitor kept.
struct Kept {
    id: String,
    exchange: Value,
}

/// What must be kept of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    /// Everything.
    Whole,
    /// Nothing for sure: the answer came too late.
    Late,
    /// The request, and the beginning of the answer up to this length.
    Cut(usize),
    /// The request.
    Unanswered,
    /// Nothing: it had hardly begun.
    None,
}

/// Checks the calls of one round; ids of whole flows are added to `whole`.
pub(super) async fn round(
    api: &mut Api,
    flows: &[Value],
    calls: &[Call],
    moment: Moment,
    whole: &mut BTreeSet<String>,
) -> Result<Figures> {
    let mut figures = Figures {
        calls: calls.len(),
        commit_max: moment.commit_max,
        ..Figures::default()
    };
    let kept = by_call(api, flows, &mut figures.problems).await?;
    for call in calls {
        let duty = Duty::of(call, moment);
        figures.count(duty);
        let found = kept.get(&call.id);
        let verdict = match (found, duty) {
            (None, Duty::Late | Duty::None) => continue,
            (None, _) => Err("is not there".to_owned()),
            (Some(flow), Duty::Whole | Duty::Late) => answered(api, flow, call).await?,
            (Some(flow), Duty::Cut(bytes)) => {
                let held = cut_off(api, flow, call, bytes).await?;
                held.map(|held| figures.lost_since(call, held, moment))
            }
            (Some(flow), Duty::Unanswered) => unanswered(api, flow, call).await?,
            (Some(_), Duty::None) => continue,
        };
        match (verdict, duty) {
            (Ok(()), Duty::Whole) => whole.extend(found.map(|flow| flow.id.clone())),
            (Ok(()), Duty::Late) => figures.late_whole += 1,
            (Ok(()), _) | (Err(_), Duty::Late) => {}
            (Err(problem), _) => figures.problems.push(format!(
                "call {}, {}, {problem}",
                call.id,
                call.seen(moment.killed_at)
            )),
        }
    }
    for problem in figures.problems.iter().take(PROBLEMS_SHOWN) {
        out::line(format_args!("  {problem}"));
    }
    Ok(figures)
}

/// Returns the flows by the call that their request names.
async fn by_call(
    api: &mut Api,
    flows: &[Value],
    problems: &mut Vec<String>,
) -> Result<BTreeMap<String, Kept>> {
    let mut kept = BTreeMap::new();
    for row in flows {
        let id = row["id"].as_str().context("a flow without id")?.to_owned();
        let mut detail = api.json(&format!("/api/flows/{id}")).await?;
        let exchange = detail["exchange"].take();
        let headers = exchange["request"]["headers"].as_array();
        let header = headers
            .into_iter()
            .flatten()
            .find(|header| header["name"] == CALL_HEADER);
        let Some(call) = header.and_then(|header| header["value"].as_str()) else {
            problems.push(format!("flow {id} has no {CALL_HEADER}"));
            continue;
        };
        let call = call.to_owned();
        if let Some(other) = kept.insert(call.clone(), Kept { id, exchange }) {
            problems.push(format!("call {call} is there twice, once as {}", other.id));
        }
    }
    Ok(kept)
}

/// Checks a call that was answered.
async fn answered(api: &mut Api, flow: &Kept, call: &Call) -> Result<Result<(), String>> {
    let exchange = &flow.exchange;
    if exchange["end"] != "ended" {
        return Ok(Err(format!("ended as {}", exchange["end"])));
    }
    if let Err(problem) = request_whole(api, flow, call).await? {
        return Ok(Err(problem));
    }
    let facts = &exchange["response_body"];
    if let Err(problem) = same_hash("response", facts, &sha256(&call.response)) {
        return Ok(Err(problem));
    }
    // What was compressed on the wire is kept decoded; its hash alone is compared here.
    if !facts["coding"].is_null() {
        return Ok(Ok(()));
    }
    let stored = body(api, flow, "response").await?;
    Ok(if stored == call.response {
        Ok(())
    } else {
        Err(difference("response", &stored, &call.response))
    })
}

/// Checks a stream that was cut off, and returns how much of it is kept.
async fn cut_off(
    api: &mut Api,
    flow: &Kept,
    call: &Call,
    bytes_min: usize,
) -> Result<Result<usize, String>> {
    if let Err(problem) = unanswered(api, flow, call).await? {
        return Ok(Err(problem));
    }
    let stored = body(api, flow, "response").await?;
    let common = stored.len().min(call.response.len());
    if stored.get(..common) != call.response.get(..common) {
        return Ok(Err("holds other bytes than arrived".to_owned()));
    }
    if stored.len() < bytes_min {
        let got = stored.len();
        let message = format!("holds {got} bytes; {bytes_min} had arrived in time");
        return Ok(Err(message));
    }
    Ok(Ok(stored.len()))
}

/// Checks what is kept of a call that had no whole answer.
async fn unanswered(api: &mut Api, flow: &Kept, call: &Call) -> Result<Result<(), String>> {
    let end = &flow.exchange["end"];
    if end != "interrupted" {
        return Ok(Err(format!("ended as {end} instead of interrupted")));
    }
    request_whole(api, flow, call).await
}

async fn request_whole(api: &mut Api, flow: &Kept, call: &Call) -> Result<Result<(), String>> {
    let facts = &flow.exchange["request_body"];
    if let Err(problem) = same_hash("request", facts, &call.request_sha256) {
        return Ok(Err(problem));
    }
    let stored = body(api, flow, "request").await?;
    Ok(if stored == call.request {
        Ok(())
    } else {
        Err(difference("request", &stored, &call.request))
    })
}

/// Says where two bodies begin to differ.
fn difference(side: &str, stored: &[u8], passed: &[u8]) -> String {
    let pairs = stored.iter().zip(passed);
    let same = pairs.take_while(|(one, other)| one == other).count();
    format!(
        "holds a {side} of {} bytes instead of {}, equal up to byte {same}",
        stored.len(),
        passed.len()
    )
}

fn same_hash(side: &str, facts: &Value, expect: &str) -> Result<(), String> {
    if facts["wire_sha256"] == expect {
        Ok(())
    } else {
        let got = &facts["wire_sha256"];
        Err(format!("has the {side} hash {got} instead of {expect}"))
    }
}

async fn body(api: &mut Api, flow: &Kept, side: &str) -> Result<Vec<u8>> {
    let path = format!("/api/flows/{}/{side}/body", flow.id);
    Ok(api.bytes(&path).await?.map(Vec::from).unwrap_or_default())
}

// === impl Duty ===

impl Duty {
    fn of(call: &Call, moment: Moment) -> Self {
        let before = |at: Instant| moment.killed_at.saturating_duration_since(at);
        if let Some(at) = call.answered_at {
            return if before(at) > ANSWERED_GRACE + moment.commit_max {
                Self::Whole
            } else {
                Self::Late
            };
        }
        let in_time = |at: Instant| before(at) >= STREAM_GRACE + moment.commit_max;
        let arrived = call.arrivals.iter().rev().find(|(at, _)| in_time(*at));
        match arrived {
            Some((_, bytes)) => Self::Cut(*bytes),
            None if in_time(call.sent_at) && !call.has_head => Self::Unanswered,
            None => Self::None,
        }
    }
}

// === impl Figures ===

impl Figures {
    fn count(&mut self, duty: Duty) {
        match duty {
            Duty::Whole => self.answered += 1,
            Duty::Late => self.late += 1,
            Duty::Cut(_) => self.cut += 1,
            Duty::Unanswered => self.unanswered += 1,
            Duty::None => {}
        }
    }

    /// Notes how long before the kill the first byte arrived that is not held.
    fn lost_since(&mut self, call: &Call, held: usize, moment: Moment) {
        if let Some((at, _)) = call.arrivals.iter().find(|(_, end)| *end > held) {
            let age = moment.killed_at.saturating_duration_since(*at);
            self.loss_max = self.loss_max.max(age);
        }
    }

    /// Adds the figures of a round.
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.answered += other.answered;
        self.late += other.late;
        self.late_whole += other.late_whole;
        self.cut += other.cut;
        self.unanswered += other.unanswered;
        self.loss_max = self.loss_max.max(other.loss_max);
        self.commit_max = self.commit_max.max(other.commit_max);
        self.problems.extend(other.problems);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "{} calls; {} answered in time, {} of {} late ones whole, {} streams cut off (at most \
             {:.0} ms lost), {} unanswered; longest commit {:.1} ms; {} problems",
            self.calls,
            self.answered,
            self.late_whole,
            self.late,
            self.cut,
            millis(self.loss_max),
            self.unanswered,
            millis(self.commit_max),
            self.problems.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Checks the duty for a call that began 2 s before the kill; times are milliseconds before it.
    fn check(arrivals: &[(u64, usize)], answered: Option<u64>, expect: Duty) {
        let (start, run) = (Instant::now(), Duration::from_secs(10));
        let before = |millis| start + run.saturating_sub(Duration::from_millis(millis));
        let killed_at = before(0);
        let call = Call {
            id: String::new(),
            sent_at: before(2_000),
            request: Bytes::new(),
            request_sha256: String::new(),
            has_head: !arrivals.is_empty(),
            response: Vec::new(),
            arrivals: arrivals
                .iter()
                .map(|(millis, bytes)| (before(*millis), *bytes))
                .collect(),
            answered_at: answered.map(before),
        };
        let moment = Moment {
            killed_at,
            commit_max: Duration::from_millis(7),
        };
        assert_eq!(Duty::of(&call, moment), expect);
    }

    #[test]
    fn an_answer_counts_once_there_was_time_to_commit_it() {
        check(&[(900, 5)], Some(58), Duty::Whole);
        check(&[(900, 5)], Some(57), Duty::Late);
    }

    #[test]
    fn a_stream_holds_what_arrived_a_quarter_of_a_second_before() {
        check(&[(900, 5), (257, 8), (256, 9)], None, Duty::Cut(8));
        check(&[(256, 9)], None, Duty::None);
    }

    #[test]
    fn a_request_without_an_answer_is_kept_too() {
        check(&[], None, Duty::Unanswered);
    }

    #[test]
    fn a_hash_says_that_nothing_is_missing() {
        let digest = sha256(b"abc");
        assert!(digest.starts_with("ba7816bf") && digest.ends_with("f20015ad"));
        let facts = serde_json::json!({"wire_sha256": digest});
        assert_eq!(same_hash("request", &facts, &sha256(b"abc")), Ok(()));
        assert!(same_hash("request", &facts, &sha256(b"abd")).is_err());
        assert!(same_hash("request", &Value::Null, &sha256(b"abc")).is_err());
    }
}
