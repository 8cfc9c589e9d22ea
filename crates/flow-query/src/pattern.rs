//! Patterns of names: whole, without regard to case, with `*` for any characters.

/// A pattern of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The pattern in lower case, cut at its stars: `gpt-*` is `["gpt-", ""]`, a literal one piece.
    pieces: Vec<String>,
}

impl Pattern {
    /// Returns the pattern that a text means.
    pub fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        Self {
            pieces: lower.split('*').map(str::to_owned).collect(),
        }
    }

    /// Returns the only name that matches, in lower case; none where the pattern has a star.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Returns what every matching name begins with, in lower case.
    pub fn prefix(&self) -> &str {
        self.pieces.first().map_or("", String::as_str)
    }

    /// Returns whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let (Some((first, rest)), Some(mut left)) =
            (self.pieces.split_first(), name.strip_prefix(self.prefix()))
        else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return name == *first;
        };
        for piece in middle {
            match left.find(piece.as_str()) {
                Some(at) => left = left.get(at + piece.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }
}
