//! Makes the price table of flow-meter from two public data sets.
//!
//! | source | what it knows best | where it lies in its package |
//! |---|---|---|
//! | genai-prices | start dates, hours of the day, tiers, names | `genai_prices/data.py`, a Python literal |
//! | LiteLLM | many more models, flex and priority, windows | `litellm/model_prices_and_context_window_backup.json` |
//!
//! Both packages are fetched by pip and unzipped; nothing in them is imported or run. genai-prices comes first,
//! LiteLLM fills what it leaves out, and where both know a rate they are compared. The same packages give the
//! same table: it is sorted, and its date only changes when a line does.

mod decimal;
mod genai;
mod litellm;
mod merge;
mod model;
mod pattern;
mod python;
mod report;
mod wheel;

use std::fs;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::out;
use crate::workspace::Workspace;

/// The table, as kept in the tree.
const TABLE: &str = "crates/flow-meter/prices/table.jsonl";
/// The page whose last part is written here.
const PAGE: &str = "docs/prices.md";

/// Fetches the packages and writes the table and the list of disagreements.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let folder = tempfile::tempdir().context("make a folder for the packages")?;
    let genai = wheel::fetch(workspace, folder.path(), "genai-prices")?;
    let litellm = wheel::fetch(workspace, folder.path(), "litellm")?;

    let first = genai::read(&genai.text("genai_prices/data.py")?)?;
    let second =
        litellm::read(&litellm.text("litellm/model_prices_and_context_window_backup.json")?)?;
    let merged = merge::merge(first, second, &today());

    let rows: Vec<String> = merged.models.iter().map(model::Model::line).collect();
    let path = workspace.path(TABLE);
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let packages = format!(
        "genai-prices {}, litellm {}",
        genai.version, litellm.version
    );
    let version = version(&kept, &rows, &packages);
    let mut table = head(&version);
    for row in &rows {
        table.push('\n');
        table.push_str(row);
    }
    table.push('\n');
    fs::write(&path, &table).with_context(|| format!("write {TABLE}"))?;

    let page = workspace.path(PAGE);
    let text = fs::read_to_string(&page).with_context(|| format!("read {PAGE}"))?;
    fs::write(&page, report::page(&text, &version, &merged)?)
        .with_context(|| format!("write {PAGE}"))?;
    for line in report::lines(&merged) {
        out::line(line);
    }
    out::line(format_args!(
        "{TABLE}: {} models, {} bytes, {version}",
        rows.len(),
        table.len()
    ));
    Ok(())
}

/// Returns the version that the table keeps where no line changed, or one with today's date.
fn version(kept: &str, rows: &[String], packages: &str) -> String {
    let same = kept.lines().skip(1).eq(rows.iter().map(String::as_str));
    let old: Option<String> = kept
        .lines()
        .next()
        .and_then(|line| serde_json::from_str::<Value>(line).ok())
        .and_then(|head| head["version"].as_str().map(str::to_owned));
    match old {
        Some(old) if same && old.ends_with(packages) => old,
        _ => format!("{} {packages}", today()),
    }
}

fn head(version: &str) -> String {
    let sources = json!([
        {"name": "genai-prices", "from": "pydantic/genai-prices", "licence": "MIT",
         "copyright": "Copyright (c) Pydantic Services Inc. 2025 to present"},
        {"name": "litellm", "from": "BerriAI/litellm", "licence": "MIT",
         "copyright": "Copyright (c) 2023 Berri AI"},
    ]);
    json!({"version": version, "made_by": "cargo xtask prices", "currency": "USD", "sources": sources})
        .to_string()
}

/// Returns the day of today in UTC.
fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// Returns the date of a day counted from 1970, by the common arithmetic of eras of 400 years.
fn date(day: u64) -> String {
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_454), "2026-01-01");
    }

    #[test]
    fn the_version_changes_with_the_lines() {
        let kept = "{\"version\":\"2020-01-01 a 1, b 2\"}\n{\"id\":1}\n";
        let rows = ["{\"id\":1}".to_owned()];
        assert_eq!(version(kept, &rows, "a 1, b 2"), "2020-01-01 a 1, b 2");
        assert_ne!(version(kept, &rows, "a 1, b 3"), "2020-01-01 a 1, b 2");
        assert_ne!(version(kept, &[], "a 1, b 2"), "2020-01-01 a 1, b 2");
    }
}
