//! Reads prompts and music from WAV files: `<dir>/<language>/<name>.wav` and `<dir>/music.wav`, 8 kHz mono, linear
//! 16 bit, A-law or µ-law. A bad file is told with its path and the remedy; the others are still read.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::media::Codec;
use media::{Library, g711};

/// File with the music on hold, without ending.
const MUSIC: &str = "music";
/// WAVE format tags.
const LINEAR: u16 = 1;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
/// The tag that says "see the GUID".
const EXTENSIBLE: u16 = 0xfffe;
/// Longest file that is read: an hour of 16-bit audio.
const FILE_BYTES_MAX: u64 = 3600 * 16_000;

/// What is wrong with one file or folder.
#[derive(Debug)]
pub struct Problem {
    /// Which.
    pub path: PathBuf,
    /// What.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Debug)]
pub enum Fault {
    /// It cannot be read.
    Io(io::Error),
    /// It is not a WAV file, or it ends too early.
    NotWav,
    /// Its audio is in another form.
    Form {
        /// WAVE format tag.
        tag: u16,
        /// Channels.
        channels: u16,
        /// Samples a second.
        rate: u32,
        /// Bits of a sample.
        bits: u16,
    },
    /// Longer than an hour.
    TooLong,
    /// Its name is not in UTF-8.
    Name,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.fault {
            Fault::Io(why) => write!(f, "{path}: {why}; check that it exists and that the program may read it"),
            Fault::NotWav => write!(f, "{path}: not a WAV file, or cut short; copy it again"),
            Fault::Form { tag, channels, rate, bits } => write!(
                f,
                "{path}: format {tag}, {channels} channels, {rate} Hz, {bits} bits; convert it to 8000 Hz mono, 16-bit \
                 linear or A-law, e.g. `sox FILE -r 8000 -c 1 -b 16 NEW.wav`"
            ),
            Fault::TooLong => write!(f, "{path}: longer than an hour; shorten it"),
            Fault::Name => write!(f, "{path}: the name is not UTF-8; rename it"),
        }
    }
}

/// Reads all files under `dir`; files that are not `.wav` are ignored.
pub fn load(dir: &Path) -> (Library, Vec<Problem>) {
    let mut library = Library::new();
    let mut problems = Vec::new();
    for path in entries(dir, &mut problems) {
        if path.is_dir() {
            let Some(language) = name_of(&path, &mut problems) else { continue };
            for file in entries(&path, &mut problems).iter().filter(|file| is_wav(file)) {
                let Some(name) = name_of(file, &mut problems) else { continue };
                match read(file) {
                    Ok(samples) => library.insert(&language, &name, samples),
                    Err(fault) => problems.push(Problem { path: file.clone(), fault }),
                }
            }
        } else if is_wav(&path) && path.file_stem().is_some_and(|stem| stem == MUSIC) {
            match read(&path) {
                Ok(samples) => library.set_music(samples),
                Err(fault) => problems.push(Problem { path, fault }),
            }
        }
    }
    (library, problems)
}

/// The prompts under `dir`, unread, each `zh-CN/menu-main`; none when the directory cannot be listed.
pub fn names(dir: &Path) -> Option<Vec<String>> {
    let mut problems = Vec::new();
    let languages = entries(dir, &mut problems);
    if !problems.is_empty() {
        return None;
    }
    let mut names = Vec::new();
    for path in languages.iter().filter(|path| path.is_dir()) {
        let Some(language) = name_of(path, &mut problems) else { continue };
        let files = entries(path, &mut problems);
        let files: Vec<String> =
            files.iter().filter(|file| is_wav(file)).filter_map(|file| name_of(file, &mut problems)).collect();
        names.extend(files.iter().map(|name| format!("{language}/{name}")));
    }
    Some(names)
}

/// Reads all files under `dir` and logs what is wrong with them.
pub fn load_and_log(dir: &Path) -> Library {
    let (library, problems) = load(dir);
    for problem in &problems {
        tracing::warn!("prompt {problem}");
    }
    library
}

fn entries(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = fs::read_dir(dir).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut paths: Vec<PathBuf> = listed.unwrap_or_else(|why| {
        problems.push(Problem { path: dir.to_owned(), fault: Fault::Io(why) });
        Vec::new()
    });
    paths.sort();
    paths
}

fn is_wav(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("wav"))
}

fn name_of(path: &Path, problems: &mut Vec<Problem>) -> Option<String> {
    let stem = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let name = stem.and_then(|stem| stem.to_str()).map(str::to_owned);
    if name.is_none() {
        problems.push(Problem { path: path.to_owned(), fault: Fault::Name });
    }
    name
}

