use tempfile::TempDir;

use super::*;

/// Noon of 21 November 2026.
const NOON: Timestamp = Timestamp(1_795_262_400_000_000);

fn later(days: i64) -> Timestamp {
    Timestamp(NOON.0 + days * 86_400_000_000)
}

fn id(at: Timestamp, number: u8) -> FlowId {
    let mut bytes = [number; 16];
    bytes[..6].copy_from_slice(&(at.0 / 1000).to_be_bytes()[2..]);
    FlowId::from_bytes(bytes)
}

fn line(id: FlowId) -> Vec<u8> {
    let padding = "x".repeat(100);
    format!("{{\"version\":1,\"ended_at\":1,\"flow\":{{\"id\":\"{id}\"}},\"x\":\"{padding}\"}}\n")
        .into()
}

fn files(bytes_max: u64) -> (Files, TempDir) {
    let root = tempfile::tempdir().unwrap();
    let files = Files {
        dir: root.path().join("tee"),
        file_bytes_max: bytes_max,
    };
    (files, root)
}

fn write(files: &Files, at: Timestamp, number: u8) {
    files.append(&Day::of(at), &line(id(at, number))).unwrap();
}

/// Returns the names, and the numbers of the flows in each.
fn found(files: &Files) -> Vec<(String, Vec<u8>)> {
    let mut names = entries(&files.dir).unwrap();
    names.sort();
    let read = |name: String| {
        let mut numbers = Vec::new();
        let compressed = name.ends_with(COMPRESSED);
        let scanned = sift::scan(&files.dir.join(&name), compressed, |head| {
            numbers.push(head.id.to_bytes()[15]);
            true
        });
        assert_eq!(scanned.unwrap().dropped.len(), numbers.len());
        (name, numbers)
    };
    names.into_iter().map(read).collect()
}

fn check(files: &Files, expect: &[(&str, &[u8])]) {
    let expect: Vec<_> = expect
        .iter()
        .map(|(name, numbers)| ((*name).to_owned(), numbers.to_vec()))
        .collect();
    assert_eq!(found(files), expect);
}

#[test]
fn days_have_files_and_full_ones_are_put_aside() {
    let (files, _root) = files(500);
    for number in 1..=5 {
        write(&files, NOON, number);
    }
    write(&files, later(1), 6);
    check(
        &files,
        &[
            ("2026-11-21.1.jsonl", &[1, 2]),
            ("2026-11-21.2.jsonl", &[3, 4]),
            ("2026-11-21.jsonl", &[5]),
            ("2026-11-22.jsonl", &[6]),
        ],
    );
    files.tidy(NOON, 0).unwrap();
    let full = ["2026-11-21.1.jsonl.zst", "2026-11-21.2.jsonl.zst"];
    check(
        &files,
        &[
            (full[0], &[1, 2]),
            (full[1], &[3, 4]),
            ("2026-11-21.jsonl", &[5]),
            ("2026-11-22.jsonl", &[6]),
        ],
    );
    files.tidy(later(1), 1).unwrap();
    check(
        &files,
        &[
            (full[0], &[1, 2]),
            (full[1], &[3, 4]),
            ("2026-11-21.jsonl.zst", &[5]),
            ("2026-11-22.jsonl", &[6]),
        ],
    );
    files.tidy(later(2), 1).unwrap();
    check(&files, &[("2026-11-22.jsonl.zst", &[6])]);
}

#[test]
fn a_clock_that_goes_back_overwrites_nothing() {
    let (files, _root) = files(FILE_BYTES_MAX);
    write(&files, NOON, 1);
    files.tidy(later(1), 0).unwrap();
    write(&files, NOON, 2);
    fs::write(files.dir.join("2026-11-21.jsonl.zst.new"), "half").unwrap();
    fs::write(files.dir.join("notes.txt"), "the user's own").unwrap();
    files.tidy(later(1), 0).unwrap();
    fs::remove_file(files.dir.join("notes.txt")).unwrap();
    check(
        &files,
        &[
            ("2026-11-21.1.jsonl.zst", &[2]),
            ("2026-11-21.jsonl.zst", &[1]),
        ],
    );
}

#[test]
fn lines_are_forgotten_wherever_they_stand() {
    let (files, _root) = files(500);
    for (day, number) in [(0, 1), (0, 2), (0, 3), (1, 4), (1, 5)] {
        write(&files, later(day), number);
    }
    files.tidy(later(1), 0).unwrap();
    let ids = [id(NOON, 2), id(NOON, 3), id(later(1), 4), id(NOON, 9)];
    assert_eq!(files.forget(&ids).unwrap(), 3);
    check(
        &files,
        &[
            ("2026-11-21.1.jsonl.zst", &[1]),
            ("2026-11-21.jsonl.zst", &[]),
            ("2026-11-22.jsonl", &[5]),
        ],
    );
    assert_eq!(files.forget(&ids).unwrap(), 0);
    assert_eq!(files.forget(&[]).unwrap(), 0);
    write(&files, later(1), 6);
    check(
        &files,
        &[
            ("2026-11-21.1.jsonl.zst", &[1]),
            ("2026-11-21.jsonl.zst", &[]),
            ("2026-11-22.jsonl", &[5, 6]),
        ],
    );
}

#[test]
fn a_damaged_file_does_not_keep_lines_in_the_others() {
    let (files, _root) = files(FILE_BYTES_MAX);
    write(&files, NOON, 1);
    fs::write(files.dir.join("2026-11-21.1.jsonl.zst"), "no zstd").unwrap();
    files.forget(&[id(NOON, 1)]).unwrap_err();
    fs::remove_file(files.dir.join("2026-11-21.1.jsonl.zst")).unwrap();
    check(&files, &[("2026-11-21.jsonl", &[])]);
}

#[test]
fn half_a_line_is_taken_away_at_the_start() {
    let (files, _root) = files(FILE_BYTES_MAX);
    assert_eq!(files.resume().unwrap(), []);
    write(&files, NOON, 1);
    write(&files, later(1), 2);
    let current = files.dir.join("2026-11-22.jsonl");
    let whole = fs::read(&current).unwrap();
    for cut in [0, 1, 60, whole.len() - 1] {
        let half = &line(id(NOON, 3))[..cut];
        fs::write(&current, [&whole, half].concat()).unwrap();
        let heads = files.resume().unwrap();
        let ids: Vec<_> = heads.iter().map(|head| head.id).collect();
        assert_eq!(ids, [id(later(1), 2)], "{cut}");
        assert_eq!(fs::read(&current).unwrap(), whole, "{cut}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_them() {
    use std::os::unix::fs::PermissionsExt as _;

    let (files, _root) = files(FILE_BYTES_MAX);
    write(&files, NOON, 1);
    files.tidy(later(1), 0).unwrap();
    write(&files, later(1), 2);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&files.dir), 0o700);
    for name in entries(&files.dir).unwrap() {
        assert_eq!(mode(&files.dir.join(&name)), 0o600, "{name}");
    }
}
