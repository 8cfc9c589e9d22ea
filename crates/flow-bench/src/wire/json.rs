//! JSON, written piece by piece into one buffer.

use std::fmt::Write as _;

/// A piece of JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// JSON as it stands.
    Raw(&'a str),
    /// A text that becomes a string with its quotes.
    Text(&'a str),
    Number(u64),
}

/// Appends pieces.
pub(crate) fn put(out: &mut String, pieces: &[Piece<'_>]) {
    for piece in pieces {
        match piece {
            Piece::Raw(raw) => out.push_str(raw),
            Piece::Text(text) => {
                out.push('"');
                escape(out, text);
                out.push('"');
            }
            Piece::Number(number) => {
                write!(out, "{number}").ok();
            }
        }
    }
}

/// Returns what stands in front of an element of a list.
pub(super) const fn comma(place: usize) -> &'static str {
    if place == 0 { "" } else { "," }
}

/// Appends a text as it stands within a string.
fn escape(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(from..at).unwrap_or_default());
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            other => {
                write!(out, "\\u{other:04x}").ok();
            }
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let mut out = String::new();
        put(
            &mut out,
            &[
                Piece::Raw("["),
                Piece::Text(text),
                Piece::Raw(","),
                Piece::Number(7),
                Piece::Raw("]"),
            ],
        );
        assert_eq!(out, serde_json::json!([text, 7]).to_string());
    }

    #[test]
    fn strings_are_escaped_as_elsewhere() {
        check("");
        check("plain");
        check("\"quoted\" and \\ and\nlines\twith\u{1}");
        check("流量\n\"监控\"");
    }
}
