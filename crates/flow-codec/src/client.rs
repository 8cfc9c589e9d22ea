//! Which program sent a request: agent, library, versions, its own ids, and which try it is.
//!
//! What is known of programs is data: `client/recognisers.toml` says by which headers each one is told, and where
//! it puts its ids. Adding a client is an entry there and an example beside it; nothing here knows a name.
//!
//! Headers decide who it is. A body is opened only where a program that was recognised keeps an id there and no
//! header held it, and then only as far as that member.
//!
//! Everything here is said by whoever sent the request. Ids are one word of plain characters or they are none, so
//! that no e-mail address becomes one; hashes behind a version, which some programs use to tell machines apart,
//! are cut off.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | `VALUE_BYTES_MAX` | 4 KB of a header or of a body's member | it is not looked at |
//! | `ID_BYTES_MAX` | 128 bytes of an id | no id: half of one would be another |
//! | `VERSION_BYTES_MAX` | 32 bytes of a version | cut before its build, or none |
//! | `OTHER_BYTES_MAX` | 64 bytes of an unknown program's name and version | the name alone, or cut |

mod pattern;
mod table;
mod words;

use flow_model::{Client, Header, Software};

use crate::json::Document;

use self::pattern::Pattern;
use self::table::{Kind, Place, Recogniser, Source, TABLE, Table};

/// Bytes of a header's value, or of a string in a body, that are looked at.
const VALUE_BYTES_MAX: usize = 4096;
/// Tries that a client can have made; a larger number is no count.
const ATTEMPT_MAX: u64 = 1_000;

/// Reads what a request says of the program that sent it. The body is content-decoded, and may be missing.
pub fn read(headers: &[Header], body: &[u8]) -> Client {
    let sent = Sent::new(&TABLE, headers, body);
    let known = sent.recognise();
    let software = |found: &Found<'_>| Software {
        name: found.recogniser.name.clone(),
        version: words::version(found.version),
    };
    let agent = known
        .iter()
        .find(|found| found.recogniser.kind == Kind::Agent);
    let sdk = known
        .iter()
        .filter(|found| found.recogniser.kind != Kind::Agent)
        .min_by_key(|found| found.recogniser.kind);
    let mut client = Client {
        agent: agent.map(software),
        sdk: sdk.map(software),
        ..Client::default()
    };
    let ids = known
        .iter()
        .map(|found| &found.recogniser.ids)
        .chain([&TABLE.any]);
    for ids in ids {
        let fill = |slot: &mut Option<String>, sources: &[Source]| {
            if slot.is_none() {
                *slot = sources.iter().find_map(|source| sent.id(source));
            }
        };
        fill(&mut client.session, &ids.session);
        fill(&mut client.thread, &ids.thread);
        fill(&mut client.request, &ids.request);
    }
    // Codex repeats its session where the id of a request is expected.
    if client.request == client.session {
        client.request = None;
    }
    client.attempt = TABLE.attempt.iter().find_map(|count| {
        let number: u64 = sent.word(&count.source)?.parse().ok()?;
        let attempt = number.checked_add(count.add)?;
        (1..=ATTEMPT_MAX).contains(&attempt).then_some(attempt)
    });
    if client.agent.is_none() && client.sdk.is_none() {
        let agent = sent.header(TABLE.user_agent);
        client.other = agent.and_then(|agent| words::product(agent, &TABLE.engines));
    }
    client
}

/// What was sent, with the headers that the table asks for at hand.
struct Sent<'a> {
    table: &'a Table,
    /// Values by the table's numbers of headers.
    values: Vec<Option<&'a str>>,
    body: &'a [u8],
}

/// A recogniser that knows the sender.
struct Found<'a> {
    recogniser: &'a Recogniser,
    /// What was captured; may be empty.
    version: &'a str,
}

// === impl Sent ===

impl<'a> Sent<'a> {
    fn new(table: &'a Table, headers: &'a [Header], body: &'a [u8]) -> Self {
        let mut values = vec![None; table.headers.len()];
        for header in headers {
            let slot = table.slot(&header.name).and_then(|at| values.get_mut(at));
            if let Some(slot @ None) = slot
                && header.value.len() <= VALUE_BYTES_MAX
            {
                *slot = Some(header.value.trim());
            }
        }
        Self {
            table,
            values,
            body,
        }
    }

    fn header(&self, slot: usize) -> Option<&'a str> {
        self.values.get(slot).copied().flatten()
    }

    /// Returns every recogniser that knows the sender, agents first, in the table's order.
    fn recognise(&self) -> Vec<Found<'a>> {
        let clients = self.table.clients.iter();
        let mut found: Vec<_> = clients
            .filter_map(|recogniser| {
                let mut marks = recogniser.when.iter();
                let version = marks.find_map(|mark| self.version(mark))?;
                Some(Found {
                    recogniser,
                    version,
                })
            })
            .collect();
        found.sort_by_key(|found| found.recogniser.kind);
        found
    }

    /// Returns the version that a mark's patterns find, or an empty one, if all of them match.
    fn version(&self, mark: &'a [(usize, Pattern)]) -> Option<&'a str> {
        let mut version = "";
        for (slot, pattern) in mark {
            let captured = pattern.find(self.header(*slot)?)?;
            if !captured.is_empty() {
                version = captured;
            }
        }
        Some(version)
    }

    /// Returns the id that stands at a place.
    fn id(&self, source: &Source) -> Option<String> {
        self.word(source).filter(|word| words::is_id(word))
    }

    /// Returns what the source's pattern takes out of what stands at its place.
    fn word(&self, source: &Source) -> Option<String> {
        let held;
        let mut text = match &source.place {
            Place::Header(slot) => self.header(*slot)?,
            Place::Body(path) => {
                held = member(self.body, path)?;
                held.as_str()
            }
        };
        let within;
        if let Some(path) = &source.inside {
            within = member(text.as_bytes(), path)?;
            text = &within;
        }
        source.value.find(text).map(str::to_owned)
    }
}

/// Returns the string at a path of members; what stands behind it is not read. What is wrong with the document is
/// told by whoever reads all of it.
fn member(document: &[u8], path: &[String]) -> Option<String> {
    let document = Document::new(document);
    let mut json = document.root();
    for name in path {
        if !json.object() {
            return None;
        }
        while json.member()? != name.as_str() {}
    }
    let token = json.string()?;
    // Half an id would be another one.
    let whole = !token.is_cut() && token.raw().len() <= VALUE_BYTES_MAX;
    whole.then(|| token.decode(&document).into_owned())
}

#[cfg(test)]
mod tests;
