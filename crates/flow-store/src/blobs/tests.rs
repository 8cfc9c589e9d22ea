use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use rusqlite::{Connection, params};

use super::sweep::Swept;
use super::*;
use crate::dictionary::Compression;
use crate::testing::noise;

const KEY: HashKey = [7; 32];

/// A segment with what the writer and the recorder remember of it.
struct Bench {
    connection: Connection,
    conversations: Conversations,
    chains: Chains,
    /// What was stored, by the flow's number.
    bodies: BTreeMap<i64, Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(format::TRUTH).unwrap();
        Self {
            connection,
            conversations: Conversations::new(KEY, Compression::On),
            chains: Chains::default(),
            bodies: BTreeMap::new(),
        }
    }

    /// Stores a body and returns its flow's number.
    fn store(&mut self, conversation: u64, body: &[u8]) -> i64 {
        let n = self.bodies.last_key_value().map_or(1, |(n, _)| n + 1);
        let prepared = self.prepare(conversation, body);
        let plan = self.chains.store(&self.connection, n, &prepared).unwrap();
        self.request(n, Codec::Chained, prepared.length(), &plan);
        self.chains.committed();
        self.bodies.insert(n, body.to_vec());
        n
    }

    fn prepare(&self, conversation: u64, body: &[u8]) -> Prepared {
        let body = Bytes::copy_from_slice(body);
        let prepared = self.conversations.prepare(conversation, body);
        prepared.unwrap()
    }

    fn request(&self, n: i64, codec: Codec, length: usize, body: &[u8]) {
        let sql = "INSERT INTO requests VALUES (?1, ?2, x'', x'', ?3, ?4, ?5)";
        let id = n.to_be_bytes();
        let length = i64::try_from(length).unwrap();
        let values = params![n, id, codec.code(), length, body];
        self.connection.execute(sql, values).unwrap();
    }

    fn plan(&self, n: i64) -> (Vec<u8>, u64) {
        let sql = "SELECT body, length FROM requests WHERE n = ?1";
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
        self.connection.query_one(sql, [n], read).unwrap()
    }

    fn load(&self, n: i64) -> Result<Vec<u8>, LoadError> {
        let (plan, length) = self.plan(n);
        load(&self.connection, &plan, length)
    }

    fn fresh(&self, n: i64) -> Vec<(i64, String)> {
        let mut found = Vec::new();
        let visit = |node, body: &[u8]| {
            found.push((node, String::from_utf8_lossy(body).into_owned()));
            Ok::<_, LoadError>(())
        };
        fresh(&self.connection, n, &self.plan(n).0, visit).unwrap();
        found
    }

    fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.connection
            .query_one(&sql, [], |row| row.get(0))
            .unwrap()
    }

    fn file_bytes(&self) -> usize {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let bytes: i64 = self
            .connection
            .query_one(sql, [], |row| row.get(0))
            .unwrap();
        usize::try_from(bytes).unwrap()
    }

    fn check_all(&self) {
        let mut hurt = Vec::new();
        let audit = Audit::new(&self.connection, |error| hurt.push(error.to_string())).unwrap();
        assert_eq!(hurt, [""; 0]);
        for (n, body) in &self.bodies {
            assert!(self.load(*n).unwrap() == *body, "flow {n}");
            let (plan, length) = self.plan(*n);
            audit.plan(&plan, length).unwrap();
        }
    }

    /// Checks that an audit finds the bodies hurt that cannot be rebuilt, and no others.
    fn check_audit(&self) -> usize {
        let audit = Audit::new(&self.connection, |_| {}).unwrap();
        let hurt = self.bodies.keys().filter(|n| {
            let (plan, length) = self.plan(**n);
            let (audited, loaded) = (audit.plan(&plan, length), self.load(**n));
            assert_eq!(audited.is_ok(), loaded.is_ok(), "flow {n}: {audited:?}");
            loaded.is_err()
        });
        hurt.count()
    }

    /// Removes a flow's record, as a deletion does.
    fn delete(&mut self, n: i64) {
        let sql = "DELETE FROM requests WHERE n = ?1";
        self.connection.execute(sql, [n]).unwrap();
        self.bodies.remove(&n);
    }
}

