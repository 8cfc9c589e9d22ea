//! Streams.

use super::*;

fn events(events: &[Value]) -> String {
    let mut body = String::new();
    for event in events {
        let name = event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let done = write!(body, "event: {name}\ndata: {event}\n\n");
        assert_eq!(done, Ok(()));
    }
    body
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []}})
}

fn completed(items: &Value) -> Value {
    json!({"type": "response.completed", "response": finished("completed", items)})
}

fn added(index: u64, item: &Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": index, "item": item})
}

fn done(index: u64, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": index, "item": item})
}

/// Returns an increment of the first part of an item; its id differs from event to event, as some have it.
fn delta(kind: &str, index: u64, text: &str) -> Value {
    json!({"type": format!("response.{kind}.delta"), "item_id": format!("x_{text}"), "output_index": index,
        "content_index": 0, "delta": text, "logprobs": []})
}

/// Reads a stream of these events between its beginning and an end that repeats no item.
fn stream(inner: &[Value]) -> ResponseReading {
    let all = [vec![created()], inner.to_vec(), vec![completed(&json!([]))]].concat();
    response(&events(&all))
}

#[track_caller]
fn check(inner: &[Value], expect: &[Part]) {
    let reading = stream(inner);
    assert_eq!(
        (reading.outcome, &reading.diagnostics[..]),
        (Outcome::Ok, &[][..])
    );
    assert_eq!(parts(&reading), expect);
    let stop = reading
        .choices
        .first()
        .and_then(|choice| choice.stop_reason.clone());
    assert_eq!(stop.as_deref(), Some("completed"));
}

fn message(text: &str) -> Value {
    said(&json!([{"type": "output_text", "text": text, "annotations": []}]))
}

fn begun() -> Value {
    json!({"type": "message", "id": "msg_0", "role": "assistant", "status": "in_progress", "content": []})
}

/// Returns a stream of every kind of item, and its items.
fn rich() -> (String, Value) {
    let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm, 天"}]});
    let search = json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}});
    let code =
        json!({"type": "code_interpreter_call", "id": "ci_1", "code": "1+1", "outputs": null});
    let spoken = said(&json!([
        {"type": "output_text", "text": "a🦀b", "annotations": [{"type": "file_citation", "index": 1}]},
        {"type": "refusal", "refusal": "no"},
    ]));
    let called = json!({"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{\"x\":1}"});
    let patch = json!({"type": "apply_patch_call", "id": "ap_1", "call_id": "d", "operation": {"type": "update_file", "path": "a", "diff": "+b"}});
    let items = json!([reasoning, search, code, spoken, called, patch]);
    let all = [
        created(),
        added(
            0,
            &json!({"type": "reasoning", "id": "rs_0", "summary": []}),
        ),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "hm, "}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "天"}),
        json!({"type": "response.reasoning_summary_text.done", "output_index": 0, "summary_index": 0, "text": "hm, 天"}),
        done(0, &reasoning),
        added(
            1,
            &json!({"type": "web_search_call", "id": "ws_1", "status": "in_progress"}),
        ),
        json!({"type": "response.web_search_call.searching", "output_index": 1}),
        done(1, &search),
        added(
            2,
            &json!({"type": "code_interpreter_call", "id": "ci_1", "code": "", "outputs": []}),
        ),
        delta("code_interpreter_call_code", 2, "1+1"),
        done(2, &code),
        added(3, &begun()),
        json!({"type": "response.content_part.added", "output_index": 3, "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": []}}),
        delta("output_text", 3, "a"),
        delta("output_text", 3, "🦀b"),
        json!({"type": "response.output_text.annotation.added", "output_index": 3, "content_index": 0, "annotation": {"type": "file_citation", "index": 1}}),
        json!({"type": "response.output_text.done", "output_index": 3, "content_index": 0, "text": "a🦀b"}),
        json!({"type": "response.refusal.delta", "output_index": 3, "content_index": 1, "delta": "no"}),
        done(3, &spoken),
        added(
            4,
            &json!({"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": ""}),
        ),
        delta("function_call_arguments", 4, "{\"x\":"),
        delta("function_call_arguments", 4, "1}"),
        done(4, &called),
        added(
            5,
            &json!({"type": "apply_patch_call", "id": "ap_1", "call_id": "d", "operation": {"type": "update_file", "path": "a", "diff": ""}}),
        ),
        delta("apply_patch_call_operation_diff", 5, "+b"),
        done(5, &patch),
        completed(&items),
    ];
    (events(&all), items)
}

