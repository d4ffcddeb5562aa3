//! A playlist as a function of time: what is heard at any moment follows from the moment it began, so that a playlist
//! given again after a restart goes on where it would be.

use crate::library::Library;
use crate::{Pcm, SILENCE, tone};
use base::limits::FRAME_SAMPLES;
use base::media::{Item, PlayId, Tone};
use base::time::Instant;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Sound {
    Prompt(Arc<[i16]>),
    Music(Arc<[i16]>),
    Tone(Tone),
    Pause,
}

/// One piece; `samples` is `None` for an endless one.
#[derive(Clone, Debug)]
struct Piece {
    sound: Sound,
    samples: Option<u64>,
}

/// What a leg hears by `Command::Play`.
#[derive(Clone, Debug)]
pub struct Playlist {
    play: PlayId,
    pieces: Vec<Piece>,
    /// Samples of all pieces together; `None` when one is endless.
    total: Option<u64>,
    repeat: bool,
    since: Instant,
}

/// What a playlist says at a tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Playing {
    /// The frame was written.
    Sound,
    /// It begins later; the frame is silence.
    NotYet,
    /// It is over; the frame is silence.
    Over,
}

impl Playlist {
    /// Looks up all prompts; `missing` is told the name of each that is not there, and it is skipped.
    pub fn new(
        play: PlayId,
        items: &[Item],
        repeat: bool,
        since: Instant,
        library: &Library,
        mut missing: impl FnMut(String),
    ) -> Playlist {
        let mut pieces = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Prompt { name, language } => match library.prompt(language, name) {
                    Some(samples) => {
                        pieces.push(Piece { samples: Some(samples.len() as u64), sound: Sound::Prompt(samples) })
                    }
                    None => missing(format!("{language}/{name}")),
                },
                Item::Tone(tone) => pieces.push(Piece { sound: Sound::Tone(*tone), samples: tone::length(*tone) }),
                Item::Music => match library.music().filter(|samples| !samples.is_empty()) {
                    Some(samples) => pieces.push(Piece { sound: Sound::Music(samples), samples: None }),
                    None => {
                        missing("music".to_owned());
                        pieces.push(Piece { sound: Sound::Pause, samples: None });
                    }
                },
                Item::Pause(ms) => pieces.push(Piece { sound: Sound::Pause, samples: Some(u64::from(*ms) * 8) }),
            }
        }
        let total = pieces.iter().map(|p| p.samples).sum();
        Playlist { play, pieces, total, repeat, since }
    }

    /// Its name.
    pub fn id(&self) -> PlayId {
        self.play
    }

    /// Writes what is heard in the frame that begins at `now`.
    pub fn frame(&self, now: Instant, out: &mut Pcm) -> Playing {
        *out = SILENCE;
        if now < self.since {
            return Playing::NotYet;
        }
        let mut at = now.since(self.since).as_micros() as u64 / 125;
        match self.total {
            Some(0) => return if self.repeat { Playing::Sound } else { Playing::Over },
            Some(total) if self.repeat => at %= total,
            Some(total) if at >= total => return Playing::Over,
            Some(_) | None => {}
        }
        let mut filled = 0;
        while filled < FRAME_SAMPLES {
            let Some((piece, offset)) = self.find(at) else {
                if !self.repeat {
                    break;
                }
                at = 0;
                continue;
            };
            let left = piece.samples.map_or(u64::MAX, |n| n - offset);
            let count = left.min((FRAME_SAMPLES - filled) as u64) as usize;
            piece.write(offset, &mut out[filled..filled + count]);
            filled += count;
            at += count as u64;
        }
        Playing::Sound
    }

    fn find(&self, at: u64) -> Option<(&Piece, u64)> {
        let mut offset = at;
        for piece in &self.pieces {
            match piece.samples {
                Some(samples) if offset >= samples => offset -= samples,
                Some(_) | None => return Some((piece, offset)),
            }
        }
        None
    }
}

