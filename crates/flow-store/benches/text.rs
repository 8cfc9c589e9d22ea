//! Indexing and searching made-up texts, in one segment.
//!
//! ```text
//! cargo bench -p flow-store --bench text              200,000 texts
//! cargo bench -p flow-store --bench text -- 20000     so many
//! cargo bench -p flow-store --bench text -- english   of one kind; also: code, chinese
//! ```
//!
//! Texts have 300 to 2,000 characters: English, Chinese and code, of vocabularies whose words are as unequal in
//! frequency as real ones (Zipf), with identifiers that occur once. Searches fetch 50 hits or count all flows
//! within the budget of the product, in the file as it is written and in the finished one. The machine is not quiet,
//! so that the time on the processor is shown beside the time by the clock.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a benchmark prints what it measured, and stops where it cannot go on"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use flow_query::Scope;
use flow_store::text::{
    Budget, Needle, Question, Source, TextKind, TextReader, TextWriter, Use, audit,
};

/// Texts between two commits.
const GROUP_TEXTS: usize = 500;
/// Times that a search is repeated.
const ROUNDS: usize = 60;
const HITS: usize = 50;
const BUDGET: Duration = Duration::from_millis(150);
const CHECKS_MAX: usize = 20_000;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Returns a rank below `end` of a distribution in which rank r is about 1/r as frequent as the first.
    fn rank(&mut self, end: usize) -> usize {
        let part = self.next() as f64 / u64::MAX as f64;
        ((end as f64).powf(part) as usize).min(end) - 1
    }
}

#[derive(Clone, Copy)]
enum Kind {
    English,
    Code,
    Chinese,
}

impl Kind {
    const MIXED: [Self; 6] = [
        Self::English,
        Self::English,
        Self::English,
        Self::Code,
        Self::Code,
        Self::Chinese,
    ];
}

struct Words {
    english: Vec<String>,
    code: Vec<String>,
    chinese: Vec<String>,
}

impl Words {
    fn new(dice: &mut Dice) -> Self {
        let syllables = [
            "ta", "re", "in", "os", "ne", "li", "mo", "ver", "con", "sti", "pa", "du", "qua", "ze",
            "fi", "gra", "hol", "us", "be", "ky",
        ];
        let mut word = |least: usize, most: usize| -> String {
            (0..least + dice.below(most - least + 1))
                .map(|_| syllables[dice.below(syllables.len())])
                .collect()
        };
        let english = (0..60_000).map(|rank| word(1 + rank / 20_000, 4)).collect();
        let code = (0..30_000)
            .map(|rank| match rank % 3 {
                0 => format!("{}_{}", word(1, 3), word(1, 2)),
                1 => format!("{}.{}()", word(1, 3), word(1, 3)),
                _ => word(2, 5),
            })
            .collect();
        let characters: Vec<char> = (0x4e00..0x4e00 + 4000_u32)
            .filter_map(char::from_u32)
            .collect();
        let chinese = (0..20_000)
            .map(|rank| {
                let length = if rank < 100 { 1 } else { 2 + rank % 5 / 4 };
                (0..length)
                    .map(|_| characters[dice.rank(characters.len())])
                    .collect()
            })
            .collect();
        Self {
            english,
            code,
            chinese,
        }
    }

    fn text(&self, dice: &mut Dice, kind: Kind) -> String {
        let length = 300 + dice.below(1700);
        let mut text = String::with_capacity(length * 3);
        let mut count = 0;
        while count < length {
            let before = text.len();
            match kind {
                Kind::English => {
                    text.push_str(&self.english[dice.rank(self.english.len())]);
                    text.push_str(if dice.below(12) == 0 { ". " } else { " " });
                }
                Kind::Code => {
                    text.push_str(&self.code[dice.rank(self.code.len())]);
                    text.push_str([" = ", ";\n    ", "(", ") ", ", "][dice.below(5)]);
                }
                Kind::Chinese => {
                    for _ in 0..2 + dice.below(7) {
                        text.push_str(&self.chinese[dice.rank(self.chinese.len())]);
                    }
                    text.push(if dice.below(4) == 0 { '。' } else { '，' });
                }
            }
            if dice.below(200) == 0 {
                write!(text, "id_{:016x} ", dice.next()).unwrap();
            }
            count += text.get(before..).unwrap().chars().count();
        }
        text
    }
}