const WORDS: [&str; 32] = [
    "the", "file", "reads", "value", "of", "a", "queue", "and", "returns", "error", "when", "test",
    "runs", "before", "commit", "into", "segment", "with", "path", "change", "first", "line", "is",
    "not", "request", "body", "store", "chain", "length", "index", "writer", "found",
];

/// Returns so many words, others for each number.
fn prose(number: usize, words: usize) -> String {
    let order = noise(words, number as u64 + 1);
    let words = order
        .iter()
        .map(|byte| WORDS[usize::from(*byte) % WORDS.len()]);
    words.collect::<Vec<_>>().join(" ")
}

/// Returns so many lines of code as they stand in a JSON string, others for each number.
fn code(number: usize, lines: usize) -> String {
    let order = noise(lines * 4, number as u64 + 1);
    let line = |(at, bytes): (usize, &[u8])| {
        let [kind, one, two, three] = [0, 1, 2, 3].map(|at| usize::from(bytes[at]));
        // A file speaks of few things.
        let [one, two, three] = [one, two, three].map(|at| WORDS[(number + at % 6) % WORDS.len()]);
        let line = match kind % 8 {
            0 => {
                format!("    pub(crate) fn {one}(&self, {two}: &[u8]) -> Result<{three}, Error> {{")
            }
            1 => format!("        let {one} = self.{two}.{three}()?;"),
            2 => format!("        if {one}.is_empty() || {two} == {three} {{"),
            3 => format!("            return Err(Error::new(\\\"{one} {two} {three}\\\"));"),
            4 => {
                format!("        for {one} in {two}.iter().filter(|{three}| {three}.is_some()) {{")
            }
            5 => format!("            self.{one}.push({two}.{three}.clone());"),
            6 => "        }\\n    }".to_owned(),
            _ => format!("    /// Returns {one} {two} of the {three}."),
        };
        format!("{:>6}\\t{line}\\n", at + number)
    };
    order.chunks_exact(4).enumerate().map(line).collect()
}

/// Returns an element of a conversation: by turns what the user says, a call, and what a tool returned.
fn message(number: usize, words: usize) -> String {
    match number % 4 {
        0 => format!(
            r#"{{"role":"user","content":[{{"type":"text","text":"{number} {}"}}]}}"#,
            prose(number, words)
        ),
        2 => format!(
            r#"{{"role":"user","content":[{{"tool_use_id":"toolu_{number:020}","type":"tool_result","content":"{}"}}]}}"#,
            code(number, words / 2)
        ),
        _ => format!(
            r#"{{"role":"assistant","content":[{{"type":"text","text":"{number} {}"}},{{"type":"tool_use","id":"toolu_{:020}","name":"Read","input":{{"file_path":"/workspace/{number}.rs"}}}}]}}"#,
            prose(number, words / 3),
            number + 1
        ),
    }
}

