use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &'static str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    fields.iter().map(field).collect()
}

fn routes() -> Routes {
    let defined = [
        "my=http://127.0.0.1:9/v1",
        "bare=http://127.0.0.1:9",
        "deep=http://127.0.0.1:9/a/v2",
    ];
    Routes::new(defined.iter().map(|text| text.parse().unwrap()).collect())
}

/// Routes the target and shows where it goes, or why it goes nowhere.
fn route(target: &str, fields: &[(&'static str, &'static str)]) -> String {
    match routes().route(target, &headers(fields)) {
        Ok(found) => format!("{}{}", found.origin, found.path_and_query),
        Err(missing) => format!("{:?}", missing.reason),
    }
}

fn check(target: &str, expect: &str) {
    assert_eq!(route(target, &[]), expect, "{target}");
}

#[test]
fn every_built_in_upstream_is_reached() {
    check(
        "/openai/v1/chat/completions",
        "https://api.openai.com/v1/chat/completions",
    );
    check(
        "/anthropic/v1/messages",
        "https://api.anthropic.com/v1/messages",
    );
    let gemini = "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent";
    check("/gemini/v1beta/models/m:generateContent", gemini);
    let kiro = "https://q.us-east-1.amazonaws.com/generateAssistantResponse";
    check("/kiro/us-east-1/generateAssistantResponse", kiro);
    let azure =
        "https://res.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024";
    check(
        "/azure/res/openai/deployments/d/chat/completions?api-version=2024",
        azure,
    );
    let bedrock =
        "https://bedrock-runtime.us-west-2.amazonaws.com/model/anthropic.claude-3%3A0/converse";
    check(
        "/bedrock/us-west-2/model/anthropic.claude-3%3A0/converse",
        bedrock,
    );
    let vertex = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l";
    check("/vertex/us-central1/v1/projects/p/locations/l", vertex);
    check("/vertex/us-central1/projects/p/locations/l", vertex);
    check(
        "/openrouter/v1/chat/completions",
        "https://openrouter.ai/api/v1/chat/completions",
    );
    check(
        "/deepseek/chat/completions",
        "https://api.deepseek.com/v1/chat/completions",
    );
    check(
        "/deepseek/anthropic/v1/messages",
        "https://api.deepseek.com/anthropic/v1/messages",
    );
    check("/xai/v1/responses", "https://api.x.ai/v1/responses");
    check(
        "/groq/v1/chat/completions",
        "https://api.groq.com/openai/v1/chat/completions",
    );
    check(
        "/mistral/v1/fim/completions",
        "https://api.mistral.ai/v1/fim/completions",
    );
    check("/cohere/chat", "https://api.cohere.com/v2/chat");
    check("/cohere/v1/chat", "https://api.cohere.com/v1/chat");
    check(
        "/moonshot/v1/chat/completions",
        "https://api.moonshot.ai/v1/chat/completions",
    );
    let qwen = "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions";
    check("/qwen/v1/chat/completions", qwen);
    let zhipu = "https://open.bigmodel.cn/api/paas/v4/chat/completions";
    check("/zhipu/v4/chat/completions", zhipu);
    check("/zhipu/v1/chat/completions", zhipu);
    check("/zhipu/chat/completions", zhipu);
    check("/ollama/api/chat", "http://127.0.0.1:11434/api/chat");
    check("/lmstudio/v1/models", "http://127.0.0.1:1234/v1/models");
}

#[test]
fn versions_are_added_and_collapsed() {
    let messages = "https://api.anthropic.com/v1/messages";
    for target in [
        "/anthropic/messages",
        "/anthropic/v1/messages",
        "/anthropic/v1/v1/messages",
    ] {
        check(target, messages);
    }
    check("/anthropic", "https://api.anthropic.com/");
    check("/anthropic/", "https://api.anthropic.com/");
    check("/anthropic?a=b", "https://api.anthropic.com/?a=b");
    check("/anthropic/v1", "https://api.anthropic.com/v1");
    check(
        "/anthropic/api/hello",
        "https://api.anthropic.com/api/hello",
    );
    check(
        "/anthropic/messages?beta=true",
        "https://api.anthropic.com/v1/messages?beta=true",
    );
    let google = "https://generativelanguage.googleapis.com";
    check(
        "/gemini/models/m:countTokens",
        &format!("{google}/v1beta/models/m:countTokens"),
    );
    check(
        "/gemini/v1/models/m:countTokens",
        &format!("{google}/v1/models/m:countTokens"),
    );
    check("/gemini/v1beta/v1/models", &format!("{google}/v1/models"));
    check(
        "/gemini/upload/v1beta/files",
        &format!("{google}/upload/v1beta/files"),
    );
}