fn main() {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let count: usize = count.unwrap_or(200_000);
    let kinds: &[Kind] = match std::env::args().nth(1).as_deref() {
        Some("english") => &[Kind::English],
        Some("code") => &[Kind::Code],
        Some("chinese") => &[Kind::Chinese],
        _ => &Kind::MIXED,
    };
    let mut dice = Dice(7);
    let words = Words::new(&mut dice);
    let texts: Vec<String> = (0..count)
        .map(|number| words.text(&mut dice, kinds[number % kinds.len()]))
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("{count} texts, {:.0} MB", bytes as f64 / 1e6);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("000001.fts");
    let begun = clock();
    let mut writer = TextWriter::create(&path).unwrap();
    for (at, text) in texts.iter().enumerate() {
        let n = at as i64 + 1;
        writer.add(n, &[(TextKind::User, n, text)]).unwrap();
        if at % GROUP_TEXTS == GROUP_TEXTS - 1 {
            writer.commit().unwrap();
        }
    }
    writer.commit().unwrap();
    rate("indexing", since(begun), count, bytes);
    size("live file", &path, bytes);
    searches(&path, &texts, &words);

    let begun = clock();
    let finished = writer.finish().unwrap();
    println!("finishing: {:.1?}", since(begun));
    finished.replace().unwrap();
    size("finished file", &path, bytes);
    let begun = clock();
    audit(&path).unwrap();
    println!("audit: {:.1?}", since(begun));
    searches(&path, &texts, &words);
}

fn searches(path: &Path, texts: &[String], words: &Words) {
    let middle = &texts[texts.len() / 2];
    let unique = texts.iter().rev().skip(texts.len() / 3).find_map(|text| {
        let at = text.find("id_")?;
        text.get(at..at + 19)
    });
    let unique = unique.unwrap();
    let english = &texts[texts.len() / 2 / 6 * 6];
    let phrase: String = english.chars().skip(101).take(30).collect();
    let rare_word = &words.english[59_000];
    let cases = [
        ("common word", words.english[2].as_str()),
        ("common part", "st"),
        ("one letter", "e"),
        ("word of middle rank", words.english[3000].as_str()),
        ("rare word", rare_word),
        ("identifier, whole", unique),
        ("identifier, part", unique.get(6..14).unwrap()),
        ("two Chinese characters", &words.chinese[5000]),
        ("two common ones", &words.chinese[101]),
        ("phrase", &phrase),
        (
            "a text's own start",
            middle.get(..middle.floor_char_boundary(40)).unwrap(),
        ),
        ("nothing", "nowhereatall"),
        ("punctuation", "();"),
    ];
    let reader = TextReader::open(path).unwrap();
    println!(
        "{:<24} {:>9} {:>9} {:>9} {:>5}   {:>9} {:>7}",
        "first 50 hits", "p50", "p99", "on CPU", "hits", "all: p50", "flows"
    );
    for (name, needle) in cases {
        let question = Question::new(&Needle::new(needle).unwrap(), Scope::Content);
        let (mut hits, mut flows, mut partial) = (0, 0, false);
        let begun = clock();
        let first = rounds(ROUNDS, || {
            let mut text = |place: &Use| texts.get(place.n as usize - 1).cloned();
            let mut source = Source {
                shows: &|_| true,
                text: &mut text,
            };
            let found = reader
                .search(&question, (None, HITS), &mut source, budget())
                .unwrap();
            hits = found.hits.len();
        });
        let on_cpu = since(begun) / ROUNDS as u32;
        let all = rounds(5, || {
            let mut text = |place: &Use| texts.get(place.n as usize - 1).cloned();
            let mut source = Source {
                shows: &|_| true,
                text: &mut text,
            };
            let found = reader
                .flows_of(&question, (None, 0), &mut source, budget())
                .unwrap();
            (flows, partial) = (found.numbers.len(), found.next.is_some());
        });
        let more = if partial { "+" } else { "" };
        println!(
            "{name:<24} {:>9.2?} {:>9.2?} {on_cpu:>9.2?} {hits:>5}   {:>9.2?} {flows:>7}{more}",
            first[first.len() / 2],
            first[first.len() * 99 / 100],
            all[all.len() / 2]
        );
    }
}

fn budget() -> Budget {
    Budget {
        checks_max: CHECKS_MAX,
        deadline: Instant::now() + BUDGET,
    }
}

/// Returns the time that this thread has been running, where the system tells: the machine is not quiet.
fn clock() -> Duration {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(
        || BEGUN.get_or_init(Instant::now).elapsed(),
        Duration::from_nanos,
    )
}

/// Returns how long each round took, shortest first.
fn rounds(count: usize, mut act: impl FnMut()) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let begun = Instant::now();
            act();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn rate(name: &str, took: Duration, count: usize, bytes: usize) {
    let seconds = took.as_secs_f64();
    println!(
        "{name}: {took:.2?}, {:.0} texts/s, {:.0} MB/s",
        count as f64 / seconds,
        bytes as f64 / seconds / 1e6
    );
}

fn since(begun: Duration) -> Duration {
    clock().saturating_sub(begun)
}

fn size(name: &str, path: &Path, bytes: usize) {
    let length = std::fs::metadata(path).unwrap().len();
    println!(
        "{name}: {:.1} MB, {:.1} % of the text",
        length as f64 / 1e6,
        length as f64 * 100.0 / bytes as f64
    );
}
