//! The bytes of a chunk, its place in the chain and the schema of a day's file. Pure but for the schema.
//!
//! A chunk is what one commit took of one recording, at most 25 frames: a bitmap per side of the frames that are there,
//! then the frames. Frames that come late go into a further chunk, so a chunk is never changed.

use std::path::PathBuf;

use base::id::Uid;
use base::limits::FRAME_SAMPLES;
use base::media::Side;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::RecorderError;
use crate::store::{Options, main_db::uid_ms};

/// Frames that one chunk spans: 0.5 s. A stereo chunk then fills a page.
pub const CHUNK_FRAMES: u64 = 25;
/// One stereo chunk with its columns fits a page.
const PAGE_BYTES: u32 = 8192;
/// WAL pages after which they are moved into the file: some 5 s at 100 calls, so that the index pages of open
/// recordings are written there once and not ten times.
const CHECKPOINT_PAGES: u32 = 2_000;
const SCHEMA_VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE chunk(
  id INTEGER PRIMARY KEY,
  recording BLOB NOT NULL, segment INTEGER NOT NULL, idx INTEGER NOT NULL,
  first_frame INTEGER NOT NULL, span INTEGER NOT NULL,
  chain BLOB NOT NULL, cipher BLOB NOT NULL);
CREATE UNIQUE INDEX chunk_by_recording ON chunk(recording, segment, idx);
PRAGMA user_version = 1;
";

/// Where a chunk stands; sealed and chained with it, so that it can stand nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Whose.
    pub recording: Uid,
    /// Segment: one key.
    pub segment: u64,
    /// From 0 in each segment; also the nonce.
    pub idx: u64,
    /// First frame.
    pub first_frame: u64,
    /// Frames from the first to the last, both included.
    pub span: u64,
}

impl Place {
    /// As bytes, for seal and chain.
    pub fn to_bytes(self) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&self.recording.0.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.segment.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.idx.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.first_frame.to_be_bytes());
        bytes[40..].copy_from_slice(&self.span.to_be_bytes());
        bytes
    }
}

/// What a segment's key is for.
pub fn key_context(recording: Uid, segment: u64) -> Vec<u8> {
    [b"recording".as_slice(), &recording.0.to_be_bytes(), &segment.to_be_bytes()].concat()
}

/// The link before the first chunk.
pub fn chain_begin(recording: Uid) -> [u8; 32] {
    Sha256::new().chain_update(b"recording chain").chain_update(recording.0.to_be_bytes()).finalize().into()
}

/// The link of a chunk.
pub fn chain_next(previous: &[u8; 32], place: &Place, cipher: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(place.to_bytes()).chain_update(cipher).finalize().into()
}

/// One frame of one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Number since sample 0.
    pub index: u64,
    /// Channel.
    pub side: Side,
    /// A-law samples.
    pub alaw: [u8; FRAME_SAMPLES],
}

/// Plain bytes of a chunk. `frames` are sorted by index and side, without doubles, within [`CHUNK_FRAMES`] of the first.
pub fn encode(frames: &[Frame]) -> Vec<u8> {
    let first = frames.first().map_or(0, |frame| frame.index);
    let mut present = [0u32; 2];
    let mut bytes = vec![0; 8];
    bytes.reserve(frames.len() * FRAME_SAMPLES + crate::seal::TAG_BYTES);
    for frame in frames {
        present[frame.side as usize] |= 1 << (frame.index - first);
        bytes.extend_from_slice(&frame.alaw);
    }
    bytes[..4].copy_from_slice(&present[0].to_le_bytes());
    bytes[4..8].copy_from_slice(&present[1].to_le_bytes());
    bytes
}

/// The frames of a chunk; `None` when the bytes are none.
pub fn decode(first_frame: u64, bytes: &[u8]) -> Option<Vec<Frame>> {
    let (head, mut rest) = bytes.split_at_checked(8)?;
    let present = |at: usize| head[at..at + 4].try_into().map(u32::from_le_bytes).ok();
    let (caller, agent) = (present(0)?, present(4)?);
    let mut frames = Vec::new();
    for bit in 0..u64::from(u32::BITS) {
        for (map, side) in [(caller, Side::Caller), (agent, Side::Agent)] {
            if map >> bit & 1 == 1 {
                let (alaw, behind) = rest.split_first_chunk::<FRAME_SAMPLES>()?;
                frames.push(Frame { index: first_frame.checked_add(bit)?, side, alaw: *alaw });
                rest = behind;
            }
        }
    }
    rest.is_empty().then_some(frames)
}

/// Directory of the day files.
pub fn dir(options: &Options) -> PathBuf {
    options.dir.join("recordings")
}

/// The file that a recording is in: of the UTC day that its identity was made on, however long it lasts.
pub fn path_of(options: &Options, recording: Uid) -> PathBuf {
    let (year, month, day) = civil(uid_ms(recording).div_euclid(86_400_000));
    dir(options).join(format!("rec-{year:04}-{month:02}-{day:02}.db"))
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian calendar; a year begins in March here, so
/// that the leap day is its last).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Opens or makes a day's file for writing.
pub(super) fn open_day(options: &Options, path: &std::path::Path) -> Result<Connection, RecorderError> {
    let failed = |error| RecorderError::Sqlite(path.into(), error);
    std::fs::create_dir_all(dir(options)).map_err(|e| RecorderError::System(dir(options), e))?;
    let mut connection = options.open(path, PAGE_BYTES).map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(failed)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    match version {
        0 => {
            let transaction = connection.transaction().map_err(failed)?;
            transaction.execute_batch(TABLES).and_then(|()| transaction.commit()).map_err(failed)?;
        }
        SCHEMA_VERSION => {}
        found => {
            return Err(RecorderError::Store(crate::store::StoreError::NewerSchema { found, known: SCHEMA_VERSION }));
        }
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_with_their_gaps() {
        let frame = |index, side, fill| Frame { index, side, alaw: [fill; FRAME_SAMPLES] };
        let frames = [
            frame(100, Side::Caller, 1),
            frame(100, Side::Agent, 2),
            frame(103, Side::Agent, 3),
            frame(124, Side::Caller, 4),
        ];
        let bytes = encode(&frames);
        assert_eq!(decode(100, &bytes).unwrap(), frames);
        assert_eq!(decode(100, &bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(100, &bytes[..3]), None);
    }

    #[test]
    fn days_have_the_right_names() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(20_778), (2026, 11, 21));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(-1), (1969, 12, 31));
        let options = Options::new("/data");
        let uid = Uid::new(base::time::Wall::from_millis(20_778 * 86_400_000 + 86_399_999), 3);
        assert_eq!(path_of(&options, uid), PathBuf::from("/data/recordings/rec-2026-11-21.db"));
    }
}
