use std::sync::Arc;

use axum::body::{Body, Bytes};
use flow_capture::Policy;
use flow_model::{ResponseReading, Side};
use flow_store::{LiveView, Write};
use http::StatusCode;
use serde_json::{Value, json};

use crate::readings::READ_BYTES_MAX;
use crate::testing::{Answer, Bench, ORIGIN, announce, finish, id, record, request, row};

fn ids(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let flows = json["flows"].as_array().unwrap();
    let ids = flows
        .iter()
        .map(|flow| flow["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn write(bench: &Bench, method: &str, path: &str, media: &str, body: &str) -> Answer {
    let request = request(method, path)
        .header("origin", ORIGIN)
        .header("content-type", media)
        .body(Body::from(body.to_owned()))
        .unwrap();
    bench.send(request).await
}

#[tokio::test]
async fn the_list_is_paged_and_sorted() {
    let bench = Bench::new();
    for number in 1..=5 {
        record(&bench.store, number);
    }
    announce(&bench.store, 6, b"{}");
    let all: Vec<_> = (1..=6).rev().map(|number| id(number).to_string()).collect();

    let answer = bench.ask("/api/flows").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(ids(&answer), all);
    assert_eq!(answer.json()["next_cursor"], Value::Null);
    assert_eq!(answer.json()["total"], 6);
    assert_eq!(answer.json()["flows"][0]["state"], "pending");
    assert_eq!(answer.json()["flows"][1]["state"], "completed");

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = bench
            .ask(&format!("/api/flows?limit=4&filter=&cursor={cursor}"))
            .await;
        seen.extend(ids(&answer));
        match answer.json()["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, all);

    let oldest = bench.ask("/api/flows?sort=started_at&limit=1").await;
    assert_eq!(ids(&oldest), [id(1).to_string()]);
    for key in [
        "-duration",
        "latency",
        "ttft",
        "-tokens",
        "cost",
        "size",
        "model",
        "",
    ] {
        let answer = bench.ask(&format!("/api/flows?sort={key}")).await;
        assert_eq!(ids(&answer).len(), 6, "{key}");
    }
    assert_eq!(
        bench.ask("/api/flows/count").await.json(),
        json!({"count": 6, "partial": false})
    );
}

#[tokio::test]
async fn limits_have_a_default_and_a_cap() {
    let bench = Bench::new();
    for number in 1..=60 {
        announce(&bench.store, number, b"");
    }
    let check = async |query: &str, expect: usize| {
        let answer = bench.ask(&format!("/api/flows{query}")).await;
        assert_eq!(ids(&answer).len(), expect, "{query}");
    };
    check("", 50).await;
    check("?limit=1", 1).await;
    check("?limit=60", 60).await;
    check("?limit=1000000", 60).await;
}

#[tokio::test]
async fn nonsense_is_refused_in_one_shape() {
    let bench = Bench::new();
    let flow = record(&bench.store, 1).id;
    let check = async |path: &str, status: u16, code: &str| {
        let answer = bench.ask(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{path}"
        );
    };
    check("/api/flows?filter=model:gpt-5", 400, "bad_filter").await;
    check("/api/flows/count?filter=x", 400, "bad_filter").await;
    check("/api/flows?sort=tool", 400, "bad_query").await;
    check("/api/facets", 400, "bad_query").await;
    check("/api/facets?fields=", 400, "bad_query").await;
    check("/api/facets?fields=model,cost", 400, "bad_query").await;
    check("/api/facets?fields=model&filter=%5B%5D", 400, "bad_filter").await;
    let many = vec!["model"; 17].join(",");
    check(&format!("/api/facets?fields={many}"), 400, "bad_query").await;
    check("/api/histogram", 400, "bad_query").await;
    check("/api/histogram?field=model", 400, "bad_query").await;
    check("/api/histogram?field=cost&scale=steep", 400, "bad_query").await;
    check("/api/flows?sort=beauty", 400, "bad_query").await;
    check("/api/flows?limit=many", 400, "bad_query").await;
    check("/api/flows?limit=-1", 400, "bad_query").await;
    check("/api/flows?limit=0", 400, "bad_query").await;
    check("/api/flows?cursor=x", 400, "bad_cursor").await;
    check("/api/flows/x", 404, "no_such_flow").await;
    check(
        &format!("/api/flows/{}", flow.to_string().to_uppercase()),
        404,
        "no_such_flow",
    )
    .await;
    for rest in ["", "/request/body", "/response/body", "/events", "/chunks"] {
        check(&format!("/api/flows/{}{rest}", id(99)), 404, "no_such_flow").await;
    }
    check(
        &format!("/api/flows/{flow}/chunks?side=both"),
        400,
        "bad_query",
    )
    .await;
    check(
        &format!("/api/flows/{flow}/events?from=x"),
        400,
        "bad_query",
    )
    .await;
    check("/api/feed", 400, "bad_query").await;
    check("/api/feed?topics=", 400, "bad_query").await;
    check("/api/feed?topics=all", 400, "bad_query").await;
    check("/api/nothing", 404, "not_found").await;
    let wrong = write(&bench, "DELETE", "/api/status", "text/plain", "").await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (405, "method_not_allowed")
    );
}

#[tokio::test]
async fn a_flow_is_shown_in_full() {
    let bench = Bench::new();
    record(&bench.store, 1);
    for round in ["read", "kept"] {
        let answer = bench.ask(&format!("/api/flows/{}", id(1))).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let json = answer.json();
        assert_eq!(json["flow"]["id"], id(1).to_string(), "{round}");
        assert_eq!(json["exchange"]["request"]["method"], "POST");
        assert_eq!(json["reading"]["dialect"], "openai_chat");
        let message = &json["reading"]["response"]["choices"][0]["message"];
        assert_eq!(message["parts"][0]["text"], "world", "{round}: {json}");
        assert_eq!(json["reading"]["tokens"]["input"], 3);
        assert_eq!(json["annotations"], json!({}));
    }
}

#[tokio::test]
async fn a_running_flow_is_shown_as_far_as_it_is() {
    let bench = Bench::new();
    let request = br#"{"model":"gpt-5","messages":[{"role":"user","content":"hello"}]}"#;
    let exchange = announce(&bench.store, 1, request);
    bench.store.flush();
    let path = format!("/api/flows/{}", id(1));
    let stored = bench.ask(&path).await.json();
    assert_eq!(
        stored["reading"]["request"]["model"], "gpt-5",
        "from what is stored"
    );
    assert_eq!(stored["exchange"]["end"], Value::Null);

    let response = ResponseReading {
        id: Some("live".into()),
        ..ResponseReading::default()
    };
    let live = LiveView {
        exchange: Arc::new(exchange.clone()),
        response: Arc::new(response),
    };
    bench.store.publish(id(1), live);
    assert_eq!(
        bench.ask(&path).await.json()["reading"]["response"]["id"],
        "live"
    );

    finish(
        &bench.store,
        exchange,
        "application/json",
        br#"{"id":"c1","choices":[]}"#,
    );
    bench.store.flush();
    let ended = bench.ask(&path).await.json();
    assert_eq!(
        ended["reading"]["response"]["id"], "c1",
        "no reading of before is left"
    );
    assert_eq!(ended["flow"]["state"], "completed");
}

#[tokio::test]
async fn bodies_come_whole_and_in_ranges() {
    let bench = Bench::new();
    let body: Vec<u8> = (0..3_000_000_u32)
        .map(|number| number.to_le_bytes()[1])
        .collect();
    let exchange = announce(&bench.store, 1, &body);
    // A long response comes in pieces.
    let (first, rest) = body.split_at(2_000_000);
    for bytes in first.chunks(1_000_000) {
        bench.store.write(Write::Piece {
            id: id(1),
            side: Side::Response,
            bytes: Bytes::copy_from_slice(bytes),
        });
    }
    finish(&bench.store, exchange, "application/json", rest);
    bench.store.flush();
    for side in ["request", "response"] {
        let path = format!("/api/flows/{}/{side}/body", id(1));
        let answer = bench.ask(&path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body == body, "{side}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/octet-stream")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-length"), Some("3000000"));
        assert_eq!(answer.header("x-flow-redacted"), Some("false"));
        assert!(
            answer
                .header("content-disposition")
                .unwrap()
                .starts_with("attachment")
        );
        let check = async |range: &str, start: usize, end: usize| {
            let ask = request("GET", &path).header("range", range);
            let answer = bench.send(ask.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
            assert!(answer.body == body[start..end], "{side} {range}");
            let expect = format!("bytes {start}-{}/3000000", end - 1);
            assert_eq!(answer.header("content-range"), Some(expect.as_str()));
        };
        check("bytes=0-0", 0, 1).await;
        check("bytes=0-1048575", 0, 1_048_576).await;
        check("bytes=999999-2000000", 999_999, 2_000_001).await;
        check("bytes=2999999-", 2_999_999, 3_000_000).await;
        check("bytes=-5", 2_999_995, 3_000_000).await;
        let past = request("GET", &path).header("range", "bytes=3000000-");
        let past = bench.send(past.body(Body::empty()).unwrap()).await;
        assert_eq!(past.code(), "range_not_satisfiable");
        assert_eq!(past.header("content-range"), Some("bytes */3000000"));
    }
    let answer = bench
        .ask(&format!("/api/flows/{}/response/body", id(1)))
        .await;
    assert_eq!(answer.header("x-flow-coding"), Some("gzip"));
    assert_eq!(answer.header("x-flow-wire-bytes"), Some("1000000"));
    assert_eq!(
        answer.header("x-flow-wire-sha256"),
        Some("ab".repeat(32).as_str())
    );
}

#[tokio::test]
async fn a_body_that_is_not_there_is_empty() {
    let bench = Bench::new();
    announce(&bench.store, 1, b"");
    let answer = bench
        .ask(&format!("/api/flows/{}/response/body", id(1)))
        .await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert_eq!(answer.header("content-length"), Some("0"));
    assert_eq!(answer.header("x-flow-coding"), None);
}

#[tokio::test]
async fn a_body_too_long_to_read_is_served_and_said_to_be() {
    let bench = Bench::new();
    let long = vec![b' '; READ_BYTES_MAX + 1];
    let exchange = announce(&bench.store, 1, b"{}");
    finish(&bench.store, exchange, "text/event-stream", &long);
    bench.store.flush();
    let detail = bench.ask(&format!("/api/flows/{}", id(1))).await.json();
    let diagnostics = detail["reading"]["response"]["diagnostics"]
        .as_array()
        .unwrap();
    assert!(
        diagnostics
            .iter()
            .any(|found| found["code"] == "body_too_long"),
        "{detail}"
    );
    let body = bench
        .ask(&format!("/api/flows/{}/response/body", id(1)))
        .await
        .body;
    assert_eq!(body.len(), long.len());
    let events = bench
        .ask(&format!("/api/flows/{}/events", id(1)))
        .await
        .json();
    assert_eq!(events["total"], Value::Null);
}

#[tokio::test]
async fn events_and_chunks_are_listed() {
    let bench = Bench::new();
    let stream = "event: a\ndata: {\"n\":0}\n\ndata: {\"n\":1}\n\ndata: [DONE]\n\n";
    let exchange = announce(&bench.store, 1, b"{}");
    finish(
        &bench.store,
        exchange,
        "text/event-stream",
        stream.as_bytes(),
    );
    bench.store.flush();
    let base = format!("/api/flows/{}", id(1));
    let all = bench.ask(&format!("{base}/events")).await.json();
    assert_eq!(all["total"], 3);
    let first = &all["events"][0];
    assert_eq!((&first["index"], &first["name"]), (&json!(0), &json!("a")));
    assert_eq!(
        (&first["data"], &first["offset"]),
        (&json!("{\"n\":0}"), &json!(0))
    );
    assert_eq!(first["at_us"], 1500);
    let some = bench
        .ask(&format!("{base}/events?from=1&limit=1"))
        .await
        .json();
    assert_eq!(some["events"].as_array().unwrap().len(), 1);
    assert_eq!(some["events"][0]["index"], 1);
    let past = bench
        .ask(&format!("{base}/events?from=18446744073709551615"))
        .await
        .json();
    assert_eq!(past, json!({"events": [], "total": 3}));
    let chunks = bench.ask(&format!("{base}/chunks")).await.json();
    let length = stream.len();
    let expect = json!({"chunks": [{"at_us": 1500, "wire_bytes": length, "bytes_end": length}]});
    assert_eq!(chunks, expect);
    let request = bench
        .ask(&format!("{base}/chunks?side=request"))
        .await
        .json();
    assert_eq!(request, json!({"chunks": []}));
}

#[tokio::test]
async fn settings_are_listed_and_changed_all_or_none() {
    let bench = Bench::new();
    let path = "/api/config";
    let paused = |answer: &Answer| answer.json()["entries"][0]["value"].clone();
    assert_eq!(paused(&bench.ask(path).await), json!(false));
    let json = "application/json";
    let answer = write(&bench, "PATCH", path, json, r#"{"paused":true}"#).await;
    assert_eq!(
        (answer.status, paused(&answer)),
        (StatusCode::OK, json!(true))
    );

    let refused = write(
        &bench,
        "PATCH",
        path,
        json,
        r#"{"paused":false,"persist":false,"x":1}"#,
    )
    .await;
    assert_eq!(refused.code(), "bad_config");
    let fields = refused.json()["error"]["fields"].clone();
    assert_eq!(
        (&fields[0]["key"], &fields[1]["key"]),
        (&json!("persist"), &json!("x"))
    );
    assert_eq!(
        paused(&bench.ask(path).await),
        json!(true),
        "nothing was changed"
    );

    for (media, body) in [(json, "{"), (json, "[]"), (json, ""), ("text/plain", "{}")] {
        let answer = write(&bench, "PATCH", path, media, body).await;
        assert_eq!(answer.code(), "bad_body", "{media} {body}");
    }
    let long = format!("{{\"paused\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(
        write(&bench, "PATCH", path, json, &long).await.code(),
        "bad_body"
    );
}

#[tokio::test]
async fn status_and_health_tell_how_it_goes() {
    let bench = Bench::new();
    let status = bench.ask("/api/status").await.json();
    assert_eq!(status["recording"], true);
    assert_eq!(
        status["upstreams"][0]["base_url"],
        "http://127.0.0.1:8377/openai/v1"
    );
    let health = bench.ask("/api/health").await.json();
    assert_eq!(
        (&health["ok"], &health["recording"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(health["capture"]["gap_frames"], 0);
    assert_eq!(health["store"]["problem"], Value::Null);
    let paused = Policy {
        paused: true,
        ..Policy::default()
    };
    bench.capture.set_policy(paused).unwrap();
    assert_eq!(bench.ask("/api/status").await.json()["recording"], false);
    assert_eq!(bench.ask("/api/health").await.json()["recording"], false);
    assert_eq!(bench.ask("/healthz").await.json(), json!({"ok": true}));
    let document = bench.ask("/api/openapi.json").await.json();
    assert!(document["paths"]["/api/flows"].is_object());
}

#[tokio::test]
async fn a_refreshed_row_is_seen_at_once() {
    let bench = Bench::new();
    let exchange = announce(&bench.store, 1, b"");
    let mut newer = row(&exchange);
    newer.model = Some("gpt-5".into());
    bench.store.refresh(newer, None);
    assert_eq!(
        bench.ask("/api/flows").await.json()["flows"][0]["model"],
        "gpt-5"
    );
}

#[tokio::test]
async fn rows_are_derived_again_on_demand() {
    let bench = Bench::new();
    let idle = bench.ask("/api/reindex").await.json();
    assert_eq!(idle["running"], false);
    assert_eq!(idle["outcome"], Value::Null);
    assert_eq!(bench.ask("/api/health").await.json().get("reindex"), None);

    let start =
        async |body: &str| write(&bench, "POST", "/api/reindex", "application/json", body).await;
    let answer = start(r#"{"scope":"all","since":1,"dry_run":true}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json()["running"], true);
    assert_eq!(answer.json()["dry_run"], true);
    assert_eq!(answer.json()["total"], 1);
    assert_eq!(
        bench.ask("/api/health").await.json()["reindex"]["running"],
        true
    );

    let again = start(r#"{"scope":"all"}"#).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (StatusCode::CONFLICT, "reindex_running")
    );
    let stopped = bench
        .send(
            request("DELETE", "/api/reindex")
                .header("origin", ORIGIN)
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(stopped.status, StatusCode::OK);
    assert_eq!(stopped.json()["outcome"], "cancelled");

    let stale = start("{}").await;
    assert_eq!(
        (stale.status, stale.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable")
    );
    for body in ["", "all", r#"{"scope":"some"}"#, r#"{"until":1}"#] {
        let answer = start(body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "bad_body"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn work_on_the_store_is_begun_followed_and_stopped() {
    let bench = Bench::new();
    record(&bench.store, 1);
    let stats = bench.ask("/api/store").await.json();
    assert_eq!((&stats["flows"], &stats["pinned"]), (&json!(1), &json!(0)));
    let before = bench.ask("/api/store/task").await.json();
    assert_eq!(
        (&before["task"], &before["running"]),
        (&Value::Null, &json!(false))
    );

    let started = write(
        &bench,
        "POST",
        "/api/store/check",
        "application/json",
        r#"{"deep":true}"#,
    )
    .await;
    assert_eq!(started.status, StatusCode::ACCEPTED);
    assert_eq!(started.json()["task"], "check");
    let task = async || loop {
        let task = bench.ask("/api/store/task").await.json();
        if task["running"] == false {
            return task;
        }
        tokio::task::yield_now().await;
    };
    let checked = task().await;
    assert_eq!(checked["outcome"], "finished");
    assert_eq!(checked["check"]["flows"], 1);
    assert_eq!(checked["check"]["findings"], json!([]));

    let relative = write(
        &bench,
        "POST",
        "/api/store/backup",
        "application/json",
        r#"{"to":"x"}"#,
    )
    .await;
    assert_eq!(
        (relative.status, relative.code().as_str()),
        (StatusCode::BAD_REQUEST, "bad_body")
    );
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("letter"), "dear").unwrap();
    let full = json!({"to": root.path(), "before": 0}).to_string();
    write(
        &bench,
        "POST",
        "/api/store/archive",
        "application/json",
        &full,
    )
    .await;
    let failed = task().await;
    assert_eq!(
        (&failed["task"], &failed["outcome"]),
        (&json!("archive"), &json!("failed"))
    );
    assert!(
        failed["error"].as_str().unwrap().ends_with("is not empty"),
        "{failed}"
    );
    let stopped = write(&bench, "DELETE", "/api/store/task", "application/json", "").await;
    assert_eq!(
        stopped.json()["outcome"],
        "failed",
        "there was nothing to stop"
    );
}

#[tokio::test]
async fn a_record_that_is_only_read_refuses_every_change() {
    let bench = Bench::read_only();
    assert_eq!(bench.ask("/api/status").await.json()["read_only"], true);
    assert_eq!(bench.ask("/api/status").await.json()["recording"], false);
    for (method, path) in crate::routes::routes().table() {
        let harmless = path.starts_with("/api/session")
            || ["/api/stats", "/api/store/check", "/api/store/task"].contains(path);
        if *method == "get" || harmless {
            continue;
        }
        let path = path.replace("{id}", &id(1).to_string());
        let answer = write(
            &bench,
            &method.to_uppercase(),
            &path,
            "application/json",
            "{}",
        )
        .await;
        let refused = (answer.status, answer.code());
        assert_eq!(
            refused,
            (StatusCode::FORBIDDEN, "read_only".to_owned()),
            "{method} {path}"
        );
    }
    let checked = write(&bench, "POST", "/api/store/check", "application/json", "{}").await;
    assert_eq!(checked.status, StatusCode::ACCEPTED);
}
