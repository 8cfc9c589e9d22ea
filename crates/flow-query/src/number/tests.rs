use proptest::prelude::*;
use serde_json::json;

use super::*;

fn check(field: Field, value: &Value, expect: Result<(i128, i128), ErrorCode>) {
    let found = read(field, value, "").map(|span| (span.first, span.last));
    let found = found.map_err(|error| error.code);
    assert_eq!(found, expect, "{field:?} {value}");
}

#[test]
fn bare_numbers_have_the_unit_that_people_use() {
    check(Field::Tokens, &json!(1000), Ok((1000, 1000)));
    check(Field::Tokens, &json!(-1), Ok((-1, -1)));
    check(Field::Duration, &json!(250), Ok((250_000, 250_000)));
    check(Field::Duration, &json!(0.5), Ok((500, 500)));
    check(Field::Speed, &json!(12.5), Ok((12_500, 12_500)));
    check(Field::Size, &json!(4096), Ok((4096, 4096)));
    check(Field::StartedAt, &json!(17), Ok((17, 17)));
    let cent5 = 50_000_000_000;
    check(Field::Cost, &json!(0.05), Ok((cent5, cent5)));
    check(Field::Cost, &json!("0.05"), Ok((cent5, cent5)));
}

#[test]
fn units_are_known() {
    let one = |number| Ok((number, number));
    check(Field::Tokens, &json!("10k"), one(10_000));
    check(Field::Tokens, &json!("2M"), one(2_000_000));
    check(Field::Tokens, &json!("1.5 K"), one(1500));
    check(Field::Duration, &json!("1.5s"), one(1_500_000));
    check(Field::Duration, &json!("250ms"), one(250_000));
    check(Field::Ttft, &json!("7µs"), one(7));
    check(Field::Ttft, &json!("2m"), one(120_000_000));
    check(Field::Ttfb, &json!("1h"), one(3_600_000_000));
    check(Field::Size, &json!("4KB"), one(4000));
    check(Field::Size, &json!("4KiB"), one(4096));
    check(Field::Cost, &json!("$0.05"), one(50_000_000_000));
    check(Field::Cost, &json!("$.5"), one(500_000_000_000));
    check(Field::Speed, &json!("50/s"), one(50_000));
    check(Field::Status, &json!("4xx"), Ok((400, 499)));
    check(Field::Status, &json!("5XX"), Ok((500, 599)));
    check(Field::Status, &json!("404"), one(404));
}

#[test]
fn what_lies_between_two_numbers_is_neither() {
    check(Field::Tokens, &json!(1.5), Ok((2, 1)));
    check(Field::Tokens, &json!(-1.5), Ok((-1, -2)));
    check(Field::Tokens, &json!(1e-300), Ok((1, 0)));
    check(Field::Duration, &json!("0.5us"), Ok((1, 0)));
    check(Field::Tokens, &json!(2.0), Ok((2, 2)));
}

#[test]
fn mistakes_are_told_apart() {
    use ErrorCode::{InvalidNumber, InvalidTime, UnknownUnit, WrongType};
    check(Field::Tokens, &json!("many"), Err(InvalidNumber));
    check(Field::Tokens, &json!(""), Err(InvalidNumber));
    check(Field::Tokens, &json!("1.2.3"), Err(InvalidNumber));
    check(Field::Tokens, &json!("1-2"), Err(InvalidNumber));
    check(Field::Tokens, &json!("5s"), Err(UnknownUnit));
    check(Field::Tokens, &json!("4xx"), Err(UnknownUnit));
    check(Field::Tokens, &json!("$5"), Err(InvalidNumber));
    check(Field::Status, &json!("0xx"), Err(UnknownUnit));
    check(Field::Duration, &json!("5 parsecs"), Err(UnknownUnit));
    check(Field::Tokens, &json!(1e300), Err(InvalidNumber));
    check(Field::Tokens, &json!("9999999999G"), Err(InvalidNumber));
    let long = "9".repeat(1000);
    check(Field::Tokens, &json!(long), Err(InvalidNumber));
    check(Field::StartedAt, &json!("yesterday"), Err(InvalidTime));
    check(Field::Tokens, &json!(true), Err(WrongType));
    check(Field::Tokens, &json!(null), Err(WrongType));
}

proptest! {
    #[test]
    fn what_is_written_is_read(number: i64, index in 0..Field::ALL.len()) {
        let field = *Field::ALL.get(index).unwrap();
        if let Kind::Number(_) | Kind::Time = field.kind() {
            let value = write(field.kind(), number);
            let number = i128::from(number);
            let span = Span { first: number, last: number };
            prop_assert_eq!(read(field, &value, ""), Ok(span), "{}", value);
        }
    }

    #[test]
    fn no_text_panics(text in r"[-+$0-9.eExµskmKiB/ \PC]{0,12}", index in 0..Field::ALL.len()) {
        let field = *Field::ALL.get(index).unwrap();
        if let Ok(span) = read(field, &json!(text), "") {
            prop_assert!(span.first <= span.last + 1);
        }
    }
}
