//! What was heard against what was spoken: alignment by cross-correlation, missing stretches, silence and tones. Linear
//! PCM at one rate; the measuring is in floating point because it decides a test, never a call.

use super::{At, Outcome, Trouble};
use std::f64::consts::{PI, TAU};
use std::path::Path;

/// One channel of linear PCM.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pcm {
    /// Samples per second.
    pub rate: u32,
    /// 16-bit linear.
    pub samples: Vec<i16>,
}

/// Where a reference lies in what was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Place of the reference's first sample within the heard audio, in ms.
    pub at_ms: i64,
    /// Normalised correlation there, -1 to 1.
    pub correlation: f64,
}

/// One stretch of heard audio that follows the source without a jump.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Where it begins in what was heard, in ms.
    pub heard_ms: i64,
    /// Which moment of the source is heard there, in ms.
    pub spoken_ms: i64,
    /// How long, in ms.
    pub length_ms: i64,
}

impl Pcm {
    /// Reads one channel (from 0) of a 16-bit WAV file. A file still open for writing has no length in its header; the
    /// rest of the file is taken then.
    pub fn read(path: &Path, channel: usize) -> Outcome<Pcm> {
        let bytes = std::fs::read(path).at(path.display())?;
        let field = |at: usize| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
        let text = |at: usize| bytes.get(at..at + 4).unwrap_or_default();
        if text(0) != b"RIFF" || text(8) != b"WAVE" {
            return Err(Trouble(format!("{}: no WAV file ({} bytes)", path.display(), bytes.len())));
        }
        let (mut at, mut channels, mut rate) = (12, 1, 8000);
        while let Some(size) = field(at + 4) {
            match text(at) {
                b"fmt " => {
                    channels = field(at + 8).map_or(1, |word| usize::from((word >> 16) as u16));
                    rate = field(at + 12).unwrap_or(8000);
                }
                b"data" => break,
                _ => {}
            }
            at = at.saturating_add(8).saturating_add(size as usize).saturating_add((size & 1) as usize);
        }
        let open = field(at + 4).is_none_or(|size| size == 0 || size == u32::MAX);
        let body = bytes.get(at + 8..).unwrap_or_default();
        let size = if open { body.len() } else { body.len().min(field(at + 4).unwrap_or(0) as usize) };
        let words = body[..size].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        Ok(Pcm { rate, samples: words.skip(channel).step_by(channels.max(1)).collect() })
    }

    /// Writes a 16-bit WAV file.
    pub fn write(&self, path: &Path) -> Outcome {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(path, spec).at(path.display())?;
        for sample in &self.samples {
            file.write_sample(*sample).at(path.display())?;
        }
        file.finalize().at(path.display())
    }

    /// Writes raw A-law bytes (ITU-T G.711), as SIPp plays them.
    pub fn write_alaw(&self, path: &Path) -> Outcome {
        std::fs::write(path, self.samples.iter().map(|sample| alaw_of(*sample)).collect::<Vec<u8>>()).at(path.display())
    }

    /// From A-law bytes, as they are in a capture.
    pub fn from_alaw(bytes: &[u8]) -> Pcm {
        Pcm { rate: 8000, samples: bytes.iter().map(|byte| linear_of(*byte)).collect() }
    }

    /// Length in ms.
    pub fn length_ms(&self) -> i64 {
        self.ms(self.samples.len() as i64)
    }

    /// The part from `from_ms`, `length_ms` long, or as much of it as there is.
    pub fn part(&self, from_ms: i64, length_ms: i64) -> Pcm {
        let place = |ms: i64| (self.count(ms.max(0)) as usize).min(self.samples.len());
        Pcm { rate: self.rate, samples: self.samples[place(from_ms)..place(from_ms.max(0) + length_ms)].to_vec() }
    }

    /// Root mean square.
    pub fn level(&self) -> f64 {
        energy(&self.samples).sqrt() / (self.samples.len().max(1) as f64).sqrt()
    }

    /// Level of one frequency by Goertzel's recurrence, as the amplitude of that sine.
    pub fn tone(&self, hz: f64) -> f64 {
        let factor = 2.0 * (TAU * hz / f64::from(self.rate)).cos();
        let (mut last, mut before) = (0.0, 0.0);
        for sample in &self.samples {
            (last, before) = (f64::from(*sample) + factor * last - before, last);
        }
        let power = last * last + before * before - factor * last * before;
        2.0 * power.max(0.0).sqrt() / (self.samples.len().max(1) as f64)
    }

