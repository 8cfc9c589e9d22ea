//! Upstreams: the built-in table and those that the user defines.
//!
//! An upstream's base URL is its origin and whatever stands before the version segment of its paths. Some
//! built-in ones take one parameter from the path, such as the region of `/bedrock/{region}`. A parameter is a
//! host label and nothing else, so that no path can choose a host outside the upstream's own domain.
//! `docs/upstreams.md` shows the table; a test compares both.

mod define;
mod origin;
mod version;

use std::sync::Arc;

use flow_model::Api;

pub use define::UpstreamError;
pub use origin::{Origin, Scheme};
pub(crate) use version::{VersionRule, is_version, split_segment};

/// Longest parameter in a path, and longest name of an upstream: a host label.
pub(crate) const LABEL_BYTES_MAX: usize = 63;

/// Something that requests are relayed to.
#[derive(Clone, Debug)]
pub struct Upstream {
    name: String,
    provider: String,
    api: Option<Api>,
    place: Place,
    base_path: String,
    version: VersionRule,
}

/// Where an upstream is.
#[derive(Clone, Debug)]
enum Place {
    Fixed(Arc<Origin>),
    /// The host is made from the path's second segment.
    Template(Template),
}

/// A host with one parameter.
#[derive(Clone, Copy, Debug)]
struct Template {
    parameter: &'static str,
    before: &'static str,
    after: &'static str,
    /// The value that stands for a host without the parameter, and that host.
    whole: Option<(&'static str, &'static str)>,
}

/// An upstream as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamInfo {
    /// Name, which is the first segment of the path.
    pub name: String,
    /// Who serves it.
    pub provider: String,
    /// Base URL of the upstream; a parameter stands in braces.
    pub url: String,
    /// Path under the proxy's own address, such as `/openai` or `/bedrock/{region}`.
    pub path: String,
    /// Family whose manners it follows; none where each request tells.
    pub api: Option<Api>,
}

/// One line of the built-in table.
struct BuiltIn {
    name: &'static str,
    api: Api,
    base: Base,
    path: &'static str,
    version: VersionRule,
}

enum Base {
    Https(&'static str),
    /// A server on this machine.
    Local(u16),
    Template(Template),
}

const AWS_REGION: &str = "region";

static BUILT_IN: [BuiltIn; 18] = [
    BuiltIn::https(
        "openai",
        Api::Openai,
        "api.openai.com",
        "",
        VersionRule::OPENAI,
    ),
    BuiltIn::https(
        "anthropic",
        Api::Anthropic,
        "api.anthropic.com",
        "",
        VersionRule::ANTHROPIC,
    ),
    BuiltIn::https(
        "gemini",
        Api::Gemini,
        "generativelanguage.googleapis.com",
        "",
        VersionRule::GEMINI,
    ),
    BuiltIn::template(
        "kiro",
        Api::Aws,
        Template {
            parameter: AWS_REGION,
            before: "q.",
            after: ".amazonaws.com",
            whole: None,
        },
        VersionRule::AsReceived,
    ),
    BuiltIn::template(
        "azure",
        Api::Openai,
        Template {
            parameter: "resource",
            before: "",
            after: ".openai.azure.com",
            whole: None,
        },
        VersionRule::AsReceived,
    ),
    BuiltIn::template(
        "bedrock",
        Api::Aws,
        Template {
            parameter: AWS_REGION,
            before: "bedrock-runtime.",
            after: ".amazonaws.com",
            whole: None,
        },
        VersionRule::AsReceived,
    ),
    BuiltIn::template(
        "vertex",
        Api::Gemini,
        Template {
            parameter: "location",
            before: "",
            after: "-aiplatform.googleapis.com",
            whole: Some(("global", "aiplatform.googleapis.com")),
        },
        VersionRule::VERTEX,
    ),
    BuiltIn::https(
        "openrouter",
        Api::Openai,
        "openrouter.ai",
        "/api",
        VersionRule::OPENAI,
    ),
    BuiltIn::https(
        "deepseek",
        Api::Openai,
        "api.deepseek.com",
        "",
        VersionRule::OPENAI,
    ),
    BuiltIn::https("xai", Api::Openai, "api.x.ai", "", VersionRule::OPENAI),
    BuiltIn::https(
        "groq",
        Api::Openai,
        "api.groq.com",
        "/openai",
        VersionRule::OPENAI,
    ),
    BuiltIn::https(
        "mistral",
        Api::Openai,
        "api.mistral.ai",
        "",
        VersionRule::OPENAI,
    ),
    BuiltIn::https(
        "cohere",
        Api::Other,
        "api.cohere.com",
        "",
        VersionRule::COHERE,
    ),
    BuiltIn::https(
        "moonshot",
        Api::Openai,
        "api.moonshot.ai",
        "",
        VersionRule::OPENAI,
    ),
    BuiltIn::https(
        "qwen",
        Api::Openai,
        "dashscope.aliyuncs.com",
        "/compatible-mode",
        VersionRule::OPENAI,
    ),
    BuiltIn::https(
        "zhipu",
        Api::Openai,
        "open.bigmodel.cn",
        "/api/paas",
        VersionRule::ZHIPU,
    ),
    BuiltIn::local("ollama", 11434),
    BuiltIn::local("lmstudio", 1234),
];

// === impl BuiltIn ===

impl BuiltIn {
    const fn https(
        name: &'static str,
        api: Api,
        host: &'static str,
        path: &'static str,
        version: VersionRule,
    ) -> Self {
        Self {
            name,
            api,
            base: Base::Https(host),
            path,
            version,
        }
    }