#[test]
fn a_stream_adds_up_to_the_whole_response() {
    let (body, items) = rich();
    let (streamed, told) = (response(&body), whole(&items));
    assert_eq!(streamed.choices, told.choices);
    assert_eq!((streamed.usage, streamed.units), (told.usage, told.units));
    assert_eq!(
        (streamed.outcome, streamed.diagnostics),
        (Outcome::Ok, vec![])
    );
    assert_eq!(streamed.ttft_us, Some(1));
}

#[test]
fn any_one_telling_of_an_item_is_enough() {
    let whole = message("hi");
    let expect = [text("hi")];
    check(
        &[
            added(0, &begun()),
            delta("output_text", 0, "h"),
            delta("output_text", 0, "i"),
        ],
        &expect,
    );
    check(&[delta("output_text", 0, "hi")], &expect);
    check(
        &[
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "hi"}),
        ],
        &expect,
    );
    check(
        &[
            json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0,
        "part": {"type": "output_text", "text": "hi"}}),
        ],
        &expect,
    );
    check(&[done(0, &whole)], &expect);
    let last = response(&events(&[created(), completed(&json!([whole]))]));
    assert_eq!(parts(&last), expect);
    let called = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let late = response(&events(&[
        created(),
        delta("output_text", 0, "hi"),
        completed(&json!([whole, called])),
    ]));
    assert_eq!(parts(&late), [text("hi"), call("c", "f", "{}", false)]);
}

#[test]
fn the_last_telling_counts_unless_it_is_empty() {
    check(
        &[
            added(0, &begun()),
            delta("output_text", 0, "so f"),
            done(0, &message("so far")),
        ],
        &[text("so far")],
    );
    check(
        &[
            added(0, &begun()),
            delta("output_text", 0, "so f"),
            done(0, &message("")),
        ],
        &[text("so f")],
    );
    let called = |given: &str| json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": given});
    check(
        &[
            added(0, &called("")),
            delta("function_call_arguments", 0, "{}"),
            done(0, &called("")),
        ],
        &[call("c", "f", "{}", false)],
    );
}

#[test]
fn items_side_by_side_are_told_apart() {
    check(
        &[
            added(0, &begun()),
            added(1, &begun()),
            delta("output_text", 1, "b"),
            delta("output_text", 0, "a"),
            done(1, &message("b")),
            done(0, &message("a")),
        ],
        &[text("a"), text("b")],
    );
}

#[test]
fn items_that_share_an_index_or_have_none_are_told_apart() {
    let called = json!({"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"});
    let expect = [text("a"), call("c", "f", "{}", false)];
    check(
        &[
            added(0, &begun()),
            done(0, &message("a")),
            added(0, &called),
            done(0, &called),
        ],
        &expect,
    );
    check(&[done(0, &message("a")), done(0, &called)], &expect);
    let bare = |kind: &str, item: &Value| json!({"type": format!("response.output_item.{kind}"), "item": item});
    check(
        &[
            bare("added", &begun()),
            json!({"type": "response.output_text.delta", "delta": "a"}),
            bare("added", &called),
            bare("done", &called),
        ],
        &expect,
    );
}

#[test]
fn names_of_events_may_be_missing_on_either_side() {
    let data = |event: &Value| format!("data: {event}\n\n");
    let unnamed = [
        created(),
        delta("output_text", 0, "a"),
        completed(&json!([])),
    ];
    let body: String = unnamed.iter().map(data).collect();
    assert_eq!(parts(&response(&body)), [text("a")]);
    let body = "event: response.output_text.delta\ndata: {\"delta\":\"a\"}\n\n";
    assert_eq!(parts(&response(body)), [text("a")]);
}

