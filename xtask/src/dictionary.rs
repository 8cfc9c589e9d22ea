//! Makes the dictionary with which flow-store compresses.
//!
//! Samples are shapes of requests, answers and records, written for it, filled with texts of our own: what users
//! send never comes near it. The same files give the same dictionary. A dictionary that was released must not
//! change: files were written with it, so that another one needs another codec and a file of its own.
//!
//! | file in `xtask/dictionary` | holds, parted by lines of `%%` |
//! |---|---|
//! | `shapes.txt` | JSON and streams, with `$name` where something is filled in; see [`Fill`] |
//! | `prose.txt` | texts in several languages |
//! | `code.txt` | code and output of programs |

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::out;
use crate::workspace::Workspace;

/// The dictionary, as kept in the tree.
const DICTIONARY: &str = "crates/flow-store/src/dictionary.bin";
/// Its bytes: zstd's usual size, which a short record pays nothing for.
const DICTIONARY_BYTES_MAX: usize = 110 * 1024;
/// How often each shape is filled. Later rounds add nothing but other numbers.
const ROUNDS: usize = 48;
/// Bytes of one filled text: an element of a conversation is seldom longer.
const TEXT_BYTES_MAX: usize = 1200;

const SHAPES: &str = include_str!("../dictionary/shapes.txt");
const PROSE: &str = include_str!("../dictionary/prose.txt");
const CODE: &str = include_str!("../dictionary/code.txt");

/// Writes the dictionary.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let samples = samples();
    let bytes: usize = samples.iter().map(String::len).sum();
    let dictionary =
        zstd::dict::from_samples(&samples, DICTIONARY_BYTES_MAX).context("train the dictionary")?;
    ensure!(
        dictionary.len() > DICTIONARY_BYTES_MAX / 2,
        "the samples have too little in common"
    );
    fs::write(workspace.path(DICTIONARY), &dictionary)
        .with_context(|| format!("write {DICTIONARY}"))?;
    out::line(format_args!(
        "{DICTIONARY}: {} bytes from {} samples of {bytes} bytes",
        dictionary.len(),
        samples.len()
    ));
    Ok(())
}

/// Returns every shape filled [`ROUNDS`] times, and every text as the value of a member.
fn samples() -> Vec<String> {
    let mut fill = Fill {
        state: 1,
        prose: parts(PROSE),
        code: parts(CODE),
    };
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        samples.extend(parts(SHAPES).into_iter().map(|shape| fill.shape(shape)));
    }
    let texts = parts(PROSE).into_iter().chain(parts(CODE));
    samples.extend(texts.map(|text| format!("\"text\":\"{}\"", escaped(text))));
    samples
}

fn parts(file: &str) -> Vec<&str> {
    file.trim_end_matches('\n').split("\n%%\n").collect()
}

/// Fills shapes with numbers and texts that are made up, the same in every run.
struct Fill {
    state: u64,
    prose: Vec<&'static str>,
    code: Vec<&'static str>,
}

impl Fill {
    /// Returns a shape with its names replaced. A name that is none stays.
    fn shape(&mut self, shape: &str) -> String {
        let mut filled = String::new();
        let mut rest = shape;
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
            let (name, after) = after.split_at(letters);
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, after) = after.split_at(digits);
            match self.value(name, digits.parse().unwrap_or(0)) {
                Some(value) => filled.push_str(&value),
                None => filled.extend(["$", name, digits]),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn value(&mut self, name: &str, length: usize) -> Option<String> {
        const HEX: &[u8] = b"0123456789abcdef";
        const ID: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        Some(match name {
            "hex" => self.letters(HEX, length),
            "id" => self.letters(ID, length),
            "uuid" => [8, 4, 4, 4, 12]
                .map(|length| self.letters(HEX, length))
                .join("-"),
            "num" => {
                let digits = self.below(5);
                (self.below(10_usize.pow(u32::try_from(digits).unwrap_or(0)) * 9) + 1).to_string()
            }
            "port" => (50_000 + self.below(10_000)).to_string(),
            "time" => (1_795_000_000 + self.below(100_000_000)).to_string(),
            "word" => self.words(1),
            "words" => {
                let count = 2 + self.below(6);
                self.words(count)
            }
            "text" => self.passage(false),
            "code" => self.passage(true),
            _ => return None,
        })
    }

    fn letters(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }

    /// Returns so many words in a row from a text.
    fn words(&mut self, count: usize) -> String {
        let text = self.below(self.prose.len());
        let text = self.prose[text];
        let words: Vec<&str> = text.split_whitespace().collect();
        let from = self.below(words.len());
        let some = &words[from..(from + count).min(words.len())];
        escaped(&some.join(" "))
    }

    /// Returns a passage, escaped as in JSON, from the start of one of its lines on.
    fn passage(&mut self, code: bool) -> String {
        let texts = if code { &self.code } else { &self.prose };
        let count = texts.len();
        let text = self.below(count);
        let text = if code {
            self.code[text]
        } else {
            self.prose[text]
        };
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let from = self.below(lines.len());
        let bytes_max = 60 + self.below(TEXT_BYTES_MAX);
        let passage: String = lines[from..].concat();
        escaped(
            passage
                .get(..passage.floor_char_boundary(bytes_max))
                .unwrap_or_default(),
        )
    }

    /// Returns a number below `limit`, by the steps of a common generator (`SplitMix64`).
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        usize::try_from((mixed ^ (mixed >> 31)) % limit).unwrap_or(0)
    }
}

/// Returns a text as it stands within a JSON string.
fn escaped(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let inside = json
        .strip_prefix('"')
        .and_then(|json| json.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_samples() {
        let samples = samples();
        assert_eq!(samples, super::samples());
        assert!(samples.len() > 1000);
    }

    #[test]
    fn records_and_whole_bodies_are_json_once_they_are_filled() {
        let of_records = |sample: &&String| sample.starts_with('{') && !sample.contains("}\n{");
        for sample in samples().iter().filter(of_records) {
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(sample);
            assert!(parsed.is_ok(), "{sample}");
        }
    }

    #[test]
    fn names_are_filled_and_others_stay() {
        let mut fill = Fill {
            state: 1,
            prose: vec!["one two"],
            code: vec!["a\n\"b\""],
        };
        let filled = fill.shape("$hex4|$id3_x|$schema|$uuid");
        let parts: Vec<&str> = filled.split('|').collect();
        assert_eq!([parts[0].len(), parts[1].len(), parts[3].len()], [4, 5, 36]);
        assert_eq!(parts[2], "$schema");
        assert!(["one", "two"].contains(&fill.shape("$word").as_str()));
    }
}
