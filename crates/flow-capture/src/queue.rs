//! One bounded queue per worker.
//!
//! Order within a flow is the order of one `VecDeque`; only the payload of a frame may live elsewhere, in the
//! spill. A worker takes what is there every few milliseconds instead of being woken for each event: a wake-up
//! costs more than the event. An idle worker sleeps until the first event.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flow_model::{FlowId, Gap, Side};
use parking_lot::{Condvar, Mutex};

use crate::event::{CaptureEvent, EventKind};
use crate::spill::{Spill, Spilled};

/// Payload bytes that all queues hold in memory, unless the options say otherwise.
const QUEUED_BYTES_MAX: usize = 256 << 20;
/// Frames that all queues hold in memory, unless the options say otherwise.
const QUEUED_FRAMES_MAX: usize = 10_000;
/// Entries of all queues, spilled frames included; over it frames become gaps and flows are not begun.
const ENTRIES_MAX: usize = 1_000_000;
/// Payload bytes at which a worker that waits for its next turn is woken early.
const URGENT_BYTES: usize = 4 << 20;

/// How capture is set up.
#[derive(Clone, Debug)]
pub struct CaptureOptions {
    /// Number of workers, each with a queue of its own.
    pub workers: usize,
    /// Payload bytes that all queues hold in memory.
    pub queued_bytes_max: usize,
    /// Frames that all queues hold in memory.
    pub queued_frames_max: usize,
    /// Directory of the spill file; none for no spill.
    pub spill_dir: Option<PathBuf>,
}

/// What has been queued, spilled and lost since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureStats {
    /// Payload bytes in memory.
    pub queued_bytes: u64,
    /// Events waiting for a worker.
    pub queued_events: u64,
    /// Frames that went to the spill.
    pub spilled_frames: u64,
    /// Their bytes.
    pub spilled_bytes: u64,
    /// Frames that could not be kept.
    pub gap_frames: u64,
    /// Their bytes.
    pub gap_bytes: u64,
    /// Flows that were recorded from their beginning.
    pub flows_begun: u64,
    /// Flows that were not recorded at all because the queue was full.
    pub flows_lost: u64,
}

/// A worker's end of its queue.
#[derive(Debug)]
pub struct Receiver {
    queue: Arc<Queue>,
    shard: usize,
    taken: VecDeque<Entry>,
}

/// A frame on its way into the queue.
pub(crate) struct PassedFrame {
    pub(crate) flow: FlowId,
    pub(crate) at_us: u64,
    pub(crate) side: Side,
    pub(crate) bytes: Bytes,
    /// What was lost just before it.
    pub(crate) gap: Option<Gap>,
}

#[derive(Debug)]
pub(crate) struct Queue {
    shards: Box<[Shard]>,
    spill: Option<Spill>,
    bytes_max: usize,
    frames_max: usize,
    bytes: AtomicUsize,
    frames: AtomicUsize,
    entries: AtomicUsize,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    spilled_frames: AtomicU64,
    spilled_bytes: AtomicU64,
    gap_frames: AtomicU64,
    gap_bytes: AtomicU64,
    flows_begun: AtomicU64,
    flows_lost: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    state: Mutex<ShardState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct ShardState {
    entries: VecDeque<Entry>,
    bytes: usize,
    parked: bool,
    closed: bool,
}

#[derive(Debug)]
enum Entry {
    Event(CaptureEvent),
    Spilled {
        flow: FlowId,
        at_us: u64,
        side: Side,
        payload: Arc<Spilled>,
    },
}

// === impl CaptureOptions ===

impl Default for CaptureOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            queued_bytes_max: QUEUED_BYTES_MAX,
            queued_frames_max: QUEUED_FRAMES_MAX,
            spill_dir: None,
        }
    }
}

// === impl Queue ===

impl Queue {
    pub(crate) fn new(options: CaptureOptions) -> (Arc<Self>, Vec<Receiver>) {
        let workers = options.workers.max(1);
        let queue = Arc::new(Self {
            shards: (0..workers).map(|_| Shard::default()).collect(),
            spill: options.spill_dir.map(Spill::start),
            bytes_max: options.queued_bytes_max,
            frames_max: options.queued_frames_max,
            bytes: AtomicUsize::new(0),
            frames: AtomicUsize::new(0),
            entries: AtomicUsize::new(0),
            counts: Counts::default(),
        });
        let receiver = |shard| Receiver {
            queue: Arc::clone(&queue),
            shard,
            taken: VecDeque::new(),
        };
        let receivers = (0..workers).map(receiver).collect();
        (queue, receivers)
    }

    /// Takes the beginning of a flow, or says that there is no room for another.
    pub(crate) fn begin(&self, event: CaptureEvent) -> bool {
        let room = self.entries.load(Ordering::Relaxed) < ENTRIES_MAX;
        if room {
            self.counts.flows_begun.fetch_add(1, Ordering::Relaxed);
            self.control(event);
        } else {
            self.counts.flows_lost.fetch_add(1, Ordering::Relaxed);
        }
        room
    }

    /// Takes an event that is no frame.
    pub(crate) fn control(&self, event: CaptureEvent) {
        let shard = self.shard(event.flow);
        let mut state = shard.state.lock();
        self.enter(&mut state, Entry::Event(event));
        shard.wake_if(state.parked);
    }

