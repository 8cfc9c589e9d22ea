//! One column of one block: codes in as few bits as they need.
//!
//! The value of code `c` is `origin + c * scale`; code 0 is the unknown. In a file the codes of a block take the
//! same number of bits each and stand as *planes*: a width of 21 bits is a plane of 16 bits a row, one of 4 and
//! one of 1. Within planes of less than a byte, a byte holds one row of each half, quarter or eighth of the
//! block, so that the loops that put codes together need neither shuffles nor branches.

use super::BLOCK_ROWS;

/// Rows by which blocks grow: those of one word of a mask.
pub(super) const STEP_ROWS: usize = 64;
/// Widths of planes.
const PLANES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// A set of rows of a block.
pub(super) type Mask = [u64; BLOCK_ROWS / 64];

/// What a block's known values lie between, and whether any is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) unknown: bool,
}

/// How a block's codes stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    pub(super) bits: u8,
    /// What is added to stored codes: 0 where 0 is among the codes.
    pub(super) first: u8,
    pub(super) scale: u64,
}

/// Codes of a block, and what they mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) origin: u64,
    pub(super) scale: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Rows<'a> {
    Narrow(&'a [u32]),
    Wide(&'a [u64]),
}

// === impl Zone ===

impl Zone {
    /// The zone of no values.
    pub(super) const EMPTY: Self = Self {
        min: u64::MAX,
        max: 0,
        unknown: false,
    };

    pub(super) const fn is_known(self) -> bool {
        self.min <= self.max
    }

    pub(super) fn add(&mut self, value: Option<u64>) {
        match value {
            Some(value) => {
                self.min = self.min.min(value);
                self.max = self.max.max(value);
            }
            None => self.unknown = true,
        }
    }

    /// Returns the zone of both.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            unknown: self.unknown || other.unknown,
        }
    }
}

// === impl Packing ===

impl Packing {
    /// Codes of more bits are held as wide ones: with `first`, narrow ones could overflow.
    const NARROW_BITS_MAX: u8 = 31;

    pub(super) const fn is_narrow(self) -> bool {
        self.bits <= Self::NARROW_BITS_MAX
    }

    /// Returns the value of code 0, were it one.
    pub(super) const fn origin(self, zone: Zone) -> u64 {
        zone.min.wrapping_sub(self.scale)
    }

    /// Returns the bytes that so many rows take.
    pub(super) const fn bytes(self, rows: usize) -> usize {
        rows / 8 * self.bits as usize
    }
}

// === impl Codes ===

impl Codes<'_> {
    pub(super) const fn value(&self, code: u64) -> u64 {
        self.origin.wrapping_add(code.wrapping_mul(self.scale))
    }

    /// Returns the value of a row; none where it is unknown.
    pub(super) fn at(&self, row: usize) -> Option<u64> {
        let code = self.code(row);
        (code != 0).then(|| self.value(code))
    }

    pub(super) fn code(&self, row: usize) -> u64 {
        match self.rows {
            Rows::Narrow(codes) => codes.get(row).copied().map_or(0, u64::from),
            Rows::Wide(codes) => codes.get(row).copied().unwrap_or_default(),
        }
    }

    /// Marks the rows whose values are known and lie in the range, both ends included.
    pub(super) fn between(&self, min: u64, max: u64, mask: &mut Mask) {
        let base = self.origin.wrapping_add(self.scale);
        if max < base || min > max {
            mask.fill(0);
            return;
        }
        let low = min.saturating_sub(base).div_ceil(self.scale);
        let high = (max - base) / self.scale;
        match (low.checked_add(1), high.saturating_add(1)) {
            (Some(low), high) if low <= high => self.codes_between(low, high, mask),
            _ => mask.fill(0),
        }
    }

    /// Marks the rows whose values are known.
    pub(super) fn known(&self, mask: &mut Mask) {
        self.codes_between(1, u64::MAX, mask);
    }

    fn codes_between(&self, low: u64, high: u64, mask: &mut Mask) {
        match self.rows {
            Rows::Narrow(codes) => {
                let Ok(low) = u32::try_from(low) else {
                    mask.fill(0);
                    return;
                };
                let span = u32::try_from(high).unwrap_or(u32::MAX) - low;
                mark(codes, mask, |code| code.wrapping_sub(low) <= span);
            }
            Rows::Wide(codes) => mark(codes, mask, |code| code.wrapping_sub(low) <= high - low),
        }
    }

    /// Marks the rows whose values are known and true in the table.
    pub(super) fn among(&self, table: &[bool], mask: &mut Mask) {
        let is_in = |code: u64| {
            let value = usize::try_from(self.value(code)).unwrap_or(usize::MAX);
            code != 0 && table.get(value).copied().unwrap_or(false)
        };
        match self.rows {
            Rows::Narrow(codes) => mark(codes, mask, |code| is_in(u64::from(code))),
            Rows::Wide(codes) => mark(codes, mask, is_in),
        }
    }

    /// Marks the rows for whose known values `test` is true.
    pub(super) fn filter(&self, mask: &mut Mask, test: impl Fn(u64) -> bool) {
        let is_in = |code: u64| code != 0 && test(self.value(code));
        match self.rows {
            Rows::Narrow(codes) => mark(codes, mask, |code| is_in(u64::from(code))),
            Rows::Wide(codes) => mark(codes, mask, is_in),
        }
    }
}

