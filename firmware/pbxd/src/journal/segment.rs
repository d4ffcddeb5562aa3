//! The bytes of journal and snapshot files: headers, frames, and reading them back up to the first damage. No
//! decision about recovery is taken here.
//!
//! A file is a header (`magic`, length, CRC-32, postcard) and frames (`length`, CRC-32, message number, sealed body),
//! all numbers little endian. A body is what one control turn put in: its inputs stand or fall together.

use std::fs;
use std::path::{Path, PathBuf};

use base::time::{Instant, Now, Wall};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::JournalError;
use crate::seal::{MasterKey, Opener, SealError, Sealer, WrappedKey};

/// First bytes of a segment file as it is written now.
pub(super) const SEGMENT_MAGIC: &[u8; 8] = b"CORDJRN2";
/// First bytes of the segments of former builds, which kept no digests of outputs; they are read as ever.
const SEGMENT_MAGIC_1: &[u8; 8] = b"CORDJRN1";
/// What every form of a segment begins with; one digit follows.
const SEGMENT_MAGIC_STEM: &[u8; 7] = b"CORDJRN";
/// First bytes of a snapshot file.
pub(super) const SNAPSHOT_MAGIC: &[u8; 8] = b"CORDSNP1";
const FILE_HEAD_BYTES: usize = 16;
/// Larger lengths are damage, not frames.
const FRAME_BYTES_MAX: usize = 256 << 20;

/// What stands at the beginning of each segment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct SegmentHeader {
    /// Which build wrote it; only the same build replays byte for byte.
    pub build: String,
    /// Hash of the configuration commit in force when it began.
    pub config: [u8; 32],
    /// Number of its first input.
    pub first_seq: u64,
    /// The newest durable snapshot when it began; 0 for none.
    pub snapshot: u64,
    /// Its data key, wrapped.
    pub key: Vec<u8>,
}

/// What stands at the beginning of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct SnapshotHeader {
    /// Which build wrote it.
    pub build: String,
    /// Hash of the configuration commit in force.
    pub config: [u8; 32],
    /// The state is the one after this input.
    pub seq: u64,
    /// Its data key, wrapped.
    pub key: Vec<u8>,
}

/// What one frame says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Body {
    /// The inputs of one control turn; none when only the end of the last turn is told.
    Inputs { first_seq: u64, now: Now, payloads: Vec<Vec<u8>>, before: Before },
    /// The input of this number is set aside in this and every later replay.
    Skip { seq: u64 },
    /// The program stopped as asked.
    CleanStop,
    /// Nothing before this number counts: the state was begun anew.
    Rebuilt { next_seq: u64 },
}

/// What a turn's frame says of the turns before it. It rides along, so that it costs no write of its own; what a crash
/// takes is the digests of one turn, whose outputs nobody can vouch for anyway.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Before {
    /// Digest of what each input led to, without gaps from `first_seq` on.
    pub digests: Vec<u32>,
    /// The input of the first digest.
    pub first_seq: u64,
    /// Inputs before this turn were handled and not journaled (a disk that failed): the state before this turn does
    /// not follow from the inputs before it.
    pub gap: bool,
}

/// Inputs as former builds wrote them.
const INPUTS: u8 = 0;
const SKIP: u8 = 1;
const CLEAN_STOP: u8 = 2;
const REBUILT: u8 = 3;
/// Inputs with [`Before`].
const TURN: u8 = 4;

/// Appends the plain form of a turn's inputs to `out`.
pub(super) fn put_inputs<P: AsRef<[u8]>>(out: &mut Vec<u8>, first_seq: u64, now: Now, payloads: &[P], before: &Before) {
    out.push(TURN);
    out.extend_from_slice(&first_seq.to_le_bytes());
    out.extend_from_slice(&now.at.as_micros().to_le_bytes());
    out.extend_from_slice(&now.wall.as_millis().to_le_bytes());
    out.push(u8::from(before.gap));
    out.extend_from_slice(&(before.digests.len() as u32).to_le_bytes());
    out.extend_from_slice(&before.first_seq.to_le_bytes());
    for digest in &before.digests {
        out.extend_from_slice(&digest.to_le_bytes());
    }
    for payload in payloads {
        let payload = payload.as_ref();
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(payload);
    }
}

/// Appends the plain form of a mark to `out`. Inputs have [`put_inputs`].
pub(super) fn put_mark(out: &mut Vec<u8>, body: &Body) {
    let (kind, seq) = match body {
        Body::Inputs { first_seq, now, payloads, before } => {
            return put_inputs(out, *first_seq, *now, payloads, before);
        }
        Body::Skip { seq } => (SKIP, *seq),
        Body::CleanStop => (CLEAN_STOP, 0),
        Body::Rebuilt { next_seq } => (REBUILT, *next_seq),
    };
    out.push(kind);
    out.extend_from_slice(&seq.to_le_bytes());
}

