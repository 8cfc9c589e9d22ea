//! What was wrong with a document, and where.

use std::cell::Cell;

use flow_model::Diagnostic;

/// What was wrong with a document; shared by all cursors over it.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Added to every offset: where the document starts in its body.
    base: u64,
    syntax: Cell<Option<(usize, Fault)>>,
    utf8: Cell<Option<usize>>,
}

/// Why reading ended before the document did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The document ends within a value.
    Truncated,
    /// A byte stands where the grammar does not allow it.
    Syntax,
    /// The nesting is deeper than [`DEPTH_MAX`].
    TooDeep,
    /// Something follows the document.
    Trailing,
}

// === impl Faults ===

impl Faults {
    /// Returns an empty record for a document that starts at `base` in its body.
    pub(crate) fn at(base: u64) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    /// Returns why reading ended early, if it did.
    pub(crate) fn syntax(&self) -> Option<Fault> {
        self.syntax.get().map(|(_, fault)| fault)
    }

    /// Returns the diagnostics of the document.
    pub(crate) fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let syntax = self.syntax.get().map(|(at, fault)| (at, fault.words()));
        let utf8 = self
            .utf8
            .get()
            .map(|at| (at, ("invalid_utf8", "bytes that are not UTF-8")));
        let found = [syntax, utf8].into_iter().flatten();
        found.map(|(at, (code, message))| Diagnostic {
            offset: Some(self.base.saturating_add(at as u64)),
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    /// Returns where the document starts in its body.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    pub(super) fn note(&self, at: usize, fault: Fault) {
        if self.syntax.get().is_none() {
            self.syntax.set(Some((at, fault)));
        }
    }

    pub(super) fn note_utf8(&self, at: usize) {
        if self.utf8.get().is_none() {
            self.utf8.set(Some(at));
        }
    }
}

impl Fault {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Truncated => ("truncated_json", "the JSON ends within a value"),
            Self::Syntax => ("invalid_json", "not JSON from here on"),
            Self::TooDeep => ("json_too_deep", "nested too deeply to be read"),
            Self::Trailing => ("trailing_data", "something follows the JSON"),
        }
    }
}
