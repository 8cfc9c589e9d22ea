//! The store: what was recorded, durable, and the flows of now in memory.
//!
//! It owns the data directory's `segments/` and catalog, one thread that writes, one that seals, one that indexes
//! texts, and the rows of running and recent flows. What a flow's texts are it asks the codec; of dialects it knows
//! nothing else: rows come from the recorder and can be thrown away and made again, as the text can. It never
//! makes the relay wait; a disk that fails costs records, which are counted, and nothing else.
//!
//! ```text
//! Write ─► intake ─► pack ─► queue ─► writer ─► apply ─► segment (shapes of format) ◄─ registry ◄─ opening
//!            └► memory ─► changes                            │                             │ files
//!            └────────► ask ◄── sheet (columns, rows) ◄───────┴─► read        seal ─► catalog ◄┘
//!
//! delete ─► tombstones and rollups in the catalog ─► purge: by the writer in segments in use, by seal in sealed ones
//! retain ─► pinned flows through the queue, all others to rollups ─► files removed
//! segment ─► parts ─► indexer ─► text ─► index ─► select, search ◄─ carry
//! ```
//!
//! Limits: 64 MB wait to be committed and 4 MB are being committed (`queue`); a record holds 4 MiB of a body
//! (`pack`); a page has 1,000 rows (`list`); 16,384 changes are remembered (`changes`); at most
//! eight connections wait for the next query (`segment`), and each caches 8 MiB, or 1 MiB of a sealed segment
//! (`place`); a segment has 256 MiB or 131,072 flows (`registry`).

pub mod text;

mod store;

mod body;
mod changes;
mod columns;
mod delete;
mod dir;
mod health;
mod list;
mod memory;
mod read;
mod retain;
mod rollup;
mod rows;
mod write;

mod apply;
mod archive;
mod ask;
mod backup;
mod blobs;
mod carry;
mod catalog;
mod check;
mod compact;
mod dictionary;
mod files;
mod format;
mod index;
mod indexer;
mod intake;
mod listing;
mod opening;
mod pack;
mod parts;
mod place;
mod purge;
mod queue;
mod registry;
mod repair;
mod salvage;
mod seal;
mod search;
mod segment;
mod select;
mod sheet;
mod stats;
mod vault;
mod walk;
mod work;
mod writer;

#[cfg(test)]
mod testing;

pub use archive::{ArchivePlan, is_archive};
pub use ask::Scale;
pub use backup::{BackupError, BackupReport};
pub use body::{Pieces, StoredBody};
pub use changes::Changes;
pub use check::{CheckReport, Finding, FindingKind, check_dir};
pub use columns::{Facets, Group, GroupBy, GroupValue, Groups, Measure, Spread, Stats};
pub use compact::{CompactError, CompactReport};
pub use delete::{DeleteError, Deleted, Deletion, Which};
pub use dir::{Claim, DirError, is_in_use, prepare as prepare_dir, share as share_dir};
pub use health::StoreHealth;
pub use list::{Counted, LIST_ROWS_MAX, ListQuery, Page, Sort, SortError};
pub use memory::{LiveView, Watch};
pub use read::ReadError;
pub use repair::{RepairError, RepairReport, repair};
pub use retain::{Retention, Tidied, TidyError};
pub use rollup::{Rollup, Sum};
pub use search::{SearchError, SearchHit, SearchPage, SearchQuery};
pub use segment::{SegmentInfo, SegmentState};
pub use stats::{SegmentStats, StoreStats};
pub use store::{OpenError, Store, StoreOptions};
pub use vault::{KEY_BYTES, MasterKey};
pub use work::Work;
pub use write::Write;
