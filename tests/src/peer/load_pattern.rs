//! What a phone of a load says: no voice, but A-law bytes that name the speaker and count the frames, so that whoever
//! hears them knows whom he hears, and what is missing. They survive every way that does not mix: relayed, decoded and
//! encoded again (A-law is one to one), cut anew into frames, recorded.

use base::limits::FRAME_SAMPLES;

/// One frame holds this many equal records.
const RECORD_BYTES: usize = 16;
/// No music and no prompt of ours begins so, and the check word below makes sure.
const MAGIC: [u8; 2] = [0xc3, 0x3d];

/// Who spoke, and which frame of his it was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spoken {
    /// The speaker.
    pub speaker: u32,
    /// His frames are numbered from 0.
    pub frame: u32,
}

impl Spoken {
    /// The frame's payload.
    pub fn write(self, payload: &mut [u8]) {
        let record = self.record();
        payload.iter_mut().zip(record.iter().cycle()).for_each(|(byte, part)| *byte = *part);
    }

    fn record(self) -> [u8; RECORD_BYTES] {
        let mut record = [0xd5; RECORD_BYTES];
        record[..2].copy_from_slice(&MAGIC);
        record[2..6].copy_from_slice(&self.speaker.to_be_bytes());
        record[6..10].copy_from_slice(&self.frame.to_be_bytes());
        let sum = check(&record[2..10]);
        record[10..14].copy_from_slice(&sum.to_be_bytes());
        record
    }

    fn read(record: &[u8]) -> Option<Spoken> {
        let record: &[u8; RECORD_BYTES] = record.try_into().ok()?;
        let [m0, m1, s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, ..] = *record;
        let whole = [m0, m1] == MAGIC && check(&record[2..10]).to_be_bytes() == [c0, c1, c2, c3];
        whole.then_some(Spoken {
            speaker: u32::from_be_bytes([s0, s1, s2, s3]),
            frame: u32::from_be_bytes([f0, f1, f2, f3]),
        })
    }
}

/// FNV-1a, 32 bits.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Gives `heard` each frame in A-law audio, at any alignment, once for each run of its records.
pub fn listen(alaw: &[u8], mut heard: impl FnMut(Spoken)) {
    let mut last = None;
    let mut at = 0;
    // A whole frame at its place is the rule: one record of it tells.
    while let Some(record) = alaw.get(at..at + RECORD_BYTES) {
        let Some(spoken) = Spoken::read(record) else {
            at += 1;
            continue;
        };
        if last != Some(spoken) {
            heard(spoken);
            last = Some(spoken);
        }
        let end = at + FRAME_SAMPLES;
        let unbroken = alaw.get(end - RECORD_BYTES..end).is_some_and(|other| other == record);
        at = if unbroken { end } else { at + RECORD_BYTES };
    }
}

/// One speaker as somebody heard him.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Voice {
    /// Who.
    pub speaker: u32,
    /// Frames heard, each once.
    pub frames: u32,
    first: u32,
    last: u32,
}

impl Voice {
    /// Frames that never came between the first and the last that did.
    pub fn missing(&self) -> u32 {
        (self.last - self.first + 1).saturating_sub(self.frames)
    }
}

/// All that somebody heard, by speaker.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    voices: Vec<Voice>,
}

impl Heard {
    /// One frame more. Frames come in order, or are counted as heard again.
    pub fn take(&mut self, spoken: Spoken) {
        let Spoken { speaker, frame } = spoken;
        match self.voices.iter_mut().find(|voice| voice.speaker == speaker) {
            Some(voice) if frame > voice.last => {
                voice.frames += 1;
                voice.last = frame;
            }
            // Packets that overtake one another: within the stretch, so not missing.
            Some(voice) if frame < voice.last && frame >= voice.first => voice.frames += 1,
            Some(_) => {}
            None => self.voices.push(Voice { speaker, frames: 1, first: frame, last: frame }),
        }
    }

    /// What is in a piece of audio.
    pub fn of(alaw: &[u8]) -> Heard {
        let mut heard = Heard::default();
        listen(alaw, |spoken| heard.take(spoken));
        heard
    }

    /// Who was heard, first heard first.
    pub fn voices(&self) -> &[Voice] {
        &self.voices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(speaker: u32, numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
        let frame = |frame| {
            let mut payload = [0; FRAME_SAMPLES];
            Spoken { speaker, frame }.write(&mut payload);
            payload
        };
        numbers.into_iter().flat_map(frame).collect()
    }

    #[test]
    fn frames_are_found_at_every_alignment() {
        let audio = frames(7, 0..50);
        for cut in 0..FRAME_SAMPLES {
            let heard = Heard::of(&audio[cut..]);
            let [voice] = heard.voices() else { panic!("{heard:?}") };
            assert_eq!((voice.speaker, voice.missing()), (7, 0), "cut {cut}");
            assert!(voice.frames >= 49, "cut {cut}: {voice:?}");
        }
    }

    #[test]
    fn what_is_missing_is_counted_and_a_second_speaker_is_told_apart() {
        let mut audio = frames(7, (0..50).filter(|n| n % 10 != 3));
        audio.extend([0x55; 500]);
        audio.extend(frames(9, 4..6));
        let heard = Heard::of(&audio);
        let told: Vec<_> = heard.voices().iter().map(|v| (v.speaker, v.frames, v.missing())).collect();
        assert_eq!(told, [(7, 45, 5), (9, 2, 0)]);
        assert!(Heard::of(&[0xc3; 4000]).voices().is_empty());
    }

    #[test]
    fn it_survives_decoding_and_encoding() {
        let audio = frames(3, 0..20);
        let decoded = super::super::audio::Pcm::from_alaw(&audio);
        let again: Vec<u8> = decoded.samples.iter().map(|sample| super::super::audio::alaw_of(*sample)).collect();
        assert_eq!(Heard::of(&again), Heard::of(&audio));
    }
}
