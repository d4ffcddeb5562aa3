//! Reading recordings back: opening, verifying, writing as stereo WAV. Works beside a running recorder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use base::id::Uid;
use base::limits::FRAME_SAMPLES;
use base::media::{Codec, Side};
use rusqlite::Connection;

use super::RecorderError;
use super::chunk::{self, Place};
use crate::seal::{MasterKey, Opener, WrappedKey};
use crate::store::Options;
use crate::store::read::{Reader, RecordingRow};

const SAMPLE_RATE: u32 = 8_000;
const FRAME_MS: u64 = 20;
/// 24 hours.
const FRAMES_MAX: u64 = 24 * 3_600 * 50;

/// A stretch without audio between the first and the last frame of a side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Channel.
    pub side: Side,
    /// From the beginning of the recording.
    pub from_ms: u64,
    /// How long.
    pub len_ms: u64,
}

/// Whether the chunks are the ones that were written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chain {
    /// All of them, in order, unchanged.
    Whole,
    /// The first that is wrong.
    Broken {
        /// Its segment.
        segment: u64,
        /// Its number in the segment.
        idx: u64,
        /// What is wrong.
        why: Break,
    },
}

/// What is wrong with a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// Its link does not follow from the one before and its bytes: it was changed, or one before it was taken out.
    Changed,
    /// There should be one here.
    Missing,
    /// Its link fits but it does not open: another chassis key, or its segment's key is missing.
    Sealed,
}

/// What an export found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportReport {
    /// Length of the file.
    pub duration_ms: u64,
    /// Stretches that are silent because nothing was recorded.
    pub gaps: Vec<Gap>,
    /// Chunks read.
    pub chunks: u64,
    /// Whether the chain holds.
    pub chain: Chain,
}

impl ExportReport {
    /// Whether the recording is as it was written.
    pub fn chain_ok(&self) -> bool {
        self.chain == Chain::Whole
    }
}

/// A recording in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audio {
    /// A-law per side (caller, agent), dense from sample 0.
    pub alaw: [Vec<u8>; 2],
    /// Per frame and side, whether it was recorded.
    pub present: [Vec<bool>; 2],
    /// Chunks read.
    pub chunks: u64,
    /// Whether the chain holds.
    pub chain: Chain,
}

/// Reads and verifies a recording.
pub fn load(options: &Options, master: &MasterKey, recording: Uid) -> Result<Audio, RecorderError> {
    let reader = Reader::open(options)?;
    let row = reader.recording(recording)?;
    let keys = open_keys(&reader, master, recording)?;
    let path = chunk::path_of(options, recording);
    if !path.exists() {
        return Err(RecorderError::Unknown(recording));
    }
    let failed = |error| RecorderError::Sqlite(path.clone(), error);
    let connection = options.open_to_read(&path).map_err(failed)?;
    let mut audio = read(&connection, &keys.openers, recording, row.as_ref()).map_err(failed)??;
    if audio.chunks == 0 && row.is_none() {
        return Err(RecorderError::Unknown(recording));
    }
    if audio.chunks > 0 && keys.stored == 0 {
        return Err(RecorderError::Erased(recording));
    }
    let frames = row.map_or(0, |row| row.samples.div_ceil(FRAME_SAMPLES as u64)).min(FRAMES_MAX);
    audio.extend_to(frames as usize);
    Ok(audio)
}

struct Keys {
    openers: BTreeMap<u64, Opener>,
    /// Keys in the store, whether they open or not.
    stored: usize,
}

fn open_keys(reader: &Reader, master: &MasterKey, recording: Uid) -> Result<Keys, RecorderError> {
    let mut keys = Keys { openers: BTreeMap::new(), stored: 0 };
    for (segment, bytes) in reader.recording_keys(recording)? {
        keys.stored += 1;
        let context = chunk::key_context(recording, segment);
        if let Ok(opener) = WrappedKey::from_slice(&bytes).and_then(|key| master.unwrap_key(&key, &context)) {
            keys.openers.insert(segment, opener);
        }
    }
    Ok(keys)
}

fn read(
    connection: &Connection,
    keys: &BTreeMap<u64, Opener>,
    recording: Uid,
    row: Option<&RecordingRow>,
) -> rusqlite::Result<Result<Audio, RecorderError>> {
    let mut statement = connection.prepare(
        "SELECT segment, idx, first_frame, span, chain, cipher FROM chunk WHERE recording = ?1 ORDER BY segment, idx",
    )?;
    let mut rows = statement.query([recording.0.to_be_bytes()])?;
    let mut audio = Audio::empty();
    let mut check = Check::begin(recording, row.and_then(|row| row.head));
    while let Some(row) = rows.next()? {
        let number = |index| row.get::<_, i64>(index).map(|number| number as u64);
        let place =
            Place { recording, segment: number(0)?, idx: number(1)?, first_frame: number(2)?, span: number(3)? };
        let (chain, mut cipher): (Vec<u8>, Vec<u8>) = (row.get(4)?, row.get(5)?);
        check.next(&place, &chain, &cipher);
        let opened = keys
            .get(&place.segment)
            .is_some_and(|opener| opener.open(place.idx, &place.to_bytes(), &mut cipher).is_ok());
        let frames = if opened { chunk::decode(place.first_frame, &cipher) } else { None };
        let Some(frames) = frames else {
            check.broken(&place, Break::Sealed);
            continue;
        };
        for frame in frames {
            if frame.index >= FRAMES_MAX {
                return Ok(Err(RecorderError::TooLong(recording)));
            }
            audio.put(&frame);
        }
    }
    (audio.chunks, audio.chain) = check.end();
    Ok(Ok(audio))
}

