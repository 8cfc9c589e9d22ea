//! The shared corpus of recorded exchanges, where `FLOW_MONITOR_CORPUS` names its folder; without it the test
//! has nothing to check and passes. What the readings should say is compared elsewhere; this checks what must
//! hold for any exchange.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_codec::{ResponseDecoder, detect, events, read_request, skim_request, tokens};
use flow_model::{Dialect, Header, Part, RequestReading, ResponseReading};
use serde_json::Value;

/// Ways of cutting that are tried on each body.
const SPLITS: usize = 3;
/// Beginnings of each body that are read.
const PREFIXES: usize = 6;

/// A row of the corpus, as far as it is needed here.
struct Row {
    id: String,
    dialect: Dialect,
    path: String,
    status: u16,
    headers: Vec<Header>,
    request: Option<String>,
    response: Vec<u8>,
}

/// A small generator, so that every run cuts at the same places.
struct Places(u64);

impl Places {
    fn next(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bound = bound as u64 + 1;
        usize::try_from((self.0 >> 33) % bound).unwrap_or_default()
    }

    fn cuts(&mut self, length: usize) -> Vec<usize> {
        let count = self.next(20);
        let mut places: Vec<usize> = (0..count).map(|_| self.next(length)).collect();
        places.extend([0, length]);
        places.sort_unstable();
        places
    }
}

#[test]
fn what_holds_for_any_exchange_holds_for_the_corpus() {
    let Some(folder) = corpus() else {
        return;
    };
    let mut places = Places(7);
    let mut rows = 0;
    for row in read_rows(&folder) {
        check_response(&row, &mut places);
        check_request(&row);
        rows += 1;
    }
    assert!(
        rows > 0,
        "the folder holds no row of a dialect that is read"
    );
}

fn check_response(row: &Row, places: &mut Places) {
    let body = row.response.as_slice();
    let whole = decode(row, &[0, body.len()], true);
    for _ in 0..SPLITS {
        let cuts = places.cuts(body.len());
        assert_eq!(
            decode(row, &cuts, true),
            whole,
            "{} cut at {cuts:?}",
            row.id
        );
    }
    for _ in 0..PREFIXES {
        let end = places.next(body.len());
        let part = decode(row, &[0, end], false);
        assert!(part.events <= whole.events, "{} up to {end}", row.id);
        assert!(
            part.choices.len() <= whole.choices.len(),
            "{} up to {end}",
            row.id
        );
    }
    let indexes: Vec<u64> = whole.choices.iter().map(|choice| choice.index).collect();
    assert!(indexes.is_sorted(), "{}: {indexes:?}", row.id);
    if whole.usage.is_some() {
        let counts = tokens(row.dialect, None, &whole);
        if let (Some(input), Some(output)) = (counts.input, counts.output) {
            assert_eq!(counts.total, Some(input + output), "{}", row.id);
            assert!(
                counts.cache_read.is_none_or(|cached| cached <= input),
                "{}",
                row.id
            );
        }
    }
    check_events(row, &whole);
    if row.dialect == Dialect::OpenaiResponses && whole.streamed {
        check_last_event(row, &whole);
    }
}

/// The message that a stream adds up to is the one that its last event holds, where it holds one.
fn check_last_event(row: &Row, whole: &ResponseReading) {
    let body = row.response.as_slice();
    let last = events(&row.headers, body, &[])
        .into_iter()
        .filter_map(|event| serde_json::from_str::<Value>(&event.text(body)).ok())
        .rfind(|event| event.pointer("/response/output/0").is_some());
    let Some(response) = last.as_ref().and_then(|event| event.get("response")) else {
        return;
    };
    let told = Row {
        response: response.to_string().into_bytes(),
        headers: Vec::new(),
        id: row.id.clone(),
        path: row.path.clone(),
        request: None,
        ..*row
    };
    let told = decode(&told, &[0, told.response.len()], true);
    let parts = |reading: &ResponseReading| -> Vec<Part> {
        let choice = reading.choices.first();
        let parts = choice.map(|choice| choice.message.parts.clone());
        parts.into_iter().flatten().map(placeless).collect()
    };
    assert_eq!(parts(whole), parts(&told), "{}", row.id);
    assert_eq!(whole.usage, told.usage, "{}", row.id);
    assert_eq!(whole.units, told.units, "{}", row.id);
}

