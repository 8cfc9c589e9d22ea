use axum::body::Body;
use flow_store::Write;
use http::StatusCode;
use serde_json::{Value, json};

use crate::testing::{Answer, Bench, ORIGIN, announce, record, request};

/// Four flows that ended, with models and costs, and one that runs.
fn filled() -> Bench {
    let bench = Bench::new();
    for number in 1..=4 {
        let mut row = record(&bench.store, number);
        row.model = Some(if number % 2 == 0 { "even" } else { "odd" }.to_owned());
        row.cost = (number != 4).then(|| format!("0.{number}"));
        row.tokens.total = Some(number * 10);
        bench.store.write(Write::Row(row));
    }
    announce(&bench.store, 5, b"{}");
    assert!(bench.store.flush());
    bench
}

async fn ask(bench: &Bench, query: &Value) -> Answer {
    let request = request("POST", "/api/stats")
        .header("origin", ORIGIN)
        .header("content-type", "application/json")
        .body(Body::from(query.to_string()))
        .unwrap();
    bench.send(request).await
}

/// Writes a filter as a parameter.
fn encoded(filter: &Value) -> String {
    let text = filter.to_string();
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    bytes.concat()
}

#[tokio::test]
async fn filters_select_flows() {
    let bench = filled();
    let check = async |filter: Value, expect: u64| {
        let filter = encoded(&filter);
        let page = bench
            .ask(&format!("/api/flows?filter={filter}&limit=2"))
            .await;
        let json = page.json();
        let (flows, total) = (json["flows"].as_array().unwrap(), &json["total"]);
        assert_eq!((flows.len() as u64, total), (expect.min(2), &json!(expect)));
        assert_eq!(json["partial"], false);
        assert_eq!(json["next_cursor"].is_null(), expect <= 2);
        let count = bench
            .ask(&format!("/api/flows/count?filter={filter}"))
            .await;
        assert_eq!(count.json(), json!({"count": expect, "partial": false}));
    };
    check(json!({"field": "model", "is": "EVEN"}), 2).await;
    check(json!({"field": "cost", "min": "$0.2"}), 2).await;
    check(json!({"not": {"known": "cost"}}), 2).await;
    check(json!({"is": "running"}), 1).await;
    check(json!({"all": []}), 5).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_filter_is_told() {
    let bench = Bench::new();
    let filter = json!({"all": [{"field": "modle", "is": "x"}, {"field": "cost", "min": "cheap"}]});
    let path = format!("/api/flows?filter={}", encoded(&filter));
    for answer in [
        bench.ask(&path).await,
        ask(&bench, &json!({"filter": filter})).await,
    ] {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.code(), "bad_filter");
        let json = answer.json();
        let flaws = json["error"]["filter"].as_array().unwrap();
        assert_eq!(flaws.len(), 2, "{json}");
        assert_eq!(flaws[0]["code"], "unknown_field");
        assert_eq!(flaws[0]["help"], "did you mean \"model\"?");
        assert!(flaws[1]["at"].as_str().unwrap().starts_with("/all/1"));
        assert_eq!(json["error"]["message"], flaws[0]["message"]);
    }
}