    /// The longest stretch quieter than `level` (RMS over 20 ms): where it begins and how long it is, in ms.
    pub fn longest_silence(&self, level: f64) -> (i64, i64) {
        let frame = self.count(20).max(1) as usize;
        let (mut best, mut begin, mut length) = ((0, 0), 0, 0);
        for (n, part) in self.samples.chunks(frame).enumerate() {
            if (energy(part) / part.len() as f64).sqrt() >= level {
                (begin, length) = (n as i64 * 20 + 20, 0);
                continue;
            }
            length += 20;
            if length > best.1 {
                best = (begin, length);
            }
        }
        best
    }

    fn count(&self, ms: i64) -> i64 {
        ms * i64::from(self.rate) / 1000
    }

    fn ms(&self, samples: i64) -> i64 {
        samples * 1000 / i64::from(self.rate.max(1))
    }
}

/// Where `reference` lies in `heard`, wholly inside it. Nothing when `heard` is shorter.
pub fn find(reference: &Pcm, heard: &Pcm) -> Option<Found> {
    let size = reference.samples.len();
    if size == 0 || heard.samples.len() < size || reference.rate != heard.rate {
        return None;
    }
    let products = correlate(&heard.samples, &reference.samples);
    let own = energy(&reference.samples);
    let mut around = energy(&heard.samples[..size]);
    let mut best = Found { at_ms: 0, correlation: f64::MIN };
    for (place, product) in products.iter().enumerate().take(heard.samples.len() - size + 1) {
        if place > 0 {
            let (gone, come) = (f64::from(heard.samples[place - 1]), f64::from(heard.samples[place + size - 1]));
            around += come * come - gone * gone;
        }
        // A stretch of silence correlates with nothing; the floor keeps rounding from deciding.
        let correlation = product / (own * around.max(size as f64 * 16.0)).sqrt().max(1.0);
        if correlation > best.correlation {
            best = Found { at_ms: heard.ms(place as i64), correlation };
        }
    }
    Some(best)
}

/// Follows the source through what was heard, in windows of `window_ms`: stretches that run on without a jump, in the
/// order heard. `spoken` is taken as a loop. What lies between two runs was not the source, and
/// what is skipped in the source between them is missing.
pub fn follow(spoken: &Pcm, heard: &Pcm, window_ms: i64, correlation_min: f64) -> Vec<Run> {
    let looped = Pcm { rate: spoken.rate, samples: [&spoken.samples[..], &spoken.samples[..]].concat() };
    let round = spoken.length_ms().max(1);
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    while at + window_ms <= heard.length_ms() {
        let window = heard.part(at, window_ms);
        let here = if window.level() < 4.0 {
            None
        } else {
            let expected = runs.last().map(|run| (run.spoken_ms + at - run.heard_ms).rem_euclid(round));
            let here = expected.and_then(|place| near_place(&looped, &window, place, correlation_min));
            // Looking everywhere is dear: only for the beginning, and when the near places have failed for a while.
            let lost = runs.last().is_none_or(|run| at - (run.heard_ms + run.length_ms) >= 1000);
            let anywhere = || find(&window, &looped).filter(|found| found.correlation >= correlation_min);
            here.or_else(|| if lost { anywhere().map(|found| found.at_ms) } else { None })
        };
        let here = here.map(|place| place % round);
        if let Some(place) = here {
            match runs.last_mut().filter(|run| run.heard_ms + run.length_ms == at) {
                Some(run) if near((run.spoken_ms + run.length_ms).rem_euclid(round), place, round) => {
                    run.length_ms += window_ms;
                }
                _ => runs.push(Run { heard_ms: at, spoken_ms: place, length_ms: window_ms }),
            }
        }
        at += window_ms;
    }
    runs
}

/// How much of the source is missing between the first and the last run, in ms: jumps and holes together. `round_ms` is
/// the length of the loop.
pub fn missing_ms(runs: &[Run], round_ms: i64) -> i64 {
    let jump = |pair: &[Run]| {
        let hole = pair[1].heard_ms - (pair[0].heard_ms + pair[0].length_ms);
        let skipped = (pair[1].spoken_ms - (pair[0].spoken_ms + pair[0].length_ms)).rem_euclid(round_ms.max(1));
        // A step back within the loop is a repeat of at most half a second, not a skip of nearly a whole round.
        if skipped > round_ms - 500 { hole.max(0) } else { hole.max(skipped) }
    };
    runs.windows(2).map(jump).sum()
}

