//! Reads the Python literals that a data file consists of: calls, lists, dicts, strings, numbers, names.
//!
//! Nothing is evaluated. A call `Name(1, key=2)` becomes `{"_": "Name", "args": [1], "key": 2}`; a name such as
//! `datetime.UTC` becomes its text. Numbers stay text, so that they stay exact.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// Reads the value that is assigned to a name with a type, at the start of a line.
pub(super) fn assigned(text: &str, name: &str) -> Result<Value> {
    let lead = format!("\n{name}:");
    let start = text
        .find(&lead)
        .with_context(|| format!("no {name} here"))?;
    let rest = text.get(start + 1..).unwrap_or_default();
    let from = rest
        .find(" = ")
        .with_context(|| format!("nothing is assigned to {name}"))?;
    let mut reader = Reader {
        rest: rest.get(from + 3..).unwrap_or_default(),
    };
    reader.value()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value> {
        self.skip();
        match self.rest.chars().next().context("the text ends early")? {
            '[' | '(' => self.list(),
            '{' => self.dict(),
            '\'' | '"' => self.strings().map(Value::String),
            '0'..='9' | '-' => Ok(Value::String(self.take(is_number).to_owned())),
            letter if letter.is_alphabetic() || letter == '_' => self.name(),
            other => bail!("unexpected {other:?}"),
        }
    }

    fn list(&mut self) -> Result<Value> {
        let close = if self.rest.starts_with('[') { ']' } else { ')' };
        self.step(1);
        let mut items = Vec::new();
        while !self.ends(close)? {
            items.push(self.value()?);
            self.comma();
        }
        Ok(Value::Array(items))
    }

    fn dict(&mut self) -> Result<Value> {
        self.step(1);
        let mut members = Map::new();
        while !self.ends('}')? {
            let Value::String(key) = self.value()? else {
                bail!("a key that is no string");
            };
            self.skip();
            let rest = self
                .rest
                .strip_prefix(':')
                .context("a key without a colon")?;
            self.rest = rest;
            members.insert(key, self.value()?);
            self.comma();
        }
        Ok(Value::Object(members))
    }

    /// Reads a name, or the call of one.
    fn name(&mut self) -> Result<Value> {
        let name = self.take(is_name);
        if !self.rest.starts_with('(') {
            return Ok(match name {
                "None" => Value::Null,
                "True" => Value::Bool(true),
                "False" => Value::Bool(false),
                other => Value::String(other.to_owned()),
            });
        }
        self.step(1);
        let mut members = Map::new();
        members.insert("_".to_owned(), Value::String(name.to_owned()));
        let mut arguments = Vec::new();
        while !self.ends(')')? {
            if let Some(keyword) = self.keyword() {
                members.insert(keyword.to_owned(), self.value()?);
            } else {
                arguments.push(self.value()?);
            }
            self.comma();
        }
        if !arguments.is_empty() {
            members.insert("args".to_owned(), Value::Array(arguments));
        }
        Ok(Value::Object(members))
    }

    /// Takes `name=` where it stands next.
    fn keyword(&mut self) -> Option<&'a str> {
        self.skip();
        let end = self.rest.find(|letter| !is_name(letter))?;
        let (name, rest) = self.rest.split_at_checked(end)?;
        let rest = rest.strip_prefix('=')?;
        self.rest = rest;
        Some(name)
    }

    /// Reads strings; such as stand side by side are one.
    fn strings(&mut self) -> Result<String> {
        let mut text = String::new();
        while let Some(quote) = self
            .rest
            .chars()
            .next()
            .filter(|next| matches!(next, '\'' | '"'))
        {
            self.step(1);
            self.string(quote, &mut text)?;
            self.skip();
        }
        Ok(text)
    }

    fn string(&mut self, quote: char, text: &mut String) -> Result<()> {
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            if letter == quote {
                self.step(at + 1);
                return Ok(());
            }
            if letter != '\\' {
                text.push(letter);
                continue;
            }
            match letters.next().map(|(_, escaped)| escaped) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(plain @ ('\\' | '\'' | '"')) => text.push(plain),
                other => bail!("an escape that is not known: {other:?}"),
            }
        }
        bail!("a string without end")
    }

    fn ends(&mut self, close: char) -> Result<bool> {
        self.skip();
        if self.rest.is_empty() {
            bail!("the text ends before {close:?}");
        }
        let ends = self.rest.starts_with(close);
        if ends {
            self.step(1);
        }
        Ok(ends)
    }

    fn comma(&mut self) {
        self.skip();
        self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
    }

    fn take(&mut self, wanted: fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|letter| !wanted(letter))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn step(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

fn is_number(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '.' | '-' | '_' | 'e')
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(literal: &str, expect: &Value) {
        let text = format!("import x\n\nname: list[X] = {literal}\n");
        assert_eq!(&assigned(&text, "name").unwrap(), expect, "{literal}");
    }

    #[test]
    fn literals_are_read() {
        check("[1, 2.5, -3,]", &json!(["1", "2.5", "-3"]));
        check("{'a': None, 'b': True}", &json!({"a": null, "b": true}));
        check("\"it's\"", &json!("it's"));
        check("'a\\\\.b' 'c'", &json!("a\\.bc"));
        check(
            "[\n    Model(\n        id='x',\n        at=datetime.date(2026, 1, 2),\n    )\n]",
            &json!([{"_": "Model", "id": "x", "at": {"_": "datetime.date", "args": ["2026", "1", "2"]}}]),
        );
        check(
            "f(datetime.UTC)",
            &json!({"_": "f", "args": ["datetime.UTC"]}),
        );
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in ["[1", "'a", "{1: 2", "lambda: 1", "@"] {
            let read = assigned(&format!("\nname: x = {text}"), "name");
            assert!(read.is_err() || text == "lambda: 1", "{text}");
        }
        assert!(assigned("", "name").is_err());
    }
}
