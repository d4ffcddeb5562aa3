//! Gathers frames into chunks and commits them, without a thread: [`super::Recorder`] runs it; tests drive it step by
//! step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base::id::Uid;
use base::limits::RECORDER_FRAMES_MAX;
use rusqlite::{Connection, OptionalExtension, params};

use super::chunk::{self, CHUNK_FRAMES, Frame, Place};
use super::{RecordFrame, RecorderError};
use crate::seal::{MasterKey, Sealer};
use crate::store::{ChainHead, KeyRow, Options};

/// Frames in memory while a disk fails; some 13 s of 100 calls. More are dropped.
const WAITING_FRAMES_MAX: usize = 8 * RECORDER_FRAMES_MAX;
/// So few frames behind the last whole chunk wait for the next commit, 0.1 s at most, instead of making a tiny chunk.
const HELD_BACK_FRAMES: u64 = 5;
/// Commits without a frame after which a recording that nobody closed is closed here; ten minutes.
const IDLE_COMMITS_MAX: u32 = 1_200;
/// Segments are numbered through all runs: run number in the upper bits.
const SEGMENTS_PER_RUN: u64 = 1 << 20;

/// Turns frames into sealed rows.
pub struct Writer {
    options: Options,
    master: MasterKey,
    next_segment: u64,
    days: BTreeMap<PathBuf, Connection>,
    tracks: BTreeMap<Uid, Track>,
    /// Rows that wait for their commit.
    sealed: Vec<Row>,
    /// Keys that the store does not have yet.
    keys: Vec<KeyRow>,
    frames_waiting: usize,
    hold_back: bool,
}

/// One recording that is going on.
struct Track {
    frames: Vec<Frame>,
    open: Option<Open>,
    closing: bool,
    idle_commits: u32,
}

/// Its key and where its chain stands.
struct Open {
    sealer: Sealer,
    segment: u64,
    chain: [u8; 32],
    chunks: u64,
}

struct Row {
    place: Place,
    cipher: Vec<u8>,
    chain: [u8; 32],
    frames: usize,
}

impl Writer {
    /// `run` must not have been used before: it makes segment numbers, and so keys, unique.
    pub fn new(options: &Options, master: &MasterKey, run: u64) -> Writer {
        Writer {
            options: options.clone(),
            master: master.clone(),
            next_segment: run * SEGMENTS_PER_RUN,
            days: BTreeMap::new(),
            tracks: BTreeMap::new(),
            sealed: Vec::new(),
            keys: Vec::new(),
            frames_waiting: 0,
            hold_back: true,
        }
    }

    /// Takes a frame; false when too many wait for a failing disk and it is dropped.
    pub fn push(&mut self, frame: RecordFrame) -> bool {
        if self.frames_waiting >= WAITING_FRAMES_MAX {
            return false;
        }
        self.frames_waiting += 1;
        let track = self.tracks.entry(frame.recording).or_insert_with(Track::new);
        track.idle_commits = 0;
        track.frames.push(Frame { index: frame.index, side: frame.side, alaw: frame.alaw });
        true
    }

    /// No further frames are expected, but taken.
    pub fn close(&mut self, recording: Uid) {
        self.tracks.entry(recording).or_insert_with(Track::new).closing = true;
    }

    /// The next [`Writer::seal`] takes every frame.
    pub fn hold_nothing_back(&mut self) {
        self.hold_back = false;
    }

    /// Seals what came since the last time. Afterwards the [`Writer::keys`] must reach the disk before
    /// [`Writer::commit`] writes anything sealed under them. On error the frames concerned still wait.
    pub fn seal(&mut self) -> Result<(), RecorderError> {
        let hold_back = std::mem::replace(&mut self.hold_back, true);
        let mut result = Ok(());
        for (recording, track) in &mut self.tracks {
            let take = track.frames_to_take(hold_back);
            if take.is_empty() {
                continue;
            }
            if track.open.is_none() {
                match begin(&self.options, &self.master, &mut self.days, *recording, self.next_segment) {
                    Ok((open, key)) => {
                        self.next_segment += 1;
                        self.keys.push(key);
                        track.open = Some(open);
                    }
                    Err(error) => {
                        track.frames.extend(take);
                        result = Err(error);
                        continue;
                    }
                }
            }
            let Some(open) = &mut track.open else { continue };
            result = result.and(seal_frames(*recording, open, &take, &mut self.sealed));
        }
        self.count_waiting();
        result
    }

