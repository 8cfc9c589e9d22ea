//! Who serves a model, and whose price is taken where the server has none of its own.
//!
//! | served by | looked up, in this order |
//! |---|---|
//! | a vendor | the vendor |
//! | Azure | Azure, then OpenAI, Anthropic, DeepSeek, xAI, Moonshot |
//! | Vertex | Vertex, then Gemini, Anthropic |
//! | anybody else, or nobody known | the server, then the model's vendor by its name |
//! | Ollama, LM Studio | the server alone: a model of the user's own machine has no vendor's price |
//! | Kiro | nothing: it is paid in credits |

/// Other words for a provider.
const SYNONYMS: &[(&str, &str)] = &[
    ("alibaba", "qwen"),
    ("amazon", "bedrock"),
    ("amazon-bedrock", "bedrock"),
    ("aws", "bedrock"),
    ("aws-bedrock", "bedrock"),
    ("azure-ai", "azure"),
    ("azure-openai", "azure"),
    ("bedrock-converse", "bedrock"),
    ("bedrock-mantle", "bedrock"),
    ("bigmodel", "zhipu"),
    ("dashscope", "qwen"),
    ("fireworks-ai", "fireworks"),
    ("gcp-vertex", "vertex"),
    ("google", "gemini"),
    ("google-ai-studio", "gemini"),
    ("google-vertex", "vertex"),
    ("mantle", "bedrock"),
    ("mistral-ai", "mistral"),
    ("mistralai", "mistral"),
    ("moonshot-ai", "moonshot"),
    ("moonshotai", "moonshot"),
    ("together-ai", "together"),
    ("togetherai", "together"),
    ("vertex-ai", "vertex"),
    ("voyage", "voyageai"),
    ("x-ai", "xai"),
    ("z-ai", "zai"),
    ("zhipuai", "zhipu"),
];

/// Vendors whose models others serve too, by how the names of the models begin.
const VENDORS: &[(&str, &str)] = &[
    ("babbage", "openai"),
    ("chatgpt", "openai"),
    ("claude", "anthropic"),
    ("codestral", "mistral"),
    ("codex", "openai"),
    ("command", "cohere"),
    ("computer-use", "openai"),
    ("dall-e", "openai"),
    ("davinci", "openai"),
    ("deepseek", "deepseek"),
    ("devstral", "mistral"),
    ("embed-", "cohere"),
    ("gemini", "gemini"),
    ("glm", "zai"),
    ("gpt-", "openai"),
    ("grok", "xai"),
    ("imagen", "gemini"),
    ("kimi", "moonshot"),
    ("magistral", "mistral"),
    ("minimax", "minimax"),
    ("ministral", "mistral"),
    ("mistral", "mistral"),
    ("moonshot", "moonshot"),
    ("muse-", "meta"),
    ("nova-", "bedrock"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("open-mistral", "mistral"),
    ("open-mixtral", "mistral"),
    ("pixtral", "mistral"),
    ("qwen", "qwen"),
    ("sonar", "perplexity"),
    ("text-embedding-3", "openai"),
    ("text-embedding-ada", "openai"),
    ("titan", "bedrock"),
    ("tts-1", "openai"),
    ("voxtral", "mistral"),
    ("voyage", "voyageai"),
    ("whisper", "openai"),
];

/// Returns a provider's name as the table has it.
pub(crate) fn canonical(provider: &str) -> String {
    let name = provider.trim().to_lowercase();
    let plain = if name.starts_with("huggingface_") {
        name
    } else {
        name.replace('_', "-")
    };
    let known = SYNONYMS.iter().find(|(other, _)| *other == plain);
    known.map_or(plain, |(_, name)| (*name).to_owned())
}

/// Returns whose prices are looked up for models that a provider serves.
pub(crate) fn shelves(provider: &str) -> &'static [&'static str] {
    match provider {
        "azure" => &["openai", "anthropic", "deepseek", "xai", "moonshot"],
        "vertex" => &["gemini", "anthropic"],
        _ => &[],
    }
}

/// Returns the vendor of a model, from its name without prefixes.
pub(crate) fn vendor(name: &str) -> Option<&'static str> {
    let mut vendors = VENDORS.iter();
    vendors
        .find(|(begin, _)| name.starts_with(begin))
        .map(|(_, vendor)| *vendor)
}

/// Returns whether a provider runs on the user's own machine.
pub(crate) fn is_local(provider: &str) -> bool {
    matches!(provider, "ollama" | "lmstudio" | "lemonade" | "local")
}

/// Returns whether calls are paid otherwise than in money.
pub(crate) fn is_in_credits(provider: &str) -> bool {
    matches!(provider, "kiro" | "codewhisperer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_one_name() {
        for (name, expect) in [
            ("OpenAI", "openai"),
            ("vertex_ai", "vertex"),
            ("google", "gemini"),
            (" x-ai ", "xai"),
            ("huggingface_novita", "huggingface_novita"),
            ("my-gateway", "my-gateway"),
        ] {
            assert_eq!(canonical(name), expect);
        }
    }

    #[test]
    fn models_have_vendors() {
        assert_eq!(vendor("claude-9"), Some("anthropic"));
        assert_eq!(vendor("gpt-9"), Some("openai"));
        assert_eq!(vendor("llama-3"), None);
    }

    #[test]
    fn lists_are_sorted() {
        assert!(SYNONYMS.is_sorted());
        assert!(VENDORS.is_sorted());
    }
}
