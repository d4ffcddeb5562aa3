//! The input journal: every input of the core, in order, before it is handled, sealed at rest; and the snapshots that
//! keep its tail short. Recovery after a crash and the exact replay of a day both read it. It knows inputs only as
//! bytes. Leg events, which are facts for people, are the store's.
//!
//! A turn of the control task is one `write(2)`, which a killed program cannot lose; a helper thread syncs every
//! [`SYNC_EVERY`], so a power cut can lose that much.

mod cursor;
mod flusher;
pub mod follower;
pub mod lookout;
pub mod past;
mod recovery;
mod segment;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::time::{Instant, Now};

use crate::seal::{MasterKey, SealError, Sealer};
pub use cursor::Progress;
pub use flusher::SnapshotSink;
use flusher::{Flusher, Shared};
pub use recovery::{History, Record, Recovery, Snapshot, history};
pub use segment::Torn;
use segment::{Before, Body, SegmentHeader, SegmentName};

/// How often written records are synced to the disk.
pub const SYNC_EVERY: Duration = Duration::from_millis(500);
/// A segment ends at the first snapshot after so many bytes.
const SEGMENT_BYTES: u64 = 8 << 20;
/// A segment ends at so many bytes even when no snapshot comes.
const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// A segment ends at the first snapshot after so long.
const SEGMENT_AGE: Duration = Duration::from_secs(3600);

/// How much of the past is kept for exact replay, beyond what recovery needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ring {
    /// All segments and snapshots together.
    pub bytes_max: u64,
    /// Age of a segment's last write.
    pub age_max: Duration,
}

impl Default for Ring {
    fn default() -> Ring {
        Ring { bytes_max: 2 << 30, age_max: Duration::from_secs(7 * 24 * 3600) }
    }
}

/// Where and as whom to open the journal.
#[derive(Clone, Debug)]
pub struct Options {
    /// `<data>/journal`; made when missing.
    pub dir: PathBuf,
    /// Wraps the key of each segment.
    pub master: MasterKey,
    /// Build identity: only the same build replays byte for byte.
    pub build: String,
    /// Hash of the configuration commit in force.
    pub config: [u8; 32],
    /// What to keep.
    pub ring: Ring,
}

/// Why the journal cannot be read or written.
#[derive(Debug)]
pub enum JournalError {
    /// A file or directory.
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file was sealed under another chassis key.
    WrongKey {
        /// Which.
        path: PathBuf,
    },
    /// A segment is in a form that this build does not know: a newer build wrote it.
    OtherForm {
        /// Which.
        path: PathBuf,
    },
    /// No key could be made.
    Seal(SealError),
    /// A header could not be encoded; a bug of ours.
    Encoding,
    /// The helper thread could not be started.
    Thread(std::io::Error),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::File { path, error } if error.kind() == std::io::ErrorKind::StorageFull => {
                write!(f, "{}: no space left; free space on this file system, writing is tried again", path.display())
            }
            JournalError::File { path, error } => {
                write!(f, "{}: {error}; check that the file system is mounted, writable and healthy", path.display())
            }
            JournalError::WrongKey { path } => write!(
                f,
                "{}: sealed under another chassis key; put the right chassis.key back, or move the journal directory \
                 away to start without the calls that were up",
                path.display()
            ),
            JournalError::OtherForm { path } => write!(
                f,
                "{}: written by a newer build in a form that this one does not know; start the newer build, or move the \
                 journal directory away to start without the calls that were up",
                path.display()
            ),
            JournalError::Seal(error) => write!(f, "input journal: {error}"),
            JournalError::Encoding => f.write_str("input journal: a header could not be encoded"),
            JournalError::Thread(error) => write!(f, "input journal: no thread could be started: {error}"),
        }
    }
}

impl std::error::Error for JournalError {}