    /// Keys that the store must have on the disk before their chunks are committed.
    pub fn keys(&self) -> &[KeyRow] {
        &self.keys
    }

    /// All [`Writer::keys`] are on the disk.
    pub fn keys_stored(&mut self) {
        self.keys.clear();
    }

    /// Commits the sealed rows whose keys are stored; synced when it returns. Returns the ends of chains of recordings
    /// that are complete now. Rows of a file that fails stay for the next time.
    pub fn commit(&mut self) -> Result<Vec<ChainHead>, RecorderError> {
        let waiting: BTreeSet<u64> = self.keys.iter().map(|key| key.segment).collect();
        let mut result = Ok(());
        let mut by_day: BTreeMap<PathBuf, Vec<Row>> = BTreeMap::new();
        for row in std::mem::take(&mut self.sealed) {
            if waiting.contains(&row.place.segment) {
                self.sealed.push(row);
            } else {
                by_day.entry(chunk::path_of(&self.options, row.place.recording)).or_default().push(row);
            }
        }
        for (path, rows) in by_day {
            if let Err(error) = commit_day(&self.options, &mut self.days, &path, &rows) {
                result = Err(error);
                self.sealed.extend(rows);
            }
        }
        self.count_waiting();
        result.map(|()| self.finish_tracks())
    }

    /// Ends of chains of recordings that are over; their state is forgotten, and files that nobody needs are closed.
    fn finish_tracks(&mut self) -> Vec<ChainHead> {
        let mut heads = Vec::new();
        let unwritten: BTreeSet<Uid> = self.sealed.iter().map(|row| row.place.recording).collect();
        self.tracks.retain(|recording, track| {
            track.idle_commits += 1;
            // One more commit after the close, for frames that were on their way.
            let over = (track.closing && track.idle_commits >= 2) || track.idle_commits >= IDLE_COMMITS_MAX;
            if !over || !track.frames.is_empty() || unwritten.contains(recording) {
                return true;
            }
            if let Some(open) = &track.open {
                heads.push(ChainHead { recording: *recording, chunks: open.chunks, head: open.chain });
            }
            false
        });
        let needed: BTreeSet<PathBuf> =
            self.tracks.keys().map(|recording| chunk::path_of(&self.options, *recording)).collect();
        let newest = self.days.keys().next_back().cloned();
        self.days.retain(|path, _| needed.contains(path) || newest.as_ref() == Some(path));
        heads
    }

    fn count_waiting(&mut self) {
        self.frames_waiting = self.tracks.values().map(|track| track.frames.len()).sum::<usize>()
            + self.sealed.iter().map(|row| row.frames).sum::<usize>();
    }
}

impl Track {
    fn new() -> Track {
        Track { frames: Vec::new(), open: None, closing: false, idle_commits: 0 }
    }

    /// Takes out what goes into chunks now, sorted, each frame of a side once.
    fn frames_to_take(&mut self, hold_back: bool) -> Vec<Frame> {
        let mut frames = std::mem::take(&mut self.frames);
        frames.sort_by_key(|frame| (frame.index, frame.side));
        frames.dedup_by_key(|frame| (frame.index, frame.side));
        if !hold_back || self.closing || self.idle_commits > 0 {
            return frames;
        }
        let keep = held_back(&frames);
        self.frames = frames.split_off(frames.len() - keep);
        frames
    }
}

