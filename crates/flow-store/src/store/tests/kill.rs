//! What a kill leaves: the files of a store that is still open are copied, and the copy is opened.

use flow_model::Chunk;
use proptest::prelude::*;

use super::*;

fn pending(number: u64, side: Side, bytes: &[u8]) -> Write {
    let bytes = Bytes::copy_from_slice(bytes);
    let chunks = vec![chunk(bytes.len())];
    Write::Pending {
        id: id(number),
        side,
        bytes,
        chunks,
    }
}

#[test]
fn a_kill_leaves_ended_flows_whole_and_running_ones_as_far_as_they_had_come() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    record(&store, 1, b"ask", &noise(10_000, 1));
    announce(&store, 2);
    store.write(request(2, b"ask"));
    store.write(pending(2, Side::Response, b"one "));
    let piece = Bytes::from_static(b"one two ");
    store.write(Write::Piece {
        id: id(2),
        side: Side::Response,
        bytes: piece,
    });
    store.write(pending(2, Side::Response, b"three "));
    store.write(pending(2, Side::Response, b"four"));
    // The upload of this one is still under way.
    announce(&store, 3);
    store.write(pending(3, Side::Request, b"half a "));
    announce(&store, 4);
    store.flush();

    let dir = killed(root.path());
    let store = open(dir.path());
    assert_eq!(newest(&store, 10), [id(1)]);
    check_body(&store, 1, Side::Response, &noise(10_000, 1));
    assert_eq!(store.unfinished().unwrap(), [begun(2), begun(3)]);
    let answer = store.body(id(2), Side::Response).unwrap().unwrap();
    assert_eq!(answer.read_all(usize::MAX).unwrap(), "one two three four");
    assert_eq!(answer.pending(), "three four");
    assert_eq!(
        store.chunks(id(2), Side::Response).unwrap(),
        [chunk(4), chunk(6), chunk(4)]
    );
    check_body(&store, 3, Side::Request, b"half a ");

    // The recorder ends them, and nothing that had arrived is lost by that.
    for number in [2, 3] {
        let mut exchange = begun(number);
        exchange.end = Some(EndReason::Interrupted);
        let response = store
            .body(id(number), Side::Response)
            .unwrap()
            .unwrap()
            .pending();
        let chunks = store.chunks(id(number), Side::Response).unwrap();
        let row = Some(row(&exchange));
        store.write(Write::Outcome {
            exchange: Arc::new(exchange),
            response,
            chunks,
            row,
        });
    }
    store.flush();
    drop(store);
    let store = open(dir.path());
    assert!(store.unfinished().unwrap().is_empty());
    assert_eq!(newest(&store, 10), [id(3), id(2), id(1)]);
    check_body(&store, 2, Side::Response, b"one two three four");
    assert_eq!(store.chunks(id(2), Side::Response).unwrap().len(), 3);
    check_body(&store, 3, Side::Request, b"half a ");
    assert_eq!(store.chunks(id(3), Side::Request).unwrap(), [chunk(7)]);
    let end = store.exchange(id(3)).unwrap().unwrap().end;
    assert_eq!(end, Some(EndReason::Interrupted));
}

#[test]
fn a_killed_directory_is_read_without_being_changed() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    record(&store, 1, b"ask", b"answer");
    announce(&store, 2);
    store.write(request(2, b"ask"));
    store.flush();
    let dir = killed(root.path());
    let before = fs::read(dir.path().join("segments/000001.db")).unwrap();
    let reader = Store::open_read_only(dir.path()).unwrap();
    assert_eq!(newest(&reader, 10), [id(2), id(1)]);
    assert_eq!(reader.total(), 2);
    assert_eq!(
        reader.row(id(2)).unwrap().unwrap().end,
        Some(EndReason::Interrupted)
    );
    check_body(&reader, 1, Side::Response, b"answer");
    check_body(&reader, 2, Side::Request, b"ask");
    record(&reader, 3, b"ask", b"answer");
    reader.close();
    assert_eq!(
        fs::read(dir.path().join("segments/000001.db")).unwrap(),
        before
    );
    // The same beside a store that runs, and in a directory without anything.
    let reader = Store::open_read_only(root.path()).unwrap();
    assert_eq!(reader.total(), 2);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(Store::open_read_only(empty.path()).unwrap().total(), 0);
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[test]
fn an_upload_that_broke_off_behind_a_piece_keeps_its_chunks() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    announce(&store, 1);
    store.write(pending(1, Side::Request, b"all of it"));
    let bytes = Bytes::from_static(b"all of it");
    store.write(Write::Piece {
        id: id(1),
        side: Side::Request,
        bytes,
    });
    store.write(outcome(1, b""));
    store.flush();
    check_body(&store, 1, Side::Request, b"all of it");
    assert_eq!(store.chunks(id(1), Side::Request).unwrap(), [chunk(9)]);
}