#[test]
fn upstreams_of_the_users_own_are_reached() {
    for target in [
        "/my/v1/chat/completions",
        "/my/chat/completions",
        "/my/v1/v1/chat/completions",
    ] {
        check(target, "http://127.0.0.1:9/v1/chat/completions");
    }
    check("/my/anything", "http://127.0.0.1:9/v1/anything");
    check(
        "/my/v1beta/models/m:generateContent",
        "http://127.0.0.1:9/v1beta/models/m:generateContent",
    );
    check("/bare/v1/messages", "http://127.0.0.1:9/v1/messages");
    check("/bare/messages", "http://127.0.0.1:9/v1/messages");
    check("/bare/anything", "http://127.0.0.1:9/anything");
    check("/deep/chat", "http://127.0.0.1:9/a/v2/chat");
    check("/deep/v1/chat", "http://127.0.0.1:9/a/v2/chat");
}

#[test]
fn a_users_upstream_takes_the_place_of_a_built_in_one() {
    let routes = Routes::new(vec!["openai=http://127.0.0.1:9/x".parse().unwrap()]);
    for target in ["/openai/v1/models", "/v1/models"] {
        let found = routes.route(target, &HeaderMap::new()).unwrap();
        assert_eq!(
            format!("{}{}", found.origin, found.path_and_query),
            "http://127.0.0.1:9/x/v1/models"
        );
        assert_eq!(found.api, Api::Openai);
    }
    let names: Vec<_> = routes.list().into_iter().map(|info| info.name).collect();
    assert_eq!(names.iter().filter(|name| *name == "openai").count(), 1);
}

#[test]
fn bare_paths_are_told_by_path_method_and_headers() {
    let openai = |path: &str| format!("https://api.openai.com{path}");
    let anthropic = |path: &str| format!("https://api.anthropic.com{path}");
    let gemini = |path: &str| format!("https://generativelanguage.googleapis.com{path}");
    let check = |target: &str, fields: &[(&'static str, &'static str)], expect: String| {
        assert_eq!(route(target, fields), expect, "{target} {fields:?}");
    };
    for path in [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/completions",
        "/v1/models",
        "/v1/x?y=z",
    ] {
        check(path, &[], openai(path));
    }
    check("/chat/completions", &[], openai("/v1/chat/completions"));
    for path in [
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/messages?beta=true",
        "/v1/complete",
    ] {
        check(path, &[], anthropic(path));
    }
    check("/messages", &[], anthropic("/v1/messages"));
    check(
        "/v1/models",
        &[("anthropic-version", "2023-06-01")],
        anthropic("/v1/models"),
    );
    check("/v1/models", &[("x-api-key", "k")], anthropic("/v1/models"));
    for path in [
        "/v1/models/m:generateContent",
        "/v1beta/models/m:streamGenerateContent?alt=sse",
    ] {
        check(path, &[], gemini(path));
    }
    check(
        "/v1/models",
        &[("x-goog-api-key", "k")],
        gemini("/v1/models"),
    );
    check(
        "/v1beta/openai/chat/completions",
        &[],
        gemini("/v1beta/openai/chat/completions"),
    );
}

#[test]
fn a_run_in_front_is_taken_off() {
    let found = |target: &str| routes().route(target, &HeaderMap::new()).unwrap();
    for target in ["/run/a-1_B.c/openai/v1/models", "/run/a-1_B.c/v1/models"] {
        let found = found(target);
        assert_eq!(found.run.as_deref(), Some("a-1_B.c"));
        assert_eq!(found.path_and_query, "/v1/models");
    }
    let missing = routes()
        .route("/run/x/nowhere", &HeaderMap::new())
        .unwrap_err();
    assert_eq!(missing.run.as_deref(), Some("x"));
    let long = format!("/run/{}/openai/v1/models", "a".repeat(129));
    for target in [
        "/run",
        "/run/",
        "/run/a b/openai",
        "/run/../openai",
        "/run/a/run/b/v1/models",
        &long,
    ] {
        check(target, "Unknown");
    }
}

