//! The person at the far end of a line: speaks files, presses keys in the voice band, and listens into a file. Every
//! sound has a sample position on the world's clock, so that a test can compare what was said with what arrived.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// Samples per second of everything here.
pub const RATE: u32 = 8_000;
/// A key is down for 100 ms, and up for as long before the next (ITU-T Q.24 wants at least 40 ms each).
pub const KEY_SAMPLES: u64 = 800;
/// Peak of each of the two tones of a key.
const KEY_PEAK: f64 = 6_000.0;
/// Ten minutes; a longer file is refused.
const SPEECH_SAMPLES_MAX: u32 = 600 * RATE;

const WAV: WavSpec = WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };

/// One sound with its place in time.
#[derive(Clone, Debug)]
pub struct Sound {
    /// File, or `key 2`.
    pub name: String,
    /// Position of its first sample.
    pub began: u64,
    samples: Vec<i16>,
}

impl Sound {
    /// Position after its last sample.
    pub fn ended(&self) -> u64 {
        self.began + self.samples.len() as u64
    }

    fn at(&self, position: u64) -> i16 {
        let index = position.checked_sub(self.began).and_then(|i| usize::try_from(i).ok());
        index.and_then(|i| self.samples.get(i)).copied().unwrap_or(0)
    }
}

/// What a person says and hears.
#[derive(Default)]
pub struct Person {
    saying: Vec<Sound>,
    said: VecDeque<(String, u64, u64)>,
    keys_until: u64,
    ear: Option<Ear>,
}

/// How many past sounds the status tells.
const SAID_MAX: usize = 32;

impl Person {
    /// Says `samples` from position `began` on.
    pub fn say(&mut self, name: &str, samples: Vec<i16>, began: u64) {
        self.saying.push(Sound { name: name.into(), began, samples });
    }

    /// Presses a key after those already being pressed, not before `earliest`; says at which position.
    pub fn press(&mut self, key: char, earliest: u64) -> Option<u64> {
        let samples = key_samples(key)?;
        let began = earliest.max(self.keys_until);
        self.keys_until = began + 2 * KEY_SAMPLES;
        self.say(&format!("key {key}"), samples, began);
        Some(began)
    }

    /// Stops talking at `position`.
    pub fn hush(&mut self, position: u64) {
        for sound in self.saying.drain(..).filter(|s| s.began < position) {
            self.said.push_back((sound.name.clone(), sound.began, sound.ended().min(position)));
        }
        self.keys_until = 0;
        self.forget();
    }

    /// The samples of the period at `position`.
    pub fn speak<const N: usize>(&mut self, position: u64) -> [i16; N] {
        let mut out = [0i16; N];
        for sound in &self.saying {
            for (i, sample) in out.iter_mut().enumerate() {
                *sample = sample.saturating_add(sound.at(position + i as u64));
            }
        }
        let end = position + N as u64;
        for sound in self.saying.extract_if(.., |s| s.ended() <= end) {
            self.said.push_back((sound.name.clone(), sound.began, sound.ended()));
        }
        self.forget();
        out
    }

    fn forget(&mut self) {
        while self.said.len() > SAID_MAX {
            self.said.pop_front();
        }
    }

    /// Everything said lately: name, first position, position after the last sample.
    pub fn sounds(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        let past = self.said.iter().map(|(name, began, ended)| (name.as_str(), *began, *ended));
        past.chain(self.saying.iter().map(|s| (s.name.as_str(), s.began, s.ended())))
    }

    /// The file that hears, if one does.
    pub fn ear(&self) -> Option<&Ear> {
        self.ear.as_ref()
    }

    /// Writes what comes from the line into a new file from `position` on.
    pub fn listen(&mut self, path: &Path, position: u64) -> Result<(), String> {
        if let Some(ear) = &self.ear {
            return Err(format!("already listening into {}; stop that first", ear.path.display()));
        }
        let writer = WavWriter::create(path, WAV).map_err(|why| {
            format!("cannot write {}: {why}; name a file in a directory that exists and may be written", path.display())
        })?;
        self.ear = Some(Ear { path: path.into(), began: position, samples: 0, writer });
        Ok(())
    }

    /// Ends the file; says where it began and how many samples it holds.
    pub fn stop_listening(&mut self) -> Result<(u64, u64), String> {
        let ear = self.ear.take().ok_or("not listening; start first")?;
        let path = ear.path.display().to_string();
        ear.writer.finalize().map_err(|why| format!("cannot finish {path}: {why}"))?;
        Ok((ear.began, ear.samples))
    }

