//! The dictionary that is built into the program, and compression with it.
//!
//! Records and the elements of conversations are short, and alike: a dictionary that knows how they begin makes
//! them several times smaller than compressing each alone. It is made by `cargo xtask dictionary` from samples
//! that were written for it, never from what users sent: what is deleted must not live on in a dictionary.
//!
//! | fact | |
//! |---|---|
//! | bytes | `dictionary.bin`, 110 KiB; its id stands in its head, and in the codec's test |
//! | frames | zstd's, with their length, without the dictionary's id: the codec's number says it |
//! | another dictionary | is another codec: this one must be read for as long as there are files of format 2 |
//! | level | [`LEVEL`]; see the table there |

use std::sync::LazyLock;

use parking_lot::Mutex;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

use crate::format::CHECKSUM_BYTES;

static BYTES: &[u8] = include_bytes!("dictionary.bin");

/// How hard zstd tries. What is left of what goes in, and its speed on one busy core of a small machine:
///
/// | | alone, level 1 | 1 | **3** | 6 |
/// |---|---|---|---|---|
/// | elements of 0.3–8 KB | 0.50, 63 MB/s | 0.46, 99 | **0.42, 129** | 0.41, 29 |
/// | streams of 2–30 KB | 0.15, 328 MB/s | 0.12, 621 | **0.12, 263** | 0.11, 42 |
/// | exchanges | 0.51, 51 MB/s | 0.23, 161 | **0.22, 134** | 0.20, 31 |
/// | rows | 0.59, 97 MB/s | 0.31, 145 | **0.26, 229** | 0.25, 29 |
const LEVEL: i32 = 3;
/// Contexts that are kept for the next call, of each kind; a compressor takes about a megabyte.
const IDLE_MAX: usize = 4;

static ENCODER: LazyLock<Option<EncoderDictionary<'static>>> =
    LazyLock::new(|| EncoderDictionary::try_copy(BYTES, LEVEL).ok());
static DECODER: LazyLock<Option<DecoderDictionary<'static>>> =
    LazyLock::new(|| DecoderDictionary::try_copy(BYTES).ok());
static COMPRESSORS: Mutex<Vec<Compressor<'static>>> = Mutex::new(Vec::new());
static DECOMPRESSORS: Mutex<Vec<Decompressor<'static>>> = Mutex::new(Vec::new());

/// Whether what is stored is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    On,
    /// For whoever wants to search the files for a text, as tests of deletion do.
    Off,
}

impl Compression {
    /// Returns the bytes compressed with the dictionary; none where they are to stay as they are.
    pub(crate) fn compress(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::On => compress(bytes),
            Self::Off => None,
        }
    }
}

/// Returns the bytes compressed, with room for a checksum; none where zstd fails, which it does for want of
/// memory only.
pub(crate) fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let idle = COMPRESSORS.lock().pop();
    let mut compressor = match idle {
        Some(compressor) => compressor,
        None => compressor()?,
    };
    let mut blob = compressor.compress(bytes).ok()?;
    // The buffer was made for the worst case.
    blob.reserve_exact(CHECKSUM_BYTES);
    blob.shrink_to(blob.len() + CHECKSUM_BYTES);
    keep(&COMPRESSORS, compressor);
    Some(blob)
}

/// Decompresses one frame into `out`, all of it; none where the frame is damaged or of another length.
pub(crate) fn decompress_into(frame: &[u8], out: &mut [u8]) -> Option<()> {
    let idle = DECOMPRESSORS.lock().pop();
    let mut decompressor = match idle {
        Some(decompressor) => decompressor,
        None => Decompressor::with_prepared_dictionary(DECODER.as_ref()?).ok()?,
    };
    let length = decompressor.decompress_to_buffer(frame, out).ok();
    keep(&DECOMPRESSORS, decompressor);
    (length == Some(out.len())).then_some(())
}

/// Returns the bytes in one frame; none where it is damaged or claims to hold more than `bytes_max`.
pub(crate) fn decompress(frame: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let length = usize::try_from(get_frame_content_size(frame).ok()??).ok()?;
    if length > bytes_max {
        return None;
    }
    let mut bytes = vec![0; length];
    decompress_into(frame, &mut bytes)?;
    Some(bytes)
}

fn compressor() -> Option<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(ENCODER.as_ref()?).ok()?;
    compressor
        .set_parameter(CParameter::DictIdFlag(false))
        .ok()?;
    Some(compressor)
}

fn keep<T>(idle: &Mutex<Vec<T>>, context: T) {
    let mut idle = idle.lock();
    if idle.len() < IDLE_MAX {
        idle.push(context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) -> usize {
        let frame = compress(bytes).unwrap();
        assert_eq!(decompress(&frame, bytes.len()).unwrap(), bytes);
        assert!(bytes.is_empty() || decompress(&frame, bytes.len() - 1).is_none());
        let mut out = vec![0; bytes.len() + 1];
        assert!(decompress_into(&frame, &mut out).is_none());
        frame.len()
    }

    /// Files hold frames that only this dictionary opens. Where this fails, it was changed: give the new one
    /// another codec, and keep the old one.
    #[test]
    fn the_dictionary_is_the_one_of_its_codec() {
        let id = zstd::zstd_safe::get_dict_id_from_dict(BYTES).map(u32::from);
        assert_eq!(id, Some(188_311_300));
        assert_eq!(
            blake3::hash(BYTES).to_hex().as_str(),
            "56c7c42573e80b25d06e0cf024f44adf1d5924168aff14902c955629d37e135e"
        );
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        check(b"");
        check(b"x");
        check(&crate::testing::noise(300_000, 1));
        let message =
            br#",{"role":"user","content":[{"type":"text","text":"Hello there, how are you?"}]}"#;
        let alone = zstd::bulk::compress(message, LEVEL).unwrap().len();
        assert!(check(message) * 4 < alone * 3, "{alone} bytes without it");
    }

    #[test]
    fn damage_is_noticed_or_harmless() {
        let frame = compress(br#",{"role":"user","content":"Hello there"}"#).unwrap();
        for length in 0..frame.len() {
            assert!(decompress(&frame[..length], 1000).is_none());
        }
        for index in 0..frame.len() {
            let mut hurt = frame.clone();
            hurt[index] ^= 0x55;
            assert!(decompress(&hurt, 1000).is_none_or(|bytes| bytes.len() <= 1000));
        }
        assert!(decompress(b"{}", 1000).is_none());
    }
}