    const fn template(
        name: &'static str,
        api: Api,
        template: Template,
        version: VersionRule,
    ) -> Self {
        Self {
            name,
            api,
            base: Base::Template(template),
            path: "",
            version,
        }
    }

    const fn local(name: &'static str, port: u16) -> Self {
        Self {
            name,
            api: Api::Openai,
            base: Base::Local(port),
            path: "",
            version: VersionRule::OPENAI,
        }
    }

    fn upstream(&self) -> Upstream {
        let place = match self.base {
            Base::Https(host) => Place::Fixed(Arc::new(Origin::new(Scheme::Https, host, 443))),
            Base::Local(port) => {
                Place::Fixed(Arc::new(Origin::new(Scheme::Http, "127.0.0.1", port)))
            }
            Base::Template(template) => Place::Template(template),
        };
        Upstream {
            name: self.name.to_owned(),
            provider: self.name.to_owned(),
            api: Some(self.api),
            place,
            base_path: self.path.to_owned(),
            version: self.version.clone(),
        }
    }
}

/// Returns the built-in upstreams.
pub(crate) fn built_in() -> impl Iterator<Item = Upstream> {
    BUILT_IN.iter().map(BuiltIn::upstream)
}

// === impl Upstream ===

impl Upstream {
    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns who serves it.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Returns what lists show of it.
    pub fn info(&self) -> UpstreamInfo {
        let (origin, parameter) = match &self.place {
            Place::Fixed(origin) => (origin.to_string(), String::new()),
            Place::Template(template) => (
                format!(
                    "https://{}{{{}}}{}",
                    template.before, template.parameter, template.after
                ),
                format!("/{{{}}}", template.parameter),
            ),
        };
        UpstreamInfo {
            name: self.name.clone(),
            provider: self.provider.clone(),
            url: format!("{origin}{}", self.base_path),
            path: format!("/{}{parameter}", self.name),
            api: self.api,
        }
    }

    pub(crate) const fn api(&self) -> Option<Api> {
        self.api
    }

    pub(crate) fn base_path(&self) -> &str {
        &self.base_path
    }

    pub(crate) const fn version(&self) -> &VersionRule {
        &self.version
    }

    /// Returns whether the path's second segment belongs to the host.
    pub(crate) const fn is_template(&self) -> bool {
        matches!(self.place, Place::Template(_))
    }

    /// Returns where it is; none where a parameter is missing or is no host label.
    pub(crate) fn origin(&self, parameter: Option<&str>) -> Option<Arc<Origin>> {
        match (&self.place, parameter) {
            (Place::Fixed(origin), _) => Some(Arc::clone(origin)),
            (Place::Template(template), Some(value)) => template.origin(value),
            (Place::Template(_), None) => None,
        }
    }
}

// === impl Template ===

impl Template {
    fn origin(&self, value: &str) -> Option<Arc<Origin>> {
        if !is_host_label(value) {
            return None;
        }
        let host = match self.whole {
            Some((whole, host)) if whole == value => host.to_owned(),
            _ => format!("{}{value}{}", self.before, self.after),
        };
        Some(Arc::new(Origin::new(Scheme::Https, &host, 443)))
    }
}

/// Returns whether the text is one label of a host name in lower case.
pub(crate) fn is_host_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LABEL_BYTES_MAX).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests;
