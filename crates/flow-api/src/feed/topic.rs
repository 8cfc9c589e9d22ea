//! What can be subscribed to, and where a subscription stands.

use std::fmt;
use std::str::FromStr;

use flow_model::FlowId;

use crate::error::ApiError;

/// Topics of one connection.
pub(super) const TOPICS_MAX: usize = 16;

/// Something that can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// The rows of all flows.
    Flows,
    /// One flow in full.
    Flow(FlowId),
    /// Numbers of all flows.
    Stats,
    /// How recording goes.
    Health,
}

/// The text names no topic.
#[derive(Debug, thiserror::Error)]
#[error("unknown topic `{text}`; known are flows, flow/{{id}}, stats, health")]
pub(super) struct TopicError {
    text: String,
}

/// How far a connection has come in the changes of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedCursor {
    pub(super) instance: String,
    pub(super) seq: u64,
}

/// Returns the topics of a list, each once. The list of flows comes first: it alone depends on the cursor.
pub(super) fn topics(list: &str) -> Result<Vec<Topic>, ApiError> {
    let mut topics = Vec::new();
    for text in list
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let topic = text
            .parse()
            .map_err(|error: TopicError| ApiError::bad_query(error.to_string()))?;
        if !topics.contains(&topic) {
            topics.push(topic);
        }
        if topics.len() > TOPICS_MAX {
            let message = format!("a feed has at most {TOPICS_MAX} topics");
            return Err(ApiError::bad_query(message));
        }
    }
    if topics.is_empty() {
        return Err(ApiError::bad_query("`topics` names no topic"));
    }
    topics.sort_by_key(|topic| *topic != Topic::Flows);
    Ok(topics)
}

// === impl Topic ===

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flows => f.write_str("flows"),
            Self::Flow(id) => write!(f, "flow/{id}"),
            Self::Stats => f.write_str("stats"),
            Self::Health => f.write_str("health"),
        }
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let flow = |text: &str| text.strip_prefix("flow/")?.parse().ok().map(Self::Flow);
        match text {
            "flows" => Ok(Self::Flows),
            "stats" => Ok(Self::Stats),
            "health" => Ok(Self::Health),
            _ => flow(text).ok_or_else(|| TopicError {
                text: text.to_owned(),
            }),
        }
    }
}

// === impl FeedCursor ===

impl fmt::Display for FeedCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.instance, self.seq)
    }
}

impl FeedCursor {
    /// Returns the cursor that a text spells; none for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (instance, seq) = text.split_once('.')?;
        Some(Self {
            instance: instance.to_owned(),
            seq: seq.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192f0c1-2345-7abc-8def-0123456789ab";

    #[test]
    fn topics_are_read_once_and_flows_first() {
        let check = |list: &str, expect: Option<&str>| {
            let spelled = topics(list).ok().map(|topics| {
                let texts: Vec<_> = topics.iter().map(ToString::to_string).collect();
                texts.join(",")
            });
            assert_eq!(spelled.as_deref(), expect, "{list}");
        };
        check("flows", Some("flows"));
        check("stats, health ,flows,stats,", Some("flows,stats,health"));
        check(
            &format!("flow/{ID},flows"),
            Some(&format!("flows,flow/{ID}")),
        );
        check("", None);
        check(" , ", None);
        check("flow/", None);
        check("flow/x", None);
        check("intercept", None);
    }

    #[test]
    fn topics_are_bounded() {
        let list = |count: usize| {
            let topics: Vec<_> = (0..count)
                .map(|number| format!("flow/0192f0c1-2345-7abc-8def-{number:012}"))
                .collect();
            topics.join(",")
        };
        assert_eq!(topics(&list(TOPICS_MAX)).unwrap().len(), TOPICS_MAX);
        assert!(topics(&list(TOPICS_MAX + 1)).is_err());
    }

    #[test]
    fn cursors_are_read_as_written() {
        let cursor = FeedCursor {
            instance: "5f".into(),
            seq: 12,
        };
        assert_eq!(cursor.to_string(), "5f.12");
        assert_eq!(FeedCursor::parse("5f.12"), Some(cursor));
        for text in ["", "5f", "5f.", "5f.x", "5f.-1", "5f.99999999999999999999"] {
            assert_eq!(FeedCursor::parse(text), None, "{text}");
        }
    }
}