/// The journal, open for writing.
pub struct Journal {
    options: Options,
    next_seq: u64,
    segment: OpenSegment,
    shared: Arc<Shared>,
    flusher: Flusher,
    /// What the next frame is to say of the turns before it.
    before: Before,
    /// Plain and then sealed body of the turn at hand; kept for its capacity.
    body: Vec<u8>,
    /// The turn's frame; kept for its capacity.
    frame: Vec<u8>,
}

struct OpenSegment {
    name: SegmentName,
    /// Newest durable snapshot when it began.
    snapshot: u64,
    path: PathBuf,
    file: Arc<File>,
    sealer: Sealer,
    bytes: u64,
    /// Time of the first record.
    began: Option<Instant>,
    /// A failed write could not be undone: nothing may be written behind it.
    broken: bool,
}

impl Journal {
    /// Opens the journal for writing and finds out what the last run left. The caller replays [`Recovery`] before it
    /// appends anything.
    pub fn open(options: Options) -> Result<(Journal, Recovery), JournalError> {
        let failed = |error| JournalError::File { path: options.dir.clone(), error };
        std::fs::create_dir_all(&options.dir).map_err(failed)?;
        let found = recovery::recover(&options.dir, &options.master)?;
        let name = SegmentName { number: found.next_number, first_seq: found.next_seq };
        let segment = open_segment(&options, name, found.snapshot_seq)?;
        let shared = Arc::new(Shared::new(segment.file.clone(), segment.path.clone(), found.snapshot_seq));
        let flusher = Flusher::start(&options, shared.clone())?;
        let mut journal = Journal {
            options,
            next_seq: found.next_seq,
            segment,
            shared,
            flusher,
            before: Before::default(),
            body: Vec::new(),
            frame: Vec::new(),
        };
        for mark in &found.marks {
            journal.mark(mark)?;
        }
        journal.sync()?;
        Ok((journal, found.recovery))
    }

    /// Number that the next input gets; the first of all is 1.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Writes the inputs of one control turn, all or none, and returns the number of the first. One `write(2)`. After
    /// an error nothing was written and the same numbers are given again.
    pub fn append<P: AsRef<[u8]>>(&mut self, now: Now, payloads: &[P]) -> Result<u64, JournalError> {
        self.rotate_when_due(now.at)?;
        let first_seq = self.next_seq;
        if payloads.is_empty() {
            return Ok(first_seq);
        }
        self.body.clear();
        segment::put_inputs(&mut self.body, first_seq, now, payloads, &self.before);
        self.write_body()?;
        self.told_before();
        self.segment.began.get_or_insert(now.at);
        self.next_seq += payloads.len() as u64;
        Ok(first_seq)
    }

    /// Notes the digest of all that journaled input `seq` led to, for a replay to compare with. It goes to the disk with
    /// the next turn: one turn's digests are lost with a crash.
    pub fn put_outputs(&mut self, seq: u64, digest: u32) {
        let before = &mut self.before;
        if before.first_seq + before.digests.len() as u64 != seq {
            before.digests.clear();
            before.first_seq = seq;
        }
        before.digests.push(digest);
    }

    /// Inputs were handled that could not be journaled: the next turn says so.
    pub fn after_gap(&mut self) {
        self.before.gap = true;
    }

    fn told_before(&mut self) {
        self.before.digests.clear();
        self.before.gap = false;
    }

    /// Hands over the state after input `seq`; it becomes durable off-thread, then old segments go.
    pub fn snapshot(&self, seq: u64, bytes: Vec<u8>) {
        self.flusher.sink().put(seq, bytes);
    }

    /// For a thread of its own that makes snapshots.
    pub fn snapshot_sink(&self) -> SnapshotSink {
        self.flusher.sink()
    }

    /// A new configuration is in force: later segments and snapshots name it.
    pub fn configured(&mut self, config: [u8; 32]) {
        self.options.config = config;
        self.shared.set_config(config);
    }

    /// Failure of the helper thread (sync, snapshot, deletion), told once.
    pub fn take_trouble(&self) -> Option<JournalError> {
        self.shared.take_trouble()
    }

