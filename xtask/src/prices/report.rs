//! Says what the table holds, what was left out, and where the sources disagree.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::merge::{Disagreement, Merged};

/// The line of the page after which everything is written here.
const MARK: &str = "<!-- What follows is written by `cargo xtask prices`. -->";

/// Returns the page with its last part written anew.
pub(super) fn page(text: &str, version: &str, merged: &Merged) -> Result<String> {
    let (kept, _) = text.split_once(MARK).context("the page has no mark")?;
    let mut page = format!("{kept}{MARK}\n\n## This table\n\nVersion: {version}.\n\n");
    for line in counts(merged) {
        writeln!(page, "- {line}")?;
    }
    page.push_str("\n## Left out\n\n| What | How often |\n|---|---|\n");
    for (what, count) in &merged.dropped {
        writeln!(page, "| {} | {count} |", what.replace('|', "\\|"))?;
    }
    page.push_str("\n## Disagreements\n\n");
    page.push_str("Dollars per million tokens, per thousand searches and requests, per image, per hour of sound.\n\n");
    page.push_str("| Model | genai-prices, which is applied, and litellm |\n|---|---|\n");
    for Disagreement {
        provider,
        id,
        difference,
    } in &merged.disagreements
    {
        writeln!(page, "| `{provider}/{id}` | {difference} |")?;
    }
    Ok(page)
}

/// Returns the lines for the terminal.
pub(super) fn lines(merged: &Merged) -> Vec<String> {
    let differences = merged.disagreements.iter().map(|one| {
        format!(
            "disagreement: {}/{}: {}",
            one.provider, one.id, one.difference
        )
    });
    let dropped = merged
        .dropped
        .iter()
        .map(|(what, count)| format!("left out: {count} × {what}"));
    differences.chain(dropped).chain(counts(merged)).collect()
}

fn counts(merged: &Merged) -> Vec<String> {
    let counts = merged.counts;
    vec![
        format!(
            "{} models, {} of them from genai-prices and {} from litellm alone.",
            merged.models.len(),
            counts.genai,
            counts.litellm
        ),
        format!(
            "{} models are in both under one name: {} agree, {} do not.",
            counts.both,
            counts.agree,
            counts.both - counts.agree
        ),
        format!(
            "{} models of genai-prices got rates or tiers from litellm that it leaves out.",
            counts.filled
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_keeps_its_first_part() {
        let merged = Merged {
            disagreements: vec![Disagreement {
                provider: "p".to_owned(),
                id: "m".to_owned(),
                difference: "input 1 (litellm: 2)".to_owned(),
            }],
            ..Merged::default()
        };
        let text = format!("# Prices\n\nWords.\n\n{MARK}\n\nold\n");
        let page = page(&text, "1", &merged).unwrap();
        assert!(page.starts_with("# Prices\n\nWords.\n\n<!--"));
        assert!(page.ends_with("| `p/m` | input 1 (litellm: 2) |\n"));
        assert!(!page.contains("old"));
        assert!(super::page("", "1", &merged).is_err());
    }
}
