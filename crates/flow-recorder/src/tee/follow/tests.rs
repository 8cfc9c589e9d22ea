use std::sync::Arc;

use bytes::Bytes;
use flow_model::{BodyFacts, Exchange, Reading, RequestHead, Route, Timings};
use flow_store::{StoreOptions, Write};

use super::*;

const START: Timestamp = Timestamp(1_790_000_000_000_000);

fn store() -> Store {
    Store::open(StoreOptions {
        dir: None,
        recent_rows_max: 10,
        memory_bytes_max: 64 << 20,
        compressed: true,
        now: START,
    })
    .unwrap()
}

fn id(number: u64) -> FlowId {
    FlowId::from_bytes(
        (0x019a_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)).to_be_bytes(),
    )
}

fn exchange(number: u64, end: Option<EndReason>) -> Arc<Exchange> {
    Arc::new(Exchange {
        id: id(number),
        started_at: START.plus_us(number),
        peer: None,
        route: Route::default(),
        request: RequestHead::default(),
        request_body: BodyFacts::default(),
        response: None,
        response_body: BodyFacts::default(),
        timings: Timings {
            duration_us: end.map(|_| 1),
            ..Timings::default()
        },
        end,
        failure: None,
    })
}

fn row(number: u64, end: EndReason) -> Row {
    Row::new(&exchange(number, Some(end)), &Reading::default())
}

fn begin(store: &Store, number: u64) {
    store.write(Write::Request {
        exchange: exchange(number, None),
        body: Bytes::new(),
        chunks: Vec::new(),
    });
}

fn end(store: &Store, number: u64, reason: EndReason) {
    store.write(Write::Outcome {
        exchange: exchange(number, Some(reason)),
        response: Bytes::new(),
        chunks: Vec::new(),
        row: Some(row(number, reason)),
    });
}

fn record(store: &Store, number: u64) {
    begin(store, number);
    end(store, number, EndReason::Ended);
}

fn head(number: u64) -> Head {
    Head {
        ended_at: START.plus_us(number + 1),
        id: id(number),
    }
}

fn numbers(ids: VecDeque<FlowId>) -> Vec<u64> {
    let number = |id: FlowId| u128::from_be_bytes(id.to_bytes()) & 0xffff_ffff;
    ids.into_iter()
        .map(|id| u64::try_from(number(id)).unwrap())
        .collect()
}

/// Returns what two rounds give, of which the second writes what the first one saw.
fn rounds(follower: &mut Follower, store: &Store) -> Vec<u64> {
    assert!(store.flush());
    let mut written = follower.round(store, false);
    written.append(&mut follower.round(store, false));
    numbers(written)
}

#[test]
fn a_flow_is_written_once_when_it_has_ended() {
    let store = store();
    record(&store, 1);
    assert!(store.flush());
    let mut follower = Follower::begin(&store, &[], START.plus_us(5));
    begin(&store, 10);
    record(&store, 11);
    assert_eq!(rounds(&mut follower, &store), [11]);
    end(&store, 10, EndReason::ClientAbort);
    // Rows that are derived again, of flows with a line and of one from before the beginning.
    for number in [1, 11] {
        let mut row = row(number, EndReason::Ended);
        row.tokens.input = Some(7);
        store.write(Write::Row(row));
    }
    assert_eq!(rounds(&mut follower, &store), [10]);
    assert!(!follower.is_waiting());
    assert_eq!(follower.skipped, 0);
}

#[test]
fn the_last_round_leaves_nothing() {
    let store = store();
    let mut follower = Follower::begin(&store, &[], START);
    record(&store, 1);
    assert!(store.flush());
    assert!(follower.round(&store, false).is_empty());
    record(&store, 2);
    assert!(store.flush());
    assert_eq!(numbers(follower.round(&store, true)), [1, 2]);
}

#[test]
fn a_restart_goes_on_behind_the_last_line() {
    let store = store();
    let late = u64::try_from(LATE_US).unwrap();
    for number in [1, late + 1, late + 2, 2 * late] {
        record(&store, number);
    }
    begin(&store, 3);
    begin(&store, late + 5);
    assert!(store.flush());
    let lines = [head(2), head(late + 2)];
    let mut follower = Follower::begin(&store, &lines, START.plus_us(9 * late));
    // What the last run left unfinished ends now; the one from before the file's lines is left alone.
    end(&store, 3, EndReason::Interrupted);
    assert_eq!(rounds(&mut follower, &store), [late + 1, 2 * late, 3]);
    end(&store, late + 5, EndReason::Ended);
    assert_eq!(rounds(&mut follower, &store), [late + 5]);
}

#[test]
fn whoever_is_too_far_behind_skips_the_oldest() {
    let store = store();
    let mut follower = Follower::begin(&store, &[], START);
    let flows = BEHIND_FLOWS_MAX as u64 + 30;
    for number in 1..=flows {
        record(&store, number);
    }
    let written = rounds(&mut follower, &store);
    assert_eq!(written.len(), BEHIND_FLOWS_MAX);
    assert_eq!(written.last(), Some(&flows));
    assert_eq!(follower.skipped, 30);
}

#[test]
fn what_the_store_forgot_is_counted() {
    let store = store();
    let mut follower = Follower::begin(&store, &[], START);
    // The beginning and the end of each is a change, and 16,384 are remembered.
    let flows = 10_000;
    for number in 1..=flows {
        record(&store, number);
    }
    let written = rounds(&mut follower, &store);
    assert_eq!(written.len(), BEHIND_FLOWS_MAX);
    assert_eq!(written.len() as u64 + follower.skipped, flows);
}

#[test]
fn memory_is_bounded_and_old_flows_stay_written() {
    let mut told = Told::new(&[], START);
    let flows = WRITTEN_FLOWS_MAX as u64 + 100;
    for number in 0..flows {
        assert!(told.take(&row(number, EndReason::Ended)), "{number}");
    }
    assert_eq!(told.ids.len(), WRITTEN_FLOWS_MAX);
    for number in [0, 50, flows - 1] {
        assert!(!told.take(&row(number, EndReason::Ended)), "{number}");
    }
}