/// Demands that `heard` follows `spoken` for at least `length_ms` in all, with at most `missing_ms_max` missing in
/// between. `what` names both ends. Gives the stretches.
pub fn demand(what: &str, spoken: &Pcm, heard: &Pcm, length_ms: i64, missing_ms_max: i64) -> Outcome<Vec<Run>> {
    let runs = follow(spoken, heard, 100, 0.8);
    let length: i64 = runs.iter().map(|run| run.length_ms).sum();
    let missing = missing_ms(&runs, spoken.length_ms());
    if length >= length_ms && missing <= missing_ms_max {
        return Ok(runs);
    }
    Err(Trouble(format!(
        "{what}: {length} ms of {length_ms} recognised and {missing} ms missing ({missing_ms_max} allowed) in {} ms at \
         level {:.0}: {runs:?}",
        heard.length_ms(),
        heard.level()
    )))
}

/// Demands that nothing of `spoken` is in `heard`.
pub fn demand_absent(what: &str, spoken: &Pcm, heard: &Pcm) -> Outcome {
    let runs = follow(spoken, heard, 200, 0.6);
    if runs.is_empty() { Ok(()) } else { Err(Trouble(format!("{what}: heard and should not be: {runs:?}"))) }
}

fn near(a: i64, b: i64, round: i64) -> bool {
    let apart = (a - b).rem_euclid(round);
    apart <= 2 || round - apart <= 2
}

/// Where `window` is in `looped`: at `place` give or take 2 ms, or within 2 s of it.
fn near_place(looped: &Pcm, window: &Pcm, place: i64, correlation_min: f64) -> Option<i64> {
    [2, 2000].iter().find_map(|around| {
        let from = (place - around).max(0);
        let found = find(window, &looped.part(from, window.length_ms() + 2 * around))?;
        (found.correlation >= correlation_min).then_some(from + found.at_ms)
    })
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum()
}

/// `sum over k of long[n + k] * short[k]` for every n, by the Fourier transform when that is less work.
fn correlate(long: &[i16], short: &[i16]) -> Vec<f64> {
    if short.len() * (long.len() - short.len() + 1) < 4_000_000 {
        let dot = |part: &[i16]| part.iter().zip(short).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        return long.windows(short.len()).map(dot).collect();
    }
    let size = (long.len() + short.len()).next_power_of_two();
    let spectrum = |samples: &[i16]| {
        let mut pairs: Vec<(f64, f64)> = samples.iter().map(|sample| (f64::from(*sample), 0.0)).collect();
        pairs.resize(size, (0.0, 0.0));
        transform(&mut pairs, false);
        pairs
    };
    let (a, b) = (spectrum(long), spectrum(short));
    let mut product: Vec<(f64, f64)> =
        a.iter().zip(&b).map(|((ar, ai), (br, bi))| (ar * br + ai * bi, ai * br - ar * bi)).collect();
    transform(&mut product, true);
    product.iter().take(long.len() - short.len() + 1).map(|(real, _)| real / size as f64).collect()
}

/// Radix-2 fast Fourier transform in place; the length is a power of two. Not scaled.
fn transform(values: &mut [(f64, f64)], back: bool) {
    let bits = values.len().trailing_zeros();
    for n in 0..values.len() {
        let mirrored = n.reverse_bits() >> (usize::BITS - bits.max(1));
        if bits > 0 && n < mirrored {
            values.swap(n, mirrored);
        }
    }
    let mut half = 1;
    while half < values.len() {
        let step = if back { PI } else { -PI } / half as f64;
        let turns: Vec<(f64, f64)> = (0..half).map(|k| ((step * k as f64).cos(), (step * k as f64).sin())).collect();
        for block in values.chunks_mut(2 * half) {
            let (left, right) = block.split_at_mut(half);
            for ((l, r), (c, s)) in left.iter_mut().zip(right.iter_mut()).zip(&turns) {
                let turned = (r.0 * c - r.1 * s, r.0 * s + r.1 * c);
                *r = (l.0 - turned.0, l.1 - turned.1);
                *l = (l.0 + turned.0, l.1 + turned.1);
            }
        }
        half *= 2;
    }
}

