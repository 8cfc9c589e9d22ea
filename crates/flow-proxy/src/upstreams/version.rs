//! The version segment of an upstream's paths.

/// First segments after the version in OpenAI's interface and in those that resemble it.
const OPENAI_RESOURCES: &[&str] = &[
    "agents",
    "assistants",
    "audio",
    "batches",
    "chat",
    "classifications",
    "completions",
    "containers",
    "conversations",
    "credits",
    "edits",
    "embeddings",
    "engines",
    "evals",
    "files",
    "fim",
    "fine_tuning",
    "generation",
    "images",
    "key",
    "messages",
    "models",
    "moderations",
    "ocr",
    "organization",
    "realtime",
    "rerank",
    "responses",
    "threads",
    "uploads",
    "vector_stores",
    "videos",
];
const ANTHROPIC_RESOURCES: &[&str] = &[
    "complete",
    "files",
    "messages",
    "models",
    "organizations",
    "skills",
];
const GEMINI_RESOURCES: &[&str] = &[
    "batches",
    "cachedContents",
    "corpora",
    "fileSearchStores",
    "files",
    "interactions",
    "models",
    "openai",
    "operations",
    "tunedModels",
];
const VERTEX_RESOURCES: &[&str] = &["projects", "publishers"];
const COHERE_RESOURCES: &[&str] = &[
    "chat",
    "classify",
    "datasets",
    "detokenize",
    "embed",
    "embed-jobs",
    "generate",
    "models",
    "rerank",
    "tokenize",
];

/// What happens to the version segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VersionRule {
    /// The interface has none, or it stands somewhere else.
    AsReceived,
    /// The interface has one.
    Versioned {
        /// What is added where it is missing.
        default: &'static str,
        /// What is left as received; `v1` gives way to the default where it is not among them.
        accepted: &'static [&'static str],
        /// First segments before which a version is missing. Other paths have none: `/api/hello` is what it is.
        resources: &'static [&'static str],
    },
    /// The user's URL named the version: it stands before everything that has no version of its own.
    Always(String),
}

impl VersionRule {
    pub(crate) const OPENAI: Self = Self::Versioned {
        default: "v1",
        accepted: &["v1"],
        resources: OPENAI_RESOURCES,
    };
    pub(crate) const ANTHROPIC: Self = Self::Versioned {
        default: "v1",
        accepted: &["v1"],
        resources: ANTHROPIC_RESOURCES,
    };
    pub(crate) const GEMINI: Self = Self::Versioned {
        default: "v1beta",
        accepted: &["v1", "v1alpha", "v1beta"],
        resources: GEMINI_RESOURCES,
    };
    pub(crate) const VERTEX: Self = Self::Versioned {
        default: "v1",
        accepted: &["v1", "v1beta1"],
        resources: VERTEX_RESOURCES,
    };
    pub(crate) const COHERE: Self = Self::Versioned {
        default: "v2",
        accepted: &["v1", "v2"],
        resources: COHERE_RESOURCES,
    };
    pub(crate) const ZHIPU: Self = Self::Versioned {
        default: "v4",
        accepted: &["v4"],
        resources: OPENAI_RESOURCES,
    };

    /// Returns the rule for an upstream whose URL ended with this version.
    pub(crate) fn named(self, version: &str) -> Self {
        match self {
            Self::Versioned { accepted, .. } if accepted.contains(&version) => self,
            _ => Self::Always(version.to_owned()),
        }
    }

    /// Returns the path below the base, given what stands after the route's prefix: empty, or with a slash first.
    pub(crate) fn apply(&self, rest: &str) -> String {
        let (first, after) = split_segment(rest);
        if is_version(first) {
            return self.versioned(first, after);
        }
        let missing = match self {
            Self::AsReceived => None,
            Self::Versioned {
                default, resources, ..
            } => resources.contains(&first).then_some(*default),
            Self::Always(version) => (!first.is_empty()).then_some(version.as_str()),
        };
        match missing {
            Some(version) => format!("/{version}{rest}"),
            None if rest.is_empty() => "/".to_owned(),
            None => rest.to_owned(),
        }
    }

    /// Returns the path that begins with a version: once where it stood twice.
    fn versioned(&self, first: &str, after: &str) -> String {
        let (second, after_second) = split_segment(after);
        let (first, after) = if is_version(second) {
            (second, after_second)
        } else {
            (first, after)
        };
        let version = match self {
            Self::Versioned {
                default, accepted, ..
            } if first == "v1" && !accepted.contains(&first) => *default,
            Self::Always(version) if first == "v1" => version.as_str(),
            _ => first,
        };
        format!("/{version}{after}")
    }
}

/// Returns whether the segment names a version: `v1`, `v1beta`, `v1beta1`, `v4`.
pub(crate) fn is_version(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix('v') else {
        return false;
    };
    let after_number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let stage = after_number.trim_end_matches(|c: char| c.is_ascii_digit());
    rest.len() > after_number.len() && matches!(stage, "" | "alpha" | "beta")
}

/// Returns the first segment and what follows it, with its slash.
pub(crate) fn split_segment(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let end = memchr::memchr(b'/', rest.as_bytes()).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, ""))
}
