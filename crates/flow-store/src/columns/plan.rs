//! A filter as one segment can answer it, and its answer for one block.
//!
//! Names become codes of the segment's dictionary and numbers the unsigned numbers of columns, once for each
//! segment. What no row of the segment can satisfy becomes [`Node::Nothing`], so that the segment is not read.
//! Zone maps then answer for whole blocks; only what they leave open is read and compared.

use flow_query::{Checked, Field, Flag, Kind, Pattern, Test};

use super::bitmap::Bitmap;
use super::block::{Mask, Zone};
use super::file::ColumnError;
use super::names::Matching;
use super::source::{Reader, Source};
use super::{Column, halves, ordered};

/// Marks no row.
const NO_ROWS: Mask = [0; super::BLOCK_ROWS / 64];

/// A filter of one segment.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// Every flow.
    Everything,
    /// No flow.
    Nothing,
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// Values of a column, both ends included.
    Between(Column, u64, u64),
    /// Codes of a column's dictionary.
    Table(Column, Vec<bool>),
    Known(Column),
    /// Bits of the flags.
    Bits(u64),
    /// Ids in order.
    Ids(Vec<(u64, u64)>),
    Set(&'a Bitmap),
}

/// What rows of a block a filter selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selected {
    All,
    None,
    /// Those of the mask.
    Some,
}

/// Makes a filter one of a segment.
pub(super) struct Planner<'a> {
    pub(super) source: &'a Source,
    /// What each test of text selects, in the order in which a reader of the filter meets them.
    pub(super) text: &'a [Option<Bitmap>],
    /// How many of them have been met.
    pub(super) texts: usize,
}

// === impl Planner ===

impl<'a> Planner<'a> {
    /// Returns the filter of the segment. `negated` tells whether it stands below an odd number of negations: a
    /// test of text that cannot be answered then selects every flow, so that the whole never selects too many.
    pub(super) fn plan(
        &mut self,
        filter: &Checked,
        negated: bool,
    ) -> Result<Node<'a>, ColumnError> {
        Ok(match filter {
            Checked::All(parts) => {
                let mut nodes = self.parts(parts, negated)?;
                nodes.retain(|node| !matches!(node, Node::Everything));
                match nodes.len() {
                    0 => Node::Everything,
                    _ if nodes.iter().any(|node| matches!(node, Node::Nothing)) => Node::Nothing,
                    _ => Node::All(nodes),
                }
            }
            Checked::Any(parts) => {
                let mut nodes = self.parts(parts, negated)?;
                nodes.retain(|node| !matches!(node, Node::Nothing));
                match nodes.len() {
                    0 => Node::Nothing,
                    _ if nodes.iter().any(|node| matches!(node, Node::Everything)) => {
                        Node::Everything
                    }
                    _ => Node::Any(nodes),
                }
            }
            Checked::Not(part) => match self.plan(part, !negated)? {
                Node::Everything => Node::Nothing,
                Node::Nothing => Node::Everything,
                node => Node::Not(Box::new(node)),
            },
            Checked::Test(test) => self.test(test, negated)?,
        })
    }

    fn parts(&mut self, parts: &[Checked], negated: bool) -> Result<Vec<Node<'a>>, ColumnError> {
        parts.iter().map(|part| self.plan(part, negated)).collect()
    }

    fn test(&mut self, test: &Test, negated: bool) -> Result<Node<'a>, ColumnError> {
        Ok(match test {
            Test::Name(field, pattern) => self.name(*field, pattern)?,
            Test::Number(field, range) => {
                let column = Column::Field(*field);
                if column.has_names() || range.min > range.max {
                    Node::Nothing
                } else {
                    self.between(column, ordered(range.min), ordered(range.max))
                }
            }
            Test::Known(field) => Node::Known(Column::Field(*field)),
            Test::Flag(flag) => Node::Bits(bit(*flag)),
            Test::Id(ids) => {
                let mut ids: Vec<(u64, u64)> = ids.iter().map(|id| halves(*id)).collect();
                ids.sort_unstable();
                let zone = self.source.whole_zone(Column::IdHigh);
                ids.retain(|(high, _)| (zone.min..=zone.max).contains(high));
                if ids.is_empty() {
                    Node::Nothing
                } else {
                    Node::Ids(ids)
                }
            }
            Test::Text(..) => {
                let set = self.text.get(self.texts).and_then(Option::as_ref);
                self.texts += 1;
                match set {
                    Some(set) => Node::Set(set),
                    None if negated => Node::Everything,
                    None => Node::Nothing,
                }
            }
        })
    }

    fn name(&self, field: Field, pattern: &Pattern) -> Result<Node<'a>, ColumnError> {
        let column = Column::Field(field);
        let matching = match field.kind() {
            Kind::Name => self.source.names(column)?.matching(pattern),
            Kind::Names => self.source.names(column)?.matching_lists(pattern),
            Kind::Number(_) | Kind::Time => return Ok(Node::Nothing),
        };
        Ok(match matching {
            Matching::Codes(codes) if codes.is_empty() => Node::Nothing,
            Matching::Codes(codes) => self.between(column, codes.start, codes.end - 1),
            Matching::Table(table) => Node::Table(column, table),
        })
    }

    fn between(&self, column: Column, min: u64, max: u64) -> Node<'a> {
        let zone = self.source.whole_zone(column);
        if !zone.is_known() || zone.min > max || zone.max < min {
            Node::Nothing
        } else {
            Node::Between(column, min, max)
        }
    }
}

/// Returns the bit of a flag.
pub(super) fn bit(flag: Flag) -> u64 {
    let at = Flag::ALL.iter().position(|one| *one == flag);
    at.map_or(0, |at| 1 << at)
}