#[test]
fn what_leads_nowhere_is_said() {
    for target in [
        "/",
        "/nowhere",
        "/api/hello",
        "/OPENAI/v1/models",
        "/favicon.ico",
        "//openai/v1",
        "*",
    ] {
        check(target, "Unknown");
    }
    let parameter = "Parameter { path: \"/bedrock/{region}\" }";
    for target in [
        "/bedrock",
        "/bedrock/",
        "/bedrock/evil.example/x",
        "/bedrock/a%2eb/x",
        "/bedrock/@h/x",
    ] {
        check(target, parameter);
    }
}

#[test]
fn bytes_of_the_path_pass_as_received() {
    for rest in [
        "/v1/a%2Fb/%zz/c//d",
        "/v1/../x",
        "/v1/ä",
        "/v1/models/a:b;c?d=%20&e[]=f",
    ] {
        check(
            &format!("/openai{rest}"),
            &format!("https://api.openai.com{rest}"),
        );
    }
    check(
        "/openai/@evil.example/",
        "https://api.openai.com/@evil.example/",
    );
    check(
        "/openai//evil.example/",
        "https://api.openai.com//evil.example/",
    );
}

#[test]
fn dot_segments_stay_inside_a_base_path() {
    for rest in [
        "/../x",
        "/v1/../../x",
        "/%2e%2E/x",
        "/v1/%2e./x",
        "/v1/..%2fx",
        "/v1/..\\x",
        "/.",
    ] {
        check(&format!("/groq{rest}"), "Escape");
    }
    check("/groq/v1/a..b/.c", "https://api.groq.com/openai/v1/a..b/.c");
}

#[test]
fn errors_take_the_shape_that_the_client_knows() {
    let api = |target: &str, fields: &[(&'static str, &'static str)]| {
        routes()
            .route(target, &headers(fields))
            .map_or_else(|missing| missing.api, |found| found.api)
    };
    assert_eq!(api("/openai/v1/models", &[]), Api::Openai);
    assert_eq!(api("/anthropic/v1/models", &[]), Api::Anthropic);
    assert_eq!(api("/openrouter/v1/messages", &[]), Api::Anthropic);
    assert_eq!(api("/bedrock/us-east-1/model/m/invoke", &[]), Api::Aws);
    assert_eq!(api("/bedrock/NO/model/m/invoke", &[]), Api::Aws);
    assert_eq!(api("/my/v1/messages", &[]), Api::Anthropic);
    assert_eq!(api("/my/v1/models/m:generateContent", &[]), Api::Gemini);
    assert_eq!(api("/my/v1/chat/completions", &[]), Api::Openai);
    assert_eq!(
        api("/nowhere", &[("anthropic-version", "1")]),
        Api::Anthropic
    );
    assert_eq!(api("/nowhere", &[]), Api::Openai);
}

/// Returns whether requests may go to this host, whatever the path says.
fn is_known_host(host: &str) -> bool {
    let label = |before: &str, after: &str| {
        host.strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(crate::upstreams::is_host_label)
    };
    let fixed = |upstream: &Upstream| {
        upstream
            .origin(None)
            .is_some_and(|origin| origin.host() == host)
    };
    built_in().any(|upstream| fixed(&upstream))
        || label("q.", ".amazonaws.com")
        || label("bedrock-runtime.", ".amazonaws.com")
        || label("", ".openai.azure.com")
        || label("", "-aiplatform.googleapis.com")
        || host == "aiplatform.googleapis.com"
}

proptest! {
    #[test]
    fn no_path_chooses_a_host_of_its_own(
        prefix in prop::sample::select(vec!["", "/run/r", "/openai", "/kiro", "/azure", "/bedrock", "/vertex", "/v1", "/my"]),
        rest in "[/a-zA-Z0-9.@:%#?\\\\&=~ -]{0,40}|.{0,20}",
    ) {
        if let Ok(found) = routes().route(&format!("{prefix}/{rest}"), &HeaderMap::new()) {
            prop_assert!(is_known_host(found.origin.host()), "{}", found.origin);
            prop_assert!(found.path_and_query.starts_with('/'), "{}", found.path_and_query);
        }
    }
}