/// Splits little-endian numbers and byte strings off the front; `None` when there is not enough left.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }
    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }
    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }
}

fn get_body(plain: &[u8]) -> Option<Body> {
    let mut bytes = Bytes(plain);
    let kind = bytes.take(1)?[0];
    let seq = bytes.u64()?;
    match kind {
        INPUTS | TURN => {
            let at = Instant::from_micros(bytes.u64()?);
            let wall = Wall::from_millis(bytes.u64()? as i64);
            let before = if kind == TURN { get_before(&mut bytes)? } else { Before::default() };
            let mut payloads = Vec::new();
            while !bytes.0.is_empty() {
                let len = bytes.u32()? as usize;
                payloads.push(bytes.take(len)?.to_vec());
            }
            Some(Body::Inputs { first_seq: seq, now: Now { at, wall }, payloads, before })
        }
        SKIP => Some(Body::Skip { seq }),
        CLEAN_STOP => Some(Body::CleanStop),
        REBUILT => Some(Body::Rebuilt { next_seq: seq }),
        _ => None,
    }
}

fn get_before(bytes: &mut Bytes<'_>) -> Option<Before> {
    let gap = bytes.take(1)?[0] != 0;
    let count = bytes.u32()? as usize;
    let first_seq = bytes.u64()?;
    let digests = bytes.take(count.checked_mul(4)?)?;
    let digests = digests.chunks_exact(4).filter_map(|four| four.try_into().ok().map(u32::from_le_bytes)).collect();
    Some(Before { digests, first_seq, gap })
}

/// Seals `body` in place and appends the whole frame to `out`.
pub(super) fn put_frame(out: &mut Vec<u8>, sealer: &mut Sealer, body: &mut Vec<u8>) -> Result<(), SealError> {
    let number = sealer.seal(b"frame", body)?;
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(&frame_crc(number, body).to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(body);
    Ok(())
}

fn frame_crc(number: u64, sealed: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&number.to_le_bytes());
    crc.update(&(sealed.len() as u32).to_le_bytes());
    crc.update(sealed);
    crc.finalize()
}

/// The bytes of a file header.
pub(super) fn file_header<T: Serialize>(magic: &[u8; 8], header: &T) -> Result<Vec<u8>, JournalError> {
    let body = postcard::to_allocvec(header).map_err(|_| JournalError::Encoding)?;
    let mut out = Vec::with_capacity(FILE_HEAD_BYTES + body.len());
    out.extend_from_slice(magic);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    out.extend_from_slice(&body);
    Ok(out)
}

/// The header and the number of bytes it took; `None` when it is torn or not ours.
fn get_header<T: DeserializeOwned>(magic: &[u8; 8], file: &[u8]) -> Option<(T, usize)> {
    let mut bytes = Bytes(file);
    if bytes.take(8)? != magic {
        return None;
    }
    let len = bytes.u32()? as usize;
    let crc = bytes.u32()?;
    let body = bytes.take(len)?;
    if crc32fast::hash(body) != crc {
        return None;
    }
    Some((postcard::from_bytes(body).ok()?, FILE_HEAD_BYTES + len))
}

/// Splits the next frame off: its number and sealed body.
fn next_frame<'a>(bytes: &mut Bytes<'a>) -> Option<(u64, &'a [u8])> {
    let len = bytes.u32()? as usize;
    let crc = bytes.u32()?;
    let number = bytes.u64()?;
    if len > FRAME_BYTES_MAX {
        return None;
    }
    let sealed = bytes.take(len)?;
    if frame_crc(number, sealed) == crc { Some((number, sealed)) } else { None }
}

/// Where a file stopped making sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Torn {
    /// Which file.
    pub path: PathBuf,
    /// Bytes that are good.
    pub good_bytes: u64,
    /// Bytes behind them that were cut off.
    pub lost_bytes: u64,
}

/// A segment as far as it is whole.
#[derive(Debug)]
pub(super) struct Segment {
    /// `None`: even the header is torn.
    pub header: Option<SegmentHeader>,
    pub bodies: Vec<Body>,
    pub torn: Option<Torn>,
}

fn read_file(path: &Path) -> Result<Vec<u8>, JournalError> {
    fs::read(path).map_err(|error| JournalError::File { path: path.into(), error })
}

fn open_key(path: &Path, master: &MasterKey, key: &[u8], context: &[u8]) -> Result<Opener, JournalError> {
    WrappedKey::from_slice(key)
        .and_then(|wrapped| master.unwrap_key(&wrapped, context))
        .map_err(|_| JournalError::WrongKey { path: path.into() })
}

