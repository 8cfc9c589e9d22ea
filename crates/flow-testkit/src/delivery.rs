//! Sends a plan: a response body that flushes each piece, waits, compresses, and ends as the plan says.
//!
//! After each piece the body is pending once, so that hyper writes that piece to the socket before it asks for the
//! next; otherwise pieces that are ready together would leave as one.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::coding::{Coding, Encoder};
use crate::log::{End, Record};
use crate::plan::{Pieces, Plan, Step};
use crate::socket::Reset;

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// The plan says so.
    #[error("broken off as asked")]
    Cut,
    /// The encoder failed.
    #[error("the body could not be compressed")]
    Encode {
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// A response body.
pub(crate) struct Delivery {
    steps: VecDeque<Step>,
    pieces: Pieces,
    length: Option<u64>,
    coding: Option<Coding>,
    /// None until the first byte, and after the last.
    encoder: Option<Encoder>,
    closed: bool,
    ready: VecDeque<Bytes>,
    sleep: Option<Pin<Box<Sleep>>>,
    flushing: bool,
    record: Option<Record>,
    reset: Reset,
}

enum Next {
    Again,
    Pending,
    End,
    Failed(DeliveryError),
}

// === impl Delivery ===

impl Delivery {
    pub(crate) fn new(plan: Plan, record: Option<Record>, reset: Reset) -> Self {
        let mut delivery = Self {
            steps: plan.steps.into(),
            pieces: plan.pieces,
            length: plan.length,
            coding: plan.coding,
            encoder: None,
            closed: false,
            ready: VecDeque::new(),
            sleep: None,
            flushing: false,
            record,
            reset,
        };
        delivery.note_end();
        delivery
    }

    fn next(&mut self, context: &mut Context<'_>) -> Next {
        match self.steps.pop_front() {
            Some(Step::Bytes(bytes)) => self.encode(&bytes),
            Some(Step::Wait(duration)) => {
                self.sleep = Some(Box::pin(tokio::time::sleep(duration)));
                Next::Again
            }
            Some(Step::Break) => self.cut(),
            Some(Step::Reset) => {
                self.reset.ask();
                self.cut()
            }
            Some(Step::Hang) => {
                self.steps.push_front(Step::Hang);
                // Nothing will wake this body; the connection sees on its own that the peer leaves.
                let _waker = context.waker();
                Next::Pending
            }
            None => self.close(),
        }
    }

    fn encode(&mut self, bytes: &Bytes) -> Next {
        if let Some(record) = &mut self.record {
            record.plain(bytes);
        }
        let pushed = match self.encoder.take() {
            Some(encoder) => Ok(encoder),
            None => Encoder::new(self.coding),
        };
        let pushed = pushed.and_then(|encoder| self.encoder.insert(encoder).push(bytes));
        self.take(pushed)
    }

    fn close(&mut self) -> Next {
        if std::mem::replace(&mut self.closed, true) {
            return Next::End;
        }
        let last = match self.encoder.take() {
            Some(encoder) => encoder.finish(),
            None => Ok(Bytes::new()),
        };
        self.take(last)
    }

    fn take(&mut self, wire: io::Result<Bytes>) -> Next {
        match wire {
            Ok(wire) => {
                self.ready.extend(cut(wire, self.pieces));
                Next::Again
            }
            Err(source) => Next::Failed(DeliveryError::Encode { source }),
        }
    }

    fn cut(&mut self) -> Next {
        if let Some(record) = &mut self.record {
            record.end(End::Cut);
        }
        Next::Failed(DeliveryError::Cut)
    }

    /// Writes the end once nothing is left. A body whose length was sent ahead is not asked again after its last
    /// byte, so this cannot wait for the next poll.
    fn note_end(&mut self) {
        if self.is_end_stream()
            && let Some(record) = &mut self.record
        {
            record.end(End::Complete);
        }
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = DeliveryError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, DeliveryError>>> {
        let this = self.get_mut();
        if std::mem::replace(&mut this.flushing, false) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(sleep) = &mut this.sleep {
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                this.sleep = None;
            }
            if let Some(bytes) = this.ready.pop_front() {
                if let Some(record) = &mut this.record {
                    record.sent(&bytes);
                }
                this.flushing = true;
                this.note_end();
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            match this.next(context) {
                Next::Again => {}
                Next::Pending => return Poll::Pending,
                Next::End => {
                    this.note_end();
                    return Poll::Ready(None);
                }
                Next::Failed(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        // A body without a length ends with its last poll: an empty stream must not become a body of length 0.
        let closed = self.closed || (self.length.is_some() && self.coding.is_none());
        self.steps.is_empty() && self.ready.is_empty() && closed
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Cuts bytes as asked.
fn cut(mut bytes: Bytes, pieces: Pieces) -> Vec<Bytes> {
    let mut cut = Vec::new();
    while !bytes.is_empty() {
        let length = match pieces {
            Pieces::Whole => bytes.len(),
            Pieces::Bytes(length) => length.clamp(1, bytes.len()),
            Pieces::Characters => inside_character(&bytes),
        };
        cut.push(bytes.split_to(length));
    }
    cut
}

/// Returns the place after the first byte of the first character that has several, or after `da` of `data:`.
fn inside_character(bytes: &[u8]) -> usize {
    let character = bytes.iter().position(|byte| *byte >= 0xC0);
    let field = bytes.windows(5).position(|window| window == b"data:");
    let place = match (character, field) {
        (Some(character), Some(field)) => (character + 1).min(field + 2),
        (Some(character), None) => character + 1,
        (None, Some(field)) => field + 2,
        (None, None) => bytes.len(),
    };
    place.clamp(1, bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_and_stay_the_same() {
        let text = Bytes::from("data: 文件 é\n\n");
        for pieces in [
            Pieces::Whole,
            Pieces::Bytes(1),
            Pieces::Bytes(7),
            Pieces::Characters,
        ] {
            assert_eq!(cut(text.clone(), pieces).concat(), &*text, "{pieces:?}");
        }
        assert_eq!(cut(text.clone(), Pieces::Whole).len(), 1);
        assert_eq!(cut(text.clone(), Pieces::Bytes(7)).len(), 3);
        let inside = cut(text, Pieces::Characters);
        assert_eq!(&*inside[0], b"da");
        assert_eq!(&*inside[1], b"ta: \xE6");
        assert_eq!(inside.len(), 5);
        assert_eq!(cut(Bytes::new(), Pieces::Bytes(3)).len(), 0);
    }
}