/// Returns a part without what differs from event to event: places in the body, and what is encrypted anew.
fn placeless(mut part: Part) -> Part {
    if let Part::Other { raw, .. } = &mut part {
        *raw = Value::Null.into();
    }
    if let Part::Image { media } | Part::Audio { media, .. } | Part::File { media, .. } = &mut part
    {
        media.data_offset = None;
    }
    part
}

fn check_events(row: &Row, whole: &ResponseReading) {
    let body = row.response.as_slice();
    let found = events(&row.headers, body, &[]);
    if whole.streamed {
        assert_eq!(found.len() as u64, whole.events, "{}", row.id);
    }
    let mut last = 0;
    for event in &found {
        let ordered = last <= event.start && event.start <= event.data.start;
        assert!(
            ordered && event.data.end <= event.end,
            "{}: {event:?}",
            row.id
        );
        assert!(event.end <= body.len() as u64, "{}: {event:?}", row.id);
        last = event.end;
    }
}

/// Every member of a request is in the reading: in a place of its own or among the parameters.
fn check_request(row: &Row) {
    let Some(body) = &row.request else {
        return;
    };
    let reading = read_request(row.dialect, &row.path, body.as_bytes());
    check_skim(row, body, &reading);
    let Ok(Value::Object(members)) = serde_json::from_str(body) else {
        return;
    };
    for (name, value) in &members {
        let plain = name.replace('_', "").to_ascii_lowercase();
        let read = match plain.as_str() {
            "model" => reading.model.is_some(),
            "stream" => reading.stream.is_some() || value.is_null(),
            "messages" | "contents" => count_of(value) == turns(&reading),
            "system" | "systeminstruction" | "preamble" | "instructions" => {
                count_of(value) == 0 || !reading.system.is_empty()
            }
            "toolconfig" => !reading.tools.is_empty(),
            "message" | "chathistory" | "toolresults" => reading
                .messages
                .iter()
                .any(|message| !message.parts.is_empty()),
            // Several contents may be one turn of the user.
            "input" if row.dialect == Dialect::OpenaiResponses => {
                (1..=count_of(value)).contains(&turns(&reading))
            }
            // The call within is read in its place, with members of its own.
            "input" if row.dialect == Dialect::BedrockCountTokens => reading.model.is_some(),
            // What requests without a conversation hand over is one message of the user.
            "input"
            | "inputs"
            | "texts"
            | "prompt"
            | "content"
            | "requests"
            | "instances"
            | "image"
            | "images"
            | "generatecontentrequest" => !reading.messages.is_empty(),
            "tools" | "functions" => count_of(value) == 0 || !reading.tools.is_empty(),
            _ => is_said(value, &reading),
        };
        let kept = reading.parameters.get(name) == Some(value);
        assert!(read || kept, "{}: {name} is lost", row.id);
    }
}

/// Returns whether a member is what is asked, such as the prompt of a model that goes on with a text.
fn is_said(value: &Value, reading: &RequestReading) -> bool {
    let mut parts = reading.messages.iter().flat_map(|message| &message.parts);
    parts.any(|part| match part {
        Part::Text { text, .. } => Some(text.as_str()) == value.as_str(),
        _ => false,
    })
}

/// A skim finds the same model and the same newest messages.
fn check_skim(row: &Row, body: &str, reading: &RequestReading) {
    let skim = skim_request(row.dialect, &row.path, body.as_bytes());
    assert_eq!(skim.model, reading.model, "{}", row.id);
    assert_eq!(skim.stream, reading.stream, "{}", row.id);
    assert!(reading.messages.ends_with(&skim.messages), "{}", row.id);
    assert_eq!(
        skim.messages.is_empty(),
        reading.messages.is_empty(),
        "{}",
        row.id
    );
}

/// Returns the turns that were read, and those that were noted as being none.
fn turns(reading: &RequestReading) -> usize {
    reading.messages.len() + reading.diagnostics.len()
}

