//! Cursors of searches, as text: the segment, and how far it was looked at.
//!
//! ```text
//! 42.f.1007            of the flows that were not indexed, those below 1007 are next
//! 42.i                 the index, from its newest text on
//! 42.i.93              the texts below 93
//! 42.i.93.1007.5.1.0   text 93, behind this use
//! ```

use std::fmt;
use std::str::FromStr;

use flow_query::TextKind;

use super::SearchError;
use crate::text::{Cursor, Use};

/// Where a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) phase: Phase,
}

/// Where in a segment that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Among the flows that the index does not have, below this number.
    Fresh { below: i64 },
    /// In the index.
    Indexed { from: Option<Cursor> },
}

// === impl Phase ===

impl Phase {
    /// Where the search of a segment begins.
    pub(super) const START: Self = Self::Fresh { below: i64::MAX };
}

// === impl Place ===

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.segment)?;
        match &self.phase {
            Phase::Fresh { below } => write!(f, ".f.{below}"),
            Phase::Indexed { from: None } => write!(f, ".i"),
            Phase::Indexed {
                from: Some(Cursor { t, last }),
            } => {
                write!(f, ".i.{t}")?;
                let Some(Use {
                    n,
                    node,
                    kind,
                    part,
                }) = last
                else {
                    return Ok(());
                };
                write!(f, ".{n}.{node}.{}.{part}", kind.number())
            }
        }
    }
}

impl FromStr for Place {
    type Err = SearchError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or(SearchError::BadCursor)
    }
}

fn parse(text: &str) -> Option<Place> {
    let mut words = text.split('.');
    let segment = words.next()?.parse().ok()?;
    let phase = match words.next()? {
        "f" => Phase::Fresh {
            below: words.next()?.parse().ok()?,
        },
        "i" => Phase::Indexed {
            from: match words.next() {
                None => None,
                Some(t) => Some(Cursor {
                    t: t.parse().ok()?,
                    last: match words.next() {
                        None => None,
                        Some(n) => Some(Use {
                            n: n.parse().ok()?,
                            node: words.next()?.parse().ok()?,
                            kind: TextKind::from_number(words.next()?.parse().ok()?)?,
                            part: words.next()?.parse().ok()?,
                        }),
                    },
                }),
            },
        },
        _ => return None,
    };
    words.next().is_none().then_some(Place { segment, phase })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, valid: bool) {
        let place = text.parse::<Place>();
        assert_eq!(place.is_ok(), valid, "{text}");
        if let Ok(place) = place {
            assert_eq!(place.to_string(), text);
        }
    }

    #[test]
    fn cursors_are_read_as_they_are_written() {
        for text in ["42.f.1007", "42.i", "42.i.93", "42.i.93.1007.5.1.0"] {
            check(text, true);
        }
        for text in [
            "",
            "42",
            "42.f",
            "x.i",
            "42.i.93.1",
            "42.i.9.1.1.77.0",
            "42.i.9.1.1.1.0.0",
        ] {
            check(text, false);
        }
    }
}
