use flow_meter::{Meter, Prices};
use flow_model::{Outcome, Row, State, Timestamp};

use super::*;
use crate::wire::Wire;

/// A generator of so many calls of a few short sessions and many calls on their own.
fn generator(calls: u64, sessions: u64, shape: Shape) -> Generator {
    Generator::new(Plan {
        clock: Clock {
            from: Timestamp(1_790_812_800_000_000),
            days: 3,
            calls,
            seed: 11,
        },
        sessions,
        shape,
        call_bytes: crate::single::CALL_BYTES,
    })
}

const SHORT: Shape = Shape {
    turns: 30,
    request_bytes: 60_000,
};

fn same(one: &Call, other: &Call) -> bool {
    one.exchange == other.exchange
        && one.request == other.request
        && one.response == other.response
        && one.chunks == other.chunks
}

#[test]
fn a_position_gives_the_same_call_whatever_came_before() {
    let mut forwards = generator(600, 12, SHORT);
    let all: Vec<Call> = (0..600).map(|position| forwards.call(position)).collect();
    for position in [599, 0, 17, 311, 312, 100] {
        let again = generator(600, 12, SHORT).call(position as u64);
        assert!(same(&all[position], &again), "{position}");
    }
    assert!(all.is_sorted_by_key(|call| (call.exchange.started_at, call.exchange.id)));
}

#[test]
fn another_seed_gives_other_calls() {
    let mut other = generator(600, 12, SHORT);
    other.plan.clock.seed = 12;
    other.singles = Singles::new(12, crate::single::CALL_BYTES, &other.words);
    assert!(!same(&other.call(5), &generator(600, 12, SHORT).call(5)));
}

#[test]
fn every_place_is_taken_once() {
    let plan = generator(1000, 13, SHORT).plan;
    let places: Vec<Place> = (0..1000).map(|position| plan.place(position)).collect();
    let singles = places
        .iter()
        .filter(|place| matches!(place, Place::Single(_)));
    assert_eq!(singles.count(), 1000 - 13 * 30);
    for session in 0..13 {
        let steps: Vec<u32> = places
            .iter()
            .filter_map(|place| match place {
                Place::Step {
                    session: of, step, ..
                } if *of == session => Some(*step),
                _ => None,
            })
            .collect();
        assert_eq!(steps, (0..30).collect::<Vec<u32>>());
    }
}

/// Returns the fields in which two rows differ, with both values.
fn differences(one: &Row, other: &Row) -> Vec<String> {
    let [one, other] = [one, other].map(|row| serde_json::to_value(row).unwrap());
    let fields = one.as_object().unwrap().iter();
    let differ = fields.filter(|(name, value)| other.get(name) != Some(value));
    differ
        .map(|(name, value)| format!("{name}: {value} and {:?}", other.get(name)))
        .collect()
}

#[test]
fn rows_and_counts_are_those_that_a_reading_gives() {
    let (meter, prices) = (Meter::default(), Prices::default());
    let mut generator = generator(1500, 20, SHORT);
    let mut fates = [0; 4];
    for position in 0..1500 {
        let call = generator.call(position);
        let exchange = &call.exchange;
        let mut reading = flow_codec::read(exchange, &call.request, &call.response, &call.chunks);
        meter.measure(exchange, &mut reading);
        let row = Row::new(exchange, &reading);
        assert_eq!(
            differences(&call.row(&prices), &row),
            [""; 0],
            "{position}: {exchange:?}"
        );
        assert_eq!(reading.request.diagnostics, [], "{position}");
        let kind = match (reading.response.outcome, exchange.response.is_some()) {
            (Outcome::Ok, _) => 0,
            (Outcome::Error, _) => 1,
            (_, true) => 2,
            (_, false) => 3,
        };
        fates[kind] += 1;
        if kind == 0 {
            assert_eq!(row.state, State::Completed);
            assert_eq!(reading.response.diagnostics, [], "{position}");
            let known = call.known.as_ref().map(|known| known.tokens);
            assert_eq!(Some(reading.tokens), known, "{position}");
            assert!(row.cost.is_some(), "{position}: {:?}", row.model);
        }
    }
    let [good, refused, aborted, unreachable] = fates;
    assert!(good > 1350 && (20..80).contains(&refused), "{fates:?}");
    assert!(aborted > 3 && unreachable > 0, "{fates:?}");
}

#[test]
fn a_session_grows_as_its_shape_says() {
    let shape = Shape {
        turns: 150,
        request_bytes: 220_000,
    };
    let words = Words::new();
    let mut bytes = Vec::new();
    let mut restarts = 0;
    for number in 0..12 {
        let mut session = Session::new(5, number, shape, &words);
        let mut before = 0;
        for _ in 0..150 {
            let call = session.step(Timestamp(0), &words);
            restarts += usize::from(call.request.len() * 2 < before);
            before = call.request.len();
            bytes.push(before as u64);
        }
    }
    let mean = bytes.iter().sum::<u64>() / bytes.len() as u64;
    assert!((195_000..245_000).contains(&mean), "{mean}");
    assert!(restarts > 5, "{restarts} agents below and summaries");
}

#[test]
fn a_step_repeats_its_predecessor_but_for_the_mark_of_the_cache() {
    let words = Words::new();
    let mut numbers = 0..40;
    let mut session = numbers
        .by_ref()
        .map(|number| Session::new(5, number, SHORT, &words))
        .find(|session| session.wire() == Wire::Anthropic)
        .unwrap();
    let mark = r#","cache_control":{"type":"ephemeral"}}]}],"system""#;
    let first = session.step(Timestamp(0), &words);
    let second = session.step(Timestamp(0), &words);
    let [first, second] =
        [first, second].map(|call| String::from_utf8(call.request.to_vec()).unwrap());
    assert!(first.contains(mark) && second.contains(mark));
    let (messages, _) = first.split_once(mark).unwrap();
    assert!(second.starts_with(messages));
    assert!(second.len() > first.len());
}

#[test]
fn calls_on_their_own_are_about_four_kilobytes() {
    let mut generator = generator(3000, 0, SHORT);
    let bytes: u64 = (0..3000)
        .map(|position| generator.call(position).bytes())
        .sum();
    let mean = bytes / 3000;
    assert!((3_300..4_900).contains(&mean), "{mean}");
}
