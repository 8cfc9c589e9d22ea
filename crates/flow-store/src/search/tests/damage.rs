//! Indexes that are missing, behind, cut or changed.

use super::*;

/// Two sealed segments and a live one, of three flows each.
fn three_segments() -> Made {
    let mut made = Made::new(small(3));
    let mut turn = first_turn();
    for number in 1..=7 {
        turn.messages = vec![said("user", &[text(&format!("needle number {number}"))])];
        made.record(None, &turn);
    }
    wait_sealed(&made.store);
    made.settle();
    made
}

fn check_all(made: &Made) {
    made.check("needle", Scope::Content, &[1, 2, 3, 4, 5, 6, 7]);
    made.check("number 5", Scope::Content, &[5]);
    made.check("number 7", Scope::Content, &[7]);
}

/// Changes the indexes while the store is closed; it finds and makes good what is wrong.
fn check(change: impl FnOnce(&Made)) {
    let mut made = three_segments();
    made.reopen(small(3), change);
    check_all(&made);
    made.settle();
    check_all(&made);
    for segment in [1, 2] {
        text_is_finished(&made, segment);
    }
}

fn text_is_finished(made: &Made, segment: u32) {
    crate::text::audit(&made.file(segment)).unwrap();
    let reader = TextReader::open(&made.file(segment)).unwrap();
    let progress = reader.progress().unwrap();
    assert!(progress.finished && progress.watermark == 3, "{progress:?}");
}

#[test]
fn missing_indexes_are_made_anew() {
    check(|made| {
        for segment in 1..=3 {
            fs::remove_file(made.file(segment)).unwrap();
        }
    });
}

#[test]
fn spoilt_indexes_are_made_anew() {
    check(|made| fs::write(made.file(1), b"no index at all").unwrap());
    check(|made| {
        let bytes = fs::read(made.file(2)).unwrap();
        fs::write(made.file(2), &bytes[..bytes.len() / 2]).unwrap();
    });
    // One byte of the last page, which only the checksum tells.
    check(|made| {
        let mut bytes = fs::read(made.file(1)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(made.file(1), bytes).unwrap();
    });
}

#[test]
fn an_index_that_is_behind_is_gone_on_with() {
    check(|made| {
        let mut writer = crate::text::TextWriter::create(&made.file(1)).unwrap();
        writer
            .add(1, &[(TextKind::User, 1, "needle number 1")])
            .unwrap();
        writer.commit().unwrap();
    });
    // As a kill leaves it between the two steps of the end.
    check(|made| {
        let mut name = made.file(2).into_os_string();
        name.push("-unfinished");
        fs::rename(made.file(2), &name).unwrap();
    });
}

#[test]
fn an_index_that_is_spoilt_while_the_store_is_open_is_made_anew() {
    let made = three_segments();
    check_all(&made);
    // Whoever reads it has it open; another file in its place is seen by the next one.
    made.store.index().close();
    fs::write(made.file(1), b"no index at all").unwrap();
    check_all(&made);
    made.settle();
    check_all(&made);
    text_is_finished(&made, 1);
}

#[test]
fn an_index_that_is_cut_while_it_is_written_loses_nothing() {
    let mut made = three_segments();
    let file = fs::File::options().write(true).open(made.file(3)).unwrap();
    file.set_len(0).unwrap();
    made.store.index().close();
    check_all(&made);
    let mut turn = first_turn();
    turn.messages = vec![said("user", &[text("one more, behind the cut")])];
    made.record(None, &turn);
    made.settle();
    check_all(&made);
    made.check("behind the cut", Scope::Content, &[8]);
    made.reopen(small(3), |_| ());
    made.settle();
    check_all(&made);
    made.check("behind the cut", Scope::Content, &[8]);
}

#[test]
fn an_index_that_cannot_be_written_is_told_and_costs_no_answer() {
    let mut made = three_segments();
    made.reopen(small(3), |made| {
        fs::remove_file(made.file(3)).unwrap();
        fs::create_dir(made.file(3)).unwrap();
    });
    let deadline = Instant::now() + WAIT;
    while made.store.health().text_problem.is_none() {
        assert!(!made.store.settle_index(Duration::from_millis(20)));
        assert!(Instant::now() < deadline, "no problem was told");
    }
    check_all(&made);
    fs::remove_dir(made.file(3)).unwrap();
    made.settle();
    assert_eq!(made.store.health().text_problem, None);
    check_all(&made);
}

#[test]
fn a_store_that_is_only_read_uses_the_indexes_that_are_there() {
    let mut made = three_segments();
    made.store.close();
    fs::remove_file(made.file(1)).unwrap();
    made.store = Store::open_read_only(made.dir()).unwrap();
    check_all(&made);
    assert!(!made.store.settle_index(WAIT));
    assert!(!made.file(1).exists());
}
