use flow_model::{
    BodyFacts, Dialect, EndReason, Exchange, FlowId, Header, Media, Outcome, Part, RequestHead,
    RequestReading, ResponseHead, ResponseReading, Route, StopReason, Timestamp, Timings,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ResponseDecoder, read_as, read_request, tokens};

fn labelled(label: &str, body: &[u8], complete: bool) -> ResponseReading {
    let headers = [Header {
        name: "content-type".to_owned(),
        value: label.to_owned(),
        latin1: false,
    }];
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiAudio, 200, &headers);
    decoder.push(body, 7);
    decoder.finish(complete)
}

fn whole(body: &Value) -> ResponseReading {
    labelled("application/json", body.to_string().as_bytes(), true)
}

fn lines(events: &[Value]) -> String {
    let lines: Vec<String> = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    lines.concat()
}

fn stream(events: &[Value]) -> ResponseReading {
    labelled("text/event-stream", lines(events).as_bytes(), true)
}

/// Returns the parts of the one answer, each as a word.
fn words(reading: &ResponseReading) -> Vec<String> {
    let parts = reading
        .choices
        .iter()
        .flat_map(|choice| &choice.message.parts);
    let word = |part: &Part| match part {
        Part::Text { text, .. } => text.clone(),
        Part::Other { name, raw } => format!("{name} {}", raw.value()),
        Part::Audio { media, .. } => format!("audio {:?} {:?}", media.bytes, media.data_chars),
        part => format!("{part:?}"),
    };
    parts.map(word).collect()
}

#[test]
fn a_transcription_is_text_and_what_stands_beside_it() {
    let reading = whole(
        &json!({"task": "transcribe", "language": "english", "duration": 8.47, "text": "a b",
        "segments": [{"id": 0}], "words": []}),
    );
    assert_eq!(
        words(&reading),
        [
            "a b",
            r#"task "transcribe""#,
            r#"language "english""#,
            r#"segments [{"id":0}]"#
        ]
    );
    assert_eq!(reading.units.audio_ms, Some(8_470));
    let old = whole(&json!({"text": "a", "duration": "2.5"}));
    assert_eq!(old.units.audio_ms, Some(2_500));
    let mistral = whole(
        &json!({"model": "m", "text": "a", "language": null, "finish_reason": "stop",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 55, "prompt_tokens_details": {"audio_tokens": 50}, "service_tier": "standard"}}),
    );
    assert_eq!(words(&mistral), ["a"]);
    assert_eq!(mistral.service_tier.as_deref(), Some("standard"));
    let choice = mistral.choices.first().unwrap();
    assert_eq!(choice.stop, Some(StopReason::Stop));
    let counts = tokens(Dialect::OpenaiAudio, Some("mistral"), &mistral);
    assert_eq!((counts.input, counts.input_audio), (Some(53), Some(50)));
}

