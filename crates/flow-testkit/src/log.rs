//! What the provider received and sent, one entry a request.
//!
//! An entry is there once the request's head has arrived; it gets its hashes when the body has, and its end when
//! the response ended or was given up. The newest [`ENTRIES_MAX`] entries are kept. "Sent" means handed to the
//! connection: of a response that the peer broke off, the last bytes may not have left the machine.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

use crate::coding::Coding;
use crate::digest::Tally;

/// Most entries that are kept.
pub(crate) const ENTRIES_MAX: usize = 10_000;

/// One request and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// Number of the request since the start; grows by one.
    pub id: u64,
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Protocol.
    pub version: String,
    /// Header fields; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Length of the request's body on the wire.
    pub request_bytes: u64,
    /// SHA-256 of the request's body on the wire.
    pub request_sha256: Option<String>,
    /// The conversation that answered.
    pub conversation: Option<String>,
    /// Its turn, from 0.
    pub turn: Option<usize>,
    /// Status of the answer; 0 until there is one.
    pub status: u16,
    /// Content coding of the answer.
    pub coding: Option<&'static str>,
    /// Length of the response's body on the wire.
    pub response_bytes: u64,
    /// SHA-256 of the response's body on the wire.
    pub response_sha256: Option<String>,
    /// SHA-256 of the response's body before its content coding.
    pub response_plain_sha256: Option<String>,
    /// How it ended.
    pub end: End,
}

/// How an exchange ended, seen from the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It has not ended.
    Running,
    /// The whole body was sent, with its end.
    Complete,
    /// The provider broke off, because it had been asked to.
    Cut,
    /// The peer went away.
    AbortedByPeer,
}

/// The newest entries.
pub(crate) struct Log {
    entries: Mutex<Entries>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Entries {
    next: u64,
    kept: VecDeque<Exchange>,
}

/// Writes one entry; dropped before its end, it says that the peer went away.
pub(crate) struct Record {
    log: Arc<Log>,
    id: u64,
    sent: Tally,
    plain: Tally,
    ended: bool,
}

// === impl Log ===

impl Log {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            entries: Mutex::default(),
            changed: watch::Sender::new(()),
        })
    }

    /// Returns the entries from number `since` on.
    pub(crate) fn since(&self, since: u64) -> Vec<Exchange> {
        let entries = self.entries.lock();
        let kept = entries.kept.iter();
        kept.filter(|entry| entry.id >= since).cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.entries.lock().kept.clear();
    }

    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn begin<B>(self: &Arc<Self>, request: &http::Request<B>) -> Record {
        let headers = request.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let target = request.uri().path_and_query();
        let mut entries = self.entries.lock();
        let id = entries.next;
        entries.next += 1;
        entries.kept.push_back(Exchange {
            id,
            method: request.method().to_string(),
            target: target.map(ToString::to_string).unwrap_or_default(),
            version: format!("{:?}", request.version()),
            headers: headers.collect(),
            request_bytes: 0,
            request_sha256: None,
            conversation: None,
            turn: None,
            status: 0,
            coding: None,
            response_bytes: 0,
            response_sha256: None,
            response_plain_sha256: None,
            end: End::Running,
        });
        if entries.kept.len() > ENTRIES_MAX {
            entries.kept.pop_front();
        }
        drop(entries);
        self.changed.send_replace(());
        Record {
            log: Arc::clone(self),
            id,
            sent: Tally::default(),
            plain: Tally::default(),
            ended: false,
        }
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Exchange)) {
        let mut entries = self.entries.lock();
        // The entry may have been pushed out or cleared.
        if let Some(entry) = entries.kept.iter_mut().rev().find(|entry| entry.id == id) {
            change(entry);
        }
        drop(entries);
        self.changed.send_replace(());
    }
}

// === impl Record ===

impl Record {
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn received(&self, body: &Tally) {
        self.log.change(self.id, |entry| {
            entry.request_bytes = body.bytes();
            entry.request_sha256 = Some(body.hex());
        });
    }

    pub(crate) fn chosen(&self, conversation: &str, turn: usize) {
        self.log.change(self.id, |entry| {
            entry.conversation = Some(conversation.to_owned());
            entry.turn = Some(turn);
        });
    }

    pub(crate) fn answered(&self, status: u16, coding: Option<Coding>) {
        self.log.change(self.id, |entry| {
            entry.status = status;
            entry.coding = coding.map(Coding::name);
        });
    }

    pub(crate) fn plain(&mut self, bytes: &[u8]) {
        self.plain.add(bytes);
    }

    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        self.sent.add(bytes);
    }

    /// Writes the end; later calls change nothing.
    pub(crate) fn end(&mut self, end: End) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let (sent, plain) = (&self.sent, &self.plain);
        self.log.change(self.id, |entry| {
            entry.response_bytes = sent.bytes();
            entry.response_sha256 = Some(sent.hex());
            entry.response_plain_sha256 = Some(plain.hex());
            entry.end = end;
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.end(End::AbortedByPeer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;

    #[test]
    fn an_entry_that_is_given_up_says_so() {
        let log = Log::new();
        let request = http::Request::get("/v1/models?limit=1").body(()).unwrap();
        let mut record = log.begin(&request);
        assert_eq!(log.since(0)[0].end, End::Running);
        record.sent(b"abc");
        drop(record);
        let entry = &log.since(0)[0];
        assert_eq!(entry.target, "/v1/models?limit=1");
        assert_eq!(entry.end, End::AbortedByPeer);
        assert_eq!(entry.response_bytes, 3);
        assert_eq!(entry.response_sha256, Some(sha256(b"abc")));
    }

    #[test]
    fn the_first_end_counts() {
        let log = Log::new();
        let mut record = log.begin(&http::Request::new(()));
        record.end(End::Complete);
        record.end(End::Cut);
        drop(record);
        assert_eq!(log.since(0)[0].end, End::Complete);
    }

    #[test]
    fn the_oldest_entries_go() {
        let log = Log::new();
        for _ in 0..=ENTRIES_MAX {
            drop(log.begin(&http::Request::new(())));
        }
        let kept = log.since(0);
        assert_eq!(kept.len(), ENTRIES_MAX);
        assert_eq!(kept[0].id, 1);
        assert_eq!(log.since(ENTRIES_MAX as u64).len(), 1);
    }
}
