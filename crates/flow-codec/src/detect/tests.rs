use super::*;

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
        latin1: false,
    }
}

#[track_caller]
fn check(method: &str, paths: &[&str], expect: Option<Dialect>) {
    for path in paths {
        assert_eq!(detect(method, path, &[], None), expect, "{path}");
    }
}

#[track_caller]
fn check_body(path: &str, headers: &[Header], body: &str, expect: Option<Dialect>) {
    let found = detect("POST", path, headers, Some(body.as_bytes()));
    assert_eq!(found, expect, "{path} {body}");
}

#[test]
fn openai_is_known_under_any_prefix() {
    let paths = [
        "/v1/chat/completions",
        "/chat/completions/",
        "/api/v1/chat/completions",
        "/openai/deployments/d-1/chat/completions?api-version=2024-10-21",
        "/v1beta/openai/chat/completions#stream",
        "/v1/fim/completions",
    ];
    check("POST", &paths, Some(Dialect::OpenaiChat));
    check(
        "POST",
        &["/v1/completions", "//openai/deployments/d/completions"],
        Some(Dialect::OpenaiCompletions),
    );
    check(
        "POST",
        &["/v1/responses", "/responses", "/v1/responses/compact"],
        Some(Dialect::OpenaiResponses),
    );
    check(
        "GET",
        &["/v1/responses/resp_1?stream=true"],
        Some(Dialect::OpenaiResponses),
    );
    check(
        "POST",
        &["/v1/responses/input_tokens"],
        Some(Dialect::OpenaiInputTokens),
    );
    check("POST", &["/v1/embeddings"], Some(Dialect::OpenaiEmbeddings));
    check(
        "POST",
        &["/v1/images/edits", "/v1/images/generations"],
        Some(Dialect::OpenaiImages),
    );
    check(
        "POST",
        &["/v1/audio/speech", "/api/v1/audio/transcriptions"],
        Some(Dialect::OpenaiAudio),
    );
    check(
        "POST",
        &["/v1/moderations"],
        Some(Dialect::OpenaiModerations),
    );
    check(
        "GET",
        &["/v1/models", "/v1/models/m", "/v1beta/models", "/api/tags"],
        Some(Dialect::Models),
    );
    check(
        "POST",
        &["/v1/chat/completions/chatcmpl-1", "/v1/files"],
        None,
    );
    // What an account has used is no call of a model.
    check("GET", &["/v1/organization/usage/embeddings"], None);
    check(
        "GET",
        &["/v1/organization/usage/completions", "/v1/chat/completions"],
        None,
    );
}

#[test]
fn anthropic_is_told_from_its_neighbours() {
    let paths = [
        "/v1/messages",
        "/v1/messages?beta=true",
        "/anthropic/v1/messages",
        "/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict",
    ];
    check("POST", &paths, Some(Dialect::AnthropicMessages));
    check(
        "POST",
        &["/v1/messages/count_tokens"],
        Some(Dialect::AnthropicCountTokens),
    );
    check(
        "POST",
        &["/v1/messages/batches", "/v1/messages/batches/b/cancel"],
        Some(Dialect::AnthropicBatches),
    );
    check(
        "GET",
        &[
            "/v1/messages/batches",
            "/v1/messages/batches/b",
            "/v1/messages/batches/b/results",
        ],
        Some(Dialect::AnthropicBatches),
    );
    check("POST", &["/v1/complete"], Some(Dialect::AnthropicComplete));
    check(
        "POST",
        &[
            "/v1/threads/t/messages",
            "/v1/projects/p/locations/l/endpoints/1:rawPredict",
        ],
        None,
    );
    let version = [header("Anthropic-Version", "2023-06-01")];
    check_body("/messages", &version, "", Some(Dialect::AnthropicMessages));
}

