//! A stream of server-sent events, and where each of them ends.

/// A stream as it is written.
#[derive(Debug, Default)]
pub(crate) struct Sse {
    pub(crate) body: String,
    /// Where each event ends in the body.
    pub(crate) ends: Vec<usize>,
    /// Where the first event ends that holds output.
    pub(crate) first: Option<usize>,
}

// === impl Sse ===

impl Sse {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            body: String::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Begins an event with a name.
    pub(crate) fn named(&mut self, name: &str) -> &mut String {
        self.body.push_str("event: ");
        self.body.push_str(name);
        self.body.push_str("\ndata: ");
        &mut self.body
    }

    /// Begins an event without one.
    pub(crate) fn unnamed(&mut self) -> &mut String {
        self.body.push_str("data: ");
        &mut self.body
    }

    /// Ends the event that was begun.
    pub(crate) fn end(&mut self) {
        self.body.push_str("\n\n");
        self.ends.push(self.body.len());
    }

    /// Ends the event that was begun, which holds output.
    pub(crate) fn end_spoken(&mut self) {
        self.end();
        self.first = self.first.or(Some(self.body.len()));
    }
}

/// Returns a text in pieces of so many bytes, or a few more to the end of a character.
pub(super) fn pieces(text: &str, bytes: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(rest.ceil_char_boundary(bytes.max(1)))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, bytes: usize, expect: &[&str]) {
        assert_eq!(pieces(text, bytes).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn characters_stay_whole() {
        check("abcde", 2, &["ab", "cd", "e"]);
        check("流量x", 2, &["流", "量", "x"]);
        check("流量", 4, &["流量"]);
        check("", 4, &[]);
        check("ab", 0, &["a", "b"]);
    }
}