/// Reads a segment up to the first frame that is not whole.
pub(super) fn read_segment(path: &Path, master: &MasterKey) -> Result<Segment, JournalError> {
    let file = read_file(path)?;
    let torn = |good: usize| {
        let (good_bytes, lost_bytes) = (good as u64, (file.len() - good) as u64);
        (lost_bytes > 0).then(|| Torn { path: path.into(), good_bytes, lost_bytes })
    };
    if let (Some(stem), Some(form)) = (file.get(..7), file.get(7))
        && stem == SEGMENT_MAGIC_STEM
        && !(form == &SEGMENT_MAGIC[7] || form == &SEGMENT_MAGIC_1[7])
    {
        return Err(JournalError::OtherForm { path: path.into() });
    }
    let header = get_header::<SegmentHeader>(SEGMENT_MAGIC, &file)
        .or_else(|| get_header::<SegmentHeader>(SEGMENT_MAGIC_1, &file));
    let Some((header, head_bytes)) = header else {
        return Ok(Segment { header: None, bodies: Vec::new(), torn: torn(0) });
    };
    let opener = open_key(path, master, &header.key, &segment_context(header.first_seq))?;
    let mut bytes = Bytes(&file[head_bytes..]);
    let mut bodies = Vec::new();
    let mut good = head_bytes;
    let mut next_number = 0;
    while let Some((number, sealed)) = next_frame(&mut bytes) {
        let mut body = sealed.to_vec();
        // Numbers only grow: an old frame copied behind the end is not a frame.
        if number < next_number || opener.open(number, b"frame", &mut body).is_err() {
            break;
        }
        let Some(body) = get_body(&body) else { break };
        bodies.push(body);
        next_number = number + 1;
        good = file.len() - bytes.0.len();
    }
    Ok(Segment { header: Some(header), bodies, torn: torn(good) })
}

/// What a segment's key is for.
pub(super) fn segment_context(first_seq: u64) -> Vec<u8> {
    [b"journal".as_slice(), &first_seq.to_le_bytes()].concat()
}

/// What a snapshot's key is for.
pub(super) fn snapshot_context(seq: u64) -> Vec<u8> {
    [b"snapshot".as_slice(), &seq.to_le_bytes()].concat()
}

/// A whole snapshot, or `None` when it is damaged.
pub(super) fn read_snapshot(path: &Path, master: &MasterKey) -> Result<Option<super::Snapshot>, JournalError> {
    let file = read_file(path)?;
    let Some((header, head_bytes)) = get_header::<SnapshotHeader>(SNAPSHOT_MAGIC, &file) else { return Ok(None) };
    let opener = open_key(path, master, &header.key, &snapshot_context(header.seq))?;
    let Some((number, sealed)) = next_frame(&mut Bytes(&file[head_bytes..])) else { return Ok(None) };
    let mut bytes = sealed.to_vec();
    if opener.open(number, b"frame", &mut bytes).is_err() {
        return Ok(None);
    }
    Ok(Some(super::Snapshot { seq: header.seq, build: header.build, config: header.config, bytes }))
}

/// The bytes of a whole snapshot file.
pub(super) fn snapshot_file(
    master: &MasterKey,
    build: &str,
    config: [u8; 32],
    seq: u64,
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, JournalError> {
    let (mut sealer, key) = Sealer::fresh(master, &snapshot_context(seq)).map_err(JournalError::Seal)?;
    let header = SnapshotHeader { build: build.into(), config, seq, key: key.0.to_vec() };
    let mut out = file_header(SNAPSHOT_MAGIC, &header)?;
    put_frame(&mut out, &mut sealer, &mut bytes).map_err(JournalError::Seal)?;
    Ok(out)
}

/// The parts of a segment's file name, which sorts by age: running number and first input.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SegmentName {
    pub number: u64,
    pub first_seq: u64,
}

impl SegmentName {
    pub fn file_name(self) -> String {
        format!("segment-{:010}-{:020}", self.number, self.first_seq)
    }

    fn parse(name: &str) -> Option<SegmentName> {
        let mut parts = name.strip_prefix("segment-")?.split('-').map(|part| part.parse::<u64>().ok());
        let name = SegmentName { number: parts.next()??, first_seq: parts.next()?? };
        parts.next().is_none().then_some(name)
    }
}

/// File name of the snapshot after input `seq`.
pub(super) fn snapshot_name(seq: u64) -> String {
    format!("snapshot-{seq:020}")
}

/// All segments and snapshots in the directory, oldest first. Unknown names are left alone.
pub(super) fn list(dir: &Path) -> Result<(Vec<SegmentName>, Vec<u64>), JournalError> {
    let failed = |error| JournalError::File { path: dir.into(), error };
    let (mut segments, mut snapshots) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(name) = name.to_str() else { continue };
        segments.extend(SegmentName::parse(name));
        snapshots.extend(name.strip_prefix("snapshot-").and_then(|seq| seq.parse::<u64>().ok()));
    }
    segments.sort_unstable();
    snapshots.sort_unstable();
    Ok((segments, snapshots))
}

/// Segments that recovery could not use and kept.
pub(super) fn set_aside(dir: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let failed = |error| JournalError::File { path: dir.into(), error };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with("lost-segment-")) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
