//! What the last run left: the newest whole snapshot, the inputs after it, and the verdict on the input that may have
//! killed it. Reads and tidies the directory before the journal writes anything new.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base::time::Now;

use super::cursor::{CursorFile, Judgement};
use super::segment::{self, Body, SegmentName, Torn};
use super::{JournalError, Progress};
use crate::seal::MasterKey;

/// The state of the core after one input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// That input.
    pub seq: u64,
    /// Build that made it.
    pub build: String,
    /// Hash of the configuration commit in force.
    pub config: [u8; 32],
    /// The state.
    pub bytes: Vec<u8>,
}

/// One input as it was journaled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// The time it was given.
    pub now: Now,
    /// It killed the program twice: the core is told so (`Input::SetAside`) and does not handle it.
    pub set_aside: bool,
    /// The input.
    pub payload: Vec<u8>,
}

/// What to do before the first new input.
#[derive(Debug)]
pub struct Recovery {
    /// State to begin with; none: the empty state.
    pub snapshot: Option<Snapshot>,
    /// Inputs after it, without gaps.
    pub tail: Vec<Record>,
    /// The last run did not stop as asked.
    pub unclean: bool,
    /// The input that this recovery sets aside for the first time.
    pub newly_set_aside: Option<u64>,
    /// The state is not to be saved: start empty, rebuild the tables from leg events, then hand over a snapshot.
    /// `snapshot` and `tail` are empty.
    pub rebuild: bool,
    /// For the log: damage found and what was done about it.
    pub notes: Vec<String>,
    /// To be told where the replay stands and when it is over.
    pub progress: Progress,
}

/// What [`super::Journal::open`] needs to go on.
pub(super) struct Found {
    pub recovery: Recovery,
    pub next_seq: u64,
    pub next_number: u64,
    pub snapshot_seq: u64,
    /// To be written before anything else.
    pub marks: Vec<Body>,
}

/// Everything in order, from the files that matter.
#[derive(Default)]
struct Scan {
    records: Vec<Record>,
    skips: BTreeSet<u64>,
    /// First and last input of the last turn.
    last_turn: Option<(u64, u64)>,
    clean_stop: bool,
    /// Inputs below do not count.
    valid_from: u64,
    torn: Vec<Torn>,
}

impl Scan {
    /// Takes one body; false when an input is missing before it.
    fn take(&mut self, body: Body, after: u64) -> bool {
        self.clean_stop = matches!(body, Body::CleanStop);
        match body {
            Body::Inputs { payloads, .. } if payloads.is_empty() => {}
            Body::Inputs { first_seq, now, payloads, .. } => {
                let last = first_seq + (payloads.len() as u64).saturating_sub(1);
                let expected = self.records.last().map_or(after + 1, |record| record.seq + 1);
                if last < expected {
                    return true;
                }
                if first_seq > expected && !(self.records.is_empty() && first_seq == self.valid_from) {
                    return false;
                }
                self.last_turn = Some((first_seq, last));
                for (seq, payload) in (first_seq..).zip(payloads) {
                    if seq >= expected {
                        self.records.push(Record { seq, now, set_aside: false, payload });
                    }
                }
            }
            Body::Skip { seq } => {
                self.skips.insert(seq);
            }
            Body::CleanStop => {}
            Body::Rebuilt { next_seq } => {
                self.records.clear();
                self.last_turn = None;
                self.valid_from = next_seq;
            }
        }
        true
    }
}

/// Reads segments in order until an input is missing. Returns how many segments were used.
fn scan(dir: &Path, master: &MasterKey, segments: &[SegmentName], after: u64) -> Result<(Scan, usize), JournalError> {
    let mut scan = Scan::default();
    for (used, name) in segments.iter().enumerate() {
        let found = segment::read_segment(&dir.join(name.file_name()), master)?;
        for body in found.bodies {
            if !scan.take(body, after) {
                return Ok((scan, used));
            }
        }
        scan.torn.extend(found.torn);
    }
    Ok((scan, segments.len()))
}

/// The newest whole snapshot not newer than `at_most`.
fn newest_snapshot(
    dir: &Path,
    master: &MasterKey,
    snapshots: &[u64],
    notes: &mut Vec<String>,
) -> Result<Option<Snapshot>, JournalError> {
    for seq in snapshots.iter().rev() {
        let path = dir.join(segment::snapshot_name(*seq));
        match segment::read_snapshot(&path, master)? {
            Some(snapshot) => return Ok(Some(snapshot)),
            None => notes.push(format!("{}: damaged, an older snapshot is used", path.display())),
        }
    }
    Ok(None)
}

/// Segments that can hold inputs after `after`.
fn needed(segments: &[SegmentName], after: u64) -> &[SegmentName] {
    let first = segments.iter().rposition(|name| name.first_seq <= after + 1).unwrap_or(0);
    // Marks alone leave several segments with the same first input.
    let first_seq = segments.get(first).map_or(0, |name| name.first_seq);
    let first = segments.iter().position(|name| name.first_seq == first_seq).unwrap_or(0);
    &segments[first..]
}