fn read(path: &Path) -> Result<Arc<[i16]>, Fault> {
    if fs::metadata(path).map_err(Fault::Io)?.len() > FILE_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    decode(&fs::read(path).map_err(Fault::Io)?)
}

/// The samples of a WAV file in memory.
pub fn decode(bytes: &[u8]) -> Result<Arc<[i16]>, Fault> {
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(Fault::NotWav);
    }
    let mut rest = &bytes[12..];
    let mut form = None;
    loop {
        let (Some(id), Some(length)) = (rest.get(..4), u32_at(rest, 4)) else { return Err(Fault::NotWav) };
        let body = &rest[8..];
        let length = usize::try_from(length).map_err(|_| Fault::NotWav)?;
        match id {
            b"fmt " => form = Some(Form::read(body.get(..length).ok_or(Fault::NotWav)?).ok_or(Fault::NotWav)?),
            // A writer that streamed may have left the length open.
            b"data" => return form.ok_or(Fault::NotWav)?.samples(&body[..length.min(body.len())]),
            _ => {}
        }
        rest = body.get(length + length % 2..).ok_or(Fault::NotWav)?;
    }
}

/// The `fmt ` chunk.
#[derive(Clone, Copy)]
struct Form {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

impl Form {
    fn read(chunk: &[u8]) -> Option<Form> {
        let mut tag = u16_at(chunk, 0)?;
        if tag == EXTENSIBLE {
            tag = u16_at(chunk, 24)?;
        }
        Some(Form { tag, channels: u16_at(chunk, 2)?, rate: u32_at(chunk, 4)?, bits: u16_at(chunk, 14)? })
    }

    fn samples(self, data: &[u8]) -> Result<Arc<[i16]>, Fault> {
        let law = |codec| data.iter().map(|code| g711::decode(codec, *code)).collect();
        match self {
            Form { tag: LINEAR, channels: 1, rate: 8000, bits: 16 } => {
                Ok(data.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
            }
            Form { tag: A_LAW, channels: 1, rate: 8000, bits: 8 } => Ok(law(Codec::Pcma)),
            Form { tag: MU_LAW, channels: 1, rate: 8000, bits: 8 } => Ok(law(Codec::Pcmu)),
            Form { tag, channels, rate, bits } => Err(Fault::Form { tag, channels, rate, bits }),
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut out = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        out.extend(tag.to_le_bytes());
        out.extend(channels.to_le_bytes());
        out.extend(rate.to_le_bytes());
        out.extend((rate * u32::from(bits / 8)).to_le_bytes());
        out.extend((bits / 8).to_le_bytes());
        out.extend(bits.to_le_bytes());
        out.extend(b"data");
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out
    }

    #[test]
    fn three_forms_are_read() {
        assert_eq!(decode(&wav(1, 1, 8000, 16, &[1, 0, 0xff, 0xff])).unwrap()[..], [1, -1]);
        assert_eq!(decode(&wav(6, 1, 8000, 8, &[0xd5])).unwrap()[..], [8]);
        assert_eq!(decode(&wav(7, 1, 8000, 8, &[0xff])).unwrap()[..], [0]);
    }

    #[test]
    fn others_are_refused_with_a_remedy() {
        let Err(fault) = decode(&wav(1, 2, 44_100, 16, &[0; 8])) else { panic!("taken") };
        let text = Problem { path: "a/b.wav".into(), fault }.to_string();
        assert!(text.contains("a/b.wav") && text.contains("44100 Hz") && text.contains("convert"), "{text}");
        let whole = wav(1, 1, 8000, 16, &[0; 8]);
        for cut in 0..whole.len() - 8 {
            assert!(decode(&whole[..cut]).is_err());
        }
    }

    #[test]
    fn one_bad_file_does_not_hide_the_others() {
        let dir = std::env::temp_dir().join(format!("cordboard-prompts-{}", std::process::id()));
        fs::create_dir_all(dir.join("en-US")).unwrap();
        fs::write(dir.join("en-US/good.wav"), wav(1, 1, 8000, 16, &[5, 0])).unwrap();
        fs::write(dir.join("en-US/bad.wav"), b"RIFF").unwrap();
        fs::write(dir.join("en-US/notes.txt"), b"no audio").unwrap();
        fs::write(dir.join("music.wav"), wav(6, 1, 8000, 8, &[0; 100])).unwrap();
        let (library, problems) = load(&dir);
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(library.prompt("en-US", "good").unwrap()[..], [5]);
        assert_eq!(library.music().unwrap().len(), 100);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].path.ends_with("en-US/bad.wav"));
        let (nothing, problems) = load(&dir);
        assert!(nothing.is_empty() && problems[0].to_string().contains("check that it exists"));
    }
}
