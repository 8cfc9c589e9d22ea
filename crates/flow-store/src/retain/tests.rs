use super::*;

fn held(number: u32, bytes: u64, last_at: i64) -> Held {
    Held {
        number,
        state: SegmentState::Sealed,
        flows: 10,
        pinned: 0,
        bytes,
        last_at: Some(Timestamp(last_at)),
    }
}

fn check(held: &[Held], age_us_max: Option<i64>, bytes_max: Option<u64>, expect: &[u32]) {
    let retention = Retention {
        age_us_max,
        bytes_max,
    };
    assert_eq!(plan(held, &retention, Timestamp(1000)), expect);
}

#[test]
fn what_is_old_goes_and_then_what_does_not_fit() {
    let mut live = held(4, 50, 990);
    live.state = SegmentState::Live;
    let all = [live, held(3, 50, 900), held(2, 50, 800), held(1, 50, 850)];
    check(&all, None, None, &[]);
    check(&all, Some(100), None, &[1, 2]);
    check(&all, Some(99), None, &[1, 2, 3]);
    check(&all, Some(0), None, &[1, 2, 3]);
    check(&all, Some(i64::MAX), None, &[]);
    check(&all, None, Some(200), &[]);
    check(&all, None, Some(199), &[1]);
    check(&all, None, Some(149), &[1, 2]);
    check(&all, None, Some(0), &[1, 2, 3]);
    check(&all, Some(160), Some(150), &[2]);
    check(&all, Some(160), Some(149), &[1, 2]);
}

#[test]
fn a_segment_of_pinned_flows_stays() {
    let mut pinned = held(1, 50, 0);
    pinned.pinned = 10;
    let mut half = held(2, 50, 0);
    half.pinned = 5;
    let mut closing = held(3, 50, 0);
    closing.state = SegmentState::Closing;
    let mut empty = held(4, 50, 0);
    (empty.flows, empty.last_at) = (0, None);
    let all = [pinned, half, closing, empty, held(5, 50, 0)];
    check(&all, Some(10), None, &[2, 4, 5]);
    check(&all, None, Some(225), &[2]);
    check(&all, None, Some(224), &[2, 4]);
    check(&all, None, Some(0), &[2, 4, 5]);
}