pub(super) fn recover(dir: &Path, master: &MasterKey) -> Result<Found, JournalError> {
    let mut notes = Vec::new();
    let (segments, snapshots) = segment::list(dir)?;
    let cursor_path = dir.join("cursor");
    let (cursor_file, cursor) = CursorFile::open(&cursor_path)?;
    let mut snapshot = newest_snapshot(dir, master, &snapshots, &mut notes)?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    let tail = needed(&segments, after);
    let (mut scan, used) = scan(dir, master, tail, after)?;
    if scan.valid_from > after + 1 {
        snapshot = None;
    }
    cut(&scan.torn, &mut notes)?;
    set_files_aside(dir, &tail[used..], "inputs before it are missing", &mut notes)?;

    let used_before = !segments.is_empty();
    let clean_stop = scan.clean_stop || !used_before;
    let unclean = !clean_stop || cursor.entering != 0;
    let (cursor, judgement) = cursor.judge(clean_stop, scan.last_turn);
    let nothing_to_begin_with =
        snapshot.is_none() && scan.valid_from == 0 && segments.first().is_some_and(|first| first.first_seq > 1);
    let judgement = if nothing_to_begin_with { Judgement::Rebuild } else { judgement };
    if let Err(error) = cursor_file.write(cursor) {
        notes.push(format!("{}: {error}; an input that kills the program will not be found", cursor_path.display()));
    }

    let mut last_seq = scan.records.last().map_or(after.max(scan.valid_from.saturating_sub(1)), |last| last.seq);
    let mut marks = Vec::new();
    let mut newly_set_aside = None;
    match judgement {
        Judgement::Replay => {}
        Judgement::SetAside(seq) => {
            if scan.skips.insert(seq) {
                newly_set_aside = Some(seq);
                marks.push(Body::Skip { seq });
            }
        }
        Judgement::Rebuild => {
            last_seq = last_seq.max(segments.last().map_or(0, |name| name.first_seq));
            snapshot = None;
            scan.records.clear();
            marks.push(Body::Rebuilt { next_seq: last_seq + 1 });
            let kept = segments.len() - (tail.len() - used);
            set_files_aside(dir, &segments[..kept], "the state could not be recovered and is begun anew", &mut notes)?;
            delete_snapshots(dir, &snapshots)?;
        }
    }
    mark_set_aside(&mut scan);
    let snapshot_seq = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    let recovery = Recovery {
        snapshot,
        tail: scan.records,
        unclean,
        newly_set_aside,
        rebuild: judgement == Judgement::Rebuild,
        notes,
        progress: Progress { cursor: cursor_file },
    };
    let next_number = segments.last().map_or(0, |name| name.number) + 1;
    Ok(Found { recovery, next_seq: last_seq + 1, next_number, snapshot_seq, marks })
}

fn mark_set_aside(scan: &mut Scan) {
    for record in &mut scan.records {
        record.set_aside = scan.skips.contains(&record.seq);
    }
}

/// Cuts torn tails off, so that they are reported once.
fn cut(torn: &[Torn], notes: &mut Vec<String>) -> Result<(), JournalError> {
    for torn in torn {
        let failed = |error| JournalError::File { path: torn.path.clone(), error };
        if torn.good_bytes == 0 {
            fs::remove_file(&torn.path).map_err(failed)?;
        } else {
            let file = fs::OpenOptions::new().write(true).open(&torn.path).map_err(failed)?;
            file.set_len(torn.good_bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        notes.push(format!(
            "{}: the last {} bytes were not whole and are cut off",
            torn.path.display(),
            torn.lost_bytes
        ));
    }
    Ok(())
}

/// Segments that cannot be replayed are kept under another name for whoever looks into it, until they are too old.
fn set_files_aside(
    dir: &Path,
    segments: &[SegmentName],
    why: &str,
    notes: &mut Vec<String>,
) -> Result<(), JournalError> {
    for name in segments {
        let path = dir.join(name.file_name());
        if !path.exists() {
            continue;
        }
        let aside = dir.join(format!("lost-{}", name.file_name()));
        fs::rename(&path, &aside).map_err(|error| JournalError::File { path: path.clone(), error })?;
        notes.push(format!("{}: {why}; kept as {}", path.display(), aside.display()));
    }
    Ok(())
}

/// Snapshots of a state that was given up must never be begun with again.
fn delete_snapshots(dir: &Path, snapshots: &[u64]) -> Result<(), JournalError> {
    for seq in snapshots {
        let path = dir.join(segment::snapshot_name(*seq));
        fs::remove_file(&path).map_err(|error| JournalError::File { path: path.clone(), error })?;
    }
    Ok(())
}

/// The past as far as the ring reaches, for exact replay and for looking into.
#[derive(Debug)]
pub struct History {
    /// State to begin with; none: the empty state.
    pub snapshot: Option<Snapshot>,
    /// All inputs after it, without gaps.
    pub records: Vec<Record>,
    /// Builds that wrote the segments, oldest first, neighbours differ.
    pub builds: Vec<String>,
}

/// Reads the whole ring without changing anything; also while the program runs.
pub fn history(dir: &Path, master: &MasterKey) -> Result<History, JournalError> {
    let (segments, snapshots) = segment::list(dir)?;
    let mut builds: Vec<String> = Vec::new();
    for name in &segments {
        let found = segment::read_segment(&dir.join(name.file_name()), master)?;
        builds.extend(found.header.map(|header| header.build));
    }
    builds.dedup();
    let oldest = segments.first().map_or(0, |name| name.first_seq);
    // From the empty state when nothing was deleted yet, otherwise from the oldest snapshot within the ring.
    let mut snapshot = None;
    for seq in snapshots.iter().filter(|seq| oldest > 1 && **seq + 1 >= oldest) {
        snapshot = segment::read_snapshot(&dir.join(segment::snapshot_name(*seq)), master)?;
        if snapshot.is_some() {
            break;
        }
    }
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    let (mut scan, _) = scan(dir, master, needed(&segments, after), after)?;
    if scan.valid_from > after + 1 {
        snapshot = None;
    }
    mark_set_aside(&mut scan);
    Ok(History { snapshot, records: scan.records, builds })
}
