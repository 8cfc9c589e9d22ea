use proptest::prelude::*;

use super::*;
use crate::testing::id;

fn sort(text: &str) -> Sort {
    text.parse().unwrap()
}

#[test]
fn orders_have_names() {
    for name in SortKey::NAMES {
        for sign in ["", "-"] {
            let text = format!("{sign}{name}");
            assert_eq!(sort(&text).to_string(), text);
        }
    }
    assert_eq!(sort("-latency"), sort("-duration"));
    assert_eq!(Sort::default(), sort("-started_at"));
    let error = "--cost".parse::<Sort>().unwrap_err().to_string();
    assert!(
        error.contains("\"--cost\"") && error.contains("duration, ttft"),
        "{error}"
    );
    assert!("".parse::<Sort>().is_err() && "rowid; DROP".parse::<Sort>().is_err());
}

#[test]
fn the_unknown_comes_last_both_ways() {
    let known = |number| Place {
        key: Some(Key::Whole(number)),
        id: id(1),
    };
    let unknown = |number| Place {
        key: None,
        id: id(number),
    };
    for text in ["tokens", "-tokens"] {
        assert_eq!(sort(text).compare(&known(1), &unknown(0)), Ordering::Less);
        assert_eq!(
            sort(text).compare(&unknown(0), &known(1)),
            Ordering::Greater
        );
    }
    assert_eq!(sort("tokens").compare(&known(1), &known(2)), Ordering::Less);
    assert_eq!(
        sort("-tokens").compare(&known(1), &known(2)),
        Ordering::Greater
    );
    assert_eq!(
        sort("tokens").compare(&unknown(1), &unknown(2)),
        Ordering::Less
    );
    assert_eq!(
        sort("-tokens").compare(&unknown(1), &unknown(2)),
        Ordering::Greater
    );
}

#[test]
fn cursors_name_places() {
    let check = |order: &str, key: Option<Key>| {
        let place = Place { key, id: id(9) };
        let cursor = place.cursor(sort(order));
        let back = Place::from_cursor(&cursor, sort(order));
        assert_eq!(back.ok(), Some(place), "{cursor}");
    };
    check("-started_at", None);
    check("duration", Some(Key::Whole(-5)));
    check("-size", Some(Key::Whole(i64::MAX)));
    check("cost", Some(Key::Real(0.1 + 0.2)));
    check("-cost", None);
    check("model", Some(Key::Text(String::new())));
    check("model", Some(Key::Text("智谱.glm-4=5".to_owned())));
    check("model", None);
}

#[test]
fn other_cursors_are_refused() {
    let valid = Place {
        key: Some(Key::Whole(5)),
        id: id(9),
    }
    .cursor(sort("-tokens"));
    let check = |cursor: &str, order: &str| {
        let place = Place::from_cursor(cursor, sort(order));
        assert!(
            matches!(place, Err(ReadError::BadCursor)),
            "{cursor:?} for {order}"
        );
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
    for key in ["=", "=5x", "5", "=99999999999999999999", "=1.5", " "] {
        check(&format!("-tokens.{uuid}.{key}"), "-tokens");
    }
    for key in ["=7ff0000000000000", "=7ff8000000000000", "=x", "=", &long] {
        check(&format!("cost.{uuid}.{key}"), "cost");
    }
    for key in ["=0", "=zz", "=ff", "=é0", &format!("={long}")] {
        check(&format!("model.{uuid}.{key}"), "model");
    }
    check(&format!("started_at.{uuid}.=5"), "started_at");
}

proptest! {
    #[test]
    fn no_text_makes_a_cursor_panic(cursor in ".*", order in 0..SortKey::NAMES.len()) {
        let order = sort(SortKey::NAMES[order]);
        if let Ok(place) = Place::from_cursor(&cursor, order) {
            prop_assert_eq!(Place::from_cursor(&place.cursor(order), order).ok(), Some(place));
        }
    }

    #[test]
    fn any_key_text_is_read_or_refused(key in ".{0,40}", order in 0..SortKey::NAMES.len()) {
        let order = sort(SortKey::NAMES[order]);
        let cursor = format!("{order}.{}.{key}", id(3));
        if let Ok(place) = Place::from_cursor(&cursor, order) {
            prop_assert_eq!(Place::from_cursor(&place.cursor(order), order).ok(), Some(place));
        }
    }
}