#[test]
fn text_and_sound_are_answers() {
    let srt = "1\n00:00 --> 00:01\na\n";
    assert_eq!(
        words(&labelled("text/plain; charset=utf-8", srt.as_bytes(), true)),
        [srt]
    );
    assert_eq!(
        words(&labelled("application/json", br#""a\n""#, true)),
        ["a\n"]
    );
    assert_eq!(
        labelled("text/html", b"<html>", true).outcome,
        Outcome::None
    );
    // Raw sound may start like anything.
    for body in [
        &b"{}: \x00"[..],
        b"data: x\n\n",
        b"[1]",
        b"\x00\x00\x00\x01",
        b"ID3",
    ] {
        let reading = labelled("audio/mpeg", body, true);
        assert_eq!(reading.outcome, Outcome::Ok, "{body:?}");
        assert_eq!(
            words(&reading),
            [format!("audio Some({}) None", body.len())]
        );
        assert_eq!(
            labelled("audio/mpeg", body, false).outcome,
            Outcome::StreamTruncated
        );
    }
    let reading = whole(&json!({"audio_data": "SUQzBAAA"}));
    let Some(Part::Audio { media, .. }) = reading
        .choices
        .first()
        .and_then(|choice| choice.message.parts.first())
    else {
        panic!("no sound in {reading:?}");
    };
    assert_eq!(media.mime.as_deref(), Some("audio/mpeg"));
}

fn delta(text: &str) -> Value {
    json!({"type": "transcript.text.delta", "delta": text})
}

#[test]
fn a_stream_adds_up_to_the_whole_response() {
    let segment = json!({"id": "s", "start": 0, "text": "a b", "speaker": "A"});
    let mut event = segment.clone();
    event["type"] = json!("transcript.text.segment");
    let usage = json!({"type": "tokens", "input_tokens": 3, "output_tokens": 2, "total_tokens": 5});
    let done = json!({"type": "transcript.text.done", "text": "a b", "usage": usage, "logprobs": [{"token": "a"}]});
    let streamed = stream(&[delta("a"), event, delta(" b"), done]);
    let body =
        json!({"text": "a b", "segments": [segment], "usage": usage, "logprobs": [{"token": "a"}]});
    assert_eq!(streamed.choices, whole(&body).choices);
    assert_eq!(streamed.usage, whole(&body).usage);
    assert_eq!((streamed.outcome, streamed.ttft_us), (Outcome::Ok, Some(7)));
}

#[test]
fn mistral_names_its_events_otherwise() {
    let done = json!({"type": "transcription.done", "model": "m", "text": "a b", "language": "en", "segments": [], "finish_reason": null, "usage": {"prompt_tokens": 1}});
    let reading = stream(&[
        json!({"type": "transcription.language", "audio_language": "en"}),
        json!({"type": "transcription.text.delta", "text": "a"}),
        json!({"type": "transcription.segment", "text": "a b", "start": 0}),
        json!({"type": "transcription.text.delta", "text": " b"}),
        done,
    ]);
    assert_eq!(
        words(&reading),
        [
            "a b",
            r#"language "en""#,
            r#"segments [{"text":"a b","start":0}]"#
        ]
    );
    assert_eq!(reading.model.as_deref(), Some("m"));
}

#[test]
fn other_streams_are_read() {
    let chunk = |text: &str| json!({"id": "t", "object": "transcription.chunk", "choices": [{"delta": {"content": text}}]});
    let body = format!(
        "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        chunk("a"),
        chunk("b")
    );
    let reading = labelled("text/event-stream", body.as_bytes(), true);
    assert_eq!(
        (words(&reading), reading.outcome),
        (vec!["ab".to_owned()], Outcome::Ok)
    );
    assert_eq!(reading.id.as_deref(), Some("t"));
    let speech = stream(&[
        json!({"type": "speech.audio.delta", "audio": "AAAA"}),
        json!({"type": "speech.audio.delta", "audio": "AA=="}),
        json!({"type": "speech.audio.done", "usage": {"input_tokens": 4, "output_tokens": 9, "total_tokens": 13}}),
    ]);
    assert_eq!(words(&speech), ["audio None Some(8)"]);
    assert_eq!(speech.usage.and_then(|usage| usage.output), Some(9));
    let only_done = stream(&[json!({"type": "transcript.text.done", "text": "a"})]);
    assert_eq!(words(&only_done), ["a"]);
    let failed = stream(&[delta("a"), json!({"type": "error", "message": "m"})]);
    assert_eq!(
        (failed.outcome, words(&failed)),
        (Outcome::StreamError, vec!["a".to_owned()])
    );
    assert_eq!(stream(&[delta("a")]).outcome, Outcome::StreamTruncated);
}

fn form(fields: &[(&str, &str)]) -> RequestReading {
    let field = |(head, data): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{data}\r\n")
    };
    let fields: Vec<String> = fields.iter().map(field).collect();
    let body = fields.concat() + "--b--\r\n";
    read_request(
        Dialect::OpenaiAudio,
        "/v1/audio/transcriptions",
        body.as_bytes(),
    )
}

#[test]
fn a_forms_file_is_a_sound() {
    let reading = form(&[
        ("name=\"model\"", "m"),
        (
            "name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav",
            "RIFF",
        ),
        ("name=\"prompt\"", "p"),
        ("name=\"temperature\"", "0.2"),
        ("name=\"stream\"", "true"),
    ]);
    let said = reading.messages.first().unwrap();
    let [Part::Audio { media, .. }, Part::Text { text, .. }] = &said.parts[..] else {
        panic!("{said:?}");
    };
    let expect = Media {
        mime: Some("audio/wav".to_owned()),
        bytes: Some(4),
        data_offset: media.data_offset,
        ..Media::default()
    };
    assert_eq!((media, text.as_str()), (&expect, "p"));
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m"), Some(true))
    );
    let kept = json!({"file": "a.wav", "temperature": "0.2"});
    assert_eq!(Some(&reading.parameters), kept.as_object());
    let linked = form(&[("name=\"file_url\"", "https://h/a")]);
    let parts = &linked.messages.first().unwrap().parts;
    assert!(matches!(&parts[..], [Part::Audio { media, .. }] if media.url.is_some()));
}

#[test]
fn speech_counts_characters_that_were_spoken() {
    let count = |status: u16, path: &str, body: &Value| {
        let exchange = exchange(status, path);
        let ask = body.to_string();
        let reading = read_as(
            Some(Dialect::OpenaiAudio),
            &exchange,
            ask.as_bytes(),
            b"ID3",
            &[],
        );
        (reading.units.characters, reading.request.stream)
    };
    let body = json!({"model": "m", "input": "héllo", "voice": "v", "stream_format": "sse"});
    assert_eq!(
        count(200, "/v1/audio/speech?x=1", &body),
        (Some(5), Some(true))
    );
    assert_eq!(count(400, "/v1/audio/speech", &body), (None, Some(true)));
    let asked = json!({"prompt": "p", "input_audio": {"data": "AAAA", "format": "wav"}});
    assert_eq!(count(200, "/v1/audio/transcriptions", &asked), (None, None));
}

fn exchange(status: u16, path: &str) -> Exchange {
    Exchange {
        id: FlowId::from_bytes([0; 16]),
        started_at: Timestamp(0),
        peer: None,
        route: Route::default(),
        request: RequestHead {
            method: "POST".to_owned(),
            target: path.to_owned(),
            ..RequestHead::default()
        },
        request_body: BodyFacts::default(),
        response: Some(ResponseHead {
            status,
            ..ResponseHead::default()
        }),
        response_body: BodyFacts::default(),
        timings: Timings::default(),
        end: Some(EndReason::Ended),
        failure: None,
    }
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_reads_alike(at in 0_usize..400) {
        let events = [delta("a"), json!({"type": "transcript.text.segment", "id": 1}), delta("天"), json!({"type": "transcript.text.done", "text": "a天"})];
        let body = lines(&events);
        let (start, end) = body.as_bytes().split_at(at.min(body.len()));
        let mut decoder = ResponseDecoder::new(Dialect::OpenaiAudio, 200, &[]);
        decoder.push(start, 7);
        let live = decoder.snapshot();
        prop_assert!(live.choices.len() <= 1);
        decoder.push(end, 7);
        prop_assert_eq!(decoder.finish(true), labelled("text/event-stream", body.as_bytes(), true));
    }

    #[test]
    fn no_bytes_break_it(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for label in ["audio/wav", "text/plain", "application/json", "text/event-stream", ""] {
            labelled(label, &body, true);
        }
        read_request(Dialect::OpenaiAudio, "/", &body);
    }
}
