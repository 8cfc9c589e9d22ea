//! Content codings: responses are compressed event by event, requests are decompressed whole.

use std::io::{self, Read as _, Write as _};

use bytes::Bytes;

const BROTLI_QUALITY: u32 = 4;
const BROTLI_WINDOW_BITS: u32 = 20;
const BUFFER_BYTES: usize = 4096;
const ZSTD_LEVEL: i32 = 3;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`.
    Gzip,
    /// `deflate`, in the zlib format that the standard asks for.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

/// Compresses a body whose receiver must be able to read each event at once.
pub(crate) enum Encoder {
    Identity,
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Deflate(flate2::write::ZlibEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

// === impl Coding ===

impl Coding {
    /// Returns the coding of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Returns its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Returns the coding that a provider would choose among those of an `Accept-Encoding`.
    pub(crate) fn accepted(field: &str) -> Option<Self> {
        let offered: Vec<&str> = field
            .split(',')
            .filter_map(|item| item.split(';').next())
            .map(str::trim)
            .collect();
        [Self::Brotli, Self::Gzip, Self::Zstd, Self::Deflate]
            .into_iter()
            .find(|coding| offered.contains(&coding.name()))
    }

    /// Returns the decoded bytes, or none where they are not of this coding or more than `bytes_max`.
    pub(crate) fn decode(self, bytes: &[u8], bytes_max: u64) -> Option<Vec<u8>> {
        let mut decoded = Vec::new();
        let read = match self {
            Self::Gzip => flate2::read::MultiGzDecoder::new(bytes)
                .take(bytes_max)
                .read_to_end(&mut decoded),
            Self::Deflate => flate2::read::ZlibDecoder::new(bytes)
                .take(bytes_max)
                .read_to_end(&mut decoded),
            Self::Brotli => brotli::Decompressor::new(bytes, BUFFER_BYTES)
                .take(bytes_max)
                .read_to_end(&mut decoded),
            Self::Zstd => zstd::stream::read::Decoder::new(bytes)
                .and_then(|decoder| decoder.take(bytes_max).read_to_end(&mut decoded)),
        };
        read.ok()
            .filter(|read| u64::try_from(*read).is_ok_and(|read| read < bytes_max))
            .map(|_| decoded)
    }
}

// === impl Encoder ===

impl Encoder {
    pub(crate) fn new(coding: Option<Coding>) -> io::Result<Self> {
        let level = flate2::Compression::default();
        Ok(match coding {
            None => Self::Identity,
            Some(Coding::Gzip) => Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), level)),
            Some(Coding::Deflate) => {
                Self::Deflate(flate2::write::ZlibEncoder::new(Vec::new(), level))
            }
            Some(Coding::Brotli) => Self::Brotli(Box::new(brotli::CompressorWriter::new(
                Vec::new(),
                BUFFER_BYTES,
                BROTLI_QUALITY,
                BROTLI_WINDOW_BITS,
            ))),
            Some(Coding::Zstd) => {
                Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?)
            }
        })
    }

    /// Returns the bytes after which the receiver can read everything up to here.
    pub(crate) fn push(&mut self, bytes: &Bytes) -> io::Result<Bytes> {
        Ok(match self {
            Self::Identity => bytes.clone(),
            Self::Gzip(encoder) => {
                encoder.write_all(bytes)?;
                encoder.flush()?;
                std::mem::take(encoder.get_mut()).into()
            }
            Self::Deflate(encoder) => {
                encoder.write_all(bytes)?;
                encoder.flush()?;
                std::mem::take(encoder.get_mut()).into()
            }
            Self::Brotli(encoder) => {
                encoder.write_all(bytes)?;
                encoder.flush()?;
                std::mem::take(encoder.get_mut()).into()
            }
            Self::Zstd(encoder) => {
                encoder.write_all(bytes)?;
                encoder.flush()?;
                std::mem::take(encoder.get_mut()).into()
            }
        })
    }

    /// Returns the last bytes.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        let last = match self {
            Self::Identity => Vec::new(),
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Deflate(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish()?,
        };
        Ok(last.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    #[test]
    fn each_coding_gives_back_what_was_put_in() {
        for coding in CODINGS {
            let mut encoder = Encoder::new(Some(coding)).unwrap();
            let mut wire = Vec::new();
            for piece in ["data: one\n\n", "data: 二\n\n", ""] {
                wire.extend_from_slice(&encoder.push(&Bytes::from(piece)).unwrap());
            }
            wire.extend_from_slice(&encoder.finish().unwrap());
            let decoded = coding.decode(&wire, 1 << 20);
            assert_eq!(
                decoded.as_deref(),
                Some("data: one\n\ndata: 二\n\n".as_bytes()),
                "{coding:?}"
            );
            assert_eq!(Coding::named(coding.name()), Some(coding));
        }
    }

    #[test]
    fn each_event_can_be_read_at_once() {
        for coding in CODINGS {
            let mut encoder = Encoder::new(Some(coding)).unwrap();
            let wire = encoder.push(&Bytes::from("data: one\n\n")).unwrap();
            let mut head = [0_u8; 11];
            let read = match coding {
                Coding::Gzip => flate2::read::GzDecoder::new(&*wire).read_exact(&mut head),
                Coding::Deflate => flate2::read::ZlibDecoder::new(&*wire).read_exact(&mut head),
                Coding::Brotli => {
                    brotli::Decompressor::new(&*wire, BUFFER_BYTES).read_exact(&mut head)
                }
                Coding::Zstd => zstd::stream::read::Decoder::new(&*wire)
                    .unwrap()
                    .read_exact(&mut head),
            };
            assert!(read.is_ok(), "{coding:?}");
            assert_eq!(&head, b"data: one\n\n");
        }
    }

    #[test]
    fn decoding_has_a_limit_and_refuses_other_bytes() {
        let mut encoder = Encoder::new(Some(Coding::Gzip)).unwrap();
        let mut wire = encoder
            .push(&Bytes::from(vec![b'x'; 4096]))
            .unwrap()
            .to_vec();
        wire.extend_from_slice(&encoder.finish().unwrap());
        assert_eq!(Coding::Gzip.decode(&wire, 4096), None);
        assert_eq!(Coding::Gzip.decode(&wire, 4097), Some(vec![b'x'; 4096]));
        for coding in CODINGS {
            assert_eq!(coding.decode(b"not compressed", 4096), None, "{coding:?}");
        }
    }

    #[test]
    fn the_best_accepted_coding_is_chosen() {
        for (field, expect) in [
            ("gzip, deflate", Some(Coding::Gzip)),
            ("gzip;q=1.0, deflate, br, zstd", Some(Coding::Brotli)),
            ("zstd", Some(Coding::Zstd)),
            ("identity", None),
            ("", None),
        ] {
            assert_eq!(Coding::accepted(field), expect, "{field}");
        }
    }
}