#[test]
fn google_is_known_by_the_method_suffix() {
    let paths = [
        "/v1beta/models/m:generateContent",
        "/v1/models/m:streamGenerateContent?alt=sse",
        "/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent",
    ];
    check("POST", &paths, Some(Dialect::GeminiGenerate));
    check(
        "POST",
        &["/v1beta/models/m:countTokens"],
        Some(Dialect::GeminiCountTokens),
    );
    check(
        "POST",
        &[
            "/v1beta/models/m:embedContent",
            "/v1beta/models/m:batchEmbedContents",
        ],
        Some(Dialect::GeminiEmbed),
    );
    check(
        "POST",
        &[
            "/v1beta1/publishers/google/models/m:predict",
            "/v1/publishers/google/models/m:predictLongRunning",
            "/v1/publishers/google/models/m:fetchPredictOperation",
        ],
        Some(Dialect::GeminiPredict),
    );
    check(
        "POST",
        &["/v1/publishers/anthropic/models/count-tokens:rawPredict"],
        Some(Dialect::AnthropicCountTokens),
    );
    check(
        "POST",
        &["/v1beta/interactions"],
        Some(Dialect::GeminiInteractions),
    );
    check(
        "GET",
        &["/v1beta/interactions/i"],
        Some(Dialect::GeminiInteractions),
    );
    check(
        "POST",
        &["/v1/projects/p/publishers/mistralai/models/m:rawPredict"],
        Some(Dialect::OpenaiChat),
    );
    check("POST", &["/v1beta/models/m:batchGenerateContent"], None);
}

#[test]
fn bedrock_and_kiro_are_known_by_their_operations() {
    check(
        "POST",
        &[
            "/model/a.b-v1:0/invoke",
            "/model/a%3Ab/invoke-with-response-stream",
        ],
        Some(Dialect::BedrockInvoke),
    );
    check(
        "POST",
        &[
            "/model/arn:aws:bedrock:r::p/x/converse",
            "/bedrock/model/m/converse-stream",
        ],
        Some(Dialect::BedrockConverse),
    );
    check(
        "POST",
        &["/model/m/count-tokens"],
        Some(Dialect::BedrockCountTokens),
    );
    check("POST", &["/invoke", "/agents/a/invoke"], None);
    check("POST", &["/generateAssistantResponse"], Some(Dialect::Kiro));
    let target = [header(
        "x-amz-target",
        "AmazonCodeWhispererStreamingService.SendMessage",
    )];
    check_body("/", &target, "{}", Some(Dialect::Kiro));
}

#[test]
fn ollama_and_cohere_are_known() {
    check("POST", &["/api/chat"], Some(Dialect::OllamaChat));
    check("POST", &["/api/generate"], Some(Dialect::OllamaGenerate));
    check(
        "POST",
        &["/api/embed", "/api/embeddings"],
        Some(Dialect::OllamaEmbed),
    );
    check("POST", &["/v1/chat", "/v2/chat"], Some(Dialect::CohereChat));
    check("POST", &["/v1/generate"], Some(Dialect::CohereGenerate));
    check(
        "POST",
        &["/v1/embed", "/v2/embed"],
        Some(Dialect::CohereEmbed),
    );
}

#[test]
fn the_body_decides_where_the_path_does_not() {
    let messages = r#"{"model": "m", "messages": []}"#;
    check_body("/v1/chat", &[], messages, Some(Dialect::OpenaiChat));
    check_body(
        "/v1/chat",
        &[],
        r#"{"message": "hi"}"#,
        Some(Dialect::CohereChat),
    );
    check_body("/v2/chat", &[], messages, Some(Dialect::CohereChat));
    check_body(
        "/serving-endpoints/m/invocations",
        &[],
        messages,
        Some(Dialect::OpenaiChat),
    );
    check_body(
        "/x",
        &[],
        r#"{"anthropic_version": "v", "messages": []}"#,
        Some(Dialect::AnthropicMessages),
    );
    check_body(
        "/x",
        &[],
        r#"{"contents": []}"#,
        Some(Dialect::GeminiGenerate),
    );
    check_body(
        "/x",
        &[],
        r#"{"conversationState": {}}"#,
        Some(Dialect::Kiro),
    );
    check_body("/x", &[], r#"{"input": "a"}"#, None);
    check_body("/x", &[], r#"{"messages": "a"}"#, None);
    check_body("/x", &[], "no json", None);
    check_body("/v1/threads", &[], messages, None);
}

#[test]
fn other_methods_ask_no_model() {
    check("OPTIONS", &["/v1/messages"], None);
    check("DELETE", &["/v1/responses/r"], None);
}