    /// Snapshot that is durable now; 0 for none.
    pub fn durable_snapshot(&self) -> u64 {
        self.shared.snapshot_seq.load(Ordering::Acquire)
    }

    /// The program stops as asked; all is synced when this returns.
    pub fn mark_clean_stop(mut self) -> Result<(), JournalError> {
        if !self.before.digests.is_empty() {
            self.body.clear();
            let nothing: [&[u8]; 0] = [];
            segment::put_inputs(&mut self.body, self.next_seq, Now::default(), &nothing, &self.before);
            self.write_body()?;
            self.told_before();
        }
        self.mark(&Body::CleanStop)?;
        self.sync()?;
        self.flusher.stop();
        Ok(())
    }

    /// Syncs now, on the caller's thread.
    pub fn sync(&self) -> Result<(), JournalError> {
        let failed = |error| JournalError::File { path: self.segment.path.clone(), error };
        self.segment.file.sync_data().map_err(failed)
    }

    fn mark(&mut self, mark: &Body) -> Result<(), JournalError> {
        self.body.clear();
        segment::put_mark(&mut self.body, mark);
        self.write_body()
    }

    /// Seals and writes `self.body`; a write that fails half way is undone.
    fn write_body(&mut self) -> Result<(), JournalError> {
        if self.segment.broken {
            self.rotate()?;
        }
        self.frame.clear();
        segment::put_frame(&mut self.frame, &mut self.segment.sealer, &mut self.body).map_err(JournalError::Seal)?;
        let mut file: &File = &self.segment.file;
        if let Err(error) = file.write_all(&self.frame) {
            self.segment.broken = file.set_len(self.segment.bytes).is_err();
            return Err(JournalError::File { path: self.segment.path.clone(), error });
        }
        self.segment.bytes += self.frame.len() as u64;
        self.shared.dirty.store(true, Ordering::Release);
        Ok(())
    }

    fn rotate_when_due(&mut self, now: Instant) -> Result<(), JournalError> {
        let segment = &self.segment;
        let old = segment.began.is_some_and(|began| now.since(began) >= SEGMENT_AGE);
        let full = segment.bytes >= SEGMENT_BYTES;
        let snapshot_came = self.durable_snapshot() > segment.snapshot;
        if ((full || old) && snapshot_came) || segment.bytes >= SEGMENT_BYTES_MAX { self.rotate() } else { Ok(()) }
    }

    fn rotate(&mut self) -> Result<(), JournalError> {
        let name = SegmentName { number: self.segment.name.number + 1, first_seq: self.next_seq };
        self.segment = open_segment(&self.options, name, self.durable_snapshot())?;
        self.shared.replace_file(self.segment.file.clone(), self.segment.path.clone());
        Ok(())
    }
}

fn open_segment(options: &Options, name: SegmentName, snapshot: u64) -> Result<OpenSegment, JournalError> {
    let path = options.dir.join(name.file_name());
    let failed = |error| JournalError::File { path: path.clone(), error };
    let context = segment::segment_context(name.first_seq);
    let (sealer, key) = Sealer::fresh(&options.master, &context).map_err(JournalError::Seal)?;
    let header = SegmentHeader {
        build: options.build.clone(),
        config: options.config,
        first_seq: name.first_seq,
        snapshot,
        key: key.0.to_vec(),
    };
    let head = segment::file_header(segment::SEGMENT_MAGIC, &header)?;
    // A file of this name can only be left from an attempt that failed before anything was written behind its header.
    let _ = std::fs::remove_file(&path);
    let mut file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(failed)?;
    file.write_all(&head).map_err(failed)?;
    let bytes = head.len() as u64;
    Ok(OpenSegment { name, snapshot, path, file: Arc::new(file), sealer, bytes, began: None, broken: false })
}

/// Makes a new directory entry durable.
fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;
