//! In-band DTMF keys (ITU-T Q.23, Q.24): eight Goertzel filters over blocks of 12.75 ms.
//!
//! A block is a hit when one row and one column stand out and together hold nearly all power of the block; two hits of
//! the same key in a row are a press, three misses its end. A tone of 40 ms always holds two whole blocks and a pause
//! of 40 ms always spoils three.

use crate::Pcm;
use crate::tone::{COLUMNS_HZ, KEYPAD, ROWS_HZ};
use base::media::Digit;
use std::sync::LazyLock;

/// Level of a sine at full scale (G.711 A-law).
#[cfg(test)]
pub(crate) const FULL_SCALE_DBM0: f64 = 314.0 / 100.0;

/// Samples of a block.
const BLOCK: usize = 102;
/// Blocks with less power than this, as a sum of squares, are silence: two tones of -42 dBm0.
const ENERGY_MIN: f32 = 2.0 * BLOCK as f32 * 0.5 * 180.0 * 180.0;
/// Peak of the weaker tone below which it is not a key, about -40 dBm0.
const PEAK_MIN: f32 = 220.0;
/// Row and column differ at most by 10 dB, in power.
const TWIST_MAX: f32 = 10.0;
/// The winner of a group is at least 5 dB above the others of its group, in power: a block is short, so with full twist
/// the strong tone leaks into the weak one's group. Purity is what keeps speech out.
const STAND_OUT: f32 = 3.2;
/// Part of the power of a block that the two tones hold at least.
const PURITY_MIN: f32 = 0.75;
/// Between the hits that make a press each tone stays within 4 dB, in power; speech does not.
const STEADY: f32 = 2.5;
/// Hits in a row that make a press.
const HITS: u8 = 2;
/// Misses in a row that end it.
const MISSES: u8 = 3;

/// 2 cos ω of each filter, rows first.
static COEFFICIENTS: LazyLock<[f32; 8]> = LazyLock::new(|| {
    let mut coefficients = [0.0; 8];
    for (c, hz) in coefficients.iter_mut().zip(ROWS_HZ.iter().chain(&COLUMNS_HZ)) {
        *c = (2.0 * (std::f64::consts::TAU * f64::from(*hz) / 8000.0).cos()) as f32;
    }
    coefficients
});

/// Computes the tables now, so that no tick has to.
pub(crate) fn prepare() {
    LazyLock::force(&COEFFICIENTS);
}

/// A block that looks like a key, with the power of its two tones.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Hit {
    key: Digit,
    row: f32,
    column: f32,
}

impl Hit {
    /// Whether two blocks sound like one press.
    fn goes_on(&self, next: &Hit) -> bool {
        let steady = |a: f32, b: f32| a <= b * STEADY && b <= a * STEADY;
        self.key == next.key && steady(self.row, next.row) && steady(self.column, next.column)
    }
}

/// Where a detector is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    /// No key; the last blocks looked like `last`.
    Up { last: Option<(Hit, u8)> },
    /// `key` is down and told; `misses` blocks in a row did not look like it.
    Down { key: Digit, misses: u8 },
}

/// The detector of one leg.
#[derive(Clone, Debug)]
pub struct Detector {
    block: [i16; BLOCK],
    filled: usize,
    state: State,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector { block: [0; BLOCK], filled: 0, state: State::Up { last: None } }
    }
}

impl Detector {
    /// Takes 20 ms and returns the key whose press has become certain in them. (A frame holds less than two blocks'
    /// worth of certainty, so there is at most one.)
    pub fn frame(&mut self, pcm: &Pcm) -> Option<Digit> {
        let mut told = None;
        let mut rest = &pcm[..];
        while !rest.is_empty() {
            let count = rest.len().min(BLOCK - self.filled);
            let (now, later) = rest.split_at(count);
            self.block[self.filled..self.filled + count].copy_from_slice(now);
            self.filled += count;
            rest = later;
            if self.filled == BLOCK {
                self.filled = 0;
                told = self.step(classify(&self.block)).or(told);
            }
        }
        told
    }

    /// Whether the newest audio is or may be a key.
    pub fn suspects(&self) -> bool {
        match self.state {
            State::Up { last } => last.is_some(),
            State::Down { .. } => true,
        }
    }

    fn step(&mut self, hit: Option<Hit>) -> Option<Digit> {
        let first = |hit: Option<Hit>| State::Up { last: hit.map(|hit| (hit, 1)) };
        let (next, told) = match (self.state, hit) {
            (State::Up { last: Some((last, hits)) }, Some(hit)) if last.goes_on(&hit) => {
                if hits + 1 >= HITS {
                    (State::Down { key: hit.key, misses: 0 }, Some(hit.key))
                } else {
                    (State::Up { last: Some((hit, hits + 1)) }, None)
                }
            }
            (State::Up { .. }, hit) => (first(hit), None),
            (State::Down { key, .. }, Some(hit)) if hit.key == key => (State::Down { key, misses: 0 }, None),
            (State::Down { misses, .. }, hit) if misses + 1 >= MISSES => (first(hit), None),
            (State::Down { key, misses }, _) => (State::Down { key, misses: misses + 1 }, None),
        };
        self.state = next;
        told
    }
}

/// The key that a block sounds like.
fn classify(block: &[i16; BLOCK]) -> Option<Hit> {
    let energy: f32 = block.iter().map(|s| f32::from(*s) * f32::from(*s)).sum();
    if energy < ENERGY_MIN {
        return None;
    }
    let power = goertzel(block);
    let (rows, columns) = power.split_at(4);
    let (row, row_power) = winner(rows)?;
    let (column, column_power) = winner(columns)?;
    // A sine of peak a gives (a · BLOCK / 2)².
    let peak_min = PEAK_MIN * BLOCK as f32 / 2.0;
    let loud = row_power.min(column_power) >= peak_min * peak_min;
    let twisted = row_power > column_power * TWIST_MAX || column_power > row_power * TWIST_MAX;
    // Its share of the block's energy is power · 2 / BLOCK.
    let pure = (row_power + column_power) * 2.0 / BLOCK as f32 >= PURITY_MIN * energy;
    if !loud || twisted || !pure {
        return None;
    }
    Some(Hit { key: Digit::from_char(KEYPAD[row][column])?, row: row_power, column: column_power })
}

/// The strongest of a group, when it stands out.
fn winner(group: &[f32]) -> Option<(usize, f32)> {
    let (best, power) = group.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let alone = group.iter().enumerate().all(|(i, other)| i == best || power >= other * STAND_OUT);
    alone.then_some((best, power))
}

/// Squared magnitude at each of the eight frequencies.
fn goertzel(block: &[i16; BLOCK]) -> [f32; 8] {
    let coefficients = *COEFFICIENTS;
    let mut s1 = [0.0f32; 8];
    let mut s2 = [0.0f32; 8];
    for sample in block {
        let x = f32::from(*sample);
        for i in 0..8 {
            let s = x + coefficients[i] * s1[i] - s2[i];
            s2[i] = s1[i];
            s1[i] = s;
        }
    }
    let mut power = [0.0; 8];
    for i in 0..8 {
        power[i] = s1[i] * s1[i] + s2[i] * s2[i] - coefficients[i] * s1[i] * s2[i];
    }
    power
}

#[cfg(test)]
mod tests;
