//! Writing: flows are added in any order, committed in groups, and the file is finished when its segment is sealed.
//!
//! Which flows are in stands in the same transaction as their texts: all up to the watermark, and single ones
//! beyond it. After an error the writer is of no more use: what was not committed is gone, and the file is opened
//! again or made anew.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::hash::BuildHasherDefault;
use std::path::{Path, PathBuf};

use flow_query::{TextKind, fold};
use rusqlite::{Connection, params};

use super::file::{self, TextError};
use super::terms::{Hashed, Known, News};
use super::tokens;
use crate::format;

/// Texts that are known by their hash: 36 MB. A text beyond them is stored once more, which does no harm.
const KNOWN_TEXTS_MAX: u32 = 1_835_008;
/// Bytes at which a chunk of terms is left as it is and the next one begun.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of a chunk of terms in a finished file.
const FINISHED_CHUNK_BYTES: usize = 1024 * 1024;
/// Name that a file has while it is being finished, behind its own.
const UNFINISHED: &str = "-unfinished";

/// A text index that is being written.
pub struct TextWriter {
    path: PathBuf,
    connection: Connection,
    key: [u8; blake3::KEY_LEN],
    open: bool,
    /// All flows up to this one are in, and those in `done`.
    watermark: i64,
    done: BTreeSet<i64>,
    /// Texts by their hash; the highest number is `texts`.
    known: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    texts: i64,
    terms: Known,
    /// The last chunk of terms, and what is to be added to the list.
    chunk: i64,
    list: Vec<u8>,
    changed: bool,
    /// The tokens of the text at hand, as FTS5 is given them.
    words: String,
}

/// A text index that is complete and waits to take its place.
pub struct Finished {
    path: PathBuf,
    unfinished: PathBuf,
    writer: Connection,
}

// === impl TextWriter ===

impl TextWriter {
    /// Creates an empty index; one that is there already is removed.
    pub fn create(path: &Path) -> Result<Self, TextError> {
        Self::new(path, file::create(path)?)
    }

    /// Opens an index to go on. Whatever [`TextError::Spoilt`] says, [`Self::create`] puts right.
    pub fn open(path: &Path) -> Result<Self, TextError> {
        Self::new(path, file::open_to_write(path)?)
    }

    fn new(path: &Path, connection: Connection) -> Result<Self, TextError> {
        let mut writer = Self {
            path: path.to_owned(),
            connection,
            key: [0; blake3::KEY_LEN],
            open: false,
            watermark: 0,
            done: BTreeSet::new(),
            known: HashMap::default(),
            texts: 0,
            terms: Known::new(),
            chunk: 0,
            list: vec![b'\n'],
            changed: false,
            words: String::new(),
        };
        writer.recall().map_err(|error| file::sort(path, error))?;
        Ok(writer)
    }

