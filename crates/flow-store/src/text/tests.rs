//! Texts in, searches out, through the file.

mod damage;
mod exact;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flow_query::Scope;
use tempfile::TempDir;

use super::*;

/// A flow's texts: kind, node and text.
type Parts = Vec<(TextKind, i64, String)>;

/// An index and what was put into it: flow 1 is the first.
struct Made {
    dir: TempDir,
    flows: Vec<Parts>,
}

impl Made {
    fn new(flows: Vec<Parts>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = Self { dir, flows };
        let mut writer = TextWriter::create(&made.path()).unwrap();
        for (at, _) in made.flows.iter().enumerate() {
            made.add(&mut writer, number(at));
        }
        writer.commit().unwrap();
        made
    }

    /// An index of flows with one text each.
    fn of(texts: &[&str]) -> Self {
        let parts = |text: &&str| vec![(TextKind::User, 0, (*text).to_owned())];
        Self::new(texts.iter().map(parts).collect())
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("000001.fts")
    }

    fn add(&self, writer: &mut TextWriter, n: i64) {
        let parts = &self.flows[usize::try_from(n - 1).unwrap()];
        let parts: Vec<_> = parts
            .iter()
            .map(|(kind, node, text)| (*kind, *node, text.as_str()))
            .collect();
        writer.add(n, &parts).unwrap();
    }

    fn finish(&self) {
        let writer = TextWriter::open(&self.path()).unwrap();
        writer.finish().unwrap().replace().unwrap();
    }

    fn text(&self, place: &Use) -> Option<String> {
        let flow = self.flows.get(usize::try_from(place.n - 1).ok()?)?;
        let mut same = flow
            .iter()
            .filter(|(kind, node, _)| (*kind, *node) == (place.kind, place.node));
        same.nth(place.part as usize)
            .map(|(_, _, text)| text.clone())
    }

    /// Returns every place, found by looking everywhere.
    fn expect(&self, needle: &Needle, scope: Scope) -> BTreeSet<Use> {
        let mut places = BTreeSet::new();
        for (at, flow) in self.flows.iter().enumerate() {
            for (index, (kind, node, text)) in flow.iter().enumerate() {
                let before = flow.iter().take(index);
                let part = before
                    .filter(|(other, its, _)| (other, its) == (kind, node))
                    .count();
                if Question::new(needle, scope).includes(*kind)
                    && fold(text).contains(needle.as_str())
                {
                    places.insert(Use {
                        n: number(at),
                        node: *node,
                        kind: *kind,
                        part: u32::try_from(part).unwrap(),
                    });
                }
            }
        }
        places
    }

    /// Returns every hit, fetched in pages.
    fn search(
        &self,
        (needle, scope): (&Needle, Scope),
        page: usize,
        budget: Budget,
        shows: &dyn Fn(i64) -> bool,
    ) -> Result<Vec<Hit>, TextError> {
        let reader = TextReader::open(&self.path())?;
        let question = Question::new(needle, scope);
        let mut text = |place: &Use| self.text(place);
        let mut source = Source {
            shows,
            text: &mut text,
        };
        let (mut hits, mut from) = (Vec::new(), None);
        loop {
            let found = reader.search(&question, (from, page), &mut source, budget)?;
            assert!(found.hits.len() <= page);
            hits.extend(found.hits);
            from = found.next;
            if from.is_none() {
                return Ok(hits);
            }
        }
    }

    fn flows(&self, text: &str) -> Vec<i64> {
        let needle = Needle::new(text).unwrap();
        let hits = self.search((&needle, Scope::Content), 100, wide(), &|_| true);
        hits.unwrap().iter().map(|hit| hit.place.n).collect()
    }
}

fn number(at: usize) -> i64 {
    i64::try_from(at).unwrap() + 1
}

fn wide() -> Budget {
    narrow(usize::MAX)
}

