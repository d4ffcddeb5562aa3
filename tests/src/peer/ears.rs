//! Who heard whom, read from the capture alone: what a phone sent in a stretch of time is looked for in what the box sent to
//! another phone then. No phone's own recording is asked, so it holds through hold and resume, for a second call beside the
//! first, and for three who speak at once. Prompts are looked for in the same way.

use super::audio::{Pcm, find};
use super::capture::{Content, Packet};
use super::floor::Floor;
use super::{At, Outcome, Trouble};
use crate::ensure;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Pieces that a stretch is cut into, each looked for by itself: a frame more or less in a jitter buffer spoils one only.
const PIECES: i64 = 5;
const PIECE_MS: i64 = 300;
/// Longest way from one phone through the box to another.
const WAY_MS: i64 = 500;
/// Three voices of equal power: each correlates by 0.57 with the sum.
const HEARD_MIN: f64 = 0.4;
/// Noise of another seed stays below 0.2 over so many places.
const ABSENT_MAX: f64 = 0.3;
/// How long a prompt may take to begin, and to be recognised.
const PROMPT: Duration = Duration::from_secs(12);
/// A-law of a sample that is next to nothing.
const ALAW_SILENCE: u8 = 0xd5;
/// A part of a prompt that was told is found with at least this likeness.
const PROMPT_MIN: f64 = 0.85;
/// So much of a prompt is looked for.
const PROMPT_MS: i64 = 700;

/// A stretch of time, in µs since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its beginning.
    pub from_us: i64,
    /// Its end.
    pub to_us: i64,
}

impl Span {
    fn longer(self, ms: i64) -> Span {
        Span { to_us: self.to_us + ms * 1000, ..self }
    }

    fn length_ms(self) -> i64 {
        (self.to_us - self.from_us) / 1000
    }
}

/// Now, as the capture tells time.
pub fn moment() -> Outcome<i64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).at("clock")?;
    i64::try_from(since.as_micros()).at("clock")
}

/// A prompt of the box, 8 kHz.
pub fn prompt(language: &str, name: &str) -> Outcome<Pcm> {
    let share = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("rootfs").join("share/prompts");
    Pcm::read(&share.join(language).join(format!("{name}.wav")), 0)
}

/// The music of the box.
pub fn music() -> Outcome<Pcm> {
    Pcm::read(&Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("rootfs").join("share/prompts/music.wav"), 0)
}

impl Floor {
    /// Lets everybody talk on for `ms`; RTP must be flowing, because the capture's clock tells when it is over.
    pub fn span(&self, ms: i64) -> Outcome<Span> {
        let from_us = moment()?;
        let span = Span { from_us, to_us: from_us + ms * 1000 };
        self.captured_until(span.to_us)?;
        Ok(span)
    }

    fn captured_until(&self, to_us: i64) -> Outcome {
        let limit = Duration::from_secs(20);
        self.capture.packets.wait(0, limit, "packets of that time", |packet| packet.at_us >= to_us).map(|_| ())
    }

    /// What the phone of an extension sent to the box, one for each of its RTP streams.
    pub fn said(&self, extension: &str, span: Span) -> Vec<Pcm> {
        self.audio(span, |packet| self.is_port_of(extension, packet.from))
    }

    /// What the box sent to the phone of an extension, one for each of its RTP streams.
    pub fn told(&self, extension: &str, span: Span) -> Vec<Pcm> {
        self.audio(span, |packet| self.is_port_of(extension, packet.to))
    }

    fn is_port_of(&self, extension: &str, end: SocketAddrV4) -> bool {
        let first = self.site.phone_rtp(extension);
        *end.ip() == Ipv4Addr::LOCALHOST && (first..first + 4).contains(&end.port())
    }

    /// Each stream in its own order: a packet that the capture missed is a pause of its length, and moves nothing after it.
    fn audio(&self, span: Span, wanted: impl Fn(&Packet) -> bool) -> Vec<Pcm> {
        let mut streams: BTreeMap<u32, (u32, Vec<u8>)> = BTreeMap::new();
        let room = usize::try_from(span.length_ms() * 8).unwrap_or(0) + 8000;
        for packet in self.capture.packets.since(0) {
            if let Content::Rtp { payload_type: 8, ssrc, timestamp, payload, .. } = &packet.content
                && (span.from_us..span.to_us).contains(&packet.at_us)
                && wanted(&packet)
            {
                let (first, alaw) = streams.entry(*ssrc).or_insert((*timestamp, Vec::new()));
                let place = timestamp.wrapping_sub(*first) as usize;
                let end = place + payload.len();
                // What overtook the first packet, or belongs to another numbering, has no place.
                if end <= room {
                    alaw.resize(alaw.len().max(end), ALAW_SILENCE);
                    alaw[place..end].copy_from_slice(payload);
                }
            }
        }
        streams.values().map(|(_, alaw)| Pcm::from_alaw(alaw)).collect()
    }

