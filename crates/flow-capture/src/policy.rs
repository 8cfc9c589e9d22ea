//! What is recorded.

use flow_model::FlowId;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Settings of recording that may change at any time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Flows are recorded at all.
    pub enabled: bool,
    /// Recording is paused; traffic goes on.
    pub paused: bool,
    /// Share of flows that is recorded, from 0 to 1.
    pub sampling_rate: f64,
    /// Paths that are not recorded, as globs.
    pub excluded_paths: Vec<String>,
    /// Models whose flows are not recorded, as globs; known only once the request has been read.
    pub excluded_models: Vec<String>,
    /// Bytes that are kept of a request's body; none for all.
    pub request_body_bytes_max: Option<u64>,
    /// Bytes that are kept of a response's body; none for all.
    pub response_body_bytes_max: Option<u64>,
}

/// Why a policy was refused.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// A pattern makes no sense.
    #[error("`{pattern}` is not a pattern: {source}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        source: globset::Error,
    },
    /// The sampling rate is out of range.
    #[error("sampling_rate is {rate}, it must be from 0 to 1")]
    SamplingRate {
        /// The rate.
        rate: f64,
    },
}

/// A policy with its patterns compiled.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    pub(crate) policy: std::sync::Arc<Policy>,
    paths: GlobSet,
    models: GlobSet,
}

// === impl Policy ===

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            paused: false,
            sampling_rate: 1.0,
            excluded_paths: vec!["/health".to_owned()],
            excluded_models: Vec::new(),
            request_body_bytes_max: None,
            response_body_bytes_max: None,
        }
    }
}

// === impl CompiledPolicy ===

impl CompiledPolicy {
    pub(crate) fn new(policy: Policy) -> Result<Self, PolicyError> {
        if !(0.0..=1.0).contains(&policy.sampling_rate) {
            return Err(PolicyError::SamplingRate {
                rate: policy.sampling_rate,
            });
        }
        Ok(Self {
            paths: globs(&policy.excluded_paths)?,
            models: globs(&policy.excluded_models)?,
            policy: std::sync::Arc::new(policy),
        })
    }

    /// Returns whether a flow is to be recorded, as far as its head tells.
    pub(crate) fn records(&self, flow: FlowId, path: &str) -> bool {
        let policy = &self.policy;
        policy.enabled
            && !policy.paused
            && !self.paths.is_match(path)
            && (policy.sampling_rate >= 1.0 || share(flow) < policy.sampling_rate)
    }

    /// Returns whether flows of this model are not recorded.
    pub(crate) fn excludes_model(&self, model: &str) -> bool {
        self.models.is_match(model)
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, PolicyError> {
    let refused = |pattern: &str| {
        let pattern = pattern.to_owned();
        move |source| PolicyError::Pattern { pattern, source }
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).case_insensitive(true).build();
        set.add(glob.map_err(refused(pattern))?);
    }
    set.build().map_err(refused(&patterns.join(", ")))
}

/// Returns a number from 0 to below 1 that the random part of the id gives.
fn share(flow: FlowId) -> f64 {
    let [.., a, b, c, d] = flow.to_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(change: impl FnOnce(&mut Policy)) -> CompiledPolicy {
        let mut policy = Policy::default();
        change(&mut policy);
        CompiledPolicy::new(policy).unwrap()
    }

    fn flow(random: u32) -> FlowId {
        let mut bytes = [0; 16];
        bytes[12..].copy_from_slice(&random.to_be_bytes());
        FlowId::from_bytes(bytes)
    }

    #[test]
    fn switches_paths_and_sampling_decide() {
        let check = |policy: CompiledPolicy, path: &str, expect: bool| {
            assert_eq!(
                policy.records(flow(u32::MAX / 2), path),
                expect,
                "{policy:?} {path}"
            );
        };
        check(compiled(|_| {}), "/v1/messages", true);
        check(compiled(|_| {}), "/health", false);
        check(
            compiled(|policy| policy.paused = true),
            "/v1/messages",
            false,
        );
        check(
            compiled(|policy| policy.enabled = false),
            "/v1/messages",
            false,
        );
        check(
            compiled(|policy| policy.sampling_rate = 0.0),
            "/v1/messages",
            false,
        );
        check(
            compiled(|policy| policy.sampling_rate = 0.4),
            "/v1/messages",
            false,
        );
        check(
            compiled(|policy| policy.sampling_rate = 0.6),
            "/v1/messages",
            true,
        );
        check(
            compiled(|policy| policy.excluded_paths = vec!["/v1/models*".into()]),
            "/v1/models/x",
            false,
        );
    }

    #[test]
    fn models_are_matched_without_regard_to_case() {
        let policy = compiled(|policy| policy.excluded_models = vec!["gpt-4*".into()]);
        assert!(policy.excludes_model("GPT-4o"));
        assert!(!policy.excludes_model("gpt-5"));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let policy = Policy {
            excluded_paths: vec!["/ok".into(), "[".into()],
            ..Policy::default()
        };
        let error = CompiledPolicy::new(policy).unwrap_err().to_string();
        assert!(error.starts_with("`[` is not a pattern"), "{error}");
        let policy = Policy {
            sampling_rate: 2.0,
            ..Policy::default()
        };
        assert!(CompiledPolicy::new(policy).is_err());
    }
}