    /// Takes in what the file says of the work done.
    fn recall(&mut self) -> Result<(), rusqlite::Error> {
        let Self { connection, .. } = self;
        let meta = "SELECT value FROM meta WHERE key = ?1";
        self.key = connection.query_one(meta, ["key"], |row| row.get(0))?;
        self.watermark = connection.query_one(meta, ["watermark"], |row| row.get(0))?;
        let mut statement = connection.prepare("SELECT n FROM done")?;
        for n in statement.query_map([], |row| row.get(0))? {
            self.done.insert(n?);
        }
        let sql = "SELECT coalesce(max(t), 0) FROM uses";
        self.texts = connection.query_one(sql, [], |row| row.get(0))?;
        let mut statement =
            connection.prepare("SELECT hash, t FROM hashes ORDER BY t DESC LIMIT ?1")?;
        let mut rows = statement.query([KNOWN_TEXTS_MAX])?;
        while let Some(row) = rows.next()? {
            self.known
                .entry(row.get::<_, i64>(0)?.cast_unsigned())
                .or_insert(row.get(1)?);
        }
        let mut statement = connection.prepare("SELECT chunk, words FROM terms ORDER BY chunk")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.chunk = row.get(0)?;
            self.list = row.get(1)?;
            self.terms.learn(&String::from_utf8_lossy(&self.list));
        }
        Ok(())
    }

    /// Returns the number up to which all flows are in.
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// Returns whether a flow is in.
    pub fn is_done(&self, n: i64) -> bool {
        n <= self.watermark || self.done.contains(&n)
    }

    /// Adds the texts that a flow introduced, with their nodes; none for a flow that has no text, is deleted or
    /// cannot be read. A flow that is in already is left as it is.
    pub fn add(&mut self, n: i64, parts: &[(TextKind, i64, &str)]) -> Result<(), TextError> {
        if self.is_done(n) {
            return Ok(());
        }
        self.put(n, parts)
            .map_err(|error| file::sort(&self.path, error))
    }

    /// Adds the last node of each chain that a flow's request is made of, so that it is found by what earlier
    /// flows brought. It stands before [`Self::add`], which makes the flow one that is in.
    pub fn add_heads(&mut self, n: i64, nodes: &[i64]) -> Result<(), TextError> {
        if nodes.is_empty() || self.is_done(n) {
            return Ok(());
        }
        self.put_heads(n, nodes)
            .map_err(|error| file::sort(&self.path, error))
    }

    /// Makes what was added last, and readers see it.
    pub fn commit(&mut self) -> Result<(), TextError> {
        self.flush().map_err(|error| file::sort(&self.path, error))
    }

    /// Finishes the index: the segment is sealed. Readers go on with the old file until the new one is
    /// [put in its place](Finished::replace).
    pub fn finish(mut self) -> Result<Finished, TextError> {
        self.commit()?;
        let mut unfinished = self.path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        file::remove(&unfinished)?;
        crate::dir::private_file(&unfinished).map_err(file::failed("create", &unfinished))?;
        let name = unfinished.to_string_lossy();
        let make = || -> Result<(), rusqlite::Error> {
            let connection = &self.connection;
            connection.execute_batch("INSERT INTO texts (texts) VALUES ('optimize')")?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            list_terms(connection)?;
            connection.execute_batch("DELETE FROM hashes; COMMIT")?;
            connection.execute("VACUUM INTO ?1", [name])?;
            Ok(())
        };
        make().map_err(|error| file::sort(&self.path, error))?;
        file::seal(&unfinished)?;
        Ok(Finished {
            path: self.path,
            unfinished,
            writer: self.connection,
        })
    }

    fn begin(&mut self) -> Result<(), rusqlite::Error> {
        if !self.open {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.open = true;
        }
        Ok(())
    }

    fn put_heads(&mut self, n: i64, nodes: &[i64]) -> Result<(), rusqlite::Error> {
        self.begin()?;
        let mut blob = Vec::with_capacity(nodes.len() * 3);
        for node in nodes {
            format::put_varint(&mut blob, node.cast_unsigned());
        }
        self.connection
            .prepare_cached("INSERT INTO heads (n, nodes) VALUES (?1, ?2)")?
            .execute(params![n, blob])?;
        Ok(())
    }

    fn put(&mut self, n: i64, parts: &[(TextKind, i64, &str)]) -> Result<(), rusqlite::Error> {
        self.begin()?;
        // Parts that have node and kind in common stand together in most flows, but need not.
        let mut counts: HashMap<(TextKind, i64), u32> = HashMap::new();
        for &(kind, node, text) in parts {
            let part = counts.entry((kind, node)).or_default();
            let t = self.text(text)?;
            let sql = "INSERT INTO uses VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.execute(params![t, n, node, kind.number(), *part])?;
            *part += 1;
        }
        self.connection
            .prepare_cached("INSERT INTO done VALUES (?1)")?
            .execute([n])?;
        self.done.insert(n);
        Ok(())
    }

    /// Returns the number of a text, which is stored where it is new.
    fn text(&mut self, text: &str) -> Result<i64, rusqlite::Error> {
        let hash = blake3::keyed_hash(&self.key, text.as_bytes());
        let hash = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        let hash = u64::from_le_bytes(hash);
        if let Some(&t) = self.known.get(&hash) {
            return Ok(i64::from(t));
        }
        self.texts += 1;
        let t = self.texts;
        if self.known.len() >= KNOWN_TEXTS_MAX as usize {
            self.known.clear();
        }
        if let Ok(t) = u32::try_from(t) {
            self.known.insert(hash, t);
        }
        self.connection
            .prepare_cached("INSERT INTO hashes VALUES (?1, ?2)")?
            .execute([t, hash.cast_signed()])?;
        self.words.clear();
        let folded = fold(text);
        for token in tokens::tokens(&folded) {
            match self.terms.meet(token, t) {
                News::None => continue,
                News::Token => {}
                News::Term => {
                    self.list.extend_from_slice(token.as_bytes());
                    self.list.push(b'\n');
                    self.changed = true;
                }
            }
            self.words.push_str(token);
            self.words.push(' ');
        }
        if self.list.len() >= CHUNK_BYTES {
            self.write_terms()?;
        }
        if !self.words.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO texts (rowid, words) VALUES (?1, ?2)")?
                .execute(params![t, self.words])?;
        }
        Ok(t)
    }

    /// Writes the last chunk of terms, and begins the next one where it is full.
    fn write_terms(&mut self) -> Result<(), rusqlite::Error> {
        if !self.changed {
            return Ok(());
        }
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO terms VALUES (?1, ?2)")?
            .execute(params![self.chunk, self.list])?;
        self.changed = false;
        if self.list.len() >= CHUNK_BYTES {
            self.chunk += 1;
            self.list.truncate(1);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), rusqlite::Error> {
        if !self.open {
            return Ok(());
        }
        self.write_terms()?;
        let mut watermark = self.watermark;
        while self.done.remove(&(watermark + 1)) {
            watermark += 1;
        }
        if watermark > self.watermark {
            self.watermark = watermark;
            self.connection
                .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'watermark'")?
                .execute([watermark])?;
            self.connection
                .prepare_cached("DELETE FROM done WHERE n <= ?1")?
                .execute([watermark])?;
        }
        self.connection.execute_batch("COMMIT")?;
        self.open = false;
        Ok(())
    }
}