/// How many frames at the end are too few for a chunk of their own.
fn held_back(frames: &[Frame]) -> usize {
    match windows(frames).last() {
        Some(last) if span(last) <= HELD_BACK_FRAMES => last.len(),
        _ => 0,
    }
}

fn span(frames: &[Frame]) -> u64 {
    match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => last.index - first.index + 1,
        _ => 0,
    }
}

/// Splits sorted frames into runs of at most [`CHUNK_FRAMES`].
fn windows(frames: &[Frame]) -> impl Iterator<Item = &[Frame]> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let first = rest.first()?.index;
        let len = rest.iter().position(|frame| frame.index - first >= CHUNK_FRAMES).unwrap_or(rest.len());
        let (window, behind) = rest.split_at(len);
        rest = behind;
        Some(window)
    })
}

fn day<'a>(
    options: &Options,
    days: &'a mut BTreeMap<PathBuf, Connection>,
    path: &Path,
) -> Result<&'a mut Connection, RecorderError> {
    if !days.contains_key(path) {
        days.insert(path.into(), chunk::open_day(options, path)?);
    }
    days.get_mut(path).ok_or_else(|| RecorderError::Sqlite(path.into(), rusqlite::Error::InvalidQuery))
}

/// A new segment; the chain goes on where the last one of the recording ended.
fn begin(
    options: &Options,
    master: &MasterKey,
    days: &mut BTreeMap<PathBuf, Connection>,
    recording: Uid,
    segment: u64,
) -> Result<(Open, KeyRow), RecorderError> {
    let path = chunk::path_of(options, recording);
    let failed = |error| RecorderError::Sqlite(path.clone(), error);
    let connection = day(options, days, &path)?;
    let id = recording.0.to_be_bytes();
    let last: Option<[u8; 32]> = connection
        .prepare_cached("SELECT chain FROM chunk WHERE recording = ?1 ORDER BY segment DESC, idx DESC LIMIT 1")
        .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
        .map_err(failed)?;
    let chunks: i64 = match last {
        None => 0,
        Some(_) => connection
            .query_row("SELECT count(*) FROM chunk WHERE recording = ?1", [id], |row| row.get(0))
            .map_err(failed)?,
    };
    let (sealer, key) = Sealer::fresh(master, &chunk::key_context(recording, segment))?;
    let chain = last.unwrap_or_else(|| chunk::chain_begin(recording));
    Ok((Open { sealer, segment, chain, chunks: chunks as u64 }, KeyRow { recording, segment, key }))
}

fn seal_frames(recording: Uid, open: &mut Open, frames: &[Frame], rows: &mut Vec<Row>) -> Result<(), RecorderError> {
    for window in windows(frames) {
        let place = Place {
            recording,
            segment: open.segment,
            idx: open.sealer.next_number(),
            first_frame: window.first().map_or(0, |frame| frame.index),
            span: span(window),
        };
        let mut cipher = chunk::encode(window);
        open.sealer.seal(&place.to_bytes(), &mut cipher)?;
        open.chain = chunk::chain_next(&open.chain, &place, &cipher);
        open.chunks += 1;
        rows.push(Row { place, cipher, chain: open.chain, frames: window.len() });
    }
    Ok(())
}

fn commit_day(
    options: &Options,
    days: &mut BTreeMap<PathBuf, Connection>,
    path: &Path,
    rows: &[Row],
) -> Result<(), RecorderError> {
    let failed = |error| RecorderError::Sqlite(path.into(), error);
    let transaction = day(options, days, path)?.transaction().map_err(failed)?;
    {
        let mut insert = transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO chunk(recording, segment, idx, first_frame, span, chain, cipher)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .map_err(failed)?;
        for Row { place, cipher, chain, .. } in rows {
            insert
                .execute(params![
                    place.recording.0.to_be_bytes(),
                    place.segment as i64,
                    place.idx as i64,
                    place.first_frame as i64,
                    place.span as i64,
                    chain,
                    cipher
                ])
                .map_err(failed)?;
        }
    }
    transaction.commit().map_err(failed)
}
