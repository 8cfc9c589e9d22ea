//! A document, and what was wrong with it, and where.

use std::cell::Cell;

use flow_model::Diagnostic;

use super::Json;
use super::index::{Index, Node};

/// A document; shared by all cursors over it.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    bytes: &'a [u8],
    /// The bytes as text, where all of them are UTF-8.
    text: Option<&'a str>,
    index: Index,
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
    /// The nesting is deeper than is read.
    TooDeep,
    /// There are more values than are read.
    TooLarge,
    /// Something follows the document.
    Trailing,
}

// === impl Document ===

impl<'a> Document<'a> {
    /// Returns the document in a body of its own.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// Returns a document that starts at `base` in its body.
    pub(crate) fn at(bytes: &'a [u8], base: u64) -> Self {
        Self::within(bytes, base, Vec::new())
    }

    /// Returns a document like [`Document::at`], in the room that an earlier one left.
    pub(crate) fn within(bytes: &'a [u8], base: u64, room: Vec<Node>) -> Self {
        let index = Index::of(bytes, room);
        let fault = index.fault.map(|fault| (index.limit, fault));
        Self {
            bytes,
            text: std::str::from_utf8(bytes).ok(),
            index,
            base,
            syntax: Cell::new(fault),
            utf8: Cell::new(None),
        }
    }

    /// Leaves its room to a later document.
    pub(crate) fn into_room(self) -> Vec<Node> {
        self.index.nodes
    }

    /// Returns a cursor at its start; a byte order mark in front is passed over.
    pub(crate) fn root(&'a self) -> Json<'a> {
        let bytes = self.bytes.get(..self.index.limit).unwrap_or(self.bytes);
        let marked = bytes.starts_with(b"\xEF\xBB\xBF");
        Json {
            bytes,
            at: if marked { 3 } else { 0 },
            node: 0,
            unread: true,
            fresh: false,
            document: self,
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

    pub(super) fn node(&self, number: u32) -> Option<Node> {
        self.index.nodes.get(number as usize).copied()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        self.text
    }

    /// Notes a fault. The first in the document counts: its index may have met a later one before.
    pub(super) fn note(&self, at: usize, fault: Fault) {
        if self.syntax.get().is_none_or(|(known, _)| at < known) {
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
            Self::TooLarge => ("json_too_large", "more values than are read"),
            Self::Trailing => ("trailing_data", "something follows the JSON"),
        }
    }
}