// === impl Finished ===

impl Finished {
    /// Puts the finished file in the place of the one that was written to. No reader may have that one open.
    pub fn replace(self) -> Result<(), TextError> {
        let closed = self.writer.close();
        closed.map_err(|(_, error)| file::sort(&self.path, error))?;
        file::remove_log(&self.path)?;
        fs::rename(&self.unfinished, &self.path).map_err(file::failed("name", &self.path))?;
        let dir = self.path.parent().unwrap_or(Path::new("."));
        crate::dir::sync(dir).map_err(file::failed("sync", dir))
    }
}

/// Writes the list of terms anew, sorted and each term once, as the index itself tells them.
fn list_terms(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(
        "DELETE FROM terms;
         CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, texts, row)",
    )?;
    let mut insert = connection.prepare("INSERT INTO terms VALUES (?1, ?2)")?;
    let mut statement = connection.prepare("SELECT term FROM temp.vocabulary")?;
    let mut rows = statement.query([])?;
    let (mut chunk, mut list) = (0, vec![b'\n']);
    while let Some(row) = rows.next()? {
        list.extend_from_slice(row.get_ref(0)?.as_bytes()?);
        list.push(b'\n');
        if list.len() >= FINISHED_CHUNK_BYTES {
            insert.execute(params![chunk, list])?;
            chunk += 1;
            list.truncate(1);
        }
    }
    insert.execute(params![chunk, list])?;
    Ok(())
}
