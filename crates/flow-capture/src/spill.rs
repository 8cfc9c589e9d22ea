//! Where payloads go that memory has no room for.
//!
//! A nameless file in the data directory, encrypted with a key that lives in this process's memory only, and
//! written by a thread of its own, so that a slow disk never holds up the relay. A payload is either still on
//! its way (then it is taken from memory), in the file, or lost.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

/// Payload bytes on their way to the file.
const HANDOFF_BYTES_MAX: usize = 32 << 20;
/// Bytes of the file.
const FILE_BYTES_MAX: u64 = 4 << 30;

#[derive(Debug)]
pub(crate) struct Spill {
    shared: Arc<Shared>,
}

/// A payload in the spill.
#[derive(Debug)]
pub(crate) struct Spilled {
    bytes_len: u64,
    place: Mutex<Place>,
}

#[derive(Debug)]
enum Place {
    Memory(Bytes),
    File { offset: u64, len: usize },
    Gone,
}

#[derive(Debug)]
struct Shared {
    handoff: Mutex<Handoff>,
    wake: Condvar,
    file: Mutex<Option<SpillFile>>,
}

#[derive(Debug, Default)]
struct Handoff {
    waiting: VecDeque<Arc<Spilled>>,
    bytes: usize,
    closed: bool,
}

struct SpillFile {
    file: File,
    key: LessSafeKey,
    end: u64,
    /// Payloads in the file that nobody has taken yet; at none the file is emptied.
    held: u64,
    nonce: u64,
}

// === impl Spill ===

impl Spill {
    pub(crate) fn start(dir: PathBuf) -> Self {
        let shared = Arc::new(Shared {
            handoff: Mutex::default(),
            wake: Condvar::new(),
            file: Mutex::new(None),
        });
        let worker = Arc::clone(&shared);
        let spawned = thread::Builder::new()
            .name("flow-spill".to_owned())
            .spawn(move || worker.run(&dir));
        if let Err(error) = spawned {
            tracing::error!(%error, "the spill thread could not be started: an overload leaves gaps at once");
            shared.handoff.lock().closed = true;
        }
        Self { shared }
    }

    /// Takes a payload, or says that the disk cannot follow.
    pub(crate) fn offer(&self, bytes: Bytes) -> Option<Arc<Spilled>> {
        let mut handoff = self.shared.handoff.lock();
        if handoff.closed || handoff.bytes + bytes.len() > HANDOFF_BYTES_MAX {
            return None;
        }
        handoff.bytes += bytes.len();
        let spilled = Arc::new(Spilled {
            bytes_len: bytes.len() as u64,
            place: Mutex::new(Place::Memory(bytes)),
        });
        handoff.waiting.push_back(Arc::clone(&spilled));
        self.shared.wake.notify_one();
        Some(spilled)
    }

