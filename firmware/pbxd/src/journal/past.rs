//! The past as far as the ring reaches, one segment in memory at a time: for the exact replay of a day. Only reads, also
//! while the program runs. Judges nothing and changes nothing; recovery has its own reader ([`super::recovery`]).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use base::time::{Now, Wall};

use super::segment::{self, Body, SegmentName};
use super::{JournalError, Record, Snapshot};
use crate::seal::MasterKey;

/// What a first look over the ring found, and the way to read it.
#[derive(Debug)]
pub struct Past {
    dir: PathBuf,
    master: MasterKey,
    segments: Vec<SegmentName>,
    snapshots: Vec<u64>,
    skips: BTreeSet<u64>,
    /// Digest of what input `first_seq + index` led to.
    digests: VecDeque<Option<u32>>,
    first_seq: u64,
    last_seq: u64,
    /// Time of the newest input.
    last: Option<Now>,
    /// Time of the first input after each kept state.
    moments: BTreeMap<u64, Now>,
    builds: Vec<String>,
}

/// One input with what is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The input.
    pub record: Record,
    /// Digest of what it led to; none when a former build wrote it, or when the program died before the next turn.
    pub digest: Option<u32>,
    /// The state before it does not follow from the inputs before it: some were not journaled, or the state was given
    /// up and begun anew.
    pub gap: bool,
    /// The build that wrote it.
    pub build: String,
}

impl Past {
    /// Looks over the whole ring.
    ///
    /// # Errors
    /// A file that cannot be read, is sealed under another key, or was written by a newer build.
    pub fn open(dir: &Path, master: MasterKey) -> Result<Past, JournalError> {
        let (segments, snapshots) = segment::list(dir)?;
        let first_seq = segments.first().map_or(1, |name| name.first_seq);
        let mut past = Past {
            dir: dir.into(),
            master,
            segments,
            snapshots,
            skips: BTreeSet::new(),
            digests: VecDeque::new(),
            first_seq,
            last_seq: first_seq.saturating_sub(1),
            last: None,
            moments: BTreeMap::new(),
            builds: Vec::new(),
        };
        for name in past.segments.clone() {
            let found = segment::read_segment(&past.dir.join(name.file_name()), &past.master)?;
            past.builds.extend(found.header.map(|header| header.build));
            for body in found.bodies {
                past.look(body);
            }
        }
        past.builds.dedup();
        Ok(past)
    }

    fn look(&mut self, body: Body) {
        match body {
            Body::Inputs { first_seq, now, payloads, before } => {
                for (seq, digest) in (before.first_seq..).zip(before.digests) {
                    self.note_digest(seq, digest);
                }
                if payloads.is_empty() {
                    return;
                }
                let last = first_seq + payloads.len() as u64 - 1;
                self.last_seq = self.last_seq.max(last);
                self.last = Some(now);
                for after in self.snapshots.iter().filter(|seq| (first_seq..=last).contains(&(**seq + 1))) {
                    self.moments.insert(*after, now);
                }
            }
            Body::Skip { seq } => {
                self.skips.insert(seq);
            }
            Body::CleanStop | Body::Rebuilt { .. } => {}
        }
    }

    fn note_digest(&mut self, seq: u64, digest: u32) {
        let Some(index) = seq.checked_sub(self.first_seq).and_then(|index| usize::try_from(index).ok()) else { return };
        // Digests follow inputs that were looked at already; anything else is damage.
        if seq > self.last_seq {
            return;
        }
        if self.digests.len() <= index {
            self.digests.resize(index + 1, None);
        }
        self.digests[index] = Some(digest);
    }

    /// Number of the oldest and of the newest input.
    pub fn range(&self) -> (u64, u64) {
        (self.first_seq, self.last_seq)
    }

    /// Time of the newest input; none when the ring is empty.
    pub fn last_time(&self) -> Option<Now> {
        self.last
    }

    /// Builds that wrote the ring, oldest first, neighbours differ.
    pub fn builds(&self) -> &[String] {
        &self.builds
    }

    /// Whether the ring reaches back to the very first input, before which the state is empty.
    pub fn from_the_beginning(&self) -> bool {
        self.first_seq <= 1
    }

    /// Inputs after which the state is kept, oldest first.
    pub fn states(&self) -> &[u64] {
        &self.snapshots
    }

    /// The newest kept state before which nothing later than `wall` was given; none when there is no such state.
    pub fn state_before(&self, wall: Wall) -> Option<u64> {
        self.moments.iter().rev().find(|(_, now)| now.wall <= wall).map(|(seq, _)| *seq)
    }

    /// The state after input `seq`; none when it is damaged or gone meanwhile.
    ///
    /// # Errors
    /// It is sealed under another key.
    pub fn state(&self, seq: u64) -> Result<Option<Snapshot>, JournalError> {
        match segment::read_snapshot(&self.dir.join(segment::snapshot_name(seq)), &self.master) {
            Err(JournalError::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            found => found,
        }
    }

    /// All inputs behind `after`, in order, up to the newest that the first look found.
    pub fn steps(&self, after: u64) -> Steps<'_> {
        let first = self.segments.iter().rposition(|name| name.first_seq <= after + 1).unwrap_or(0);
        // Marks alone leave several segments with the same first input.
        let first_seq = self.segments.get(first).map_or(0, |name| name.first_seq);
        let first = self.segments.iter().position(|name| name.first_seq == first_seq).unwrap_or(0);
        Steps { past: self, next_segment: first, next_seq: after + 1, ready: VecDeque::new(), gap: false }
    }
}

/// The inputs in order; see [`Past::steps`].
#[derive(Debug)]
pub struct Steps<'a> {
    past: &'a Past,
    next_segment: usize,
    next_seq: u64,
    ready: VecDeque<Step>,
    gap: bool,
}

impl Steps<'_> {
    /// Reads one more segment; false when there is none.
    fn refill(&mut self) -> Result<bool, JournalError> {
        let Some(name) = self.past.segments.get(self.next_segment) else { return Ok(false) };
        self.next_segment += 1;
        let found = segment::read_segment(&self.past.dir.join(name.file_name()), &self.past.master)?;
        let build = found.header.map(|header| header.build).unwrap_or_default();
        for body in found.bodies {
            match body {
                Body::Inputs { first_seq, now, payloads, before } => {
                    self.gap |= before.gap;
                    for (seq, payload) in (first_seq..).zip(payloads) {
                        self.take(Record { seq, now, set_aside: false, payload }, &build);
                    }
                }
                Body::Rebuilt { .. } => self.gap = true,
                Body::Skip { .. } | Body::CleanStop => {}
            }
        }
        Ok(true)
    }

    fn take(&mut self, mut record: Record, build: &str) {
        let past = self.past;
        if record.seq < self.next_seq || record.seq > past.last_seq {
            // A gap before what is not wanted is of no interest.
            self.gap = false;
            return;
        }
        let gap = std::mem::take(&mut self.gap) || record.seq > self.next_seq;
        self.next_seq = record.seq + 1;
        record.set_aside = past.skips.contains(&record.seq);
        let index = record.seq.checked_sub(past.first_seq).and_then(|index| usize::try_from(index).ok());
        let digest = index.and_then(|index| past.digests.get(index).copied()).flatten();
        self.ready.push_back(Step { record, digest, gap, build: build.into() });
    }
}

impl Iterator for Steps<'_> {
    type Item = Result<Step, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.refill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(why) => return Some(Err(why)),
            }
        }
        self.ready.pop_front().map(Ok)
    }
}