/// Marks rows, sixty-four at once: comparing and gathering bits are two loops, because each becomes vector code.
fn mark<T: Copy>(codes: &[T], mask: &mut Mask, test: impl Fn(T) -> bool) {
    const GATHER: u64 = 0x0102_0408_1020_4080;

    let chunks = codes.as_chunks::<STEP_ROWS>().0;
    for (word, codes) in mask.iter_mut().zip(chunks) {
        let mut bytes = [0_u8; STEP_ROWS];
        for (byte, code) in bytes.iter_mut().zip(codes) {
            *byte = u8::from(test(*code));
        }
        *word = 0;
        for (at, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            *word |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (8 * at);
        }
    }
    for word in mask.iter_mut().skip(chunks.len()) {
        *word = 0;
    }
}

/// A number that holds codes.
pub(super) trait Code: Copy {
    fn add(self, part: u64, shift: usize) -> Self;
}

impl Code for u32 {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "narrow codes have at most 31 bits"
    )]
    fn add(self, part: u64, shift: usize) -> Self {
        self.wrapping_add((part as Self) << shift)
    }
}

impl Code for u64 {
    #[inline]
    fn add(self, part: u64, shift: usize) -> Self {
        self.wrapping_add(part << shift)
    }
}

/// Puts the codes of a block together; `codes` holds what is added to each. Returns none where bytes are missing.
pub(super) fn unpack<T: Code>(mut bytes: &[u8], bits: u8, codes: &mut [T]) -> Option<()> {
    let mut shift = 0;
    for plane in PLANES {
        if usize::from(bits) & plane == 0 {
            continue;
        }
        let (this, rest) = bytes.split_at_checked(codes.len() / 8 * plane)?;
        match plane {
            64 => add_all(this.as_chunks().0, codes, shift, u64::from_le_bytes),
            32 => add_all(this.as_chunks().0, codes, shift, |word| {
                u64::from(u32::from_le_bytes(word))
            }),
            16 => add_all(this.as_chunks().0, codes, shift, |word| {
                u64::from(u16::from_le_bytes(word))
            }),
            8 => add_all(this.as_chunks().0, codes, shift, |[byte]: [u8; 1]| {
                u64::from(byte)
            }),
            _ => {
                let low = (1 << plane) - 1;
                for (at, part) in codes.chunks_exact_mut(this.len().max(1)).enumerate() {
                    add_all(this.as_chunks().0, part, shift, |[byte]: [u8; 1]| {
                        u64::from(byte >> (at * plane) & low)
                    });
                }
            }
        }
        bytes = rest;
        shift += plane;
    }
    Some(())
}

