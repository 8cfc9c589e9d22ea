//! Reading beside `serde_json::Value` over the same bytes, in one run.
//!
//! ```text
//! cargo bench -p flow-codec                    made-up agent turns
//! FLOW_MONITOR_CORPUS=… cargo bench -p flow-codec   and the recordings of each dialect
//! cargo bench -p flow-codec --bench read -- chat    only the groups with this in their name
//! ```
//!
//! A ratio of 3 means: three times as fast as `Value`. Whole bodies and requests are parsed whole by `Value`;
//! of a stream each event's data is. Both sides take turns within each round, and the median of the rounds'
//! ratios is shown with their quartiles, because the machine is not quiet.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock, prints what it measured, and stops where it cannot go on"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use flow_codec::{ResponseDecoder, detect, events, read_request};
use flow_model::{Dialect, Header};
use serde_json::{Value, json};

const ROUNDS: usize = 15;
/// Bytes that one round reads at least.
const ROUND_BYTES: usize = 8 << 20;

const MIB: f64 = 1_048_576.0;

/// Something to read.
enum Item {
    Request(Dialect, String, Vec<u8>),
    Whole(Dialect, u16, Vec<Header>, Vec<u8>),
    Stream(Dialect, Vec<Header>, Vec<u8>, Vec<Vec<u8>>),
}

fn main() {
    let mut groups: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (name, item) in made_up() {
        groups
            .entry(format!("made up: {name}"))
            .or_default()
            .push(item);
    }
    if let Some(folder) = std::env::var_os("FLOW_MONITOR_CORPUS") {
        for (name, item) in recorded(Path::new(&folder)) {
            groups.entry(name).or_default().push(item);
        }
    }
    println!(
        "{:<44} {:>6} {:>9} {:>9} {:>9}   ratio (quartiles)",
        "", "items", "MiB", "read", "Value"
    );
    // Cargo adds a flag of its own; anything else names the groups to measure.
    let wanted = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    for (name, items) in &groups {
        if wanted.as_ref().is_some_and(|wanted| !name.contains(wanted)) {
            continue;
        }
        measure(name, items);
    }
}

fn measure(name: &str, items: &[Item]) {
    let bytes: usize = items.iter().map(Item::bytes).sum();
    let repeat = ROUND_BYTES.div_ceil(bytes.max(1)).clamp(1, 2_000);
    let time = |act: &dyn Fn(&Item)| {
        let start = Instant::now();
        for _ in 0..repeat {
            items.iter().for_each(act);
        }
        start.elapsed()
    };
    let mut rounds: Vec<(Duration, Duration)> = (0..ROUNDS)
        .map(|_| (time(&|item| item.read()), time(&|item| item.parse())))
        .collect();
    rounds.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    let at = |share: usize| ratio(rounds.get(rounds.len() * share / 4).unwrap_or(&rounds[0]));
    let (read, parse) = rounds[rounds.len() / 2];
    let speed = |time: Duration| (bytes * repeat) as f64 / time.as_secs_f64() / MIB;
    println!(
        "{name:<44} {:>6} {:>9.2} {:>4.0} MB/s {:>4.0} MB/s   {:.2} ({:.2}–{:.2})",
        items.len(),
        bytes as f64 / MIB,
        speed(read),
        speed(parse),
        at(2),
        at(1),
        at(3),
    );
}

fn ratio((read, parse): &(Duration, Duration)) -> f64 {
    parse.as_secs_f64() / read.as_secs_f64()
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Request(_, _, body) | Self::Whole(.., body) | Self::Stream(_, _, body, _) => {
                body.len()
            }
        }
    }

    fn read(&self) {
        match self {
            Self::Request(dialect, path, body) => {
                black_box(read_request(*dialect, path, body));
            }
            Self::Whole(dialect, status, headers, body) => {
                let mut decoder = ResponseDecoder::new(*dialect, *status, headers);
                decoder.push(body, 0);
                black_box(decoder.finish(true));
            }
            Self::Stream(dialect, headers, body, _) => {
                let mut decoder = ResponseDecoder::new(*dialect, 200, headers);
                for piece in body.chunks(16 * 1024) {
                    decoder.push(piece, 0);
                }
                black_box(decoder.finish(true));
            }
        }
    }

    fn parse(&self) {
        match self {
            Self::Request(_, _, body) | Self::Whole(.., body) => {
                black_box(serde_json::from_slice::<Value>(body).ok());
            }
            Self::Stream(.., events) => {
                for event in events {
                    black_box(serde_json::from_slice::<Value>(event).ok());
                }
            }
        }
    }
}