impl Piece {
    fn write(&self, offset: u64, out: &mut [i16]) {
        match &self.sound {
            Sound::Prompt(samples) => {
                let from = (offset as usize).min(samples.len());
                let count = out.len().min(samples.len() - from);
                out[..count].copy_from_slice(&samples[from..from + count]);
            }
            Sound::Music(samples) => {
                let mut from = (offset % samples.len() as u64) as usize;
                let mut rest = out;
                while !rest.is_empty() {
                    let count = rest.len().min(samples.len() - from);
                    let (now, later) = rest.split_at_mut(count);
                    now.copy_from_slice(&samples[from..from + count]);
                    rest = later;
                    from = 0;
                }
            }
            Sound::Tone(tone) => tone::write(*tone, offset, out),
            Sound::Pause => out.fill(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Library {
        let mut library = Library::new();
        library.insert("en-US", "a", (1..=200).collect());
        library.insert("en-US", "b", (1001..=1300).collect());
        library.set_music((0..1000).collect());
        library
    }

    fn prompt(name: &str) -> Item {
        Item::Prompt { name: name.into(), language: "en-US".into() }
    }

    fn at(samples: u64) -> Instant {
        Instant::from_micros(5_000_000 + samples * 125)
    }

    fn samples(list: &Playlist, from: u64, frames: u64) -> Vec<i16> {
        (0..frames)
            .flat_map(|i| {
                let mut pcm = SILENCE;
                list.frame(at(from + 160 * i), &mut pcm);
                pcm
            })
            .collect()
    }

    #[test]
    fn pieces_follow_each_other_without_a_gap() {
        let list =
            Playlist::new(PlayId(1), &[prompt("a"), Item::Pause(10), prompt("b")], false, at(0), &library(), |_| {});
        let heard = samples(&list, 0, 5);
        let expected: Vec<i16> = (1..=200).chain([0; 80]).chain(1001..=1300).chain([0; 220]).collect();
        assert_eq!(heard, expected);
        assert_eq!(list.frame(at(480), &mut SILENCE.clone()), Playing::Sound);
        assert_eq!(list.frame(at(580), &mut SILENCE.clone()), Playing::Over);
        // Joined in the middle.
        assert_eq!(samples(&list, 150, 1), expected[150..310]);
    }

    #[test]
    fn repeats_and_loops() {
        let list = Playlist::new(PlayId(1), &[prompt("a")], true, at(0), &library(), |_| {});
        assert_eq!(samples(&list, 0, 5)[..], (1..=200).cycle().take(800).collect::<Vec<i16>>()[..]);
        let music = Playlist::new(PlayId(1), &[Item::Music], false, at(0), &library(), |_| {});
        assert_eq!(samples(&music, 960, 1)[..], (960..1000).chain(0..120).collect::<Vec<i16>>()[..]);
    }

    #[test]
    fn missing_prompts_are_skipped_and_told() {
        let mut missing = vec![];
        let items = [prompt("x"), prompt("a"), prompt("y")];
        let list = Playlist::new(PlayId(1), &items, false, at(0), &library(), |name| missing.push(name));
        assert_eq!(missing, ["en-US/x", "en-US/y"]);
        assert_eq!(samples(&list, 0, 1)[..], (1..=160).collect::<Vec<i16>>()[..]);
        let nothing = Playlist::new(PlayId(1), &[prompt("x")], true, at(0), &library(), |_| {});
        assert_eq!(nothing.frame(at(0), &mut SILENCE.clone()), Playing::Sound);
        let nothing = Playlist::new(PlayId(1), &[prompt("x")], false, at(0), &library(), |_| {});
        assert_eq!(nothing.frame(at(0), &mut SILENCE.clone()), Playing::Over);
    }

    #[test]
    fn waits_for_its_time() {
        let list = Playlist::new(PlayId(1), &[prompt("a")], false, at(800), &library(), |_| {});
        assert_eq!(list.frame(at(640), &mut SILENCE.clone()), Playing::NotYet);
        assert_eq!(samples(&list, 800, 1)[0], 1);
    }
}
