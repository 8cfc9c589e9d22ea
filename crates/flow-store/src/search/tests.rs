//! Searches over a whole store: recorded, indexed, sealed, hurt.

mod damage;
mod property;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flow_codec::read;
use flow_model::{Exchange, Reading};
use flow_query::{Checked, Test, Texts};
use rusqlite::params;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::blobs::{Chains, Conversations};
use crate::dictionary::Compression;
use crate::format::Codec;
use crate::queue::Limits;
use crate::select::{TextTest, select};
use crate::testing::{FAST, begun, ended, id, options, row, small, wait_sealed};
use crate::{Store, Write};

const WAIT: Duration = Duration::from_secs(20);

/// A store and what was recorded in it.
struct Made {
    store: Store,
    dir: Option<TempDir>,
    conversations: Conversations,
    chains: Chains,
    segment: u32,
    readings: Vec<(Exchange, Reading)>,
}

/// One request and its answer. What is `None` is left out.
#[derive(Clone, Debug, Default)]
struct Turn {
    system: Option<Value>,
    messages: Vec<Value>,
    answer: Vec<Value>,
}

impl Made {
    fn new(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_with(options(Some(dir.path())), limits).unwrap();
        Self::of(store, Some(dir))
    }

    fn in_memory() -> Self {
        Self::of(Store::open_with(options(None), FAST).unwrap(), None)
    }

    fn of(store: Store, dir: Option<TempDir>) -> Self {
        Self {
            store,
            dir,
            conversations: Conversations::new([7; 32], Compression::On),
            chains: Chains::default(),
            segment: 0,
            readings: Vec::new(),
        }
    }

    fn dir(&self) -> &Path {
        self.dir.as_ref().unwrap().path()
    }

    fn file(&self, segment: u32) -> PathBuf {
        self.dir().join(format!("segments/{segment:06}.fts"))
    }

    /// Closes the store, changes something beside it, and opens it again.
    fn reopen(&mut self, limits: Limits, change: impl FnOnce(&Self)) {
        self.store.close();
        change(self);
        self.store = Store::open_with(options(Some(self.dir())), limits).unwrap();
    }

    /// Writes the request of a flow. Its conversation's chains are shared where `conversation` says which it is.
    fn ask(&mut self, conversation: Option<u64>, turn: &Turn) -> u64 {
        let number = self.readings.len() as u64 + 1;
        let mut exchange = begun(number);
        exchange.route.url = Some("https://api.anthropic.com/v1/messages".to_owned());
        // What is shorter is not split, and what repeats less than half of the body before it shares nothing.
        let tool = json!({"name": "t", "description": "pad ".repeat(2000), "input_schema": {}});
        let mut body = json!({"model": "m", "messages": turn.messages, "tools": [tool]});
        if let Some(system) = &turn.system {
            body["system"] = system.clone();
        }
        let body = Bytes::from(body.to_string());
        let chained = conversation
            .and_then(|conversation| self.conversations.prepare(conversation, body.clone()));
        let exchange = Arc::new(exchange);
        self.store.announce(Arc::clone(&exchange), row(&exchange));
        self.store.write(Write::Request {
            exchange: Arc::clone(&exchange),
            body: if chained.is_some() {
                Bytes::new()
            } else {
                body.clone()
            },
            chunks: Vec::new(),
        });
        assert!(self.store.flush());
        if let Some(prepared) = chained {
            self.chain(number, &prepared);
        }
        let mut whole = ended(number);
        whole.route.clone_from(&exchange.route);
        let answer = answer(turn);
        self.readings
            .push((whole.clone(), read(&whole, &body, answer.as_bytes(), &[])));
        number
    }