#[test]
fn hidden_reasoning_is_told_at_its_end() {
    let hidden =
        json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "Zm9v"});
    check(
        &[added(0, &hidden), done(0, &hidden)],
        &[thinking("", true)],
    );
    let text_only = json!({"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "hm"});
    check(
        &[added(0, &hidden), text_only, done(0, &hidden)],
        &[thinking("hm", false)],
    );
}

#[test]
fn sound_is_counted_and_its_words_are_kept() {
    let sound =
        |kind: &str, text: &str| json!({"type": format!("response.{kind}.delta"), "delta": text});
    let reading = stream(&[
        sound("audio", "AAAA"),
        sound("audio.transcript", "hi"),
        sound("audio", "AAAA"),
    ]);
    let found = parts(&reading);
    assert!(
        matches!(&found[..], [Part::Audio { media, transcript: Some(said), .. }]
        if media.data_chars == Some(8) && said == "hi")
    );
}

#[test]
fn an_increment_that_does_not_fit_is_noted() {
    let odd =
        json!({"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{}"});
    let calls = json!({"type": "web_search_call", "id": "ws_1"});
    let fits = stream(&[added(0, &calls), odd]);
    assert_eq!(fits.diagnostics, []);
    let text = json!({"type": "response.content_part.added", "output_index": 0, "content_index": 0, "part": {"type": "input_image", "file_id": "f"}});
    let reading = stream(&[text, delta("output_text", 0, "a")]);
    let codes: Vec<&str> = reading
        .diagnostics
        .iter()
        .map(|found| found.code.as_str())
        .collect();
    assert_eq!(codes, ["unknown_delta"]);
}

#[test]
fn log_probabilities_come_by_increments_or_at_the_end() {
    let list = json!([{"token": "a", "logprob": -0.5}]);
    let mut grown = delta("output_text", 0, "a");
    grown["logprobs"] = list.clone();
    let ended = said(&json!([{"type": "output_text", "text": "a", "logprobs": list}]));
    for inner in [
        vec![grown.clone(), done(0, &ended)],
        vec![done(0, &ended)],
        vec![grown],
    ] {
        let reading = stream(&inner);
        let found = reading
            .choices
            .first()
            .and_then(|choice| choice.logprobs.clone());
        assert_eq!(found.map(|raw| raw.value()), Some(json!({"content": list})));
    }
}

// === Ends ===

#[test]
fn a_stream_ends_with_the_response() {
    let check = |last: Option<Value>, outcome: Outcome, word: &str, stop: Option<StopReason>| {
        let mut all = vec![created(), delta("output_text", 0, "a")];
        all.extend(last);
        let reading = response(&(events(&all) + "data: [DONE]\n\n"));
        let choice = reading.choices.first().unwrap();
        assert_eq!(reading.outcome, outcome);
        assert_eq!(
            (choice.stop_reason.as_deref(), choice.stop),
            (Some(word), stop)
        );
        assert_eq!(choice.message.parts, [text("a")]);
    };
    let end = |word: &str, response: Value| {
        Some(json!({"type": format!("response.{word}"), "response": response}))
    };
    check(
        end("completed", json!({"status": "completed"})),
        Outcome::Ok,
        "completed",
        Some(StopReason::Stop),
    );
    check(
        end("completed", json!({})),
        Outcome::Ok,
        "completed",
        Some(StopReason::Stop),
    );
    check(
        end("done", json!(null)),
        Outcome::Ok,
        "completed",
        Some(StopReason::Stop),
    );
    check(
        end("completed", json!({"status": "in_progress"})),
        Outcome::Ok,
        "in_progress",
        Some(StopReason::Stop),
    );
    let cut =
        json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}});
    check(
        end("incomplete", cut),
        Outcome::Ok,
        "max_output_tokens",
        Some(StopReason::Length),
    );
    let failed = json!({"status": "failed", "error": {"code": "server_error", "message": "x"}});
    check(
        end("failed", failed),
        Outcome::StreamError,
        "failed",
        Some(StopReason::Other),
    );
    check(None, Outcome::StreamTruncated, "in_progress", None);
}