#[tokio::test]
async fn groups_have_their_figures() {
    let bench = filled();
    let query = json!({
        "filter": {"not": {"is": "running"}},
        "group_by": ["model", {"time": "day", "offset_minutes": 60}],
        "measures": ["cost", "tokens"],
    });
    let json = ask(&bench, &query).await.json();
    assert_eq!(
        (&json["left_out"], &json["partial"]),
        (&json!(0), &json!(false))
    );
    let groups = json["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2, "{json}");
    assert_eq!(
        (&groups[0]["key"][0], &groups[0]["count"]),
        (&json!("even"), &json!(2))
    );
    let day = groups[0]["key"][1].as_i64().unwrap();
    assert_eq!(
        (day + 3_600_000_000) % 86_400_000_000,
        0,
        "a day begins an hour before that of UTC"
    );
    let odd = &groups[1]["measures"];
    assert_eq!(
        (&odd[0]["field"], &odd[0]["sum"]),
        (&json!("cost"), &json!("0.4"))
    );
    assert_eq!(
        (&odd[0]["min"], &odd[0]["average"]),
        (&json!("0.1"), &json!("0.2"))
    );
    assert_eq!((&odd[1]["sum"], &odd[1]["max"]), (&json!(40), &json!(30)));
    assert_eq!((&odd[1]["count"], &odd[1]["p50"]), (&json!(2), &json!(10)));

    let all = ask(
        &bench,
        &json!({"measures": ["duration"], "without_percentiles": true}),
    )
    .await;
    let all = all.json();
    assert_eq!(all["groups"][0]["key"], json!([]));
    assert_eq!(all["groups"][0]["count"], 5);
    assert_eq!(all["groups"][0]["measures"][0]["p50"], Value::Null);
    let flags = ask(&bench, &json!({"group_by": ["running"]})).await.json();
    let key = |at: usize| flags["groups"][at]["key"][0].clone();
    assert_eq!((key(0), key(1)), (json!(false), json!(true)));
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    let check = async |query: Value, code: &str| {
        let answer = ask(&bench, &query).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{query}"
        );
    };
    check(json!({"group_by": ["weather"]}), "bad_body").await;
    check(json!({"group_by": ["duration"]}), "bad_body").await;
    check(json!({"group_by": vec!["model"; 5]}), "bad_body").await;
    check(
        json!({"group_by": [{"time": "day", "offset_minutes": 841}]}),
        "bad_body",
    )
    .await;
    check(json!({"measures": ["model"]}), "bad_body").await;
    check(json!({"measures": vec!["cost"; 7]}), "bad_body").await;
    check(json!({"filter": []}), "bad_filter").await;
    let wrong = ask(&bench, &json!({"group_by": [{"time": "year"}]})).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (400, "bad_body")
    );
    let wrong = ask(&bench, &json!({"sums": []})).await;
    assert_eq!(wrong.code(), "bad_body");
}

#[tokio::test]
async fn facets_count_names() {
    let bench = filled();
    let answer = bench
        .ask("/api/facets?fields=model,%20state&top=1")
        .await
        .json();
    let facets = answer["facets"].as_array().unwrap();
    assert_eq!(facets.len(), 2);
    assert_eq!(facets[0]["field"], "model");
    assert_eq!(facets[0]["names"], json!([{"name": "even", "count": 2}]));
    assert_eq!(
        (&facets[0]["unknown"], &facets[0]["distinct"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        facets[1]["names"],
        json!([{"name": "completed", "count": 4}])
    );
}

#[tokio::test]
async fn histograms_hold_every_flow() {
    let bench = filled();
    for (query, buckets) in [("", 31), ("&buckets=4", 4), ("&buckets=4&scale=log", 3)] {
        let answer = bench
            .ask(&format!("/api/histogram?field=tokens{query}"))
            .await
            .json();
        let found = answer["buckets"].as_array().unwrap();
        assert_eq!(found.len(), buckets, "{answer}");
        let flows: u64 = found
            .iter()
            .map(|bucket| bucket["count"].as_u64().unwrap())
            .sum();
        assert_eq!((flows, &answer["unknown"]), (4, &json!(1)), "{answer}");
    }
    let answer = bench
        .ask("/api/histogram?field=cost&buckets=1")
        .await
        .json();
    assert_eq!(
        answer["buckets"],
        json!([{"min": "0.1", "max": "0.3", "count": 3}])
    );
    let none = json!({"field": "tokens", "min": 100});
    let path = format!("/api/histogram?field=tokens&filter={}", encoded(&none));
    assert_eq!(bench.ask(&path).await.json()["buckets"], json!([]));
}
