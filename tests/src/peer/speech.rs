//! Audio that a test can recognise again: seeded noise shaped into syllables, different for every seed and never the same
//! twice within its length, so that a moment of it can be found in a recording to the millisecond. Not speech, but with
//! its band and its rhythm.

use super::audio::Pcm;
use std::f64::consts::TAU;

/// `seconds` of voice-like noise at 8 kHz. Different seeds do not correlate.
pub fn voice(seed: u64, seconds: u32) -> Pcm {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i32::try_from(state >> 40).map_or(0.0, |bits| f64::from(bits) / f64::from(1 << 23) - 1.0)
    };
    let (mut low, mut slow, mut loudness) = (0.0, 0.0, 0.5);
    let samples = (0..seconds * 8000).map(|n| {
        if n % 800 == 0 {
            loudness = 0.35 + 0.65 * noise().abs();
        }
        // Two one-pole low-passes and their difference: about 200 Hz to 2 kHz.
        low += 0.55 * (noise() - low);
        slow += 0.12 * (low - slow);
        ((low - slow) * loudness * 24_000.0).clamp(-32_000.0, 32_000.0) as i16
    });
    Pcm { rate: 8000, samples: samples.collect() }
}

/// One key as a telephone sends it in the band (ITU-T Q.23), `ms` long, with `pause_ms` of silence after it.
pub fn dtmf(key: char, ms: u32, pause_ms: u32) -> Pcm {
    let (rows, columns) = ([697.0, 770.0, 852.0, 941.0], [1209.0, 1336.0, 1477.0, 1633.0]);
    let place = "123A456B789C*0#D".find(key).unwrap_or(0);
    let (row, column): (f64, f64) = (rows[place / 4], columns[place % 4]);
    let tone = (0..ms * 8).map(|n| {
        let t = f64::from(n) / 8000.0;
        (6_000.0 * (TAU * row * t).sin() + 6_000.0 * (TAU * column * t).sin()) as i16
    });
    Pcm { rate: 8000, samples: tone.chain((0..pause_ms * 8).map(|_| 0)).collect() }
}

/// Silence.
pub fn silence(ms: u32) -> Pcm {
    Pcm { rate: 8000, samples: (0..ms * 8).map(|_| 0).collect() }
}

/// The parts one after the other.
pub fn joined(parts: &[Pcm]) -> Pcm {
    Pcm { rate: 8000, samples: parts.iter().flat_map(|part| part.samples.iter().copied()).collect() }
}
