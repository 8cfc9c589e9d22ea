//! A file that is not what was written is told, and never worse.

use std::fs;

use super::*;

fn some() -> Made {
    let texts: Vec<String> = (0..300)
        .map(|at| format!("text {at} of word{} and 数据{}", at % 17, at * 7919))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Made::of(&texts)
}

fn ask(made: &Made) -> Result<usize, TextError> {
    let mut count = 0;
    for needle in ["word3", "据7", "text 29", "of", "."] {
        let needle = Needle::new(needle).unwrap();
        let hits = made.search((&needle, Scope::Content), 50, wide(), &|_| true)?;
        count += hits.len();
    }
    Ok(count)
}

fn is_spoilt<T>(result: &Result<T, TextError>) -> bool {
    matches!(result, Err(TextError::Spoilt { .. }))
}

#[test]
fn a_changed_byte_is_found() {
    let made = some();
    made.finish();
    let path = made.path();
    let whole = fs::read(&path).unwrap();
    audit(&path).unwrap();
    let expect = ask(&made).unwrap();
    let mut told = 0;
    for at in (0..whole.len()).step_by(1511).chain((0..110).step_by(3)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        assert!(is_spoilt(&audit(&path)), "byte {at}");
        // Until it is audited it may answer less, and may say what is wrong.
        match ask(&made) {
            Ok(count) => assert!(count <= expect, "byte {at}"),
            Err(TextError::Spoilt { .. }) => told += 1,
            Err(TextError::Unusable { .. }) => {}
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(told > 0);
}

#[test]
fn a_cut_file_is_found() {
    let made = some();
    made.finish();
    let path = made.path();
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(1531) {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(length < 64 || is_spoilt(&audit(&path)), "{length} bytes");
        assert!(is_spoilt(&ask(&made)), "{length} bytes");
    }
    TextWriter::create(&path).unwrap();
    assert_eq!(ask(&made).unwrap(), 0);
}

#[test]
fn a_damaged_file_is_not_written_to() {
    let made = some();
    let path = made.path();
    drop(TextWriter::open(&path).unwrap());
    assert!(!log_of(&path).exists());
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(1511).chain((0..110).step_by(3)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        file::remove_log(&path).unwrap();
        let written = TextWriter::open(&path).and_then(|mut writer| {
            writer.add(1000, &[(TextKind::User, 0, "more words")])?;
            writer.commit()
        });
        if let Err(error) = written {
            assert!(!matches!(error, TextError::Io { .. }), "byte {at}: {error}");
        }
    }
    let mut writer = TextWriter::create(&path).unwrap();
    made.add(&mut writer, 1);
    writer.commit().unwrap();
    assert_eq!(made.flows("text 0 of"), [1]);
}

#[test]
fn other_files_are_refused() {
    let made = some();
    let path = made.path();
    file::remove_log(&path).unwrap();
    for bytes in [
        &b""[..],
        b"no database at all, but long enough to be looked at",
        &[0; 8192],
    ] {
        fs::write(&path, bytes).unwrap();
        assert!(is_spoilt(&TextReader::open(&path)));
        assert!(is_spoilt(&TextWriter::open(&path)));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        TextReader::open(&path),
        Err(TextError::Unusable { .. })
    ));
}
