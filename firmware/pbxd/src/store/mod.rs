//! The main database: the leg-event journal, the index and keys of recordings, configuration commits. One thread
//! writes ([`Store`]), in group commits; whoever reads opens the file for reading ([`read`]). Recorded audio is not
//! here but in the recorder's files.

pub mod at;
pub mod main_db;
pub mod read;
mod rows;
mod schema;
mod writer;

use std::fmt;
use std::path::PathBuf;

use base::id::Uid;
use pbx::commit::{CommitRow, Label};
use pbx::door::{RecordingChange, Trouble};
use pbx::event::LegEvent;
use rusqlite::{Connection, OpenFlags};

use crate::seal::WrappedKey;

pub use main_db::MainDb;
pub use schema::VERSION;
pub use writer::{Refused, Store, StoreClient};

/// Where the databases are and through which file layer SQLite reaches them.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `<data>`: `main.db` and `recordings/` are in it.
    pub dir: PathBuf,
    /// Name of a registered SQLite VFS; none for the system's. Power-cut tests give theirs.
    pub vfs: Option<String>,
}

impl Options {
    /// The databases in `dir`, through the system's file layer.
    pub fn new(dir: impl Into<PathBuf>) -> Options {
        Options { dir: dir.into(), vfs: None }
    }

    /// The main database.
    pub fn main_path(&self) -> PathBuf {
        self.dir.join("main.db")
    }

    /// Opens one database file for writing: WAL, synced at each commit.
    pub(crate) fn open(&self, path: &std::path::Path, page_bytes: u32) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = self.connect(path, flags)?;
        connection.pragma_update(None, "page_size", page_bytes)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        Ok(connection)
    }

    /// Opens one database file for reading, beside the thread that writes it.
    pub(crate) fn open_to_read(&self, path: &std::path::Path) -> rusqlite::Result<Connection> {
        self.connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
    }

    fn connect(&self, path: &std::path::Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str())?,
            None => Connection::open_with_flags(path, flags)?,
        };
        connection.busy_timeout(std::time::Duration::from_secs(2))?;
        Ok(connection)
    }
}

/// Why the store cannot be opened, read or written.
#[derive(Debug)]
pub enum StoreError {
    /// The database was written by a newer build.
    NewerSchema {
        /// Its version.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// The database was written by an older build, and is only to be read.
    OlderSchema {
        /// Its version.
        found: i64,
        /// The one that this build reads.
        known: i64,
    },
    /// SQLite.
    Sqlite(rusqlite::Error),
    /// A directory or thread.
    System(PathBuf, std::io::Error),
    /// A stored row does not read back; seq or id.
    Row(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Sqlite(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::NewerSchema { found, known } => write!(
                f,
                "the database has schema {found}, this build knows up to {known}; install the newer firmware again, \
                 or give this one another data directory"
            ),
            StoreError::OlderSchema { found, known } => write!(
                f,
                "the database has schema {found} of an older firmware, this build reads {known}; start the box once with \
                 this data directory, which brings it up to date, or read it with the build that wrote it"
            ),
            StoreError::Sqlite(error) => write!(f, "{error}; {}", remedy(error)),
            StoreError::System(place, error) => write!(f, "{}: {error}", place.display()),
            StoreError::Row(row) => write!(f, "row {row} cannot be read back; export it with sqlite3 and report it"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What a person can do about a failure of SQLite.
pub(crate) fn remedy(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DiskFull) => "free space on the file system of the data directory; writing is tried again",
        Some(Code::ReadOnly | Code::PermissionDenied | Code::CannotOpen) => {
            "make the data directory exist and be writable for the user that runs pbxd"
        }
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => {
            "the file is damaged: stop pbxd, keep a copy, and recover it with 'sqlite3 FILE .recover'"
        }
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            "another program holds the database open for writing: end it"
        }
        Some(Code::SystemIoFailure) => "check the disk (dmesg, smartctl); writing is tried again",
        _ => "report it with the log",
    }
}

/// To the writer. Every request may be given twice without harm.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// A fact.
    Leg(LegEvent),
    /// A recording begins or is complete.
    Recording(RecordingChange),
    /// A key of a recording, before anything that it sealed is committed.
    Key(KeyRow),
    /// A recorder thread wrote the last chunk of a recording.
    Head(ChainHead),
    /// What the chunks of a recording hold; closes one that the index did not know.
    Length {
        /// Which recording.
        recording: Uid,
        /// Up to the end of its last frame, at 8 kHz.
        samples: u64,
    },
    /// A configuration commit.
    Commit(CommitRow),
    /// It was confirmed.
    CommitConfirmed(u64),
    /// Forgets all commits before this number: their secrets belong to somebody who has left. What a file brought last is
    /// remembered.
    ForgetCommits(u64),
    /// The commit to go back to when nothing else helps; none: there is none.
    Rescue(Option<u64>),
    /// Destroys all keys of a recording: nobody can play it any more.
    Erase(Uid),
}

/// A key that sealed one segment of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRow {
    /// Whose.
    pub recording: Uid,
    /// Which segment.
    pub segment: u64,
    /// The key, wrapped under the master key.
    pub key: WrappedKey,
}

/// Where the chain of a recording ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainHead {
    /// Which recording.
    pub recording: Uid,
    /// Number of chunks of all segments.
    pub chunks: u64,
    /// Last link.
    pub head: [u8; 32],
}

/// One configuration commit as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigCommit {
    /// From 1.
    pub number: u64,
    /// When.
    pub wall_ms: i64,
    /// Who, from where, why.
    pub label: Label,
    /// SHA-256 of the text, hexadecimal.
    pub hash: String,
    /// The whole text.
    pub text: String,
    /// Until when it must be confirmed (UTC ms), and the number of the one that comes back otherwise.
    pub unconfirmed: Option<(i64, u64)>,
}

/// From the writer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// Every leg event up to this number is on the disk.
    Stored(u64),
    /// The configuration commit of this number is on the disk.
    CommitStored(u64),
    /// It cannot write, or can again; to be given to the core.
    Trouble(Trouble),
}

#[cfg(test)]
mod tests;