    /// Takes the samples of one period from the line. A full disk ends the file.
    pub fn hear(&mut self, samples: &[i16]) {
        let Some(ear) = &mut self.ear else { return };
        let written = samples.iter().try_for_each(|s| ear.writer.write_sample(*s));
        ear.samples += samples.len() as u64;
        let second = ear.samples.is_multiple_of(u64::from(RATE));
        if written.and_then(|()| if second { ear.writer.flush() } else { Ok(()) }).is_err() {
            self.ear = None;
        }
    }
}

/// A file into which a person hears.
pub struct Ear {
    /// Its path.
    pub path: PathBuf,
    /// Position of its first sample.
    pub began: u64,
    /// How many it holds.
    pub samples: u64,
    writer: WavWriter<BufWriter<File>>,
}

/// Two tones of ITU-T Q.23.
fn key_samples(key: char) -> Option<Vec<i16>> {
    const ROWS: [(&str, f64); 4] = [("123A", 697.0), ("456B", 770.0), ("789C", 852.0), ("*0#D", 941.0)];
    const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
    let (column, low) = ROWS.iter().find_map(|(keys, f)| Some((keys.find(key)?, *f)))?;
    let high = COLUMNS[column];
    let wave = |f: f64, i: u64| (TAU * f * i as f64 / f64::from(RATE)).sin() * KEY_PEAK;
    Some((0..KEY_SAMPLES).map(|i| (wave(low, i) + wave(high, i)).round() as i16).collect())
}

/// Reads a mono 16-bit WAV of 8 kHz; the error says what is wrong and how to make it right.
pub fn load_wav(path: &Path) -> Result<Vec<i16>, String> {
    let name = path.display();
    let mut reader =
        WavReader::open(path).map_err(|why| format!("cannot read {name}: {why}; name a WAV file, by its full path"))?;
    let spec = reader.spec();
    if spec != WAV {
        return Err(format!(
            "{name} has {} channel(s), {} Hz, {} bits; convert it: sox {name} -r 8000 -c 1 -b 16 out.wav",
            spec.channels, spec.sample_rate, spec.bits_per_sample
        ));
    }
    if reader.len() > SPEECH_SAMPLES_MAX {
        return Err(format!("{name} is longer than 10 minutes; cut it: sox {name} out.wav trim 0 600"));
    }
    let samples: Result<Vec<i16>, _> = reader.samples().collect();
    samples.map_err(|why| format!("{name} is damaged: {why}; make it anew"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_start_at_their_sample() {
        let mut person = Person::default();
        person.say("a", vec![7; 10], 5);
        assert_eq!(person.speak::<8>(0), [0, 0, 0, 0, 0, 7, 7, 7]);
        assert_eq!(person.speak::<8>(8), [7, 7, 7, 7, 7, 7, 7, 0]);
        assert_eq!(person.speak::<8>(16), [0; 8]);
        assert_eq!(person.sounds().collect::<Vec<_>>(), [("a", 5, 15)]);
    }

    #[test]
    fn keys_follow_one_another() {
        let mut person = Person::default();
        assert_eq!(person.press('1', 100), Some(100));
        assert_eq!(person.press('#', 100), Some(1_700));
        assert_eq!(person.press('x', 100), None);
        assert!(person.speak::<900>(100)[..800].iter().any(|s| s.abs() > 8_000));
    }

    #[test]
    fn a_hushed_person_has_said_half() {
        let mut person = Person::default();
        person.say("a", vec![7; 100], 0);
        person.hush(40);
        assert_eq!(person.speak::<8>(40), [0; 8]);
        assert_eq!(person.sounds().collect::<Vec<_>>(), [("a", 0, 40)]);
    }

    #[test]
    fn hears_into_a_file_and_reads_it_back() {
        let path = std::env::temp_dir().join(format!("person-{}.wav", std::process::id()));
        let mut person = Person::default();
        person.listen(&path, 320).unwrap();
        assert!(person.listen(&path, 320).is_err());
        person.hear(&[1, 2, 3]);
        assert_eq!(person.stop_listening(), Ok((320, 3)));
        assert_eq!(load_wav(&path), Ok(vec![1, 2, 3]));
        std::fs::remove_file(&path).unwrap();
        assert!(load_wav(&path).unwrap_err().contains("full path"));
    }
}
