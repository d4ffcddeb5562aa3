//! Tones as functions of the sample number: call-progress tones of China (GF002-9002, YD/T 814) and DTMF keys (ITU-T
//! Q.23). Nothing is kept between frames, so a tone joined in the middle is the tone that always was there.

use crate::{Pcm, SILENCE};
use base::media::{Digit, Tone};
use std::sync::LazyLock;

/// Low group frequencies in Hz, one for each row of the keypad (Q.23).
pub const ROWS_HZ: [u32; 4] = [697, 770, 852, 941];
/// High group frequencies in Hz, one for each column.
pub const COLUMNS_HZ: [u32; 4] = [1209, 1336, 1477, 1633];
/// Keys by row and column.
pub const KEYPAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

const RATE: usize = 8000;
/// Call-progress frequency in Hz.
const PROGRESS_HZ: u32 = 450;
/// Peak of a call-progress tone, -10 dBm0.
const PROGRESS_PEAK: i32 = 7230;
/// Frequency in Hz of `Tone::Monitor` (US Federal Standard 1037C, "recorder warning tone").
const MONITOR_HZ: u32 = 1400;
/// Peak of `Tone::Monitor`, -20 dBm0: about as loud as speech is on average, so it is heard and covers no word.
const MONITOR_PEAK: i32 = 2286;
/// How much of a tone `Command::Beep` lets through.
pub const BEEP_SAMPLES: u64 = 200 * 8;
/// Peak of the low group of a key, -8 dBm0.
const ROW_PEAK: i32 = 9100;
/// Peak of the high group of a key, -6 dBm0.
const COLUMN_PEAK: i32 = 11_450;

/// One second of every whole frequency: the sine of k/8000 of a turn, times 32767.
static SINE: LazyLock<Box<[i16; RATE]>> = LazyLock::new(|| {
    let mut table = Box::new([0; RATE]);
    for (k, value) in table.iter_mut().enumerate() {
        *value = ((k as f64 / RATE as f64 * std::f64::consts::TAU).sin() * 32_767.0).round() as i16;
    }
    table
});

/// Computes the table now, so that no tick has to.
pub(crate) fn prepare() {
    LazyLock::force(&SINE);
}

/// One part of a cadence in milliseconds.
struct Beat {
    on_ms: u32,
    off_ms: u32,
}

const fn beat(on_ms: u32, off_ms: u32) -> Beat {
    Beat { on_ms, off_ms }
}

/// The beats of a tone and whether they begin again after the last.
fn cadence(tone: Tone) -> (&'static [Beat], bool) {
    match tone {
        Tone::Dial => (const { &[beat(1000, 0)] }, true),
        Tone::Ringback => (const { &[beat(1000, 4000)] }, true),
        Tone::Busy => (const { &[beat(350, 350)] }, true),
        Tone::Congestion => (const { &[beat(700, 700)] }, true),
        Tone::Unobtainable => (const { &[beat(100, 100), beat(100, 100), beat(100, 100), beat(400, 400)] }, true),
        Tone::Confirm => (const { &[beat(100, 100), beat(100, 100)] }, false),
        Tone::Monitor => (const { &[beat(200, 0)] }, false),
    }
}

/// Frequency in Hz and peak.
fn pitch(tone: Tone) -> (u32, i32) {
    match tone {
        Tone::Dial | Tone::Ringback | Tone::Busy | Tone::Congestion | Tone::Unobtainable | Tone::Confirm => {
            (PROGRESS_HZ, PROGRESS_PEAK)
        }
        Tone::Monitor => (MONITOR_HZ, MONITOR_PEAK),
    }
}

/// Samples after which the tone is over; `None` when it is endless.
pub fn length(tone: Tone) -> Option<u64> {
    let (beats, again) = cadence(tone);
    let total: u64 = beats.iter().map(|b| u64::from(b.on_ms + b.off_ms) * 8).sum();
    (!again).then_some(total)
}

/// Whether the tone sounds at a sample.
fn sounds(beats: &[Beat], again: bool, sample: u64) -> bool {
    let total: u64 = beats.iter().map(|b| u64::from(b.on_ms + b.off_ms) * 8).sum();
    let mut left = if again { sample % total } else { sample };
    for beat in beats {
        let (on, off) = (u64::from(beat.on_ms) * 8, u64::from(beat.off_ms) * 8);
        if left < on {
            return true;
        }
        if left < on + off {
            return false;
        }
        left -= on + off;
    }
    false
}

