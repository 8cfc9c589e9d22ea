//! Plans: what stands in a request's record in place of its body.
//!
//! ```text
//! skeleton b · { where the chain stands in the skeleton, counted from the one before
//!              · bytes of the container's rest behind it · last node }*           variable-length numbers, sealed
//! ```

use flow_codec::CHAINS_MAX;

use crate::format::{put_varint, seal, take_varint, unseal};

/// What a body is rebuilt from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The blob of its skeleton.
    pub(super) skeleton: i64,
    /// Its chains, in the order of the body.
    pub(super) chains: Vec<PlannedChain>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlannedChain {
    /// Where in the skeleton its spans stood.
    pub(super) at: usize,
    /// Bytes of the skeleton from there on that belong to the same container.
    pub(super) rest: usize,
    /// Its last node.
    pub(super) head: i64,
}

impl Plan {
    /// Returns the plan as it is stored.
    pub(super) fn seal(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(8 + self.chains.len() * 8);
        put_varint(&mut blob, self.skeleton.cast_unsigned());
        let mut last = 0;
        for chain in &self.chains {
            put_varint(&mut blob, (chain.at - last) as u64);
            put_varint(&mut blob, chain.rest as u64);
            put_varint(&mut blob, chain.head.cast_unsigned());
            last = chain.at;
        }
        seal(&mut blob);
        blob
    }

    /// Returns the plan in a sealed blob; none where it is damaged.
    pub(super) fn open(blob: &[u8]) -> Option<Self> {
        let mut rest = unseal(blob)?;
        let mut plan = Self {
            skeleton: take_varint(&mut rest)?.cast_signed(),
            chains: Vec::new(),
        };
        let mut last = 0_usize;
        while !rest.is_empty() {
            if plan.chains.len() == CHAINS_MAX {
                return None;
            }
            let ahead = usize::try_from(take_varint(&mut rest)?).ok()?;
            last = last.checked_add(ahead)?;
            plan.chains.push(PlannedChain {
                at: last,
                rest: usize::try_from(take_varint(&mut rest)?).ok()?,
                head: take_varint(&mut rest)?.cast_signed(),
            });
        }
        Some(plan)
    }
}
