use proptest::prelude::*;

use super::*;
use crate::testing::id;

fn sort(text: &str) -> Sort {
    text.parse().unwrap()
}

fn sortable() -> impl Iterator<Item = Field> {
    Field::ALL.into_iter().filter(|field| field.is_sortable())
}

#[test]
fn orders_have_names() {
    for field in sortable() {
        for sign in ["", "-"] {
            let text = format!("{sign}{}", field.name());
            assert_eq!(sort(&text).to_string(), text);
        }
    }
    assert_eq!(sort("-latency"), sort("-duration"));
    assert_eq!(Sort::default(), sort("-started_at"));
    let error = "--cost".parse::<Sort>().unwrap_err().to_string();
    assert!(
        error.contains("\"--cost\"") && error.contains("started_at, duration"),
        "{error}"
    );
    for text in ["", "rowid; DROP", "tool"] {
        assert!(text.parse::<Sort>().is_err(), "{text:?}");
    }
}

#[test]
fn cursors_name_places() {
    let check = |order: &str, key: Option<Key>| {
        let place = After { key, id: id(9) };
        let cursor = Cursor::write(&place, sort(order));
        let back = Cursor::read(&cursor, sort(order));
        assert_eq!(back, Some(Cursor::At(place)), "{cursor}");
    };
    let name = |name: &str| Some(Key::Name(name.to_owned()));
    check("-started_at", Some(Key::Number(1_790_000_000_000_000)));
    check("duration", Some(Key::Number(-5)));
    check("-size", Some(Key::Number(i64::MAX)));
    check("-cost", None);
    check("model", name(""));
    check("model", name("智谱.glm-4=5"));
    check("path", name(&"x".repeat(CURSOR_NAME_BYTES_MAX)));
    check("model", None);
}

#[test]
fn a_long_name_is_looked_up() {
    let place = After {
        key: Some(Key::Name("x".repeat(CURSOR_NAME_BYTES_MAX + 1))),
        id: id(9),
    };
    let cursor = Cursor::write(&place, sort("-path"));
    assert!(cursor.len() < 100, "{cursor}");
    assert_eq!(
        Cursor::read(&cursor, sort("-path")),
        Some(Cursor::Of(id(9)))
    );
}

#[test]
fn other_cursors_are_refused() {
    let valid = After {
        key: Some(Key::Number(5)),
        id: id(9),
    };
    let valid = Cursor::write(&valid, sort("-tokens"));
    let check = |cursor: &str, order: &str| {
        let read = Cursor::read(cursor, sort(order));
        assert_eq!(read, None, "{cursor:?} for {order}");
    };
    check(&valid, "tokens");
    check(&valid, "-size");
    let long = "f".repeat(1_000_000);
    let uuid = id(9);
    for cursor in [
        "",
        ".",
        "..",
        "-tokens",
        "-tokens.",
        "-tokens.x.=5",
        "\0",
        "-tokens..=",
    ] {
        check(cursor, "-tokens");
    }
    for key in [
        "=",
        "=5x",
        "5",
        "=99999999999999999999",
        "=1.5",
        " ",
        LOOK_UP,
    ] {
        check(&format!("-tokens.{uuid}.{key}"), "-tokens");
    }
    for key in ["=0", "=zz", "=ff", "=é0", "~~", &format!("={long}")] {
        check(&format!("model.{uuid}.{key}"), "model");
    }
    // Those of earlier releases named no time.
    check(&format!("-started_at.{uuid}."), "-started_at");
}

proptest! {
    #[test]
    fn no_text_makes_a_cursor_panic(cursor in ".*", order in 0..Field::ALL.len()) {
        let order = Sort { field: Field::ALL[order], descending: false };
        if let Some(Cursor::At(place)) = Cursor::read(&cursor, order) {
            prop_assert_eq!(Cursor::read(&Cursor::write(&place, order), order), Some(Cursor::At(place)));
        }
    }

    #[test]
    fn any_key_text_is_read_or_refused(key in ".{0,40}", order in 0..Field::ALL.len()) {
        let order = Sort { field: Field::ALL[order], descending: true };
        let cursor = format!("{order}.{}.{key}", id(3));
        if let Some(Cursor::At(place)) = Cursor::read(&cursor, order) {
            prop_assert_eq!(Cursor::read(&Cursor::write(&place, order), order), Some(Cursor::At(place)));
        }
    }
}