    /// Takes a frame, and the gap before it if there is one; or says that there is no room.
    pub(crate) fn frame(&self, frame: &PassedFrame) -> bool {
        let bytes = frame.bytes.len();
        let Some(entry) = self.frame_entry(frame) else {
            self.counts.gap_frames.fetch_add(1, Ordering::Relaxed);
            self.counts
                .gap_bytes
                .fetch_add(bytes as u64, Ordering::Relaxed);
            return false;
        };
        let shard = self.shard(frame.flow);
        let mut state = shard.state.lock();
        if let Some(gap) = frame.gap {
            let side = frame.side;
            let event = CaptureEvent {
                flow: frame.flow,
                at_us: frame.at_us,
                kind: EventKind::Gap { side, gap },
            };
            self.enter(&mut state, Entry::Event(event));
        }
        if matches!(entry, Entry::Event(_)) {
            state.bytes += bytes;
        }
        self.enter(&mut state, entry);
        shard.wake_if(state.parked || state.bytes > URGENT_BYTES);
        true
    }

    /// Returns the entry for a frame: with its payload in memory, or else in the spill.
    fn frame_entry(&self, frame: &PassedFrame) -> Option<Entry> {
        if self.entries.load(Ordering::Relaxed) >= ENTRIES_MAX {
            return None;
        }
        let (flow, at_us, side) = (frame.flow, frame.at_us, frame.side);
        let bytes = frame.bytes.len();
        let queued = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let count = self.frames.fetch_add(1, Ordering::Relaxed);
        if queued + bytes <= self.bytes_max && count < self.frames_max {
            let kind = EventKind::Frame {
                side,
                bytes: frame.bytes.clone(),
            };
            return Some(Entry::Event(CaptureEvent { flow, at_us, kind }));
        }
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.frames.fetch_sub(1, Ordering::Relaxed);
        let payload = self.spill.as_ref()?.offer(frame.bytes.clone())?;
        self.counts.spilled_frames.fetch_add(1, Ordering::Relaxed);
        self.counts
            .spilled_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        Some(Entry::Spilled {
            flow,
            at_us,
            side,
            payload,
        })
    }

    pub(crate) fn close(&self) {
        for shard in &self.shards {
            shard.state.lock().closed = true;
            shard.wake.notify_all();
        }
    }

    pub(crate) fn stats(&self) -> CaptureStats {
        let count = |value: &AtomicU64| value.load(Ordering::Relaxed);
        CaptureStats {
            queued_bytes: self.bytes.load(Ordering::Relaxed) as u64,
            queued_events: self.entries.load(Ordering::Relaxed) as u64,
            spilled_frames: count(&self.counts.spilled_frames),
            spilled_bytes: count(&self.counts.spilled_bytes),
            gap_frames: count(&self.counts.gap_frames),
            gap_bytes: count(&self.counts.gap_bytes),
            flows_begun: count(&self.counts.flows_begun),
            flows_lost: count(&self.counts.flows_lost),
        }
    }

    fn enter(&self, state: &mut ShardState, entry: Entry) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        state.entries.push_back(entry);
    }

    /// Returns the queue of a flow. The last byte of an id is random, so flows spread evenly.
    fn shard(&self, flow: FlowId) -> &Shard {
        let [.., last] = flow.to_bytes();
        &self.shards[usize::from(last) % self.shards.len()]
    }

    /// Returns the event of an entry, with a spilled payload fetched.
    fn open(&self, entry: Entry) -> CaptureEvent {
        self.entries.fetch_sub(1, Ordering::Relaxed);
        match entry {
            Entry::Event(event) => {
                if let EventKind::Frame { bytes, .. } = &event.kind {
                    self.bytes.fetch_sub(bytes.len(), Ordering::Relaxed);
                    self.frames.fetch_sub(1, Ordering::Relaxed);
                }
                event
            }
            Entry::Spilled {
                flow,
                at_us,
                side,
                payload,
            } => {
                let kind = match self.spill.as_ref().and_then(|spill| spill.take(&payload)) {
                    Some(bytes) => EventKind::Frame { side, bytes },
                    None => self.lost(side, payload.bytes_len()),
                };
                CaptureEvent { flow, at_us, kind }
            }
        }
    }

    /// Returns the gap that a payload leaves which the spill could not keep. The recorder knows the offset.
    fn lost(&self, side: Side, bytes: u64) -> EventKind {
        self.counts.gap_frames.fetch_add(1, Ordering::Relaxed);
        self.counts.gap_bytes.fetch_add(bytes, Ordering::Relaxed);
        let gap = Gap { offset: 0, bytes };
        EventKind::Gap { side, gap }
    }
}

// === impl Shard ===

impl Shard {
    fn wake_if(&self, wanted: bool) {
        if wanted {
            self.wake.notify_one();
        }
    }
}

// === impl Receiver ===

impl Receiver {
    /// Waits a turn and moves everything that has come to this side. An idle receiver first waits for something
    /// to come. Either way events are left alone for a turn: the relay is busy with that exchange just then, and
    /// what comes together is cheaper to take together. Returns whether more may come.
    pub fn wait(&mut self, turn: Duration, idle: bool) -> bool {
        if !self.taken.is_empty() {
            return true;
        }
        let shard = &self.queue.shards[self.shard];
        let mut state = shard.state.lock();
        if idle {
            state.parked = true;
            while state.entries.is_empty() && !state.closed {
                shard.wake.wait(&mut state);
            }
            state.parked = false;
        }
        if !state.closed && state.bytes <= URGENT_BYTES {
            shard.wake.wait_for(&mut state, turn);
        }
        state.bytes = 0;
        std::mem::swap(&mut state.entries, &mut self.taken);
        !(state.closed && self.taken.is_empty())
    }
}

impl Iterator for Receiver {
    type Item = CaptureEvent;

    /// Returns the next event that [`Receiver::wait`] has moved to this side.
    fn next(&mut self) -> Option<CaptureEvent> {
        let entry = self.taken.pop_front()?;
        Some(self.queue.open(entry))
    }
}

#[cfg(test)]
mod tests;
