//! What passes, byte for byte.

use flow_capture::BodyEnd;
use flow_model::EndReason;

use crate::support::{Monitor, OK, Upstream, beside, get, post};

/// Sends a request through the relay and compares what the upstream gets; answers, and compares what the client
/// gets. `HOST` stands for the upstream's address.
async fn check(sent: &str, expect_sent: &str, answered: &str, expect_answered: &str) {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(sent).await;
    let mut server = upstream.accept().await;
    let expect_sent = expect_sent.replace("HOST", &upstream.address.to_string());
    let got = server.exactly(expect_sent.len()).await;
    assert_eq!(String::from_utf8_lossy(&got), expect_sent);
    server.send(answered).await;
    let got = client.exactly(expect_answered.len()).await;
    assert_eq!(String::from_utf8_lossy(&got), expect_answered);
    // Nothing follows on either side.
    let flow = monitor.flow().await;
    assert_eq!(flow.end, Some(EndReason::Ended), "{}", flow.why());
    assert_eq!(
        (flow.request_ends.len(), flow.response_ends.len(), flow.sent),
        (1, 1, 1)
    );
    monitor.stop();
    monitor.stopped().await;
    assert_eq!(
        (server.rest().await.0, client.rest().await.0),
        (String::new(), String::new())
    );
}

#[tokio::test]
async fn a_head_passes_but_for_prefix_host_and_hop() {
    let sent = "POST /up/v1/chat/completions?a=%20b&key=v HTTP/1.1\r\nhOsT: localhost:1\r\nUSER-Agent: x/1\r\n\
        X-Twice: 1\r\nConnection: keep-alive, X-Hop\r\nx-hop: gone\r\nx-TWICE: 2\r\nAccept:  */*  \r\n\
        Empty:\r\nKeep-Alive: 5\r\nTE: gzip\r\nProxy-Authorization: p\r\ncontent-LENGTH: 4\r\nLast: z\r\n\r\nbody";
    let expect = "POST /v1/chat/completions?a=%20b&key=v HTTP/1.1\r\nhOsT: HOST\r\nUSER-Agent: x/1\r\n\
        X-Twice: 1\r\nx-TWICE: 2\r\nAccept: */*\r\nEmpty:\r\ncontent-LENGTH: 4\r\nLast: z\r\n\r\nbody";
    let answered = "HTTP/1.1 200 Fine By Me\r\nX-Request-ID: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\
        Connection: keep-alive, x-hop\r\nX-Hop: gone\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\nZ: z\r\n\r\nok";
    let expect_answered = "HTTP/1.1 200 Fine By Me\r\nX-Request-ID: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\
        Content-Length: 2\r\nZ: z\r\n\r\nok";
    check(sent, expect, answered, expect_answered).await;
}

#[tokio::test]
async fn an_absent_body_and_an_empty_one_stay_what_they_are() {
    let host = "Host: localhost\r\n";
    let expect_host = "Host: HOST\r\n";
    for framing in ["", "Content-Length: 0\r\n"] {
        for method in ["POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let sent = format!("{method} /up/v1/x HTTP/1.1\r\n{host}{framing}A: b\r\n\r\n");
            let expect = format!("{method} /v1/x HTTP/1.1\r\n{expect_host}{framing}A: b\r\n\r\n");
            check(&sent, &expect, OK, OK).await;
        }
    }
    let empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: b\r\n\r\n";
    let sent = format!("GET /up/v1/x HTTP/1.1\r\n{host}\r\n");
    let expect = format!("GET /v1/x HTTP/1.1\r\n{expect_host}\r\n");
    check(&sent, &expect, empty, empty).await;
    for status in ["204 No Content", "304 Not Modified"] {
        let empty = format!("HTTP/1.1 {status}\r\nETag: x\r\nA: b\r\n\r\n");
        check(&sent, &expect, &empty, &empty).await;
    }
    let with_length = "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: x\r\n\r\n";
    check(&sent, &expect, with_length, with_length).await;
    let reason = "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n";
    check(&sent, &expect, reason, reason).await;
}