    /// Returns a payload, or none where it was lost.
    pub(crate) fn take(&self, spilled: &Spilled) -> Option<Bytes> {
        // The place is held while the file is read: the spill thread never waits for the file with a place held.
        let mut place = spilled.place.lock();
        match std::mem::replace(&mut *place, Place::Gone) {
            Place::Memory(bytes) => Some(bytes),
            Place::File { offset, len } => {
                let read = self.shared.file.lock().as_mut()?.take(offset, len);
                read.inspect_err(
                    |error| tracing::error!(%error, "a spilled frame could not be read back"),
                )
                .ok()
            }
            Place::Gone => None,
        }
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        self.shared.handoff.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

// === impl Spilled ===

impl Spilled {
    pub(crate) const fn bytes_len(&self) -> u64 {
        self.bytes_len
    }

    /// Returns the payload if it still waits in memory.
    fn waiting(&self) -> Option<Bytes> {
        match &*self.place.lock() {
            Place::Memory(bytes) => Some(bytes.clone()),
            Place::File { .. } | Place::Gone => None,
        }
    }

    /// Moves the payload to where the thread has put it. Returns whether somebody still wants it.
    fn moved(&self, to: Place) -> bool {
        let mut place = self.place.lock();
        let wanted = matches!(*place, Place::Memory(_));
        if wanted {
            *place = to;
        }
        wanted
    }
}

// === impl Shared ===

impl Shared {
    fn run(&self, dir: &Path) {
        while let Some(spilled) = self.next() {
            if let Some(bytes) = spilled.waiting() {
                self.write(dir, &spilled, &bytes);
            }
            self.handoff.lock().bytes -= usize::try_from(spilled.bytes_len).unwrap_or(usize::MAX);
        }
    }

    fn next(&self) -> Option<Arc<Spilled>> {
        let mut handoff = self.handoff.lock();
        loop {
            if let Some(spilled) = handoff.waiting.pop_front() {
                return Some(spilled);
            }
            if handoff.closed {
                return None;
            }
            self.wake.wait(&mut handoff);
        }
    }

    fn write(&self, dir: &Path, spilled: &Spilled, bytes: &[u8]) {
        let written = self.append(dir, bytes);
        match written {
            Ok((offset, len)) => {
                if !spilled.moved(Place::File { offset, len }) {
                    self.release();
                }
            }
            Err(error) => {
                tracing::error!(%error, "a frame could not be spilled: it leaves a gap in the record");
                spilled.moved(Place::Gone);
            }
        }
    }

    fn append(&self, dir: &Path, bytes: &[u8]) -> io::Result<(u64, usize)> {
        let mut guard = self.file.lock();
        if guard.is_none() {
            *guard = Some(SpillFile::create(dir)?);
        }
        let file = guard
            .as_mut()
            .ok_or_else(|| io::Error::other("there is no spill file"))?;
        file.append(bytes)
    }

    fn release(&self) {
        if let Some(file) = self.file.lock().as_mut() {
            file.release();
        }
    }
}

// === impl SpillFile ===

impl SpillFile {
    fn create(dir: &Path) -> io::Result<Self> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| io::Error::other("no random numbers"))?;
        let key = UnboundKey::new(&AES_256_GCM, &secret).map_err(|_| io::Error::other("no key"))?;
        Ok(Self {
            file: tempfile::tempfile_in(dir)?,
            key: LessSafeKey::new(key),
            end: 0,
            held: 0,
            nonce: 0,
        })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<(u64, usize)> {
        if self.end + bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::other("the spill file is full"));
        }
        let mut record = Vec::with_capacity(NONCE_LEN + bytes.len() + AES_256_GCM.tag_len());
        record.extend_from_slice(bytes);
        let nonce = self.next_nonce();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut record,
            )
            .map_err(|_| io::Error::other("encryption failed"))?;
        record.extend_from_slice(&nonce);
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&record)?;
        let offset = self.end;
        self.end += record.len() as u64;
        self.held += 1;
        Ok((offset, record.len()))
    }

    fn take(&mut self, offset: u64, len: usize) -> io::Result<Bytes> {
        let mut record = vec![0; len];
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut record)?;
        self.release();
        let mut nonce = [0; NONCE_LEN];
        let sealed = record
            .split_off(len.saturating_sub(NONCE_LEN))
            .try_into()
            .map(|tail| nonce = tail);
        sealed.map_err(|_| io::Error::other("a spilled record is too short"))?;
        let plain = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut record,
            )
            .map_err(|_| io::Error::other("a spilled record is damaged"))?
            .len();
        record.truncate(plain);
        Ok(record.into())
    }

    /// Counts down the payloads held; an empty file gives its space back.
    fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
        if self.held == 0 && self.file.set_len(0).is_ok() {
            self.end = 0;
        }
    }

    /// Returns a number that was never used with this key.
    fn next_nonce(&mut self) -> [u8; NONCE_LEN] {
        self.nonce += 1;
        let mut nonce = [0; NONCE_LEN];
        let (_, low) = nonce.split_at_mut(NONCE_LEN - 8);
        low.copy_from_slice(&self.nonce.to_be_bytes());
        nonce
    }
}

impl std::fmt::Debug for SpillFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpillFile")
            .field("end", &self.end)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}
