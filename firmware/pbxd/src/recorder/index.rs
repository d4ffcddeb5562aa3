//! Mends the index of recordings after a crash: commits are not atomic across the main database and the day files, so
//! what the chunks say is taken into the index.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base::id::Uid;
use base::limits::FRAME_SAMPLES;
use rusqlite::{Connection, OptionalExtension};

use super::RecorderError;
use super::chunk;
use crate::store::read::Reader;
use crate::store::{ChainHead, Options, Request};

/// The newest files are looked through for recordings that the index does not know.
const NEWEST_FILES: usize = 2;

/// Requests that bring the index up to what the chunks hold, for recordings that are unknown to it or not closed.
pub fn mend(options: &Options) -> Result<Vec<Request>, RecorderError> {
    let reader = Reader::open(options)?;
    let open: Vec<Uid> = reader.open_recordings()?;
    let mut paths: BTreeSet<PathBuf> = day_files(options)?.into_iter().rev().take(NEWEST_FILES).collect();
    paths.extend(open.iter().map(|recording| chunk::path_of(options, *recording)));
    let mut requests = Vec::new();
    for path in paths.iter().filter(|path| path.exists()) {
        mend_file(options, &reader, path, &mut requests)?;
    }
    Ok(requests)
}

/// All day files, oldest first.
fn day_files(options: &Options) -> Result<Vec<PathBuf>, RecorderError> {
    let dir = chunk::dir(options);
    let failed = |error| RecorderError::System(dir.clone(), error);
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("rec-") && name.ends_with(".db") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn mend_file(
    options: &Options,
    reader: &Reader,
    path: &Path,
    requests: &mut Vec<Request>,
) -> Result<(), RecorderError> {
    let failed = |error| RecorderError::Sqlite(path.into(), error);
    // Opened as for writing: after a crash, its WAL may have to be recovered first.
    let connection = chunk::open_day(options, path)?;
    let mut after = Vec::new();
    while let Some(id) = next_recording(&connection, &after).map_err(failed)? {
        after = id.to_vec();
        let recording = Uid(u128::from_be_bytes(id));
        let known = reader.recording(recording)?;
        if known.as_ref().is_some_and(|row| row.closed && row.samples > 0 && row.head.is_some()) {
            continue;
        }
        let (frames, chunks, head) = measure(&connection, &id).map_err(failed)?;
        requests.push(Request::Length { recording, samples: frames * FRAME_SAMPLES as u64 });
        requests.push(Request::Head(ChainHead { recording, chunks, head }));
    }
    Ok(())
}

/// The next identity in the file: a step over the index, not over the chunks.
fn next_recording(connection: &Connection, after: &[u8]) -> rusqlite::Result<Option<[u8; 16]>> {
    connection
        .prepare_cached("SELECT recording FROM chunk WHERE recording > ?1 ORDER BY recording LIMIT 1")?
        .query_row([after], |row| row.get(0))
        .optional()
}

/// Frames up to the end of the last one, number of chunks, last link.
fn measure(connection: &Connection, id: &[u8; 16]) -> rusqlite::Result<(u64, u64, [u8; 32])> {
    let (frames, chunks): (i64, i64) = connection.query_row(
        "SELECT max(first_frame + span), count(*) FROM chunk WHERE recording = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let head = connection.query_row(
        "SELECT chain FROM chunk WHERE recording = ?1 ORDER BY segment DESC, idx DESC LIMIT 1",
        [id],
        |row| row.get(0),
    )?;
    Ok((frames as u64, chunks as u64, head))
}