/// ITU-T G.711 A-law. Written here a second time on purpose: a measuring instrument does not borrow from what it measures.
pub(super) fn alaw_of(sample: i16) -> u8 {
    let positive = sample >= 0;
    let magnitude = (if positive { i32::from(sample) } else { -1 - i32::from(sample) }) >> 4;
    let segment = (32 - (magnitude >> 5).leading_zeros()) as i32;
    let code = if segment == 0 { magnitude } else { ((segment + 1) << 4) | ((magnitude >> segment) & 0x0f) };
    (code as u8) ^ if positive { 0xd5 } else { 0x55 }
}

fn linear_of(code: u8) -> i16 {
    let bits = i32::from(code ^ 0x55);
    let (segment, mantissa) = ((bits >> 4) & 7, ((bits & 0x0f) << 4) + 8);
    let magnitude = if segment == 0 { mantissa } else { (mantissa + 0x100) << (segment - 1) };
    (if bits & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

#[cfg(test)]
mod tests {
    use super::super::speech::{dtmf, joined, silence, voice};
    use super::*;

    #[test]
    fn a_reference_is_found_to_the_millisecond_after_g711() {
        let spoken = voice(1, 6);
        let line = |pcm: &Pcm| Pcm::from_alaw(&pcm.samples.iter().map(|s| alaw_of(*s)).collect::<Vec<_>>());
        let heard = line(&joined(&[silence(1234), spoken.clone(), silence(500)]));
        let found = find(&spoken.part(1000, 3000), &heard).unwrap();
        assert_eq!(found.at_ms, 2234);
        assert!(found.correlation > 0.99, "{found:?}");
    }

    #[test]
    fn both_ways_of_correlating_agree() {
        let (spoken, heard) = (voice(2, 1).part(0, 100), voice(2, 1));
        let short = find(&spoken, &heard).unwrap();
        let long = find(&spoken, &joined(&[heard, voice(3, 5)])).unwrap();
        assert_eq!((short.at_ms, long.at_ms), (0, 0));
        assert!((short.correlation - long.correlation).abs() < 1e-6);
    }

    #[test]
    fn another_voice_is_not_found() {
        assert!(find(&voice(4, 2), &voice(5, 8)).unwrap().correlation < 0.15);
        assert!(follow(&voice(4, 4), &voice(5, 4), 200, 0.6).is_empty());
    }

    #[test]
    fn a_hole_and_a_jump_are_measured() {
        let spoken = voice(6, 10);
        let heard = joined(&[silence(400), spoken.part(0, 3000), silence(600), spoken.part(3600, 4000)]);
        let runs = follow(&spoken, &heard, 100, 0.7);
        let missing = missing_ms(&runs, spoken.length_ms());
        assert!((600..=700).contains(&missing), "{missing} in {runs:?}");
        let whole = follow(&spoken, &joined(&[spoken.part(9000, 1000), spoken.part(0, 3000)]), 100, 0.7);
        assert_eq!(missing_ms(&whole, spoken.length_ms()), 0, "{whole:?}");
    }

    #[test]
    fn silence_and_tones_are_told_apart() {
        let heard = joined(&[dtmf('5', 100, 0), silence(300), voice(7, 1)]);
        assert_eq!(heard.longest_silence(50.0), (100, 300));
        let key = heard.part(0, 100);
        assert!(key.tone(770.0) > 4_000.0 && key.tone(1336.0) > 4_000.0 && key.tone(697.0) < 1_000.0);
        assert!(silence(100).level() < 1.0);
    }

    #[test]
    fn a_law_is_the_one_of_the_recommendation() {
        // Decoder output values of G.711 table 1a, ends of the first and the last segment, both signs.
        for (code, linear) in [(0xd5, 8), (0x55, -8), (0xaa, 32256), (0x2a, -32256), (0xc5, 264), (0xf5, 528)] {
            assert_eq!(linear_of(code), linear, "code {code:#x}");
        }
        for code in 0..=255u8 {
            assert_eq!(alaw_of(linear_of(code)), code, "code {code:#x}");
        }
    }

    #[test]
    fn wav_files_come_back_as_written() {
        let path = std::env::temp_dir().join(format!("cordboard-audio-{}.wav", std::process::id()));
        let pcm = voice(8, 1);
        pcm.write(&path).unwrap();
        assert_eq!(Pcm::read(&path, 0).unwrap(), pcm);
        std::fs::remove_file(&path).unwrap();
    }
}