    /// Puts a plan in the place of a body, as the writer will.
    fn chain(&mut self, number: u64, prepared: &crate::blobs::Prepared) {
        let registry = self.store.registry();
        let segment = registry.find(id(number)).unwrap().unwrap();
        if self.segment != segment.number {
            self.chains.forget_all();
            self.segment = segment.number;
        }
        let chains = &mut self.chains;
        let store = |connection: &Connection| {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let n = crate::registry::find(connection, id(number))?.unwrap();
            let plan = chains.store(connection, n, prepared)?;
            let sql = "UPDATE requests SET codec = ?2, length = ?3, body = ?4 WHERE n = ?1";
            let length = i64::try_from(prepared.length()).unwrap();
            connection.execute(sql, params![n, Codec::Chained.code(), length, plan])?;
            connection.execute_batch("COMMIT")?;
            chains.committed();
            Ok(())
        };
        registry.write(&segment, store).unwrap();
    }

    fn end(&self, number: u64, turn: &Turn) {
        let (exchange, _) = &self.readings[usize::try_from(number).unwrap() - 1];
        self.store.write(Write::Outcome {
            exchange: Arc::new(exchange.clone()),
            response: Bytes::from(answer(turn)),
            chunks: Vec::new(),
            row: Some(row(exchange)),
        });
        assert!(self.store.flush());
    }

    fn record(&mut self, conversation: Option<u64>, turn: &Turn) -> u64 {
        let number = self.ask(conversation, turn);
        self.end(number, turn);
        number
    }

    fn settle(&self) {
        assert!(
            self.store.settle_index(WAIT),
            "{:?}",
            self.store.health().text_problem
        );
        assert_eq!(self.store.health().text_lag_flows, 0);
    }

    /// Returns the flows that hold a text, by their numbers.
    fn select(&self, needle: &str, scope: Scope) -> BTreeSet<u64> {
        let needle = Needle::new(needle).unwrap();
        let test = TextTest {
            needle: &needle,
            scope,
        };
        let mut flows = BTreeSet::new();
        for segment in self.store.registry().all().iter() {
            let found = select(self.store.index(), segment, test, &|_| true, wide()).unwrap();
            assert!(!found.partial);
            for n in found.numbers {
                let id = segment.read(|connection| super::id(connection, n)).unwrap();
                flows.extend(id.and_then(|id| self.number(id)));
            }
        }
        flows
    }

    fn number(&self, of: FlowId) -> Option<u64> {
        (1..=self.readings.len() as u64).find(|number| id(*number) == of)
    }

    /// Returns what one look at every flow says.
    fn expect(&self, needle: &str, scope: Scope) -> BTreeSet<u64> {
        let checked = Checked::Test(Test::Text(scope, needle.to_owned()));
        let holds = |(exchange, reading): &(Exchange, Reading)| {
            checked.matches(&row(exchange), &Texts::of(reading))
        };
        let numbers = (1..).zip(&self.readings);
        numbers
            .filter(|(_, flow)| holds(flow))
            .map(|(number, _)| number)
            .collect()
    }

    fn check(&self, needle: &str, scope: Scope, expect: &[u64]) {
        let expect: BTreeSet<u64> = expect.iter().copied().collect();
        assert_eq!(self.expect(needle, scope), expect, "{needle:?} itself");
        assert_eq!(
            self.select(needle, scope),
            expect,
            "{needle:?} in {scope:?}"
        );
    }

    /// Returns all hits, fetched in pages: flow, text found, flows that carry it.
    fn search(&self, needle: &str, scope: Scope, limit: usize) -> Vec<(u64, String, u64)> {
        let mut query = SearchQuery {
            needle: needle.to_owned(),
            scope,
            cursor: None,
            limit,
            budget: wide(),
        };
        let mut hits = Vec::new();
        loop {
            let page = self.store.search(&query).unwrap();
            assert!(page.hits.len() <= limit && !page.partial);
            hits.extend(page.hits.into_iter().map(|hit| {
                let Snippet { text, hit: at, .. } = hit.snippet;
                let found = text.chars().skip(at.start).take(at.len()).collect();
                (self.number(hit.id).unwrap(), found, hit.carried)
            }));
            query.cursor = page.next;
            if query.cursor.is_none() {
                return hits;
            }
        }
    }
}