/// Writes the tone from its sample `from` on.
pub fn write(tone: Tone, from: u64, out: &mut [i16]) {
    let (beats, again) = cadence(tone);
    let (hz, peak) = pitch(tone);
    for (i, sample) in out.iter_mut().enumerate() {
        let at = from + i as u64;
        *sample = if sounds(beats, again, at) { sine(hz, at, peak) } else { 0 };
    }
}

/// One frame of a key, from its sample `from` on.
pub fn key(digit: Digit, from: u64) -> Pcm {
    let mut pcm = SILENCE;
    let Some((row, column)) = frequencies(digit) else { return pcm };
    for (i, sample) in pcm.iter_mut().enumerate() {
        let at = from + i as u64;
        *sample = sine(row, at, ROW_PEAK) + sine(column, at, COLUMN_PEAK);
    }
    pcm
}

/// Row and column frequency of a key in Hz.
pub fn frequencies(digit: Digit) -> Option<(u32, u32)> {
    let (row, keys) = KEYPAD.iter().enumerate().find(|(_, keys)| keys.contains(&digit.as_char()))?;
    let column = keys.iter().position(|key| *key == digit.as_char())?;
    Some((ROWS_HZ[row], COLUMNS_HZ[column]))
}

fn sine(hz: u32, sample: u64, peak: i32) -> i16 {
    let k = (u64::from(hz) * (sample % RATE as u64)) as usize % RATE;
    ((i32::from(SINE[k]) * peak) >> 15) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_off(tone: Tone, ms: u64) -> Vec<(bool, u64)> {
        let (beats, again) = cadence(tone);
        let mut runs: Vec<(bool, u64)> = vec![];
        for at in 0..ms {
            let on = sounds(beats, again, at * 8);
            match runs.last_mut() {
                Some((last, length)) if *last == on => *length += 1,
                _ => runs.push((on, 1)),
            }
        }
        runs
    }

    #[test]
    fn cadences_are_those_of_the_door() {
        assert_eq!(on_off(Tone::Dial, 3000), [(true, 3000)]);
        assert_eq!(on_off(Tone::Ringback, 6000), [(true, 1000), (false, 4000), (true, 1000)]);
        assert_eq!(on_off(Tone::Busy, 1050), [(true, 350), (false, 350), (true, 350)]);
        assert_eq!(on_off(Tone::Congestion, 1400), [(true, 700), (false, 700)]);
        let number = [(true, 100), (false, 100), (true, 100), (false, 100), (true, 100), (false, 100), (true, 400)];
        assert_eq!(on_off(Tone::Unobtainable, 1000), number);
        assert_eq!(length(Tone::Confirm), Some(3200));
        assert_eq!(on_off(Tone::Monitor, 500), [(true, 200), (false, 300)]);
        assert_eq!(length(Tone::Monitor), Some(BEEP_SAMPLES));
        assert_eq!(length(Tone::Busy), None);
    }

    #[test]
    fn frames_join_without_a_click() {
        let mut whole = [0; 480];
        write(Tone::Dial, 7_999_900, &mut whole);
        for i in 0..3 {
            let mut part = SILENCE;
            write(Tone::Dial, 7_999_900 + 160 * i as u64, &mut part);
            assert_eq!(part[..], whole[160 * i..160 * (i + 1)]);
        }
    }

    /// Level of a whole second, or of what there is of a short tone.
    fn dbm0(tone: Tone) -> f64 {
        let mut sound = vec![0; length(tone).unwrap_or(8000) as usize];
        write(tone, 0, &mut sound);
        let power = sound.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / sound.len() as f64;
        // 3.14 dBm0 is a sine at full scale.
        10.0 * (power / (32_768.0f64.powi(2) / 2.0)).log10() + crate::dtmf::FULL_SCALE_DBM0
    }

    #[test]
    fn levels_are_as_stated() {
        assert!((dbm0(Tone::Dial) + 10.0).abs() < 0.1, "{}", dbm0(Tone::Dial));
        assert!((dbm0(Tone::Monitor) + 20.0).abs() < 0.1, "{}", dbm0(Tone::Monitor));
    }
}