// === impl Node ===

impl Node<'_> {
    /// Marks the rows of a block that are selected. Rows where there is no flow may be among them.
    pub(super) fn select(
        &self,
        reader: &mut Reader<'_>,
        source: &Source,
        block: usize,
        mask: &mut Mask,
    ) -> Result<Selected, ColumnError> {
        Ok(match self {
            Node::Everything => Selected::All,
            Node::Nothing => Selected::None,
            Node::All(nodes) => return all(nodes, reader, source, block, mask),
            Node::Any(nodes) => return any(nodes, reader, source, block, mask),
            Node::Not(node) => match node.select(reader, source, block, mask)? {
                Selected::All => Selected::None,
                Selected::None => Selected::All,
                Selected::Some => {
                    for word in mask.iter_mut() {
                        *word = !*word;
                    }
                    Selected::Some
                }
            },
            Node::Between(column, min, max) => {
                let zone = source.zone(*column, block);
                let open = overlap(zone, *min, *max);
                if open == Selected::Some {
                    reader.codes(*column, block)?.between(*min, *max, mask);
                }
                open
            }
            Node::Table(column, table) => {
                let open = table_overlap(source.zone(*column, block), table);
                if open == Selected::Some {
                    reader.codes(*column, block)?.among(table, mask);
                }
                open
            }
            Node::Known(column) => {
                let zone = source.zone(*column, block);
                match (zone.is_known(), zone.unknown) {
                    (false, _) => Selected::None,
                    (true, false) => Selected::All,
                    (true, true) => {
                        reader.codes(*column, block)?.known(mask);
                        Selected::Some
                    }
                }
            }
            Node::Bits(bits) => {
                let codes = reader.codes(Column::Flags, block)?;
                codes.filter(mask, |value| value & bits == *bits);
                Selected::Some
            }
            Node::Ids(ids) => return with_ids(ids, reader, source, block, mask),
            Node::Set(set) => {
                let first = block * mask.len();
                for (at, word) in mask.iter_mut().enumerate() {
                    *word = set.word(first + at);
                }
                Selected::Some
            }
        })
    }
}

fn all(
    nodes: &[Node<'_>],
    reader: &mut Reader<'_>,
    source: &Source,
    block: usize,
    mask: &mut Mask,
) -> Result<Selected, ColumnError> {
    let mut selected = Selected::All;
    for node in nodes {
        if selected == Selected::All {
            selected = node.select(reader, source, block, mask)?;
        } else {
            let mut other = NO_ROWS;
            match node.select(reader, source, block, &mut other)? {
                Selected::All => {}
                Selected::None => return Ok(Selected::None),
                Selected::Some => combine(mask, &other, |one, other| one & other),
            }
        }
        let left = selected != Selected::Some || mask.iter().any(|word| *word != 0);
        if selected == Selected::None || !left {
            return Ok(Selected::None);
        }
    }
    Ok(selected)
}

fn any(
    nodes: &[Node<'_>],
    reader: &mut Reader<'_>,
    source: &Source,
    block: usize,
    mask: &mut Mask,
) -> Result<Selected, ColumnError> {
    let mut selected = Selected::None;
    for node in nodes {
        if selected == Selected::None {
            selected = node.select(reader, source, block, mask)?;
        } else {
            let mut other = NO_ROWS;
            match node.select(reader, source, block, &mut other)? {
                Selected::All => return Ok(Selected::All),
                Selected::None => {}
                Selected::Some => combine(mask, &other, |one, other| one | other),
            }
        }
        if selected == Selected::All {
            return Ok(Selected::All);
        }
    }
    Ok(selected)
}

fn with_ids(
    ids: &[(u64, u64)],
    reader: &mut Reader<'_>,
    source: &Source,
    block: usize,
    mask: &mut Mask,
) -> Result<Selected, ColumnError> {
    let zone = source.zone(Column::IdHigh, block);
    let first = ids.partition_point(|(high, _)| *high < zone.min);
    let past = ids.partition_point(|(high, _)| *high <= zone.max);
    let Some(ids) = ids.get(first..past).filter(|ids| !ids.is_empty()) else {
        return Ok(Selected::None);
    };
    reader.load(Column::IdHigh, block)?;
    reader.load(Column::IdLow, block)?;
    let high = reader.loaded(Column::IdHigh, block);
    let low = reader.loaded(Column::IdLow, block);
    mask.fill(0);
    for row in 0..super::BLOCK_ROWS {
        let id = (high.value(high.code(row)), low.value(low.code(row)));
        if ids.binary_search(&id).is_ok()
            && let Some(word) = mask.get_mut(row / 64)
        {
            *word |= 1 << (row % 64);
        }
    }
    Ok(Selected::Some)
}

pub(super) fn combine(mask: &mut Mask, other: &Mask, both: impl Fn(u64, u64) -> u64) {
    for (word, other) in mask.iter_mut().zip(other) {
        *word = both(*word, *other);
    }
}

fn overlap(zone: Zone, min: u64, max: u64) -> Selected {
    if !zone.is_known() || zone.min > max || zone.max < min {
        Selected::None
    } else if zone.min >= min && zone.max <= max && !zone.unknown {
        Selected::All
    } else {
        Selected::Some
    }
}

fn table_overlap(zone: Zone, table: &[bool]) -> Selected {
    let place = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let codes = table.get(place(zone.min)..=place(zone.max).min(table.len().saturating_sub(1)));
    match codes {
        Some(codes) if codes.contains(&true) => {
            if codes.contains(&false) || zone.unknown {
                Selected::Some
            } else {
                Selected::All
            }
        }
        _ => Selected::None,
    }
}
