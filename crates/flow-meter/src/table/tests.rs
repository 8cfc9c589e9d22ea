use super::*;

fn minute(minutes: i64) -> Timestamp {
    Timestamp(minutes * MINUTE_US)
}

#[test]
fn every_line_makes_sense() {
    let table = Table::builtin();
    assert_eq!(table.models.len(), LINES.lines().count() - 1);
    assert!(table.version.contains("genai-prices") && table.version.contains("litellm"));
    for model in &table.models {
        let place = format!("{}/{}", model.provider, model.id);
        let paid = model
            .prices
            .iter()
            .any(|period| !period.rates.0.is_empty() || !period.over.is_empty());
        assert!(paid, "{place} has no rate");
        let negative = |rates: &Rates| rates.0.iter().any(|(_, rate)| *rate < Money::ZERO);
        let rates = model
            .prices
            .iter()
            .flat_map(|period| period.over.values().chain([&period.rates]));
        assert!(!rates.into_iter().any(negative), "{place}");
        assert_eq!(model.id.to_lowercase(), *model.id, "{place}");
    }
}

#[test]
fn lines_are_sorted_and_ids_are_unique() {
    let table = Table::builtin();
    for pair in table.models.windows(2) {
        let [one, other] = pair else { continue };
        assert!(
            (&one.provider, &one.id) < (&other.provider, &other.id),
            "{}/{}",
            other.provider,
            other.id
        );
    }
}

#[test]
fn days_are_counted() {
    assert_eq!(Day::parse("1970-01-01"), Some(Day(0)));
    assert_eq!(Day::parse("2000-02-29"), Some(Day(11_016)));
    assert_eq!(Day::parse("2026-01-01"), Some(Day(20_454)));
    for text in [
        "2026-13-01",
        "2026-01",
        "x",
        "",
        "2026-01-01-01",
        "99999-01-01",
    ] {
        assert_eq!(Day::parse(text), None, "{text}");
    }
}

#[test]
fn periods_hold_days_and_hours() {
    let period = |from: &str, hours: &str| Period {
        from: Day::parse(from),
        hours: Hours::parse(hours),
        ..Period::default()
    };
    let night = period("1970-01-02", "22:00-06:30");
    assert!(!night.holds(minute(23 * 60)), "the day before");
    assert!(night.holds(minute(24 * 60)));
    assert!(night.holds(minute(24 * 60 + 389)));
    assert!(!night.holds(minute(24 * 60 + 390)));
    assert!(night.holds(minute(47 * 60)));
    let noon = period("", "12:00-13:00");
    assert!(noon.holds(minute(12 * 60)) && !noon.holds(minute(13 * 60)));
    assert_eq!(noon.hours.unwrap().to_string(), "12:00-13:00 UTC");
    assert_eq!(Hours::parse("24:00-01:00"), None);
}

#[test]
fn a_line_that_makes_no_sense_is_left_out() {
    let lines = "{\"version\":\"1\"}\n{\"provider\":\"p\",\"id\":\"m\",\"prices\":[]}\nno line\n";
    let table = Table::read(lines);
    assert_eq!((table.version.as_str(), table.models.len()), ("1", 1));
    assert_eq!(Table::read("").models.len(), 0);
}
