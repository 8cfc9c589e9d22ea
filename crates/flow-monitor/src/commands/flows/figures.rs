//! `flow-monitor flows count`, `facets` and `stats`: figures of flows, as tables for people and as JSON.

use std::io::{self, Write};

use flow_model::{Money, Timestamp};
use serde_json::{Value, json};

use crate::Exit;
use crate::args::StatsArgs;
use crate::instance::Instance;
use crate::text;

/// Characters of a name in a table.
const NAME_CHARS_MAX: usize = 48;

/// Returns parameters as they stand behind the question mark of a path.
pub(super) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let known = parameters
        .iter()
        .filter_map(|(name, value)| Some((name, (*value)?)));
    let pairs: Vec<String> = known
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(digit));
        }
    }
    encoded
}

/// Says that an answer lacks flows, where it does.
pub(super) fn warn_if_partial(answer: &Value) {
    if answer.get("partial").and_then(Value::as_bool) == Some(true) {
        crate::complain("some flows could not be looked at and are missing; try again in a moment");
    }
}

pub(super) fn count(instance: &Instance, filter: Option<&str>) -> anyhow::Result<Exit> {
    let answer = instance.get(&format!(
        "/api/flows/count?{}",
        query(&[("filter", filter)])
    ))?;
    warn_if_partial(&answer);
    writeln!(io::stdout().lock(), "{}", whole(answer.get("count")))?;
    Ok(Exit::Success)
}

pub(super) fn facets(
    instance: &Instance,
    field: &str,
    filter: Option<&str>,
    top: usize,
    json: bool,
) -> anyhow::Result<Exit> {
    let top = top.to_string();
    let query = query(&[
        ("fields", Some(field)),
        ("top", Some(&top)),
        ("filter", filter),
    ]);
    let answer = instance.get(&format!("/api/facets?{query}"))?;
    let facet = answer.pointer("/facets/0").cloned().unwrap_or_default();
    warn_if_partial(&facet);
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{facet}")?;
        return Ok(Exit::Success);
    }
    let mut table = Table::new(vec![field.to_owned(), "flows".to_owned()], 1);
    for name in list(&facet, "names") {
        let text = name.get("name").and_then(Value::as_str).unwrap_or_default();
        table.add(&[text.to_owned(), whole(name.get("count"))]);
    }
    let unknown = whole(facet.get("unknown"));
    if unknown != "0" {
        table.add(&["(unknown)".to_owned(), unknown]);
    }
    table.print(&mut out)?;
    Ok(Exit::Success)
}

pub(super) fn stats(instance: &Instance, args: &StatsArgs) -> anyhow::Result<Exit> {
    let filter = args.filter.as_deref().map(serde_json::from_str::<Value>);
    let filter = filter.transpose();
    let filter = filter.map_err(|error| anyhow::anyhow!("the filter is no JSON: {error}"))?;
    let by = args.by.iter().map(|name| match name.as_str() {
        "hour" | "day" => json!({ "time": name }),
        name => json!(name),
    });
    let by: Vec<Value> = by.collect();
    let question = json!({ "filter": filter, "group_by": by, "measures": args.of });
    let answer = instance.post_json("/api/stats", &question)?;
    warn_if_partial(&answer);
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{answer}")?;
        return Ok(Exit::Success);
    }
    let mut titles = args.by.clone();
    titles.push("flows".to_owned());
    for field in &args.of {
        titles.extend(["", " p50", " p95"].map(|what| format!("{field}{what}")));
    }
    let mut table = Table::new(titles, args.by.len());
    for group in list(&answer, "groups") {
        let keys = list(group, "key").iter().zip(&args.by);
        let mut cells: Vec<String> = keys.map(|(key, by)| key_text(key, by)).collect();
        cells.push(whole(group.get("count")));
        for measure in list(group, "measures") {
            let field = measure.get("field").and_then(Value::as_str);
            let cell = |name: &str| number_text(field.unwrap_or_default(), measure.get(name));
            cells.extend(["sum", "p50", "p95"].map(cell));
        }
        table.add(&cells);
    }
    table.print(&mut out)?;
    let left_out = whole(answer.get("left_out"));
    if left_out != "0" {
        crate::complain(&format!(
            "{left_out} flows are in groups beyond those that are shown"
        ));
    }
    Ok(Exit::Success)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn whole(number: Option<&Value>) -> String {
    number.and_then(Value::as_u64).unwrap_or(0).to_string()
}

