//! A search finds exactly the texts whose fold holds the needle's, whatever the script.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

const WORDS: &[&str] = &[
    "the",
    "The",
    "quick",
    "error",
    "Errors",
    "read",
    "a",
    "I",
    "x1",
    "HTTP",
    "naïve",
    "Straße",
    "ΣΑΣ",
    "привет",
];
const CODE: &[&str] = &[
    "fn",
    "get_user_by_id",
    "getUserById",
    "self.map",
    "0x1f",
    "a->b",
    "std::fs",
    "user@host",
    "v2.0-rc1",
    "{\"a\":1}",
];
const DENSE: &[&str] = &[
    "数据库",
    "错误",
    "中",
    "文件不存在",
    "テスト",
    "ひらがな",
    "カ",
    "ﾃｽﾄ",
    "한국어",
    "글",
    "ภาษาไทย",
    "ที่",
    "ລາວ",
    "ខ្មែរ",
    "မြန်မာ",
];
const ODD: &[&str] = &[
    "İ",
    "i\u{307}",
    "ﬁ",
    "ẞ",
    "é",
    "e\u{301}",
    "\u{301}",
    "🎉",
    "👩‍💻",
    "\0",
    "\u{200b}",
    "ǅ",
    "𝒳",
    "٣",
    "_",
    "\"",
    "%",
];
const GAPS: &[&str] = &[
    " ", "  ", "\n", "\t", "\r\n", "\u{a0}", "\u{3000}", "\u{2028}", "\u{85}", ".", ", ", "，",
    "-", "(", "",
];

fn piece() -> impl Strategy<Value = String> {
    let one = |pieces: &'static [&'static str]| select(pieces).prop_map(str::to_owned);
    prop_oneof![
        6 => one(GAPS),
        4 => one(WORDS),
        3 => one(CODE),
        3 => one(DENSE),
        2 => one(ODD),
        1 => "[0-9a-f]{1,20}",
        1 => "[0-9a-f]{100,400}",
        1 => "[éa𝒳]{40,150}",
        1 => "\\PC{0,6}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    vec(piece(), 0..14).prop_map(|pieces| pieces.concat())
}

fn flow() -> impl Strategy<Value = Parts> {
    vec((select(&TextKind::ALL[..]), 0..4_i64, text()), 0..5)
}

/// Returns a needle: cut from one of the texts, in its letters or in capitals, or put together.
fn needle() -> impl Strategy<Value = (Index, Index, usize, bool, Option<String>)> {
    let length = prop_oneof![4 => 1..8_usize, 2 => 5..40_usize, 1 => 40..400_usize];
    let made = prop_oneof![5 => Just(None), 1 => piece().prop_map(Some)];
    (any::<Index>(), any::<Index>(), length, any::<bool>(), made)
}

fn cut(texts: &[&str], needle: &(Index, Index, usize, bool, Option<String>)) -> String {
    let (which, start, length, capitals, made) = needle;
    if texts.is_empty() {
        return made.clone().unwrap_or_default();
    }
    let text = which.get(texts);
    let count = text.chars().count();
    let start = start.index(count.max(1));
    let part: String = text.chars().skip(start).take(*length).collect();
    match made {
        Some(made) => made.clone(),
        None if *capitals => part.to_uppercase(),
        None => part,
    }
}

fn check(made: &Made, text: &str, scope: Scope, checks_max: usize) {
    let Some(needle) = Needle::new(text) else {
        return;
    };
    let expect = made.expect(&needle, scope);
    let asked = (&needle, scope);
    let hits = made
        .search(asked, 3, narrow(checks_max), &|_| true)
        .unwrap();
    let found: BTreeSet<Use> = hits.iter().map(|hit| hit.place).collect();
    assert_eq!(found, expect, "{needle:?}");
    assert_eq!(found.len(), hits.len(), "each place once");
    for Hit { place, snippet } in hits {
        let whole = made.text(&place).unwrap();
        assert!(whole.contains(&snippet.text));
        let hit = snippet.text.chars().skip(snippet.hit.start);
        let hit: String = hit.take(snippet.hit.len()).collect();
        assert!(needle.is_in(&hit) || snippet.more_after, "{hit:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_is_missed_and_nothing_added(
        flows in vec(flow(), 0..16),
        needles in vec(needle(), 30),
        checks_max in 1..5_usize,
    ) {
        let made = Made::new(flows);
        let texts: Vec<&str> = made.flows.iter().flatten().map(|(_, _, text)| text.as_str()).collect();
        let scopes = [Scope::Content, Scope::Request, Scope::Response, Scope::Thinking, Scope::System];
        for (needle, scope) in needles.iter().zip(scopes.iter().cycle()) {
            check(&made, &cut(&texts, needle), *scope, checks_max);
        }
        made.finish();
        for needle in &needles {
            check(&made, &cut(&texts, needle), Scope::Content, usize::MAX);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_fold_has_the_tokens_that_its_needle_asks_for(text in text(), needle in needle()) {
        let folded = fold(&text);
        let tokens: BTreeSet<&str> = tokens::tokens(&folded).collect();
        if let Some(needle) = Needle::new(&cut(&[&text], &needle))
            && folded.contains(needle.as_str())
        {
            let question = Question::new(&needle, Scope::Content);
            for token in &question.plan.exact {
                prop_assert!(tokens.contains(token.as_str()), "{token:?} of {needle:?}");
            }
            for part in &question.plan.parts {
                let holds = |token: &&str| match part.place {
                    question::PartPlace::Start => token.starts_with(&part.text),
                    question::PartPlace::End => token.ends_with(&part.text),
                    question::PartPlace::Anywhere => token.contains(&part.text),
                };
                prop_assert!(tokens.iter().any(holds), "{part:?} of {needle:?}");
            }
        }
    }
}