fn wide() -> Budget {
    Budget {
        checks_max: usize::MAX,
        deadline: Instant::now() + WAIT,
    }
}

fn answer(turn: &Turn) -> String {
    let content = Value::from(turn.answer.clone());
    format!(
        r#"{{"id":"msg","type":"message","role":"assistant","model":"m","content":{content},"stop_reason":"end_turn"}}"#
    )
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn said(role: &str, parts: &[Value]) -> Value {
    json!({"role": role, "content": parts})
}

/// A conversation that begins with this; each turn goes on where the one before ended.
fn turns(first: &Turn, more: &[(&str, &str)]) -> Vec<Turn> {
    let mut turns = vec![first.clone()];
    for (user, reply) in more {
        let mut turn = turns.last().unwrap().clone();
        turn.messages.push(said("assistant", &turn.answer));
        turn.messages.push(said("user", &[text(user)]));
        turn.answer = vec![text(reply)];
        turns.push(turn);
    }
    turns
}

fn first_turn() -> Turn {
    Turn {
        system: Some(json!([text(&format!(
            "You are a careful gardener of forests. {}",
            "Speak little. ".repeat(10)
        ))])),
        messages: vec![said(
            "user",
            &[text("请检查数据库的连接 parse_config_file please")],
        )],
        answer: vec![
            json!({"type": "thinking", "thinking": "A pondering mind", "signature": ""}),
            text("Quick\n  brown foxes jump over the fence and never come back to the yard"),
            json!({"type": "tool_use", "id": "toolu_1", "name": "Read",
                "input": {"path": "src/wombat.rs"}}),
        ],
    }
}

/// Four turns of one conversation, and a branch from the second.
fn conversation(made: &mut Made) {
    let mut all = turns(
        &first_turn(),
        &[
            (
                "second question of the session, about otters and their long tails",
                "river",
            ),
            (
                "third question of the session, about beavers and their wide tails",
                "dam",
            ),
        ],
    );
    let mut branch = all[1].clone();
    branch.messages.pop();
    branch.messages.push(said(
        "user",
        &[json!({"type": "tool_result", "tool_use_id": "toolu_1",
            "content": "the listing of a marsupial's burrow, line by line, as it was printed"})],
    ));
    branch.answer = vec![text("a hole in the ground")];
    all.push(branch);
    for turn in &all {
        made.record(Some(1), turn);
    }
}

fn check_conversation(made: &Made) {
    made.check("数据", Scope::Content, &[1, 2, 3, 4]);
    made.check("据库的", Scope::Request, &[1, 2, 3, 4]);
    made.check("arse_conf", Scope::Content, &[1, 2, 3, 4]);
    made.check("quick BROWN", Scope::Content, &[1, 2, 3, 4]);
    made.check("quick brown", Scope::Response, &[1]);
    made.check("quick brown", Scope::Request, &[2, 3, 4]);
    made.check("pondering", Scope::Thinking, &[1, 2, 3, 4]);
    made.check("wombat", Scope::ToolText, &[1, 2, 3, 4]);
    made.check("gardener", Scope::System, &[1, 2, 3, 4]);
    made.check("gardener", Scope::ToolText, &[]);
    made.check("otters", Scope::Content, &[2, 3]);
    made.check("beavers", Scope::Content, &[3]);
    made.check("marsupial's", Scope::ToolText, &[4]);
    made.check("river", Scope::Content, &[2, 3]);
    made.check("?", Scope::Content, &[]);
    // The third turn and the branch did not bring it.
    assert_eq!(made.select("otters", Scope::New), BTreeSet::from([2]));
}

#[test]
fn what_was_just_recorded_is_found_at_once_and_stays_found() {
    let mut made = Made::new(small(4));
    conversation(&mut made);
    check_conversation(&made);
    made.settle();
    check_conversation(&made);
    let mut other = first_turn();
    other.messages = vec![said(
        "user",
        &[text("an ordinary question in a segment of its own")],
    )];
    made.record(Some(2), &other);
    wait_sealed(&made.store);
    made.settle();
    let found = TextReader::open(&made.file(1)).unwrap().progress().unwrap();
    assert!(found.finished && found.is_done(4));
    check_conversation_and(&made, 5);
    // After a restart all comes from the files.
    made.reopen(small(4), |_| ());
    check_conversation_and(&made, 5);
}

/// The same, beside a flow with the same beginning.
fn check_conversation_and(made: &Made, other: u64) {
    made.check("gardener", Scope::System, &[1, 2, 3, 4, other]);
    made.check("otters", Scope::Content, &[2, 3]);
    made.check("marsupial's", Scope::ToolText, &[4]);
    made.check("数据", Scope::Content, &[1, 2, 3, 4]);
    made.check("ordinary", Scope::Content, &[other]);
}

#[test]
fn what_stands_beside_the_elements_is_not_theirs() {
    let mut made = Made::new(small(100));
    let again = || said("user", &[text("again")]);
    let long = "a long answer that has a node together with the short question before it";
    let mut turn = Turn {
        system: Some(json!("short zebra prompt")),
        messages: vec![again(), said("assistant", &[text(long)]), again()],
        answer: vec![text("first")],
    };
    made.record(Some(1), &turn);
    // The next request has the node, but neither the prompt nor the question that was too short for one.
    turn.system = Some(json!("short heron prompt"));
    turn.messages.pop();
    turn.messages.push(said("user", &[text("other")]));
    made.record(Some(1), &turn);
    for _ in 0..2 {
        made.check("zebra", Scope::Content, &[1]);
        made.check("heron", Scope::System, &[2]);
        made.check("a long answer", Scope::Request, &[1, 2]);
        made.check("again", Scope::Request, &[1, 2]);
        assert_eq!(
            made.select("a long answer", Scope::New),
            BTreeSet::from([1])
        );
        made.settle();
    }
}

#[test]
fn without_a_directory_flows_are_read_themselves() {
    let mut made = Made::in_memory();
    conversation(&mut made);
    check_conversation(&made);
    assert!(!made.store.settle_index(WAIT));
    let hits = made.search("otters", Scope::Content, 10);
    assert_eq!(hits, [(2, "otters".to_owned(), 0)]);
}

#[test]
fn a_search_tells_who_brought_it_and_how_many_carry_it() {
    let mut made = Made::new(small(100));
    conversation(&mut made);
    made.settle();
    let hits = made.search("数据", Scope::Content, 10);
    assert_eq!(hits, [(1, "数据".to_owned(), 3)]);
    let hits = made.search("quick brown", Scope::Content, 1);
    let found = "Quick\n  brown".to_owned();
    // The answer, and its echo in the next request, which two more repeat.
    assert_eq!(hits, [(2, found.clone(), 2), (1, found, 0)]);
    assert_eq!(made.search("otters", Scope::System, 10), []);
}

#[test]
fn pages_lead_through_all_segments_once() {
    let mut made = Made::new(small(3));
    let mut turn = first_turn();
    for number in 1..=10 {
        turn.messages = vec![said("user", &[text(&format!("needle number {number}"))])];
        made.record(None, &turn);
    }
    for settled in [false, true] {
        if settled {
            wait_sealed(&made.store);
            made.settle();
        }
        for limit in [1, 2, 3, 20] {
            let hits = made.search("needle number", Scope::Content, limit);
            let mut numbers: Vec<u64> = hits.iter().map(|(number, ..)| *number).collect();
            if !settled {
                // What was read itself may have been indexed before the next page.
                numbers.sort_unstable_by(|one, other| other.cmp(one));
                numbers.dedup();
            }
            let expect: Vec<u64> = (1..=10).rev().collect();
            assert_eq!(numbers, expect);
        }
    }
    let query = |needle: &str, cursor: Option<&str>| SearchQuery {
        needle: needle.to_owned(),
        scope: Scope::Content,
        cursor: cursor.map(str::to_owned),
        limit: 10,
        budget: wide(),
    };
    let refused = made.store.search(&query("needle", Some("1.x")));
    assert!(matches!(refused, Err(SearchError::BadCursor)));
    let refused = made.store.search(&query(" \n", None));
    assert!(matches!(refused, Err(SearchError::NoNeedle)));
}

#[test]
fn a_spent_budget_is_told_and_gone_on_from() {
    let mut made = Made::new(small(100));
    let mut turn = first_turn();
    for number in 1..=5 {
        turn.messages = vec![said("user", &[text(&format!("needle number {number}"))])];
        made.record(None, &turn);
    }
    for settled in [false, true] {
        if settled {
            made.settle();
        }
        let mut query = SearchQuery {
            needle: "needle".to_owned(),
            scope: Scope::Content,
            cursor: None,
            limit: 10,
            budget: Budget {
                checks_max: 1,
                deadline: Instant::now() + WAIT,
            },
        };
        let mut found = BTreeSet::new();
        let (mut pages, mut partial) = (0, false);
        while pages == 0 || query.cursor.is_some() {
            let page = made.store.search(&query).unwrap();
            found.extend(page.hits.iter().map(|hit| hit.id));
            query.cursor = page.next;
            partial |= page.partial;
            pages += 1;
        }
        assert!(found.len() == 5 && pages >= 5 && partial, "{pages} pages");
        let needle = Needle::new("needle").unwrap();
        let test = TextTest {
            needle: &needle,
            scope: Scope::Content,
        };
        let segment = made.store.registry().live().unwrap();
        let spent = Budget {
            checks_max: 1,
            deadline: Instant::now() + WAIT,
        };
        let selected = select(made.store.index(), &segment, test, &|_| true, spent).unwrap();
        assert!(selected.partial && selected.numbers.len() < 5);
        // Only what is shown is found, with what stands there.
        let shows = |n| n == 3;
        let selected = select(made.store.index(), &segment, test, &shows, wide()).unwrap();
        let shown = selected.hits.iter().map(|hit| hit.snippet.text.as_str());
        assert!(shown.eq(["needle number 3"]) && selected.numbers == BTreeSet::from([3]));
    }
}

#[test]
fn a_long_stream_holds_up_nobody_and_others_carry_what_it_brought() {
    let mut made = Made::new(small(100));
    let all = turns(
        &first_turn(),
        &[(
            "second question, asked while the first answer still streams along",
            "done",
        )],
    );
    let running = made.ask(Some(1), &all[0]);
    made.record(Some(1), &all[1]);
    made.settle();
    // What runs is not searched; what it brought is, in what repeats it.
    assert_eq!(made.select("数据", Scope::Content), BTreeSet::from([2]));
    assert_eq!(
        made.select("second question", Scope::Content),
        BTreeSet::from([2])
    );
    made.end(running, &all[0]);
    for _ in 0..2 {
        made.check("数据", Scope::Content, &[1, 2]);
        made.check("pondering", Scope::Response, &[1]);
        made.check("pondering", Scope::Thinking, &[1, 2]);
        made.settle();
    }
}

#[test]
fn texts_of_a_deleted_flow_leave_the_index() {
    let mut made = Made::new(small(100));
    let mut turn = first_turn();
    for number in 1..=3 {
        turn.messages = vec![said("user", &[text(&format!("needle number {number}"))])];
        made.record(None, &turn);
    }
    made.settle();
    let key = || {
        let reader = TextReader::open(&made.file(1)).unwrap();
        reader.heads(&[], 0).unwrap().key
    };
    let before = key();
    made.store.write(Write::Forget(id(2)));
    assert!(made.store.flush());
    assert_eq!(made.search("needle", Scope::Content, 10).len(), 2);
    made.settle();
    assert_eq!(made.search("needle", Scope::Content, 10).len(), 2);
    assert_ne!(key(), before);
    let reader = TextReader::open(&made.file(1)).unwrap();
    let progress = reader.progress().unwrap();
    assert!(progress.is_done(1) && !progress.is_done(2) && progress.is_done(3));
}
