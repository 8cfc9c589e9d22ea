//! Content codings, undone piece by piece as the bytes arrive.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::limits::{DECODED_BYTES_FREE, DECODED_RATIO_MAX};

/// Buffer of the brotli decoder.
const BROTLI_BUFFER_BYTES: usize = 4096;

/// The decoder of one body.
pub(crate) enum Coding {
    /// Nothing to undo.
    Identity,
    /// A coding that is known.
    Known {
        decoder: Box<Decoder>,
        wire_bytes: u64,
    },
    /// `deflate` whose first bytes have not arrived yet: they tell whether it has zlib's frame.
    Deflate,
}

pub(crate) enum Decoder {
    Gzip(MultiGzDecoder<Sink>),
    Zlib(ZlibDecoder<Sink>),
    Deflate(DeflateDecoder<Sink>),
    Brotli(Box<brotli::DecompressorWriter<Sink>>),
    Zstd(zstd::stream::write::Decoder<'static, Sink>),
}

/// Takes what a decoder gives, up to a bound.
#[derive(Default)]
pub(crate) struct Sink {
    bytes: Vec<u8>,
    total: u64,
    total_max: u64,
}

// === impl Coding ===

impl Coding {
    /// Returns the decoder for the value of `content-encoding`, or why there is none.
    pub(crate) fn new(coding: Option<&str>) -> Result<Self, String> {
        let Some(name) = coding else {
            return Ok(Self::Identity);
        };
        let decoder = match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => return Ok(Self::Identity),
            "deflate" => return Ok(Self::Deflate),
            "gzip" | "x-gzip" => Decoder::Gzip(MultiGzDecoder::new(Sink::default())),
            "br" => Decoder::Brotli(Box::new(brotli::DecompressorWriter::new(
                Sink::default(),
                BROTLI_BUFFER_BYTES,
            ))),
            "zstd" => zstd::stream::write::Decoder::new(Sink::default())
                .map(Decoder::Zstd)
                .map_err(|error| error.to_string())?,
            _ => return Err(format!("content coding `{name}` is not known")),
        };
        Ok(Self::known(decoder))
    }

    fn known(decoder: Decoder) -> Self {
        Self::Known {
            decoder: Box::new(decoder),
            wire_bytes: 0,
        }
    }

    pub(crate) const fn is_identity(&self) -> bool {
        matches!(self, Self::Identity)
    }

    /// Returns what these bytes decode to.
    pub(crate) fn push(&mut self, wire: &[u8]) -> Result<Vec<u8>, String> {
        if let Self::Deflate = self {
            *self = Self::known(deflate(wire));
        }
        match self {
            Self::Identity | Self::Deflate => Ok(wire.to_vec()),
            Self::Known {
                decoder,
                wire_bytes,
            } => {
                *wire_bytes += wire.len() as u64;
                let total_max =
                    DECODED_BYTES_FREE.max(wire_bytes.saturating_mul(DECODED_RATIO_MAX));
                decoder.sink().total_max = total_max;
                let written = decoder.write(wire);
                let bytes = std::mem::take(&mut decoder.sink().bytes);
                written.map(|()| bytes).map_err(|error| error.to_string())
            }
        }
    }
}

/// Returns the decoder for a body labelled `deflate`. RFC 9110 means zlib's format by it; some senders leave
/// zlib's two bytes of header out.
fn deflate(wire: &[u8]) -> Decoder {
    let zlib = match wire {
        [first, second, ..] => {
            first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31)
        }
        _ => true,
    };
    if zlib {
        Decoder::Zlib(ZlibDecoder::new(Sink::default()))
    } else {
        Decoder::Deflate(DeflateDecoder::new(Sink::default()))
    }
}

// === impl Decoder ===

impl Decoder {
    /// Takes bytes of the wire. Flushing gives everything that they already determine.
    fn write(&mut self, wire: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.write_all(wire).and_then(|()| decoder.flush()),
            Self::Zlib(decoder) => decoder.write_all(wire).and_then(|()| decoder.flush()),
            Self::Deflate(decoder) => decoder.write_all(wire).and_then(|()| decoder.flush()),
            Self::Brotli(decoder) => decoder.write_all(wire).and_then(|()| decoder.flush()),
            Self::Zstd(decoder) => decoder.write_all(wire).and_then(|()| decoder.flush()),
        }
    }

    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

// === impl Sink ===

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.total += bytes.len() as u64;
        if self.total > self.total_max {
            return Err(io::Error::other(format!(
                "more than {DECODED_RATIO_MAX} decoded bytes for each byte on the wire"
            )));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(coding: &str, plain: &[u8]) -> Vec<u8> {
        use flate2::Compression;
        use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
        match coding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "raw" => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "br" => {
                let mut out = Vec::new();
                brotli::BrotliCompress(
                    &mut io::Cursor::new(plain),
                    &mut out,
                    &brotli::enc::BrotliEncoderParams::default(),
                )
                .unwrap();
                out
            }
            _ => zstd::encode_all(plain, 1).unwrap(),
        }
    }

    #[test]
    fn every_coding_is_undone_however_it_is_cut() {
        let plain = "data: {\"text\":\"流式 streaming\"}\n\n"
            .repeat(500)
            .into_bytes();
        for (label, made) in [
            ("gzip", "gzip"),
            ("x-gzip", "gzip"),
            ("deflate", "zlib"),
            ("deflate", "raw"),
            ("br", "br"),
            ("zstd", "zstd"),
            ("GZIP", "gzip"),
        ] {
            let wire = encoded(made, &plain);
            for step in [1, 7, 1000, wire.len()] {
                if step == 1 && label == "deflate" {
                    continue; // One byte does not tell zlib from raw deflate; no sender cuts there.
                }
                let mut coding = Coding::new(Some(label)).unwrap();
                let pieces = wire.chunks(step).map(|piece| coding.push(piece).unwrap());
                let decoded: Vec<u8> = pieces.flatten().collect();
                assert!(decoded == plain, "{label} as {made} in pieces of {step}");
            }
        }
    }

    #[test]
    fn bombs_are_stopped() {
        let wire = encoded("gzip", &vec![0; 80 << 20]);
        let mut coding = Coding::new(Some("gzip")).unwrap();
        let error = wire
            .chunks(4096)
            .find_map(|piece| coding.push(piece).err())
            .unwrap();
        assert!(error.contains("decoded bytes for each byte"), "{error}");
    }

    #[test]
    fn what_is_not_known_or_not_true_is_said() {
        assert!(Coding::new(Some("compress")).is_err());
        assert!(Coding::new(Some("gzip, br")).is_err());
        assert!(Coding::new(Some("identity")).unwrap().is_identity());
        assert!(
            Coding::new(Some("gzip"))
                .unwrap()
                .push(b"{\"plain\": true}")
                .is_err()
        );
    }
}
