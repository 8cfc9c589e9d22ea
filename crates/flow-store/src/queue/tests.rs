use super::*;
use crate::dictionary::Compression;
use crate::pack::{Packed, Packer, Piece};
use crate::segment::Location;
use crate::testing::{FAST, id, noise};
use flow_model::Side;

fn piece(flow: u64, bytes: usize) -> Op {
    let body = Packer::new(Compression::On).pack(&noise(bytes, flow));
    let pieces = vec![Piece { seq: 0, body }];
    let kind = OpKind::Pieces {
        side: Side::Response,
        pieces,
        clear: None,
    };
    Op {
        flow: id(flow),
        location: Some(Location { segment: 1, n: 1 }),
        kind,
    }
}

fn last(flow: u64) -> Op {
    let kind = OpKind::Outcome {
        exchange: Vec::new(),
        chunks: Vec::new(),
        pieces: Vec::new(),
        rest: Packed::empty(),
        row: None,
        whole: None,
        clear: false,
    };
    Op {
        flow: id(flow),
        location: Some(Location { segment: 1, n: 1 }),
        kind,
    }
}

fn forget(flow: u64) -> Op {
    Op {
        flow: id(flow),
        location: None,
        kind: OpKind::Forget,
    }
}

fn queue(backlog_bytes_max: usize) -> Queue {
    Queue::new(Limits {
        backlog_bytes_max,
        ..FAST
    })
}

fn flows(group: &Group) -> Vec<FlowId> {
    group.ops.iter().map(|op| op.flow).collect()
}

#[test]
fn a_disk_that_hangs_costs_the_oldest_flows_whole() {
    let queue = queue(100_000);
    let begun = Instant::now();
    // Nobody takes anything out: the first writer without room waits, and the others no longer do.
    let mut dropped = Dropped::default();
    for flow in 1..=9 {
        let more = queue.push(piece(flow, 20_000));
        dropped.flows.extend(more.flows);
        dropped.ended.extend(more.ended);
    }
    assert!(begun.elapsed() >= FAST.room_wait, "a writer waits for room");
    assert!(queue.is_hanging());
    assert_eq!(dropped.flows, [1, 2, 3, 4, 5].map(id));
    assert!(queue.bytes() <= 100_000 + 25_000);
    // What is still to come of a flow that lost something goes the same way, to its end.
    assert_eq!(queue.push(last(6)), Dropped::default());
    let mut skipped = Dropped::default();
    queue.push(last(1));
    let group = queue.next(&mut skipped).unwrap();
    assert_eq!(flows(&group), [6, 7, 8, 9, 6].map(id));
    assert_eq!(
        skipped,
        Dropped {
            flows: Vec::new(),
            ended: vec![id(1)]
        }
    );
    queue.committed();
    queue.done(&group);
    assert!(!queue.is_hanging());
    assert_eq!(queue.bytes(), 0);
    // A flow that ended is no longer known as lost.
    queue.push(last(1));
    assert_eq!(flows(&queue.next(&mut skipped).unwrap()), [id(1)]);
}

#[test]
fn what_removes_a_flow_is_never_given_up() {
    let queue = queue(10_000);
    queue.push(forget(1));
    for flow in 2..20 {
        queue.push(piece(flow, 5_000));
    }
    queue.push(forget(2));
    let group = queue.next(&mut Dropped::default()).unwrap();
    let kept: Vec<FlowId> = group
        .ops
        .iter()
        .filter(|op| matches!(op.kind, OpKind::Forget))
        .map(|op| op.flow)
        .collect();
    assert_eq!(kept, [1, 2].map(id));
}

#[test]
fn a_group_ends_at_its_bound() {
    let queue = Queue::new(Limits {
        group_bytes_max: 50_000,
        ..FAST
    });
    for flow in 1..=5 {
        queue.push(piece(flow, 20_000));
    }
    let mut sizes = Vec::new();
    for _ in 0..2 {
        let group = queue.next(&mut Dropped::default()).unwrap();
        sizes.push(group.ops.len());
        queue.done(&group);
    }
    assert_eq!(sizes, [3, 2]);
    assert!(queue.flush());
}

#[test]
fn a_closed_queue_gives_up_what_it_holds_and_what_comes() {
    let queue = queue(100_000);
    queue.push(piece(1, 10));
    queue.push(last(1));
    let dropped = queue.closed();
    assert_eq!(
        dropped,
        Dropped {
            flows: vec![id(1)],
            ended: vec![id(1)]
        }
    );
    let late = queue.push(last(2));
    assert_eq!(
        late,
        Dropped {
            flows: vec![id(2)],
            ended: vec![id(2)]
        }
    );
    assert!(queue.close(), "closing again does not wait");
}

#[test]
fn nobody_waits_for_a_flush_of_a_disk_that_hangs() {
    let queue = Queue::new(Limits {
        flush_wait: Duration::from_millis(20),
        ..FAST
    });
    queue.push(piece(1, 10));
    assert!(!queue.flush());
    assert!(!queue.close());
}
