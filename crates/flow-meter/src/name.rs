//! The names under which a model may stand in the table, from what the wire calls it to what is left of it.
//!
//! | part | example |
//! |---|---|
//! | path | `arn:aws:bedrock:…/M`, `publishers/google/models/M`, `models/M`, `accounts/…/models/M` |
//! | region | `us.`, `eu.`, `global.` … of a Bedrock profile |
//! | vendor | `anthropic.` at Bedrock, `openai/` at a gateway |
//! | variant | `:nitro`, `:online` … of OpenRouter; `:free` stays, since it is a price |
//! | version | `-v1:0`, `-001`, `@20250929`, `-20250929`, `-2025-09-29`, `-latest` |

/// Regions and groups of regions in front of a model at Bedrock.
const REGIONS: &[&str] = &[
    "apac", "au", "ca", "eu", "global", "in", "jp", "sa", "us", "us-gov",
];
/// Vendors in front of a model at Bedrock.
const BEDROCK_VENDORS: &[&str] = &[
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "writer",
    "xai",
    "zai",
];
/// Variants of a model at OpenRouter that cost what the model costs.
const VARIANTS: &[&str] = &[
    "beta", "exacto", "extended", "floor", "nitro", "online", "thinking",
];
/// Characters of a name; a longer one is no model's.
const NAME_BYTES_MAX: usize = 512;

/// Returns the names to look for, the fullest first.
pub(crate) fn forms(model: &str) -> Vec<String> {
    let raw = model.trim().to_lowercase();
    if raw.is_empty() || raw.len() > NAME_BYTES_MAX {
        return Vec::new();
    }
    let mut starts = vec![raw.as_str()];
    let mut last = raw.as_str();
    for step in [path, region, dotted_vendor, vendor] {
        if let Some(rest) = step(last).filter(|rest| !rest.is_empty()) {
            starts.push(rest);
            last = rest;
        }
    }
    let mut forms: Vec<String> = Vec::new();
    for start in starts {
        for form in ends(start) {
            if !form.is_empty() && !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// Returns a name and what is left of it without variant, version and date.
fn ends(name: &str) -> Vec<String> {
    let mut ends = vec![name.to_owned()];
    let mut last = name;
    for step in [variant, revision, number] {
        if let Some(rest) = step(last) {
            ends.push(rest.to_owned());
            last = rest;
        }
    }
    if let Some((rest, date)) = compact_date(last) {
        ends.push(format!("{rest}-{date}"));
        last = rest;
        ends.push(last.to_owned());
    } else if let Some(rest) = dashed_date(last).or_else(|| last.strip_suffix("-latest")) {
        last = rest;
        ends.push(last.to_owned());
    }
    if let Some(rest) = last
        .strip_suffix("@latest")
        .or_else(|| last.strip_suffix("@default"))
    {
        ends.push(rest.to_owned());
    }
    ends
}

fn path(name: &str) -> Option<&str> {
    if name.starts_with("arn:") {
        return name.rsplit_once('/').map(|(_, rest)| rest);
    }
    name.rsplit_once("models/").map(|(_, rest)| rest)
}

fn region(name: &str) -> Option<&str> {
    let (first, rest) = name.split_once('.')?;
    REGIONS.contains(&first).then_some(rest)
}

fn dotted_vendor(name: &str) -> Option<&str> {
    let (first, rest) = name.split_once('.')?;
    BEDROCK_VENDORS.contains(&first).then_some(rest)
}

fn vendor(name: &str) -> Option<&str> {
    name.rsplit_once('/').map(|(_, rest)| rest)
}

fn variant(name: &str) -> Option<&str> {
    let (rest, last) = name.rsplit_once(':')?;
    VARIANTS.contains(&last).then_some(rest)
}

/// Takes off `-v1:0` and `-v1`.
fn revision(name: &str) -> Option<&str> {
    let (rest, last) = name.rsplit_once("-v")?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let version = match last.split_once(':') {
        Some((major, minor)) => digits(major) && minor.split(':').next().is_some_and(digits),
        None => last.len() == 1 && digits(last),
    };
    version.then_some(rest)
}

/// Takes off `-001`.
fn number(name: &str) -> Option<&str> {
    let (rest, last) = name.rsplit_once('-')?;
    let number =
        last.len() == 3 && last.starts_with("00") && last.bytes().all(|byte| byte.is_ascii_digit());
    number.then_some(rest)
}

/// Takes off `-20250929` or `@20250929`, and returns it as `2025-09-29`.
fn compact_date(name: &str) -> Option<(&str, String)> {
    let (rest, last) = name.rsplit_once(['-', '@'])?;
    let date =
        last.len() == 8 && last.starts_with("20") && last.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest_of_date) = last.split_at_checked(4)?;
    let (month, day) = rest_of_date.split_at_checked(2)?;
    date.then(|| (rest, format!("{year}-{month}-{day}")))
}

/// Takes off `-2025-09-29`.
fn dashed_date(name: &str) -> Option<&str> {
    let at = name.len().checked_sub(11)?;
    let (rest, date) = name.split_at_checked(at)?;
    crate::pattern::fits("-20##-##-##", date).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(model: &str, expect: &[&str]) {
        assert_eq!(forms(model), expect);
    }

    #[test]
    fn names_lose_what_is_around_them() {
        check("GPT-4o", &["gpt-4o"]);
        check("gpt-4o-2024-08-06", &["gpt-4o-2024-08-06", "gpt-4o"]);
        check("m-latest", &["m-latest", "m"]);
        check("m@20250929", &["m@20250929", "m-2025-09-29", "m"]);
        check(
            "gemini-9-flash-001",
            &["gemini-9-flash-001", "gemini-9-flash"],
        );
        check(
            "us.anthropic.c-20250929-v1:0",
            &[
                "us.anthropic.c-20250929-v1:0",
                "us.anthropic.c-20250929",
                "us.anthropic.c-2025-09-29",
                "us.anthropic.c",
                "anthropic.c-20250929-v1:0",
                "anthropic.c-20250929",
                "anthropic.c-2025-09-29",
                "anthropic.c",
                "c-20250929-v1:0",
                "c-20250929",
                "c-2025-09-29",
                "c",
            ],
        );
        check("models/g", &["models/g", "g"]);
        check(
            "publishers/google/models/g",
            &["publishers/google/models/g", "g"],
        );
        check(
            "openai/g:nitro",
            &["openai/g:nitro", "openai/g", "g:nitro", "g"],
        );
        check("v/m:free", &["v/m:free", "m:free"]);
    }

    #[test]
    fn an_arn_ends_with_the_model() {
        let found = forms("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.c-v1:0");
        assert_eq!(
            found.get(2).map(String::as_str),
            Some("eu.anthropic.c-v1:0")
        );
        assert_eq!(found.last().map(String::as_str), Some("c"));
    }

    #[test]
    fn odd_names_do_no_harm() {
        check("", &[]);
        check("  ", &[]);
        check("/", &["/"]);
        check("-v", &["-v"]);
        check("é-v1", &["é-v1", "é"]);
        check(&"x".repeat(600), &[]);
    }
}