fn narrow(checks_max: usize) -> Budget {
    Budget {
        checks_max,
        deadline: Instant::now() + Duration::from_hours(1),
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

#[test]
fn the_newest_text_comes_first_and_a_text_is_checked_once() {
    let made = Made::of(&["red fox", "blue fox", "red fox", "green", "FOX"]);
    assert_eq!(made.flows("fox"), [5, 2, 3, 1]);
    let reader = TextReader::open(&made.path()).unwrap();
    let mut checks = 0;
    let mut text = |place: &Use| {
        checks += 1;
        made.text(place)
    };
    let mut source = Source {
        shows: &|_| true,
        text: &mut text,
    };
    let question = Question::new(&Needle::new("fox").unwrap(), Scope::Content);
    let found = reader
        .flows_of(&question, (None, 0), &mut source, wide())
        .unwrap();
    assert_eq!(found.numbers, BTreeSet::from([1, 2, 3, 5]));
    assert!(found.next.is_none());
    assert_eq!(checks, 3);
}

#[test]
fn a_budget_ends_a_search_and_a_cursor_goes_on() {
    let made = Made::of(&["ax", "bx", "cx", "dx"]);
    let reader = TextReader::open(&made.path()).unwrap();
    let question = Question::new(&Needle::new("x").unwrap(), Scope::Content);
    let mut text = |place: &Use| made.text(place);
    let mut source = Source {
        shows: &|n| n != 3,
        text: &mut text,
    };
    let mut step = |from, budget| {
        let found = reader
            .search(&question, (from, 10), &mut source, budget)
            .unwrap();
        let flows: Vec<i64> = found.hits.iter().map(|hit| hit.place.n).collect();
        (flows, found.next, found.partial)
    };
    let (flows, next, partial) = step(None, narrow(1));
    assert_eq!((flows, partial), (vec![4], true));
    let over = Budget {
        checks_max: 100,
        deadline: Instant::now(),
    };
    // A budget that is over when it is given is good for one text.
    let (flows, next, partial) = step(next, over);
    assert_eq!((flows, partial), (vec![], true));
    let (flows, next, partial) = step(next, wide());
    assert_eq!((flows, next, partial), (vec![2, 1], None, false));
}

#[test]
fn candidates_are_not_checked() {
    let made = Made::of(&["big red", "red, big", "blue"]);
    let reader = TextReader::open(&made.path()).unwrap();
    let question = Question::new(&Needle::new(" (red big) ").unwrap(), Scope::Content);
    let (places, next) = reader
        .candidates(&question, (None, 10), &|_| true, wide())
        .unwrap();
    let flows: Vec<i64> = places.iter().map(|place| place.n).collect();
    assert_eq!((flows, next), (vec![2, 1], None));
}

#[test]
fn an_index_goes_on_where_it_was() {
    let made = Made::new(vec![Vec::new(); 6]);
    let path = made.path();
    let mut writer = TextWriter::create(&path).unwrap();
    for n in [1, 2, 4, 6] {
        writer
            .add(n, &[(TextKind::Answer, 0, "same words")])
            .unwrap();
    }
    assert_eq!(writer.watermark(), 0);
    writer.commit().unwrap();
    assert_eq!(writer.watermark(), 2);
    let reader = TextReader::open(&path).unwrap();
    writer.add(3, &[(TextKind::User, 7, "lost")]).unwrap();
    drop(writer);

    let mut writer = TextWriter::open(&path).unwrap();
    let done: Vec<i64> = (1..=6).filter(|&n| writer.is_done(n)).collect();
    assert_eq!(done, [1, 2, 4, 6]);
    writer.add(3, &[(TextKind::User, 7, "Same words")]).unwrap();
    writer.add(5, &[]).unwrap();
    writer.add(6, &[(TextKind::User, 0, "ignored")]).unwrap();
    writer.commit().unwrap();
    assert_eq!(writer.watermark(), 6);

    let question = Question::new(&Needle::new("WORD").unwrap(), Scope::Content);
    let places = |reader: &TextReader| {
        let all = (None, 100);
        let (places, _) = reader
            .candidates(&question, all, &|_| true, wide())
            .unwrap();
        places.iter().map(|place| place.n).collect::<Vec<_>>()
    };
    assert_eq!(
        places(&reader),
        [3, 6, 4, 2, 1],
        "a reader sees what is new"
    );

    let finished = writer.finish().unwrap();
    assert_eq!(places(&reader), [3, 6, 4, 2, 1], "and goes on meanwhile");
    drop(reader);
    finished.replace().unwrap();
    assert!(!log_of(&path).exists());
    audit(&path).unwrap();
    let reader = TextReader::open(&path).unwrap();
    assert_eq!(places(&reader), [3, 6, 4, 2, 1]);
    assert!(!log_of(&path).exists(), "a finished file has no log");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    reader.rest();
    assert_eq!(places(&reader), [3, 6, 4, 2, 1]);
    assert!(matches!(
        TextWriter::open(&path),
        Err(TextError::Spoilt { .. })
    ));
    let writer = TextWriter::create(&path).unwrap();
    assert_eq!(writer.watermark(), 0);
}

#[test]
fn many_terms_for_a_part_hide_nothing() {
    let texts: Vec<String> = (0..terms::TERMS_MAX).map(|at| format!("q{at}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(Made::of(&texts).flows("Q").len(), terms::TERMS_MAX);

    let texts: Vec<String> = (0..700).map(|at| format!("q{at} and q{at}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let made = Made::of(&texts);
    assert_eq!(made.flows("Q").len(), 700);
    assert_eq!(
        made.flows("q69"),
        [700, 699, 698, 697, 696, 695, 694, 693, 692, 691, 70]
    );
    assert_eq!(made.flows("9 and q").len(), 70);
    assert_eq!(made.flows(".").len(), 0);
}

#[test]
fn carriers_are_all_who_follow() {
    //           0  1  2  3  4  5  6
    let parents = [0, 0, 1, 2, 0, 4, 9];
    let marked = |hit: &[i64]| -> Vec<usize> {
        let marks = carriers(&parents, &hit.iter().copied().collect());
        (0..marks.len()).filter(|&node| marks[node]).collect()
    };
    assert_eq!(marked(&[]), Vec::<usize>::new());
    assert_eq!(marked(&[1]), [1, 2, 3]);
    assert_eq!(marked(&[2, 5]), [2, 3, 5]);
    assert_eq!(marked(&[4, 6, 7, -1]), [4, 5, 6]);
}