#[tokio::test]
async fn the_answer_to_head_keeps_its_length_and_has_no_body() {
    let sent = "HEAD /up/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let expect = "HEAD /v1/x HTTP/1.1\r\nHost: HOST\r\n\r\n";
    for framing in [
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "",
    ] {
        let answered = format!("HTTP/1.1 200 OK\r\n{framing}A: b\r\n\r\n");
        // hyper leaves the coding out of a head without a body, which HTTP allows.
        let expect_answered = answered.replace("Transfer-Encoding: chunked\r\n", "");
        check(sent, expect, &answered, &expect_answered).await;
    }
}

#[tokio::test]
async fn chunks_pass_both_ways() {
    let sent = "POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n\
        4\r\nbody\r\n0\r\n\r\n";
    let expect = "POST /v1/x HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n\
        4\r\nbody\r\n0\r\n\r\n";
    let answered = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n\
        6\r\ndata: \r\n4\r\n1\n\n\n\r\n0\r\n\r\n";
    check(sent, expect, answered, answered).await;
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_chunked() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, server) = upstream
        .answer("HTTP/1.1 200 OK\r\nA: b\r\n\r\nto the end")
        .await;
    drop(server);
    let expect =
        "HTTP/1.1 200 OK\r\nA: b\r\ntransfer-encoding: chunked\r\n\r\nA\r\nto the end\r\n0\r\n\r\n";
    assert_eq!(client.until("0\r\n\r\n").await, expect);
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.response.as_slice()),
        (Some(EndReason::Ended), &b"to the end"[..])
    );
}

#[tokio::test]
async fn declared_trailers_pass_both_ways() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let framing = "TE: trailers\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n";
    client
        .send(format!(
            "POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\n{framing}"
        ))
        .await;
    let mut server = upstream.accept().await;
    assert!(
        server
            .until("0\r\nx-sum: 1\r\n\r\n")
            .await
            .ends_with(framing)
    );
    let answered = "HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nx-sum: 2\r\n\r\n";
    server.send(answered).await;
    assert_eq!(client.until("x-sum: 2\r\n\r\n").await, answered);
    let flow = monitor.flow().await;
    let value = |end: &BodyEnd| match end {
        BodyEnd::Trailers(fields) => fields[0].value.clone(),
        other => panic!("{other:?} has no trailers"),
    };
    assert_eq!(
        (value(&flow.request_ends[0]), value(&flow.response_ends[0])),
        ("1".to_owned(), "2".to_owned())
    );
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on() {
    let upstream = Upstream::start().await;
    let monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let head = "Host: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    client
        .send(format!("POST /up/v1/x HTTP/1.1\r\n{head}"))
        .await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body").await;
    let mut server = upstream.accept().await;
    let got = server.until("body").await;
    assert!(got.contains("\r\nExpect: 100-continue\r\n"), "{got}");
    server
        .send(format!("HTTP/1.1 100 Continue\r\n\r\n{OK}"))
        .await;
    assert_eq!(client.until("ok").await, OK);
}

#[tokio::test]
async fn frames_pass_one_by_one_and_the_first_does_not_wait() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client
        .send("POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nhalf")
        .await;
    let mut server = upstream.accept().await;
    server.until("\r\n\r\nhalf").await;
    client.send("rest").await;
    server.until("rest").await;
    server
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.head().await;
    for event in ["one", "two", "three"] {
        server
            .send(format!("{:x}\r\n{event}\r\n", event.len()))
            .await;
        client.until(event).await;
    }
    server.send("0\r\n\r\n").await;
    client.until("0\r\n\r\n").await;
    let flow = monitor.flow().await;
    assert_eq!(flow.response, b"onetwothree");
    assert_eq!(flow.response_frames, 3);
    assert_eq!(flow.request, b"halfrest");
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_has_been_sent_passes() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client
        .send("POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        .await;
    let mut server = upstream.accept().await;
    server.until("half").await;
    let early = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno";
    server.send(early).await;
    assert_eq!(client.until("no").await, early);
    let flow = monitor.flow().await;
    assert_eq!(flow.end, Some(EndReason::UpstreamError));
    assert_eq!(
        (flow.request_ends.as_slice(), flow.sent),
        (&[BodyEnd::Dropped][..], 0)
    );
    // What the client goes on to send still passes, and nothing of it follows the flow's end in the record.
    client.send(" more").await;
    server.until(" more").await;
    client.send(get("/nowhere")).await;
    client.head().await;
    assert_eq!(monitor.flow().await.end, Some(EndReason::Blocked));
}

