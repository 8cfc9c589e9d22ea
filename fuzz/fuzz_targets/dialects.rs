//! Every dialect, request and response, whole and streamed.

#![no_main]

use flow_codec::{detect, read_client, read_request, skim_request};
use flow_model::Dialect;
use libfuzzer_sys::fuzz_target;

const CONTENT_TYPES: [&str; 5] = [
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
    "text/plain",
];

// The first bytes choose: dialect, status, content type, places to cut at.
fuzz_target!(|input: &[u8]| {
    let [dialect, status, kind, cuts @ ..] = input else {
        return;
    };
    let (cuts, body) = cuts.split_at(cuts.len().min(3));
    let dialect = Dialect::ALL[usize::from(*dialect) % Dialect::ALL.len()];
    let status = if *status < 200 { 200 } else { 400 + u16::from(*status) };
    let headers = flow_fuzz::headers(CONTENT_TYPES[usize::from(*kind) % CONTENT_TYPES.len()]);
    flow_fuzz::check_events(&headers, body);
    flow_fuzz::check_cuts(dialect, status, &headers, body, cuts);
    let whole = read_request(dialect, "/v1/models/m:generateContent", body);
    let skim = skim_request(dialect, "/v1/models/m:generateContent", body);
    assert_eq!(skim.model, whole.model, "a skim finds another model");
    assert_eq!(skim.stream, whole.stream, "a skim finds another wish for a stream");
    let _found = detect("POST", "/unknown", &[], Some(body));
    let _client = read_client(&headers, body);
});