#[test]
fn an_error_event_is_an_error_that_keeps_what_came_before() {
    let flat = json!({"type": "error", "sequence_number": 2, "code": "rate_limit_exceeded", "message": "x", "param": null});
    let inner = json!({"type": "error", "error": {"type": "t", "code": "rate_limit_exceeded", "message": "x"}});
    for (event, kind) in [(flat, None), (inner, Some("t"))] {
        let failed = json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "other", "message": "y"}}});
        let reading = response(&events(&[
            created(),
            delta("output_text", 0, "a"),
            event,
            failed,
        ]));
        assert_eq!(
            (reading.outcome, parts(&reading)),
            (Outcome::StreamError, vec![text("a")])
        );
        let error = reading.error.unwrap();
        assert_eq!(
            (error.kind.as_deref(), error.code.as_deref()),
            (kind, Some("rate_limit_exceeded"))
        );
    }
}

#[test]
fn a_call_that_is_cut_off_shows_what_came_of_it() {
    let patch = json!({"type": "apply_patch_call", "call_id": "d", "operation": {"type": "update_file", "diff": ""}});
    let all = [
        created(),
        added(0, &patch),
        delta("apply_patch_call_operation_diff", 0, "+b"),
    ];
    let reading = response(&events(&all));
    assert_eq!(
        (reading.outcome, parts(&reading)),
        (
            Outcome::StreamTruncated,
            vec![call("d", "apply_patch_call", "+b", false)]
        )
    );
}

#[test]
fn hostile_numbers_and_shapes_are_borne() {
    let all = [
        delta("output_text", u64::MAX, "a"),
        json!({"type": "response.output_text.delta", "output_index": -1, "content_index": 1e99, "delta": "b"}),
        json!({"type": "response.output_text.delta", "output_index": "x", "delta": {"text": 5}}),
        json!({"type": "response.output_item.added", "output_index": 3, "item": [1]}),
        json!({"type": "response.output_item.done", "item": {"type": 7, "content": {"a": [[]]}}}),
        json!({"type": ["x"], "response": "y"}),
        json!({"type": "response.content_part.added", "part": "x"}),
        json!({"type": "response.completed", "response": {"output": {"a": 1}, "usage": [], "status": 5}}),
    ];
    let reading = response(&events(&all));
    assert_eq!(reading.outcome, Outcome::Ok);
    assert!(parts(&reading).contains(&text("ab")));
}

fn cut(body: &str, places: &[prop::sample::Index]) -> ResponseReading {
    let mut places: Vec<usize> = places
        .iter()
        .map(|place| place.index(body.len() + 1))
        .collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiResponses, 200, &[]);
    for pair in places.windows(2) {
        let piece = body.as_bytes().get(pair[0]..pair[1]);
        decoder.push(piece.unwrap_or_default(), 1);
    }
    decoder.finish(true)
}

proptest! {
    #[test]
    fn any_split_gives_the_same_reading(places in prop::collection::vec(any::<prop::sample::Index>(), 0..30)) {
        let (body, _) = rich();
        prop_assert_eq!(cut(&body, &places), response(&body));
    }

    #[test]
    fn any_prefix_gives_a_beginning(at in any::<prop::sample::Index>()) {
        let (body, _) = rich();
        let mut decoder = ResponseDecoder::new(Dialect::OpenaiResponses, 200, &[]);
        let head = body.as_bytes().get(..at.index(body.len() + 1));
        decoder.push(head.unwrap_or_default(), 1);
        let live = decoder.snapshot();
        let part = decoder.finish(false);
        prop_assert!(parts(&live).len() <= parts(&part).len());
        prop_assert!(parts(&part).len() <= parts(&response(&body)).len());
    }

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut body = rich().0.into_bytes();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        response(&String::from_utf8_lossy(&body));
    }
}
