use flow_model::Header;

use super::*;

fn fingerprints() -> Fingerprints {
    Fingerprints::new([7; 32])
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
        latin1: false,
    }
}

#[test]
fn fingerprint_tells_secrets_apart_and_hides_short_ones() {
    let prints = fingerprints();
    let long = prints.of("sk-live-0123456789abcdEFGH");
    assert!(long.starts_with("redacted-EFGH-"), "{long}");
    assert_eq!(long.len(), "redacted-EFGH-".len() + 12);
    assert_eq!(long, prints.of("sk-live-0123456789abcdEFGH"));
    assert_ne!(long, prints.of("sk-live-0123456789abcdEFGI"));
    assert_ne!(
        long,
        Fingerprints::new([8; 32]).of("sk-live-0123456789abcdEFGH")
    );
    let short = prints.of("hunter2");
    assert!(
        !short.contains("ter2") && short.starts_with("redacted-"),
        "{short}"
    );
    assert!(prints.of("密码密码密码密码密码密码密码密码密码").is_ascii());
}

#[test]
fn headers_lose_credentials_and_keep_the_rest() {
    let key = "sk-ant-0123456789abcdefghijkl";
    let secret = [
        header("Authorization", &format!("Bearer {key}")),
        header("authorization", &format!("Basic {key}")),
        header("authorization", key),
        header("X-Api-Key", key),
        header("api-key", key),
        header("x-goog-api-key", key),
        header("X-Amz-Security-Token", key),
        header("chatgpt-account-id", key),
        header("Cookie", &format!("sid={key}; theme=dark")),
        header("Set-Cookie", &format!("sid={key}; Path=/; HttpOnly")),
        header("x-anything", &format!("Bearer {key}")),
        header("x-forwarded-auth", &format!("token={key}")),
        header("x-client-secret", "hunter2"),
        header("cf-aig-authorization", key),
        header("helicone-auth", key),
        header("x-functions-key", "hunter2"),
        header("x-forwarded-authorization", key),
        header("authentication", "hunter2"),
        header("token", "hunter2"),
        header("x-jwt", "hunter2"),
        header("x-session-key", "hunter2"),
        header("session", "hunter2"),
        header("x-signature", "hunter2"),
        header("x-passwd", "hunter2"),
        header("authentication-info", "hunter2"),
        header("x-y", "BEARER hunter2hunter2"),
        header("x-y", "Token hunter2hunter2"),
        header("x-note", &format!("see ({key}) and <{key}>")),
        header("x-from", "https://u:hunter2@host/"),
        header("host", "u:hunter2@127.0.0.1"),
        header("link", &format!("</next?key={key}>; rel=next")),
        header("referer", &format!("https://host/path?a=1&key={key}")),
        header(
            "authorization",
            &format!("AWS4-HMAC-SHA256 Credential={key}/x, Signature=abc"),
        ),
    ];
    for one in secret {
        let mut headers = vec![one.clone()];
        fingerprints().headers(&mut headers);
        let value = &headers[0].value;
        assert!(
            !value.contains(key) && !value.contains("hunter2"),
            "{one:?} became {value}"
        );
        assert!(value.contains("redacted-"), "{one:?} became {value}");
        assert_eq!(headers[0].name, one.name);
    }
    let plain = [
        header("content-type", "application/json"),
        header("anthropic-ratelimit-tokens-remaining", "4000"),
        header("x-ratelimit-limit-tokens", "30000"),
        header("idempotency-key", "stainless-retry-1"),
        header("openai-organization", "org-1"),
        header("user-agent", "OpenAI/Python 3.52.0"),
        header("x-claude-code-session-id", "2b1f-44"),
        header("session-id", "2b1f-44"),
        header("x-session-id", "ses_1"),
        header("www-authenticate", "Bearer"),
        header("content-type", "text/event-stream; charset=utf-8"),
        header("cache-control", "max-age=0"),
        header("from", "someone@example.org"),
    ];
    for one in plain {
        let mut headers = vec![one.clone()];
        fingerprints().headers(&mut headers);
        assert_eq!(headers[0], one);
    }
}

#[test]
fn scheme_and_cookie_names_stay() {
    let mut headers = vec![
        header("authorization", "Bearer abcdefghijklmnopqrst"),
        header("cookie", "a=1; b=2"),
    ];
    fingerprints().headers(&mut headers);
    assert!(
        headers[0].value.starts_with("Bearer redacted-qrst-"),
        "{}",
        headers[0].value
    );
    let cookie = &headers[1].value;
    assert!(
        cookie.starts_with("a=redacted-") && cookie.contains("; b=redacted-"),
        "{cookie}"
    );
}

#[test]
fn urls_lose_keys_and_user_info() {
    let prints = fingerprints();
    let check = |url: &str, secret: &str| {
        let redacted = prints.url(url);
        assert!(!redacted.contains(secret), "{url} became {redacted}");
        assert!(redacted.contains("redacted-"), "{url} became {redacted}");
    };
    check(
        "/v1beta/models/m:generateContent?key=AIzaSecretSecret",
        "AIzaSecretSecret",
    );
    check("/v1/x?alt=sse&%6Bey=AIzaSecretSecret", "AIzaSecretSecret");
    check("/v1/x?API_KEY=hunter2hunter2", "hunter2hunter2");
    check("/v1/x?X-Amz-Signature=deadbeef", "deadbeef");
    check("https://user:hunter2@host/v1", "hunter2");
    check("/x#access_token=hunter2", "hunter2");
    check("/x?q=sk-0123456789abcdefghijk", "sk-0123456789");
    for name in [
        "subscription-key",
        "x_goog_api_key",
        "X-Goog-Signature",
        "X-Goog-Credential",
        "code",
        "apiToken",
        "oauth_token",
        "secret_key",
        "jwt",
        "passwd",
        "key[]",
        "a+key",
    ] {
        check(&format!("/x?a=1&{name}=hunter2"), "hunter2");
    }
    let key = "sk-0123456789abcdefghijk";
    check(&format!("/x?q=x%20{key}"), key);
    check("/x?q=Bearer+hunter2hunter2", "hunter2");
    check("/x?next=%2Fy%3Fkey%3Dhunter2", "hunter2");
    check(&format!("/x?{key}"), key);
    check(&format!("/evil/{key}/x"), key);
    check("u:hunter2@host:443", "hunter2");
    for same in [
        "/v1/chat/completions",
        "/v1/x?alt=sse&beta=true",
        "https://host/a?b",
        "/v1/x?max_tokens=10&tokens=5&model=a%20b",
        "/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        "/x?y=a%20b&&z=",
        "",
        "?",
    ] {
        assert_eq!(prints.url(same), same);
    }
}