fn key_text(key: &Value, by: &str) -> String {
    match key {
        Value::String(name) => name.clone(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(at) => {
            let instant = text::instant(Timestamp(at.as_i64().unwrap_or(0)));
            let chars = if by == "day" { 10 } else { 16 };
            instant.chars().take(chars).collect()
        }
        _ => "(unknown)".to_owned(),
    }
}

/// Returns a number of a field as people read it.
fn number_text(field: &str, number: Option<&Value>) -> String {
    match number {
        Some(Value::String(money)) => {
            format!(
                "${:.4}",
                money.parse::<Money>().unwrap_or_default().dollars()
            )
        }
        Some(Value::Number(number)) => {
            let count = number.as_u64();
            match field {
                "duration" | "ttfb" | "ttft" => text::duration(count),
                "speed" => count.map_or_else(
                    || "-".to_owned(),
                    |speed| format!("{}.{} /s", speed / 1000, speed / 100 % 10),
                ),
                _ => text::count(count),
            }
        }
        _ => "-".to_owned(),
    }
}

/// Lines of cells, as wide as they need to be.
struct Table {
    lines: Vec<Vec<String>>,
    /// The first cells hold names, which stand at the left; numbers stand at the right.
    names: usize,
}

// === impl Table ===

impl Table {
    fn new(titles: Vec<String>, names: usize) -> Self {
        Self {
            lines: vec![titles],
            names,
        }
    }

    fn add(&mut self, cells: &[String]) {
        let clean = cells.iter().map(|cell| text::line(cell, NAME_CHARS_MAX));
        self.lines.push(clean.collect());
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.lines.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for line in &self.lines {
            let cells = line.iter().zip(&widths).enumerate();
            let cells = cells.map(|(at, (cell, &width))| {
                if at < self.names {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
            let text = cells.collect::<Vec<_>>().join("  ");
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded() {
        let check = |parameters: &[(&str, Option<&str>)], expect| {
            assert_eq!(query(parameters), expect);
        };
        check(&[], "");
        check(&[("sort", Some("-cost")), ("filter", None)], "sort=-cost");
        check(
            &[("filter", Some(r#"{"a":"b&c é"}"#)), ("top", Some("1"))],
            "filter=%7b%22a%22%3a%22b%26c%20%c3%a9%22%7d&top=1",
        );
    }

    #[test]
    fn cells_stand_under_each_other() {
        let mut table = Table::new(vec!["model".to_owned(), "flows".to_owned()], 1);
        table.add(&["模型\u{1b}[2J".to_owned(), "12".to_owned()]);
        table.add(&["m".to_owned(), "1234567".to_owned()]);
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        let expect = "model     flows\n模型 [2J       12\nm       1234567\n";
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn numbers_have_their_units() {
        let check = |field: &str, number: Value, expect: &str| {
            assert_eq!(number_text(field, Some(&number)), expect);
        };
        check("cost", json!("0.4"), "$0.4000");
        check("duration", json!(9_570_000), "9.5 s");
        check("input", json!(98_340), "98.3k");
        check("speed", json!(41_250), "41.2 /s");
        check("input", Value::Null, "-");
        assert_eq!(key_text(&json!(86_400_000_000_i64), "day"), "1970-01-02");
        assert_eq!(key_text(&json!(true), "running"), "yes");
        assert_eq!(key_text(&Value::Null, "model"), "(unknown)");
    }
}
