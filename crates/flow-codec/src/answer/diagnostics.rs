//! The diagnostics of one reading, bounded.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`DIAGNOSTICS_MAX`] | 64 diagnostics | the rest is not kept |

use flow_model::Diagnostic;

use crate::json::Document;

/// Diagnostics of one reading.
const DIAGNOSTICS_MAX: usize = 64;

/// Diagnostics, bounded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics(Vec<Diagnostic>);

// === impl Diagnostics ===

impl Diagnostics {
    /// Adds one, unless there are too many.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.0.len() < DIAGNOSTICS_MAX {
            self.0.push(diagnostic);
        }
    }

    /// Adds one at an offset.
    pub(crate) fn at(&mut self, offset: u64, code: &str, message: &str) {
        self.push(Diagnostic {
            offset: Some(offset),
            code: code.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Adds one that is said at most once.
    pub(crate) fn once(&mut self, code: &str, message: &str) {
        if self.0.iter().all(|diagnostic| diagnostic.code != code) {
            self.push(Diagnostic {
                offset: None,
                code: code.to_owned(),
                message: message.to_owned(),
            });
        }
    }

    /// Adds those of a document.
    pub(crate) fn note(&mut self, document: &Document<'_>) {
        for diagnostic in document.diagnostics() {
            self.push(diagnostic);
        }
    }

    /// Returns all.
    pub(crate) fn into_vec(self) -> Vec<Diagnostic> {
        self.0
    }
}
