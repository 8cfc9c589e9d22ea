//! Limits and exceptions. They may only become tighter.

/// Lines that no file of code passes.
pub(super) const FILE_LINES_MAX: usize = 800;
/// Lines past which the head of a file says why, in a line that begins with `Length:`.
pub(super) const FILE_LINES_REASON: usize = 500;
/// Lines of a test module inside the file it tests; longer ones have their own file.
pub(super) const INLINE_TEST_LINES_MAX: usize = 150;
/// Bytes of a file that is not one of [`LARGE_FILES`].
pub(super) const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Files, or folders with `/` at the end, that may be large.
pub(super) const LARGE_FILES: &[&str] = &[
    "Cargo.lock",
    "crates/flow-meter/prices/",
    "docs/screenshots/",
    "web/openapi.json",
    "web/package-lock.json",
];

/// Files that are longer than [`FILE_LINES_MAX`], with the lines that they have. Only ever remove from here.
pub(super) const LONG_FILES: &[(&str, usize)] = &[];
