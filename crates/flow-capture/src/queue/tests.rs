use std::sync::Arc;

use flow_model::{EndReason, RequestHead, Route, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{BodyEnd, Capture, FlowStart, FlowTap, Policy};

fn capture(options: CaptureOptions) -> (Capture, Vec<Receiver>) {
    Capture::new(
        options,
        Policy::default(),
        Arc::new(|| Timestamp(1_700_000_000_000_000)),
    )
    .unwrap()
}

fn start() -> FlowStart {
    FlowStart {
        peer: None,
        route: Route::default(),
        request: RequestHead {
            method: "POST".to_owned(),
            target: "/v1/messages".to_owned(),
            ..RequestHead::default()
        },
    }
}

fn received(receiver: &mut Receiver) -> Vec<CaptureEvent> {
    receiver.wait(Duration::ZERO, false);
    receiver.by_ref().collect()
}

/// Passes frames of these lengths and returns the bytes recorded and the gaps, as the recorder would see them.
fn relay(tap: &FlowTap, receiver: &mut Receiver, lens: &[usize]) -> (Vec<u8>, Vec<Gap>) {
    for (number, len) in lens.iter().enumerate() {
        let byte = u8::try_from(number % 251).unwrap();
        tap.frame(Side::Response, &Bytes::from(vec![byte; *len]));
    }
    tap.body_end(Side::Response, BodyEnd::Ended);
    tap.finish(EndReason::Ended, None);
    let (mut bytes, mut gaps) = (Vec::new(), Vec::new());
    for event in received(receiver) {
        match event.kind {
            EventKind::Frame { bytes: frame, .. } => bytes.extend_from_slice(&frame),
            EventKind::Gap { gap, .. } => gaps.push(gap),
            _ => {}
        }
    }
    (bytes, gaps)
}

#[test]
fn a_flow_arrives_in_order_and_ends_once() {
    let (capture, mut receivers) = capture(CaptureOptions::default());
    let tap = capture.begin(start());
    tap.sent();
    tap.frame(Side::Response, &Bytes::from_static(b"one"));
    tap.frame(Side::Response, &Bytes::from_static(b""));
    tap.body_end(Side::Response, BodyEnd::Ended);
    tap.finish(EndReason::Ended, None);
    tap.finish(EndReason::ClientAbort, None);
    drop(tap);
    let kinds: Vec<String> = received(&mut receivers[0])
        .iter()
        .map(|event| {
            format!("{:?}", event.kind)
                .split([' ', '('])
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(kinds, ["Begin", "Sent", "Frame", "BodyEnd", "End"]);
    assert_eq!(capture.stats().queued_events, 0);
    assert_eq!(capture.stats().queued_bytes, 0);
}

#[test]
fn a_tap_dropped_without_an_end_is_interrupted() {
    let (capture, mut receivers) = capture(CaptureOptions::default());
    drop(capture.begin(start()));
    let last = received(&mut receivers[0]).pop().unwrap();
    assert!(matches!(
        last.kind,
        EventKind::End {
            reason: EndReason::Interrupted,
            failure: Some(_)
        }
    ));
}

#[test]
fn paused_flows_leave_nothing() {
    let (capture, mut receivers) = capture(CaptureOptions::default());
    let paused = Policy {
        paused: true,
        ..Policy::default()
    };
    capture.set_policy(paused).unwrap();
    let tap = capture.begin(start());
    tap.frame(Side::Request, &Bytes::from_static(b"x"));
    tap.finish(EndReason::Ended, None);
    assert!(!tap.is_recording());
    assert!(received(&mut receivers[0]).is_empty());
}

#[test]
fn without_a_spill_the_overflow_is_one_counted_gap() {
    let options = CaptureOptions {
        queued_bytes_max: 25,
        ..CaptureOptions::default()
    };
    let (capture, mut receivers) = capture(options);
    let tap = capture.begin(start());
    let (bytes, gaps) = relay(&tap, &mut receivers[0], &[10, 10, 10, 10, 10]);
    assert_eq!(bytes.len(), 20);
    assert_eq!(
        gaps,
        [Gap {
            offset: 20,
            bytes: 30
        }]
    );
    assert_eq!(
        (capture.stats().gap_frames, capture.stats().gap_bytes),
        (3, 30)
    );
}

#[test]
fn a_gap_closes_when_there_is_room_again() {
    let options = CaptureOptions {
        queued_frames_max: 1,
        ..CaptureOptions::default()
    };
    let (capture, mut receivers) = capture(options);
    let tap = capture.begin(start());
    tap.frame(Side::Request, &Bytes::from_static(b"aa"));
    tap.frame(Side::Request, &Bytes::from_static(b"bbb"));
    received(&mut receivers[0]);
    tap.frame(Side::Request, &Bytes::from_static(b"c"));
    let kinds: Vec<EventKind> = received(&mut receivers[0])
        .into_iter()
        .map(|event| event.kind)
        .collect();
    let gap = Gap {
        offset: 2,
        bytes: 3,
    };
    assert!(
        matches!(&kinds[..], [EventKind::Gap { gap: found, .. }, EventKind::Frame { .. }] if *found == gap)
    );
}

#[test]
fn over_the_bound_frames_spill_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let options = CaptureOptions {
        queued_frames_max: 2,
        spill_dir: Some(dir.path().to_owned()),
        ..CaptureOptions::default()
    };
    let (capture, mut receivers) = capture(options);
    for _ in 0..3 {
        let tap = capture.begin(start());
        let lens = [5, 6, 7, 100_000, 8];
        let (bytes, gaps) = relay(&tap, &mut receivers[0], &lens);
        let expect: Vec<u8> = (0..5u8)
            .flat_map(|n| vec![n; lens[usize::from(n)]])
            .collect();
        assert!(bytes == expect && gaps.is_empty());
    }
    assert_eq!(capture.stats().spilled_frames, 9);
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "the spill file has no name"
    );
}

#[test]
fn a_spill_that_cannot_write_leaves_gaps_that_are_counted() {
    let options = CaptureOptions {
        queued_frames_max: 1,
        spill_dir: Some("/nonexistent/flow-monitor".into()),
        ..CaptureOptions::default()
    };
    let (capture, mut receivers) = capture(options);
    let tap = capture.begin(start());
    let (bytes, gaps) = relay(&tap, &mut receivers[0], &[10; 50]);
    let lost: u64 = gaps.iter().map(|gap| gap.bytes).sum();
    assert_eq!(
        bytes.len() as u64 + lost,
        500,
        "every byte is either recorded or in a gap"
    );
    assert_eq!(capture.stats().gap_bytes, lost);
}

proptest! {
    #[test]
    fn every_byte_is_recorded_or_in_a_gap(lens in prop::collection::vec(1usize..6000, 0..60), bytes_max in 0usize..40_000) {
        let options = CaptureOptions { queued_bytes_max: bytes_max, ..CaptureOptions::default() };
        let (capture, mut receivers) = capture(options);
        let tap = capture.begin(start());
        let (bytes, gaps) = relay(&tap, &mut receivers[0], &lens);
        let lost: u64 = gaps.iter().map(|gap| gap.bytes).sum();
        prop_assert_eq!(bytes.len() as u64 + lost, lens.iter().sum::<usize>() as u64);
        prop_assert_eq!(capture.stats().queued_bytes, 0);
    }
}