/// Returns what is stored of the code of one row; none where bytes are missing.
pub(super) fn unpack_one(mut bytes: &[u8], bits: u8, rows: usize, row: usize) -> Option<u64> {
    let (mut code, mut shift) = (0, 0);
    for plane in PLANES {
        if usize::from(bits) & plane == 0 {
            continue;
        }
        let (this, rest) = bytes.split_at_checked(rows / 8 * plane)?;
        let part = if let Some(width @ 1..) = plane.checked_div(8) {
            let word = this.get(row * width..)?.get(..width)?;
            let low_first = word.iter().rev();
            low_first.fold(0, |part, byte| part << 8 | u64::from(*byte))
        } else {
            let byte = *this.get(row % this.len())?;
            u64::from(byte) >> (row / this.len() * plane) & ((1 << plane) - 1)
        };
        code |= part << shift;
        bytes = rest;
        shift += plane;
    }
    Some(code)
}

#[inline]
fn add_all<T: Code, const N: usize>(
    words: &[[u8; N]],
    codes: &mut [T],
    shift: usize,
    read: impl Fn([u8; N]) -> u64,
) {
    for (code, word) in codes.iter_mut().zip(words) {
        *code = code.add(read(*word), shift);
    }
}

/// Packs values, none where unknown, of a number of rows that is a multiple of [`STEP_ROWS`].
pub(super) fn pack(values: &[Option<u64>], scaled: bool, bytes: &mut Vec<u8>) -> (Zone, Packing) {
    let mut zone = Zone::EMPTY;
    for value in values {
        zone.add(*value);
    }
    let known = values.iter().flatten();
    let scale = if scaled && zone.is_known() {
        known.fold(0, |scale, value| match scale {
            1 => 1,
            _ => divisor(scale, value - zone.min),
        })
    } else {
        1
    };
    let scale = scale.max(1);
    let first = u8::from(!zone.unknown);
    let code = |value: &Option<u64>| {
        value.map_or(0, |value| (value - zone.min) / scale + u64::from(1 - first))
    };
    let codes: Vec<u64> = values.iter().map(code).collect();
    let widest = codes.iter().copied().max().unwrap_or_default();
    let bits = u64::BITS - widest.leading_zeros();
    let packing = Packing {
        bits: u8::try_from(bits).unwrap_or(64),
        first,
        scale,
    };
    write_planes(&codes, bits as usize, bytes);
    (zone, packing)
}

fn write_planes(codes: &[u64], bits: usize, bytes: &mut Vec<u8>) {
    let mut shift = 0;
    for plane in PLANES.into_iter().filter(|plane| bits & plane != 0) {
        if let Some(width @ 1..) = plane.checked_div(8) {
            let words = codes.iter().map(|code| (code >> shift).to_le_bytes());
            bytes.extend(words.flat_map(|word| word.into_iter().take(width)));
        } else {
            let part = codes.len() / 8 * plane;
            let low = (1 << plane) - 1;
            let piece = |row: usize| codes.get(row).map_or(0, |code| code >> shift & low);
            bytes.extend((0..part).map(|row| {
                let pieces = (0..8 / plane).map(|at| piece(row + at * part) << (at * plane));
                pieces.fold(0, |byte, piece| byte | piece.to_le_bytes()[0])
            }));
        }
        shift += plane;
    }
}

/// Returns the greatest common divisor.
fn divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Returns a number that damage changes: eight sums side by side, because one would wait for itself.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    const LANES: usize = 8;
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

    let step = |sum: u64, word: u64| {
        let mixed = (sum ^ word).wrapping_mul(ODD);
        mixed ^ (mixed >> 29)
    };
    let mut sums = [bytes.len() as u64; LANES];
    let (lines, rest) = bytes.as_chunks::<64>();
    for line in lines {
        for (sum, word) in sums.iter_mut().zip(line.as_chunks::<8>().0) {
            *sum = step(*sum, u64::from_le_bytes(*word));
        }
    }
    let folded = sums.into_iter().fold(0, step);
    rest.iter()
        .fold(folded, |sum, byte| step(sum, u64::from(*byte)))
}