/// Agent turns: a long history of prose and code, tools with schemas, tool results; answers whole and streamed.
fn made_up() -> Vec<(String, Item)> {
    let prose = "The function walks the tree twice because the first pass only counts the nodes.\nIt then \"marks\" them. ";
    let code = "    let found = map.get(&key).copied();\n    if found.is_none() {\n\t\treturn Err(\"missing\".into());\n    }\n";
    let han = "该函数遍历两次树，因为第一遍只统计节点的数量。然后再标记它们。";
    let tools: Vec<Value> = (0..20)
        .map(|number| {
            json!({"name": format!("tool_{number}"), "description": prose.repeat(6), "input_schema": {"type": "object",
                "properties": {"path": {"type": "string", "description": prose}, "line": {"type": "integer"}}, "required": ["path"]}})
        })
        .collect();
    let messages: Vec<Value> = (0..60)
        .flat_map(|number| {
            let text = if number % 5 == 0 { han } else { prose };
            [
                json!({"role": "assistant", "content": [{"type": "text", "text": text.repeat(4)},
                    {"type": "tool_use", "id": format!("toolu_{number}"), "name": "tool_1", "input": {"path": "src/lib.rs", "line": number}}]}),
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": format!("toolu_{number}"), "content": code.repeat(20)}]}),
            ]
        })
        .collect();
    let ask = json!({"model": "m", "max_tokens": 1000, "stream": true, "system": prose.repeat(50), "tools": tools, "messages": messages});
    let ask = serde_json::to_vec(&ask).unwrap();
    let answer = json!({"id": "msg", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "thinking", "thinking": prose.repeat(20), "signature": "x".repeat(400)}, {"type": "text", "text": code.repeat(10)}],
        "usage": {"input_tokens": 10, "output_tokens": 20}});
    let answer = serde_json::to_vec(&answer).unwrap();
    let mut stream = String::new();
    for _ in 0..2_000 {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": null}]});
        writeln!(stream, "data: {chunk}\n").unwrap();
    }
    stream.push_str("data: [DONE]\n\n");
    let path = "/v1/messages".to_owned();
    vec![
        (
            "request of 120 turns".to_owned(),
            Item::Request(Dialect::AnthropicMessages, path, ask),
        ),
        (
            "answer".to_owned(),
            Item::Whole(Dialect::AnthropicMessages, 200, Vec::new(), answer),
        ),
        (
            "stream of 2,000 words".to_owned(),
            streamed(Dialect::OpenaiChat, Vec::new(), stream.into_bytes()),
        ),
    ]
}

fn streamed(dialect: Dialect, headers: Vec<Header>, body: Vec<u8>) -> Item {
    let found = events(&headers, &body, &[]);
    let data = found
        .iter()
        .map(|event| event.text(&body).into_owned().into_bytes());
    let data: Vec<Vec<u8>> = data.collect();
    Item::Stream(dialect, headers, body, data)
}

/// The recordings, by dialect, request and answer apart.
fn recorded(folder: &Path) -> Vec<(String, Item)> {
    let mut items = Vec::new();
    let files = std::fs::read_dir(folder).unwrap().flatten();
    let mut paths: Vec<_> = files.map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            add(&serde_json::from_str(line).unwrap(), &mut items);
        }
    }
    items
}

fn add(row: &Value, items: &mut Vec<(String, Item)>) {
    let text = |pointer: &str| {
        row.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let url = text("/request/url");
    let path = url
        .split_once("://")
        .map_or("", |(_, rest)| rest)
        .to_owned();
    let request = text("/request/body").into_bytes();
    let Some(dialect) = detect(&text("/request/method"), &path, &[], Some(&request)) else {
        return;
    };
    let pairs = row.pointer("/response/headers").and_then(Value::as_array);
    let headers: Vec<Header> = pairs
        .into_iter()
        .flatten()
        .filter_map(|pair| {
            Some(Header {
                name: pair.get(0)?.as_str()?.to_owned(),
                value: pair.get(1)?.as_str()?.to_owned(),
                latin1: false,
            })
        })
        .collect();
    let name = dialect.name();
    if request.first() == Some(&b'{') {
        items.push((
            format!("{name}: requests"),
            Item::Request(dialect, path, request),
        ));
    }
    let status = row
        .pointer("/response/status")
        .and_then(Value::as_u64)
        .unwrap_or(200);
    let body = text("/response/body").into_bytes();
    if status != 200 || body.is_empty() {
        return;
    }
    if row.get("streaming") == Some(&Value::Bool(true)) {
        items.push((format!("{name}: streams"), streamed(dialect, headers, body)));
    } else {
        items.push((
            format!("{name}: answers"),
            Item::Whole(dialect, 200, headers, body),
        ));
    }
}