#[derive(Clone, Debug)]
enum Step {
    Pending(Side, Vec<u8>),
    Piece(Side, Vec<u8>),
    Request(Vec<u8>),
    Outcome(Vec<u8>),
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    let side = || prop_oneof![Just(Side::Request), Just(Side::Response)];
    // Some are long enough to be compressed.
    let bytes = || {
        (0..3_usize, any::<u64>()).prop_map(|(kind, seed)| match kind {
            0 => noise(usize::try_from(seed % 40).unwrap(), seed),
            1 => noise(5000, seed),
            _ => vec![b'a'; 6000],
        })
    };
    prop_oneof![
        4 => (side(), bytes()).prop_map(|(side, bytes)| Step::Pending(side, bytes)),
        2 => (side(), bytes()).prop_map(|(side, bytes)| Step::Piece(side, bytes)),
        1 => bytes().prop_map(Step::Request),
        1 => bytes().prop_map(Step::Outcome),
        1 => Just(Step::Kill),
    ]
}

/// What a flow's bodies must be.
#[derive(Default)]
struct Model {
    bodies: [Vec<u8>; 2],
    pending: [Vec<u8>; 2],
    chunks: [Vec<Chunk>; 2],
    sent: bool,
    ended: bool,
}

impl Model {
    /// Does a step, here and in the store, where the recorder could do it.
    fn apply(&mut self, store: &Store, step: Step) {
        let open = |model: &Self, side| !model.ended && (side == Side::Response || !model.sent);
        match step {
            Step::Pending(side, bytes) if open(self, side) => {
                let at = side as usize;
                self.pending[at].extend(&bytes);
                self.chunks[at].push(chunk(bytes.len()));
                store.write(pending(1, side, &bytes));
            }
            Step::Piece(side, bytes) if open(self, side) => {
                let bytes = self.final_part(side, &bytes);
                store.write(Write::Piece {
                    id: id(1),
                    side,
                    bytes,
                });
            }
            Step::Request(bytes) if open(self, Side::Request) => {
                self.sent = true;
                let body = self.final_part(Side::Request, &bytes);
                self.chunks[0].push(chunk(bytes.len()));
                let (exchange, chunks) = (Arc::new(begun(1)), self.chunks[0].clone());
                store.write(Write::Request {
                    exchange,
                    body,
                    chunks,
                });
            }
            Step::Outcome(bytes) if !self.ended => {
                self.ended = true;
                let response = self.final_part(Side::Response, &bytes);
                self.chunks[1].push(chunk(bytes.len()));
                let exchange = Arc::new(ended(1));
                let (chunks, row) = (self.chunks[1].clone(), Some(row(&exchange)));
                store.write(Write::Outcome {
                    exchange,
                    response,
                    chunks,
                    row,
                });
            }
            _ => {}
        }
    }

    fn final_part(&mut self, side: Side, more: &[u8]) -> Bytes {
        let at = side as usize;
        let mut part = std::mem::take(&mut self.pending[at]);
        part.extend(more);
        self.bodies[at].extend(&part);
        part.into()
    }

    fn check(&self, store: &Store) {
        for side in [Side::Request, Side::Response] {
            let at = side as usize;
            let whole = [self.bodies[at].as_slice(), &self.pending[at]].concat();
            check_body(store, 1, side, &whole);
            if !whole.is_empty() {
                assert_eq!(store.chunks(id(1), side).unwrap(), self.chunks[at]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bytes_out_are_bytes_in_at_any_moment(steps in prop::collection::vec(step(), 0..30)) {
        let root = tempfile::tempdir().unwrap();
        let store = open(root.path());
        let mut model = Model::default();
        announce(&store, 1);
        for step in steps {
            if matches!(step, Step::Kill) {
                assert!(store.flush());
                model.check(&store);
                let dir = killed(root.path());
                let copy = open(dir.path());
                model.check(&copy);
                let left = copy.unfinished().unwrap().len() + copy.list(&ListQuery { limit: 5, ..ListQuery::default() }).unwrap().rows.len();
                prop_assert!(left <= 1);
                if model.ended {
                    prop_assert_eq!(&*copy.exchange(id(1)).unwrap().unwrap(), &ended(1));
                }
            } else {
                model.apply(&store, step);
            }
        }
        store.flush();
        model.check(&store);
        drop(store);
        model.check(&open(root.path()));
    }
}
