//! A stream that remembers the head of the message being read from it.
//!
//! hyper hands over header maps, which lose the order across names. The tap keeps the bytes of the current head
//! only: it is armed where a head is expected, ends at the empty line and ignores bodies. When it could not tell
//! where a head began (pipelining after a body), what it holds does not match the parsed head and is not used.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use memchr::memmem;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest head that is relayed, and that a tap keeps.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes that are read from a connection at once. Larger buffers save system calls, but each is shared with the
/// record and comes back from another thread: large blocks go to the system and are cleared anew every time.
pub(crate) const READ_BYTES_MAX: usize = 128 * 1024;
/// A buffer that one large head has blown up is given back when the next head begins.
const KEPT_BYTES_MAX: usize = 8 * 1024;

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Which heads are read from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadSide {
    Requests,
    /// Informational heads before the final one are passed over.
    Responses,
}

/// The bytes of the current head, shared by a stream and whoever reads heads from it.
#[derive(Debug)]
pub(crate) struct HeadTap {
    side: HeadSide,
    armed: AtomicBool,
    bytes: Mutex<Vec<u8>>,
}

impl HeadTap {
    /// Returns a tap that expects a head.
    pub(crate) fn new(side: HeadSide) -> Arc<Self> {
        Arc::new(Self {
            side,
            armed: AtomicBool::new(true),
            bytes: Mutex::new(Vec::new()),
        })
    }

    /// Forgets the last head and expects the next one.
    pub(crate) fn arm(&self) {
        let mut bytes = self.bytes.lock();
        bytes.clear();
        bytes.shrink_to(KEPT_BYTES_MAX);
        drop(bytes);
        self.armed.store(true, Ordering::Relaxed);
    }

    /// Stops remembering and lets the bytes of the head be read.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        self.armed.store(false, Ordering::Relaxed);
        read(&self.bytes.lock())
    }

    fn observe(&self, read: &[u8]) {
        if !self.armed.load(Ordering::Relaxed) {
            return;
        }
        let mut bytes = self.bytes.lock();
        let mut scan_from = bytes.len().saturating_sub(HEAD_END.len() - 1);
        let room = HEAD_BYTES_MAX.saturating_sub(bytes.len());
        // Most heads come in one read, with the first bytes of the body behind them, which need no copy.
        let whole = if bytes.is_empty() && self.side == HeadSide::Requests {
            memmem::find(read, HEAD_END).map(|at| at + HEAD_END.len())
        } else {
            None
        };
        let kept = read.len().min(whole.unwrap_or(room)).min(room);
        bytes.extend_from_slice(read.get(..kept).unwrap_or_default());
        loop {
            let tail = bytes.get(scan_from..).unwrap_or_default();
            let Some(at) = memmem::find(tail, HEAD_END) else {
                break;
            };
            let end = scan_from + at + HEAD_END.len();
            if self.side == HeadSide::Responses && is_informational(&bytes) {
                bytes.drain(..end);
                scan_from = 0;
                continue;
            }
            bytes.truncate(end);
            self.armed.store(false, Ordering::Relaxed);
            return;
        }
        if bytes.len() == HEAD_BYTES_MAX {
            self.armed.store(false, Ordering::Relaxed);
        }
    }
}

/// Returns whether the head is that of a response with a status of 1xx other than 101.
fn is_informational(head: &[u8]) -> bool {
    let status = head.get(9..12).unwrap_or_default();
    head.starts_with(b"HTTP/1.") && status.starts_with(b"1") && status != b"101"
}

/// A stream whose reads pass a [`HeadTap`].
#[derive(Debug)]
pub(crate) struct TapIo<T> {
    inner: T,
    tap: Arc<HeadTap>,
}

impl<T> TapIo<T> {
    pub(crate) const fn new(inner: T, tap: Arc<HeadTap>) -> Self {
        Self { inner, tap }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TapIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.tap
            .observe(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TapIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(side: HeadSide, reads: &[&str], expect: &str) {
        let tap = HeadTap::new(side);
        for read in reads {
            tap.observe(read.as_bytes());
        }
        tap.read(|bytes| assert_eq!(String::from_utf8_lossy(bytes), expect));
    }

    #[test]
    fn keeps_the_head_and_no_byte_of_the_body() {
        let requests = HeadSide::Requests;
        check(
            requests,
            &["GET / HTTP/1.1\r\n\r\n"],
            "GET / HTTP/1.1\r\n\r\n",
        );
        check(
            requests,
            &["POST / HTTP/1.1\r\n\r\nbody", "more"],
            "POST / HTTP/1.1\r\n\r\n",
        );
        check(
            requests,
            &["POST / HTTP/1.1\r", "\n\r", "\nbody"],
            "POST / HTTP/1.1\r\n\r\n",
        );
    }

    #[test]
    fn passes_over_informational_responses() {
        let early = "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n";
        let last = "HTTP/1.1 200 OK\r\na: b\r\n\r\n";
        check(
            HeadSide::Responses,
            &["HTTP/1.1 100 Continue\r\n\r\n", early, last, "body"],
            last,
        );
        let together = format!("{early}{last}body");
        check(HeadSide::Responses, &[&together], last);
    }

    #[test]
    fn is_armed_again_for_the_next_head() {
        let tap = HeadTap::new(HeadSide::Requests);
        tap.observe(b"GET /a HTTP/1.1\r\n\r\n");
        tap.observe(b"ignored");
        tap.arm();
        tap.observe(b"GET /b HTTP/1.1\r\n\r\n");
        tap.read(|bytes| assert_eq!(bytes, b"GET /b HTTP/1.1\r\n\r\n"));
    }

    #[test]
    fn keeps_no_more_than_the_longest_head() {
        let tap = HeadTap::new(HeadSide::Requests);
        tap.observe(&vec![b'a'; HEAD_BYTES_MAX - 1]);
        tap.observe(b"aaaa\r\n\r\n");
        tap.read(|bytes| assert_eq!(bytes.len(), HEAD_BYTES_MAX));
    }
}