fn count_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Null => 0,
        _ => 1,
    }
}

fn decode(row: &Row, cuts: &[usize], complete: bool) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(row.dialect, row.status, &row.headers);
    for pair in cuts.windows(2) {
        if let [from, to] = pair {
            let piece = row.response.get(*from..*to);
            decoder.push(piece.unwrap_or_default(), 1);
        }
    }
    let live = decoder.snapshot();
    let reading = decoder.finish(complete);
    assert!(live.events <= reading.events, "{}", row.id);
    reading
}

fn corpus() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the corpus is no part of the tree; only the caller knows where it is"
    )]
    std::env::var("FLOW_MONITOR_CORPUS").ok().map(PathBuf::from)
}

fn read_rows(folder: &PathBuf) -> Vec<Row> {
    let mut rows = Vec::new();
    let files = std::fs::read_dir(folder)
        .expect("the corpus is a folder")
        .flatten();
    let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
    paths.sort();
    for path in paths {
        if path.extension().is_some_and(|kind| kind == "jsonl") {
            let text = std::fs::read_to_string(&path).expect("a file of the corpus is text");
            rows.extend(text.lines().filter_map(row));
        }
    }
    rows
}

/// Returns the dialect of embeddings without a request to tell it.
fn embeddings_of(provider: &str) -> Dialect {
    match provider {
        "gemini" => Dialect::GeminiEmbed,
        "ollama" => Dialect::OllamaEmbed,
        "cohere" => Dialect::CohereEmbed,
        _ => Dialect::OpenaiEmbeddings,
    }
}

fn row(line: &str) -> Option<Row> {
    let row: Value = serde_json::from_str(line).expect("a row of the corpus is JSON");
    let text = |pointer: &str| row.pointer(pointer)?.as_str().map(str::to_owned);
    let url = text("/request/url").unwrap_or_default();
    let path = url.split_once("://").map_or("", |(_, rest)| rest);
    let method = text("/request/method").unwrap_or_default();
    let body = text("/request/body").unwrap_or_default();
    let by_path = detect(&method, path, &[], Some(body.as_bytes()));
    let dialect = by_path.or_else(|| match text("/api")?.as_str() {
        "chat_completions" => Some(Dialect::OpenaiChat),
        "messages" => Some(Dialect::AnthropicMessages),
        "generate_content" => Some(Dialect::GeminiGenerate),
        "completions" => Some(Dialect::OpenaiCompletions),
        "complete" => Some(Dialect::AnthropicComplete),
        "chat" if text("/provider")? == "cohere" => Some(Dialect::CohereChat),
        "chat" => Some(Dialect::OllamaChat),
        "generate" if text("/provider")? == "cohere" => Some(Dialect::CohereGenerate),
        "generate" => Some(Dialect::OllamaGenerate),
        "responses" => Some(Dialect::OpenaiResponses),
        "interactions" => Some(Dialect::GeminiInteractions),
        "converse" => Some(Dialect::BedrockConverse),
        "invoke_model" => Some(Dialect::BedrockInvoke),
        "embeddings" => Some(embeddings_of(&text("/provider")?)),
        "images" => Some(Dialect::OpenaiImages),
        "audio" => Some(Dialect::OpenaiAudio),
        "moderations" => Some(Dialect::OpenaiModerations),
        _ => None,
    })?;
    let pairs = row.pointer("/response/headers").and_then(Value::as_array);
    let headers = pairs.into_iter().flatten().filter_map(|pair| {
        Some(Header {
            name: pair.get(0)?.as_str()?.to_owned(),
            value: pair.get(1)?.as_str()?.to_owned(),
            latin1: false,
        })
    });
    let status = row.pointer("/response/status").and_then(Value::as_u64);
    Some(Row {
        id: text("/id")?,
        dialect,
        path: path.to_owned(),
        status: status
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(200),
        headers: headers.collect(),
        request: text("/request/body"),
        response: match text("/response/body") {
            Some(body) => body.into_bytes(),
            None => STANDARD.decode(text("/response/body_b64")?).ok()?,
        },
    })
}