/// Returns the request of an agent's turn: a system prompt, tools, and messages of which the last is marked.
pub(super) fn turn(turns: usize) -> String {
    let tools: Vec<_> = (0..20)
        .map(|tool| {
            format!(
                r#"{{"name":"tool_{tool}","description":"{}"}}"#,
                prose(900 + tool, 60)
            )
        })
        .collect();
    let last = 2 * turns;
    let marked = |number: usize| {
        let message = message(number, 20 + number * 37 % 120);
        if number == last {
            message.replace("}]}", r#","cache_control":{"type":"ephemeral"}}]}"#)
        } else {
            message
        }
    };
    let messages: Vec<_> = (0..=last).map(marked).collect();
    format!(
        r#"{{"model":"m","messages":[{}],"system":[{{"type":"text","text":"{}"}}],"tools":[{}],"max_tokens":32000,"stream":true}}"#,
        messages.join(","),
        prose(800, 1500),
        tools.join(","),
    )
}

#[test]
fn a_long_session_costs_what_is_new_in_it() {
    let mut bench = Bench::new();
    let mut raw = 0;
    for number in 0..150 {
        let body = turn(number);
        raw += body.len();
        bench.store(1, body.as_bytes());
    }
    bench.check_all();
    bench.connection.execute_batch("VACUUM").unwrap();
    // Each table of an empty segment has a page.
    let stored = bench.file_bytes() - Bench::new().file_bytes();
    assert!(stored * 100 <= raw, "{stored} of {raw} bytes");
    // Two messages a turn, and the one whose marker moved on, beside the tools and the prompt.
    let nodes = bench.count("nodes");
    assert!(nodes <= 150 * 3 + 25, "{nodes} nodes");
    // An element whose marker moved on is one blob, and the marker another one.
    assert!(bench.count("blobs") <= nodes + 25);
}

#[test]
fn a_retry_and_a_second_conversation_cost_their_plans() {
    let mut bench = Bench::new();
    bench.store(1, turn(5).as_bytes());
    let before = (bench.count("nodes"), bench.count("blobs"));
    bench.store(1, turn(5).as_bytes());
    assert_eq!((bench.count("nodes"), bench.count("blobs")), before);
    bench.store(2, turn(5).as_bytes());
    assert_eq!(bench.count("blobs"), before.1);
    bench.check_all();
}

#[test]
fn conversations_of_one_key_do_not_push_each_other_out() {
    let mut bench = Bench::new();
    let other = |turns: usize| turn(turns).replace("text\":\"", "text\":\"another ");
    for number in 0..20 {
        bench.store(1, turn(number).as_bytes());
        bench.store(1, other(number).as_bytes());
    }
    let nodes = bench.count("nodes");
    assert!(nodes <= 2 * (20 * 3 + 35), "{nodes} nodes");
    bench.check_all();
}

#[test]
fn bodies_that_are_not_split_are_one_blob() {
    let mut bench = Bench::new();
    for body in [
        noise(5000, 3),
        turn(9).as_bytes()[1..].to_vec(),
        vec![b'x'; 100_000],
    ] {
        bench.store(1, &body);
    }
    assert_eq!((bench.count("blobs"), bench.count("nodes")), (3, 0));
    let n = bench.store(1, &noise(5000, 3));
    assert_eq!(bench.count("blobs"), 3);
    assert_eq!(bench.fresh(n).len(), 1);
    bench.check_all();
    let waiting = bench.prepare(1, &vec![b'x'; 100_000]).bytes();
    assert!((100_000..102_000).contains(&waiting), "{waiting}");
    let short = Bytes::from(vec![b'x'; CHAINED_BYTES_MIN - 1]);
    assert!(bench.conversations.prepare(1, short).is_none());
    let long = Bytes::from(vec![b'x'; BODY_BYTES_MAX + 1]);
    assert!(bench.conversations.prepare(1, long).is_none());
}

#[test]
fn what_a_flow_brought_is_whole_json_and_nothing_else() {
    let mut bench = Bench::new();
    let first = bench.store(1, turn(3).as_bytes());
    let second = bench.store(1, turn(4).as_bytes());
    let (all, new) = (bench.fresh(first), bench.fresh(second));
    // Seven messages, twenty tools, a prompt; then two messages, and the one without its marker.
    assert_eq!((all.len(), new.len()), (1 + 28, 1 + 3));
    assert!(all.iter().chain(&new).all(|(node, body)| {
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        let parts =
            ["messages", "system", "tools"].map(|name| value[name].as_array().unwrap().len());
        assert_eq!(value["model"], "m");
        parts.iter().sum::<usize>() == usize::from(*node != 0)
    }));
    for (number, (_, body)) in (6..9).zip(new.iter().skip(1)) {
        let said = format!("\"text\":\"{number} ");
        let returned = format!("\"toolu_{number:020}\",\"type\"");
        assert!(body.contains(&said) || body.contains(&returned), "{body}");
    }
    assert!(new.iter().skip(1).is_sorted_by_key(|(node, _)| *node));
}

#[test]
fn elements_too_short_for_a_span_come_with_the_skeleton() {
    let mut bench = Bench::new();
    let body = format!(
        r#"{{"system":", {}","messages":[{} , {{"role":"user","content":"hi"}} ],"tools":[]}}"#,
        prose(1, 400),
        message(1, 200)
    );
    let n = bench.store(1, body.as_bytes());
    let fresh: Vec<serde_json::Value> = bench
        .fresh(n)
        .iter()
        .map(|(_, body)| serde_json::from_str(body).unwrap())
        .collect();
    assert_eq!(fresh[0]["messages"][0]["content"], "hi");
    assert_eq!(fresh[0]["system"], "");
    assert_eq!(fresh[1]["system"], format!(", {}", prose(1, 400)));
    assert_eq!(fresh[1]["messages"], serde_json::json!([]));
    assert_eq!(fresh[2]["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_long_skeleton_is_not_given_with_every_element() {
    let mut bench = Bench::new();
    let image = "x".repeat(400_000);
    let messages: Vec<_> = (0..200).map(|number| message(number, 50)).collect();
    let body = format!(
        r#"{{"image":"{image}","messages":[{}]}}"#,
        messages.join(",")
    );
    let n = bench.store(1, body.as_bytes());
    let fresh = bench.fresh(n);
    let work: usize = fresh.iter().map(|(_, body)| body.len()).sum();
    assert!(work < 12 * body.len(), "{work}");
    let texts: usize = fresh
        .iter()
        .map(|(_, body)| serde_json::from_str::<serde_json::Value>(body).unwrap())
        .map(|body| body["messages"].as_array().unwrap().len())
        .sum();
    assert_eq!(texts, 200);
}

#[test]
fn what_was_rolled_back_is_not_referred_to() {
    let mut bench = Bench::new();
    bench.store(1, turn(2).as_bytes());
    bench.connection.execute_batch("BEGIN").unwrap();
    let lost = bench.prepare(1, turn(3).as_bytes());
    bench.chains.store(&bench.connection, 99, &lost).unwrap();
    bench.connection.execute_batch("ROLLBACK").unwrap();
    bench.chains.rolled_back();
    bench.store(1, turn(4).as_bytes());
    bench.check_all();
    // The recorder knows the spans of a body that the segment never got.
    let plan = bench.chains.store(&bench.connection, 99, &lost).unwrap();
    let body = load(&bench.connection, &plan, lost.length() as u64).unwrap();
    assert_eq!(body, turn(3).as_bytes());
}

#[test]
fn another_segment_gets_everything() {
    let mut bench = Bench::new();
    bench.store(1, turn(2).as_bytes());
    let conversations = std::mem::replace(
        &mut bench.conversations,
        Conversations::new(KEY, Compression::On),
    );
    let mut next = Bench::new();
    next.conversations = conversations;
    next.store(1, turn(3).as_bytes());
    next.check_all();
}

#[test]
fn a_sweep_leaves_what_is_referred_to() {
    let mut bench = Bench::new();
    for number in 0..6 {
        bench.store(1, turn(number).as_bytes());
    }
    let other = bench.store(2, &noise(3000, 1));
    assert_eq!(sweep(&bench.connection).unwrap(), Swept::default());
    bench.delete(3);
    bench.delete(6);
    bench.delete(other);
    let swept = sweep(&bench.connection).unwrap();
    // Of the third flow the message that was marked is in no other chain; of the last all that it brought.
    assert_eq!((swept.nodes, swept.blobs), (1 + 3, 1 + 3 + 1));
    bench.chains.forget_all();
    bench.check_all();
    bench.store(1, turn(7).as_bytes());
    bench.check_all();
    let all: Vec<i64> = bench.bodies.keys().copied().collect();
    for n in all {
        bench.delete(n);
    }
    sweep(&bench.connection).unwrap();
    assert_eq!((bench.count("blobs"), bench.count("nodes")), (0, 0));
}

#[test]
fn an_audit_finds_what_cannot_be_rebuilt() {
    let mut bench = Bench::new();
    let mut messages = Vec::new();
    for turn in 0..6 {
        messages.push(format!(
            r#"{{"role":"user","content":"{}"}}"#,
            prose(turn, 600)
        ));
        let body = format!(r#"{{"model":"m","messages":[{}]}}"#, messages.join(","));
        bench.store(1, body.as_bytes());
    }
    assert_eq!(bench.check_audit(), 0);
    let changes = [
        (
            "UPDATE blobs SET body = substr(body, 2) WHERE b = (SELECT b FROM nodes WHERE n = 4)",
            3,
        ),
        ("UPDATE nodes SET parent = node WHERE n = 3", 4),
        ("DELETE FROM nodes WHERE n = 2", 5),
        ("DELETE FROM blobs", 6),
    ];
    for (change, hurt) in changes {
        bench.connection.execute(change, []).unwrap();
        assert_eq!(bench.check_audit(), hurt, "{change}");
    }
}

#[test]
fn damage_is_named_and_never_a_loop() {
    let mut bench = Bench::new();
    let n = bench.store(1, turn(5).as_bytes());
    let found = |bench: &Bench| bench.load(n).unwrap_err().to_string();
    let broken = |sql: &str| {
        let mut hurt = Bench::new();
        hurt.store(1, turn(5).as_bytes());
        hurt.connection.execute_batch(sql).unwrap();
        found(&hurt)
    };
    let node = |number: i64| format!("node {number} of a conversation is damaged or missing");
    let blob = |number: i64| format!("blob {number} is damaged or missing");
    assert_eq!(
        broken("UPDATE nodes SET parent = node WHERE node = 5"),
        node(5)
    );
    assert_eq!(
        broken("UPDATE nodes SET parent = 9 WHERE node = 5"),
        node(5)
    );
    assert_eq!(
        broken("UPDATE nodes SET parent = -1 WHERE node = 5"),
        node(5)
    );
    assert_eq!(broken("DELETE FROM nodes WHERE node = 5"), node(5));
    assert_eq!(broken("DELETE FROM blobs WHERE b = 5"), blob(5));
    assert_eq!(broken("UPDATE blobs SET body = x'00' WHERE b = 5"), blob(5));
    assert_eq!(broken("UPDATE blobs SET codec = 3 WHERE b = 5"), blob(5));
    assert_eq!(
        broken("UPDATE blobs SET length = length + 1 WHERE b = 5"),
        blob(5)
    );
    assert_eq!(
        broken("UPDATE blobs SET length = 1 << 62 WHERE b = 5"),
        blob(5)
    );
    let length = "the parts of a body do not add up to its length";
    assert_eq!(broken("UPDATE nodes SET parent = 0 WHERE node = 5"), length);
    assert_eq!(broken("UPDATE requests SET length = length + 1"), length);
    assert_eq!(broken("UPDATE requests SET length = 1 << 40"), length);
    let plan = "the plan of a body is damaged";
    assert_eq!(broken("UPDATE requests SET body = x''"), plan);
    let far = plan::Plan {
        skeleton: 1,
        chains: vec![plan::PlannedChain {
            at: usize::MAX,
            rest: usize::MAX,
            head: 1,
        }],
    };
    let (_, length) = bench.plan(n);
    let refused = load(&bench.connection, &far.seal(), length).unwrap_err();
    assert_eq!(refused.to_string(), plan);
}

/// One step of several conversations.
#[derive(Clone, Debug)]
enum Step {
    Grow(usize),
    /// An element in the middle becomes another one.
    Change(Index),
    Remove(Index),
    /// The marker moves to this element.
    Mark(Index),
    /// The program was started again, or the segment swept.
    Forget,
    RollBack,
    Delete(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..4_usize).prop_map(Step::Grow),
        2 => any::<Index>().prop_map(Step::Change),
        1 => any::<Index>().prop_map(Step::Remove),
        2 => any::<Index>().prop_map(Step::Mark),
        1 => Just(Step::Forget),
        1 => Just(Step::RollBack),
        1 => any::<Index>().prop_map(Step::Delete),
    ]
}

/// A conversation as its client holds it.
#[derive(Clone, Default)]
struct Talk {
    messages: Vec<String>,
    marked: usize,
    said: usize,
}

impl Talk {
    fn body(&self) -> String {
        let marked = |(number, message): (usize, &String)| {
            if number == self.marked {
                message.replace("}]}", r#","cache_control":1}]}"#)
            } else {
                message.clone()
            }
        };
        let messages: Vec<_> = self.messages.iter().enumerate().map(marked).collect();
        let system = prose(700, 400);
        format!(
            r#"{{"system":"{system}", "messages": [ {} ]}}"#,
            messages.join(" ,\n")
        )
    }

    fn apply(&mut self, step: &Step) {
        let said = self.said;
        match step {
            Step::Grow(count) => self
                .messages
                .extend((said..said + count).map(|number| message(number, number % 30))),
            Step::Change(at) if !self.messages.is_empty() => {
                let at = at.index(self.messages.len());
                self.messages[at] = message(5000 + said, 20);
            }
            Step::Remove(at) if !self.messages.is_empty() => {
                self.messages.remove(at.index(self.messages.len()));
            }
            Step::Mark(at) => self.marked = at.index(self.messages.len().max(1)),
            _ => {}
        }
        self.said += 3;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_conversations_do_bytes_come_out_as_they_went_in(
        steps in prop::collection::vec((0..3_usize, step()), 1..40),
    ) {
        let mut bench = Bench::new();
        let mut talks = vec![Talk::default(); 3];
        for (of, step) in &steps {
            talks[*of].apply(step);
            let body = talks[*of].body();
            // Two of the three are led with the same key.
            let key = (*of / 2) as u64;
            match step {
                Step::Forget => bench.chains.forget_all(),
                Step::RollBack => {
                    bench.connection.execute_batch("BEGIN").unwrap();
                    let lost = bench.prepare(key, body.as_bytes());
                    bench.chains.store(&bench.connection, 0, &lost).unwrap();
                    bench.connection.execute_batch("ROLLBACK").unwrap();
                    bench.chains.rolled_back();
                }
                Step::Delete(which) if !bench.bodies.is_empty() => {
                    let n = *bench.bodies.keys().nth(which.index(bench.bodies.len())).unwrap();
                    bench.delete(n);
                    sweep(&bench.connection).unwrap();
                    bench.chains.forget_all();
                }
                _ => {
                    bench.store(key, body.as_bytes());
                }
            }
        }
        bench.check_all();
        prop_assert_eq!(sweep(&bench.connection).unwrap(), Swept::default());
    }

    #[test]
    fn any_bytes_come_out_as_they_went_in(body in prop::collection::vec(any::<u8>(), CHAINED_BYTES_MIN..3000)) {
        let mut bench = Bench::new();
        bench.store(1, &body);
        bench.check_all();
    }

    #[test]
    fn a_plan_of_any_bytes_is_an_error(mut plan in prop::collection::vec(any::<u8>(), 0..60), length in any::<u64>()) {
        let mut bench = Bench::new();
        bench.store(1, turn(2).as_bytes());
        format::seal(&mut plan);
        // Small numbers may name what there is, so that a body may come out; it has the length that was asked for.
        if let Ok(body) = load(&bench.connection, &plan, length) {
            prop_assert_eq!(body.len() as u64, length);
        }
    }
}