/// Follows the chain.
struct Check {
    link: [u8; 32],
    segment: u64,
    next_idx: u64,
    chunks: u64,
    head: Option<(u64, [u8; 32])>,
    verdict: Chain,
}

impl Check {
    fn begin(recording: Uid, head: Option<(u64, [u8; 32])>) -> Check {
        let link = chunk::chain_begin(recording);
        Check { link, segment: 0, next_idx: 0, chunks: 0, head, verdict: Chain::Whole }
    }

    fn next(&mut self, place: &Place, chain: &[u8], cipher: &[u8]) {
        if place.segment != self.segment {
            (self.segment, self.next_idx) = (place.segment, 0);
        }
        if place.idx != self.next_idx {
            self.broken(&Place { idx: self.next_idx, ..*place }, Break::Missing);
        }
        let link = chunk::chain_next(&self.link, place, cipher);
        if link.as_slice() != chain {
            self.broken(place, Break::Changed);
        }
        // From a break on, the stored links are followed, so that one break is one break.
        self.link = chain.try_into().unwrap_or(link);
        self.next_idx = place.idx + 1;
        self.chunks += 1;
        if let Some((chunks, head)) = self.head
            && chunks == self.chunks
            && head != self.link
        {
            self.broken(place, Break::Changed);
        }
    }

    /// The first break counts.
    fn broken(&mut self, place: &Place, why: Break) {
        if self.verdict == Chain::Whole {
            self.verdict = Chain::Broken { segment: place.segment, idx: place.idx, why };
        }
    }

    fn end(mut self) -> (u64, Chain) {
        if self.head.is_some_and(|(chunks, _)| chunks > self.chunks) && self.verdict == Chain::Whole {
            self.verdict = Chain::Broken { segment: self.segment, idx: self.next_idx, why: Break::Missing };
        }
        (self.chunks, self.verdict)
    }
}

impl Audio {
    fn empty() -> Audio {
        Audio { alaw: Default::default(), present: Default::default(), chunks: 0, chain: Chain::Whole }
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.present[0].len()
    }

    fn extend_to(&mut self, frames: usize) {
        if frames > self.frames() {
            for side in 0..2 {
                self.alaw[side].resize(frames * FRAME_SAMPLES, media::g711::SILENCE_A);
                self.present[side].resize(frames, false);
            }
        }
    }

    fn put(&mut self, frame: &chunk::Frame) {
        let (side, index) = (frame.side as usize, frame.index as usize);
        self.extend_to(index + 1);
        self.alaw[side][index * FRAME_SAMPLES..][..FRAME_SAMPLES].copy_from_slice(&frame.alaw);
        self.present[side][index] = true;
    }

    /// Stretches without audio between the first and the last frame of each side.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for side in [Side::Caller, Side::Agent] {
            let present = &self.present[side as usize];
            let mut last: Option<usize> = None;
            for (index, _) in present.iter().enumerate().filter(|(_, present)| **present) {
                if let Some(last) = last.filter(|last| last + 1 < index) {
                    let from_ms = (last as u64 + 1) * FRAME_MS;
                    gaps.push(Gap { side, from_ms, len_ms: index as u64 * FRAME_MS - from_ms });
                }
                last = Some(index);
            }
        }
        gaps
    }
}

/// Writes a recording as stereo WAV, 8 kHz, 16 bit, caller left and agent right; gaps are silent.
pub fn export_wav(
    options: &Options,
    master: &MasterKey,
    recording: Uid,
    path: &Path,
) -> Result<ExportReport, RecorderError> {
    let audio = load(options, master, recording)?;
    let failed = |error| RecorderError::System(path.into(), error);
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    write_wav(&mut out, &audio).and_then(|()| out.flush()).map_err(failed)?;
    Ok(ExportReport {
        duration_ms: audio.frames() as u64 * FRAME_MS,
        gaps: audio.gaps(),
        chunks: audio.chunks,
        chain: audio.chain,
    })
}

fn write_wav(out: &mut impl Write, audio: &Audio) -> std::io::Result<()> {
    let samples = audio.frames() * FRAME_SAMPLES;
    let data_bytes = samples as u32 * 4;
    out.write_all(b"RIFF")?;
    out.write_all(&(36 + data_bytes).to_le_bytes())?;
    out.write_all(b"WAVEfmt ")?;
    out.write_all(&16u32.to_le_bytes())?;
    // Linear PCM, two channels.
    out.write_all(&[1, 0, 2, 0])?;
    out.write_all(&SAMPLE_RATE.to_le_bytes())?;
    out.write_all(&(SAMPLE_RATE * 4).to_le_bytes())?;
    // Four bytes for both channels, 16 bits a sample.
    out.write_all(&[4, 0, 16, 0])?;
    out.write_all(b"data")?;
    out.write_all(&data_bytes.to_le_bytes())?;
    for (caller, agent) in audio.alaw[0].iter().zip(&audio.alaw[1]) {
        out.write_all(&media::g711::decode(Codec::Pcma, *caller).to_le_bytes())?;
        out.write_all(&media::g711::decode(Codec::Pcma, *agent).to_le_bytes())?;
    }
    Ok(())
}