#[tokio::test]
async fn large_bodies_pass_whole() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let body: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let head = format!("Host: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    let sent = body.clone();
    let echo = beside(async move {
        let mut server = upstream.accept().await;
        server.head().await;
        let got = server.exactly(sent.len()).await;
        assert!(got == sent, "the upstream got another body");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", got.len());
        server.send(head).await;
        server.send(got).await;
        server
    });
    client
        .send(format!("POST /up/v1/x HTTP/1.1\r\n{head}"))
        .await;
    client.send(&body).await;
    client.head().await;
    assert!(
        client.exactly(body.len()).await == body,
        "the client got another body"
    );
    let flow = monitor.flow().await;
    assert!(
        flow.request == body && flow.response == body,
        "the record has other bodies"
    );
    drop(echo.await.unwrap());
}

#[tokio::test]
async fn connections_are_used_again() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let request = "POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na";
    client.send(request).await;
    let mut server = upstream.accept().await;
    for round in 0..3 {
        server.until("\r\n\r\na").await;
        server.send(OK).await;
        client.until("ok").await;
        let flow = monitor.flow().await;
        assert_eq!(flow.connected.len(), 1);
        assert_eq!(flow.connected[0].reused, round > 0);
        assert_eq!(flow.connected[0].connect_us.is_some(), round == 0);
        client.send(request).await;
    }
    server.until("\r\n\r\na").await;
    assert!(upstream.is_quiet().await);
}

#[tokio::test]
async fn connections_that_nobody_uses_are_closed() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, mut server) = upstream.answer(OK).await;
    client.until("ok").await;
    monitor.flow().await;
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    assert_eq!(server.rest().await.0, "");
}

#[tokio::test]
async fn a_stale_connection_is_replaced_without_notice() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    for _ in 0..3 {
        client.send(get("/up/v1/x")).await;
        let (_, server) = upstream.answer(OK).await;
        client.until("ok").await;
        assert_eq!(monitor.flow().await.end, Some(EndReason::Ended));
        drop(server);
    }
}

#[tokio::test]
async fn a_connection_that_closes_while_a_request_comes_is_replaced_without_notice() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(post("/up/v1/x")).await;
    let mut server = upstream.accept().await;
    for round in 0..5 {
        server.until("body").await;
        server.send(OK).await;
        client.until("ok").await;
        let flow = monitor.flow().await;
        assert_eq!(
            (flow.end, flow.request.as_slice()),
            (Some(EndReason::Ended), &b"body"[..])
        );
        // The relay learns of the request first: it takes the idle connection and finds it closed.
        let tried: Vec<_> = flow
            .connected
            .iter()
            .map(|timings| timings.reused)
            .collect();
        assert_eq!(
            tried,
            if round == 0 {
                vec![false]
            } else {
                vec![true, false]
            }
        );
        client.send(post("/up/v1/x")).await;
        drop(server);
        server = upstream.accept().await;
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let post = "POST /up/v1/b HTTP/1.1\r\nHOST: localhost\r\nContent-Length: 1\r\n\r\nx";
    client
        .send(format!("{}{post}{}", get("/up/v1/a"), get("/up/v1/c")))
        .await;
    let mut server = upstream.accept().await;
    for path in ["a", "b", "c"] {
        assert!(server.head().await.contains(&format!(" /v1/{path} ")));
        if path == "b" {
            server.until("x").await;
        }
        server.send(OK).await;
        client.until("ok").await;
        assert!(monitor.flow().await.start().request.target.ends_with(path));
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_is_served() {
    let upstream = Upstream::start().await;
    let monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client
        .send("GET /up/v1/x HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .await;
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let (head, _server) = upstream.answer(chunked).await;
    assert!(head.starts_with("GET /v1/x HTTP/1.1\r\n"), "{head}");
    assert_eq!(
        client.rest().await,
        ("HTTP/1.0 200 OK\r\n\r\nok".to_owned(), true)
    );
}