    /// The longest pause in ms between two packets of the box to a phone.
    pub fn longest_gap_ms(&self, extension: &str, span: Span) -> i64 {
        let packets = self.capture.packets.since(0);
        let to = packets.iter().filter(|p| {
            matches!(p.content, Content::Rtp { payload_type: 8, .. })
                && (span.from_us..span.to_us).contains(&p.at_us)
                && self.is_port_of(extension, p.to)
        });
        let times: Vec<i64> = std::iter::once(span.from_us).chain(to.map(|p| p.at_us)).chain([span.to_us]).collect();
        times.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).max().unwrap_or(0)
    }

    /// How well what `speaker` said in `span` is found in what `hearer` was told: one value for each piece of it.
    fn likeness(&self, speaker: &str, hearer: &str, span: Span) -> Outcome<Vec<f64>> {
        self.captured_until(span.to_us + WAY_MS * 1000)?;
        likeness(&self.said(speaker, span), &self.told(hearer, span.longer(WAY_MS)))
    }

    /// Demands that `hearer` heard `speaker` in `span`.
    pub fn hears(&self, hearer: &str, speaker: &str, span: Span) -> Outcome {
        let found = self.likeness(speaker, hearer, span)?;
        ensure!(is_there(&found), "{hearer} should hear {speaker}: likeness {found:.2?}");
        Ok(())
    }

    /// Demands that `hearer` heard nothing of `speaker` in `span`.
    pub fn hears_not(&self, hearer: &str, speaker: &str, span: Span) -> Outcome {
        let found = self.likeness(speaker, hearer, span)?;
        ensure!(is_absent(&found), "{hearer} should not hear {speaker}: likeness {found:.2?}");
        Ok(())
    }

    /// Demands who hears whom in `span`: everybody hears exactly those beside the name, and nobody himself.
    pub fn hearing(&self, span: Span, who: &[(&str, &[&str])]) -> Outcome {
        for (hearer, heard) in who {
            for (speaker, _) in who {
                if heard.contains(speaker) {
                    self.hears(hearer, speaker, span)?;
                } else {
                    self.hears_not(hearer, speaker, span)?;
                }
            }
        }
        Ok(())
    }

    /// Waits until the phone of an extension is told a prompt, and gives the moment at which that was certain.
    pub fn hears_prompt(&self, extension: &str, language: &str, name: &str, from_us: i64) -> Outcome<i64> {
        // In parts, so that a packet that the capture missed does not count for more than it is.
        let words = core_of(&prompt(language, name)?);
        let parts: Vec<Pcm> =
            (0..=(words.length_ms() - PIECE_MS).max(0) / 100).map(|n| words.part(n * 100, PIECE_MS)).collect();
        let end_us = moment()? + i64::try_from(PROMPT.as_micros()).at("limit")?;
        loop {
            let now_us = moment()?;
            let told = self.told(extension, Span { from_us, to_us: now_us });
            let best = parts.iter().map(|part| best_of(part, &told)).fold(0.0, f64::max);
            if best >= PROMPT_MIN {
                return Ok(now_us);
            }
            if now_us > end_us {
                for (n, told) in told.iter().enumerate() {
                    told.write(&self.place.join(&format!("told-{extension}-{n}.wav")))?;
                }
                return Err(Trouble(format!("{extension} should hear the prompt {name}: likeness {best:.2}")));
            }
            // Whatever comes next on the wire; a phone that is told nothing at all still registers and keeps alive.
            let _ = self.capture.packets.wait(0, Duration::from_secs(1), "more", |p| p.at_us >= now_us + 150_000);
        }
    }

    /// How well a prompt is found in what a phone was told in `span`, 0 to 1.
    pub fn prompt_likeness(&self, extension: &str, language: &str, name: &str, span: Span) -> Outcome<f64> {
        Ok(best_of(&core_of(&prompt(language, name)?), &self.told(extension, span)))
    }

    /// Demands that a phone heard the music of the box throughout `span`.
    pub fn hears_music(&self, extension: &str, span: Span) -> Outcome {
        let music = music()?;
        let round = super::speech::joined(&[music.clone(), music.part(0, PIECE_MS)]);
        let found: Vec<f64> =
            self.told(extension, span).iter().flat_map(pieces).map(|piece| one(&piece, &round)).collect();
        ensure!(!found.is_empty() && is_there(&found), "{extension} should hear music: likeness {found:.2?}");
        Ok(())
    }

    /// Demands that a channel of a recording (0 caller, 1 agent) holds what `speaker` said in `span`, or that it does not.
    pub fn recorded(&self, channel: &Pcm, speaker: &str, span: Span, wanted: bool) -> Outcome {
        let found = likeness(&self.said(speaker, span), std::slice::from_ref(channel))?;
        let right = if wanted { is_there(&found) } else { is_absent(&found) };
        let is = if wanted { "should be" } else { "should not be" };
        ensure!(right, "{speaker} {is} in the recording: likeness {found:.2?}");
        Ok(())
    }

    /// Both channels of a recording: caller, agent.
    pub fn channels(&self, recording: &str) -> Outcome<(Pcm, Pcm)> {
        let file = self.place.join(&format!("{recording}.wav"));
        self.appliance.export(recording, &file)?;
        Ok((Pcm::read(&file, 0)?, Pcm::read(&file, 1)?))
    }

    /// The strongest that a tone of `hz` is in any 100 ms of what a phone was told, as the amplitude of that sine.
    pub fn tone(&self, extension: &str, hz: f64, span: Span) -> f64 {
        let level = |told: &Pcm| {
            let windows = 0..(told.length_ms() - 100).max(0) / 50;
            windows.map(|n| told.part(n * 50, 100).tone(hz)).fold(0.0, f64::max)
        };
        self.told(extension, span).iter().map(level).fold(0.0, f64::max)
    }
}

/// The part of a prompt by which it is told from others: not its first words, which several share.
fn core_of(words: &Pcm) -> Pcm {
    let length = words.length_ms();
    words.part((length * 3 / 10).min((length - PROMPT_MS).max(0)), PROMPT_MS)
}

fn best_of(words: &Pcm, told: &[Pcm]) -> f64 {
    told.iter().map(|told| one(words, told)).fold(0.0, f64::max)
}

fn one(piece: &Pcm, whole: &Pcm) -> f64 {
    find(piece, whole).map_or(0.0, |found| found.correlation)
}

/// Evenly spread pieces of what was said; none when it is shorter than one.
fn pieces(said: &Pcm) -> Vec<Pcm> {
    let room = said.length_ms() - PIECE_MS;
    if room < 0 { Vec::new() } else { (0..PIECES).map(|n| said.part(room * n / (PIECES - 1), PIECE_MS)).collect() }
}

/// For each piece of what was said in any stream, how well the best of the streams told holds it.
fn likeness(said: &[Pcm], told: &[Pcm]) -> Outcome<Vec<f64>> {
    let pieces: Vec<Pcm> = said.iter().flat_map(pieces).collect();
    ensure!(!pieces.is_empty(), "nothing was said");
    Ok(pieces.iter().map(|piece| best_of(piece, told)).collect())
}

fn is_there(found: &[f64]) -> bool {
    let there = found.iter().filter(|likeness| **likeness >= HEARD_MIN).count();
    there * 5 >= found.len() * 3
}

fn is_absent(found: &[f64]) -> bool {
    found.iter().all(|likeness| *likeness <= ABSENT_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::speech::{joined, silence, voice};
    use super::*;

    fn sum(parts: &[Pcm]) -> Pcm {
        let longest = parts.iter().map(|p| p.samples.len()).max().unwrap_or(0);
        let at = |n: usize| parts.iter().map(|p| i32::from(p.samples.get(n).copied().unwrap_or(0)) / 3).sum::<i32>();
        Pcm { rate: 8000, samples: (0..longest).map(|n| at(n) as i16).collect() }
    }

    #[test]
    fn three_at_once_are_each_found_and_a_fourth_is_not() {
        let voices: Vec<Pcm> = (1..=4).map(|seed| voice(seed, 2)).collect();
        let mixed = joined(&[silence(60), sum(&voices[..3])]);
        for voice in &voices[..3] {
            let found = likeness(std::slice::from_ref(voice), std::slice::from_ref(&mixed)).unwrap();
            assert!(is_there(&found), "{found:?}");
        }
        let found = likeness(&voices[3..], &[mixed]).unwrap();
        assert!(is_absent(&found), "{found:?}");
    }

    #[test]
    fn a_prompt_is_told_from_others() {
        let (ready, not_ready) = (prompt("zh-CN", "agent-ready").unwrap(), prompt("zh-CN", "agent-not-ready").unwrap());
        assert!(best_of(&core_of(&ready), std::slice::from_ref(&ready)) > 0.99);
        assert!(best_of(&core_of(&ready), &[not_ready]) < 0.7);
    }
}
