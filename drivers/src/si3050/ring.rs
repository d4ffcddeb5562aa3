//! When a line rings: pure decision over the ring bits of register 5, polled every few milliseconds.

use base::time::Instant;
use core::time::Duration;

/// Ring voltage must have been seen for this long before it counts.
pub const VALID_MS: u64 = 64;
/// A lone message-waiting lamp sets one bit only; ringing changes sides. More changes than this are wanted.
pub const ALTERNATIONS_MIN: u8 = 3;
/// One and a half times the longest pause of a usual cadence (1 s on, 4 s off): then the ringing phase is over.
pub const PAUSE_MS_MAX: u64 = 6_000;
/// The most one poll counts for, however late it comes: we did not see what was between.
const POLL_MS_MAX: u64 = 20;
/// Quiet time weighs a quarter of ring time, so that zero crossings do not erase a burst.
const DECAY: u64 = 4;

/// The two ring bits of one reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Halves {
    /// RDTP.
    pub positive: bool,
    /// RDTN.
    pub negative: bool,
}

impl Halves {
    /// Whether ring voltage of either sign is present.
    pub fn any(self) -> bool {
        self.positive || self.negative
    }
}

/// What the bits mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RingChange {
    /// First validated burst.
    Began,
    /// No burst for [`PAUSE_MS_MAX`].
    Ended,
}

/// Memory of one line's ringing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ring {
    last_poll: Option<Instant>,
    weight_us: u64,
    last_half: Option<bool>,
    alternations: u8,
    last_active: Option<Instant>,
    ringing_since: Option<Instant>,
}

impl Ring {
    /// Whether a ringing phase is on.
    pub fn is_ringing(&self) -> bool {
        self.ringing_since.is_some()
    }

    /// When ring voltage of either sign was last seen, validated or not.
    pub fn last_active(&self) -> Option<Instant> {
        self.last_active
    }

    /// Forgets everything: the line was seized or the chip began anew.
    pub fn clear(&mut self) {
        *self = Ring::default();
    }

    /// Takes one reading. `battery` says whether the exchange fed the line before the burst: a dead line cannot ring.
    pub fn step(&mut self, now: Instant, halves: Halves, battery: bool) -> Option<RingChange> {
        let passed = self.last_poll.map_or(0, |last| now.since(last).as_micros() as u64).min(POLL_MS_MAX * 1_000);
        self.last_poll = Some(now);
        if halves.any() {
            self.weight_us += passed;
            self.last_active = Some(now);
            if halves.positive != halves.negative {
                if self.last_half.is_some_and(|was| was != halves.positive) {
                    self.alternations = self.alternations.saturating_add(1);
                }
                self.last_half = Some(halves.positive);
            }
        } else {
            self.weight_us = self.weight_us.saturating_sub(passed / DECAY);
            if self.weight_us == 0 {
                self.alternations = 0;
                self.last_half = None;
            }
        }
        self.decide(now, battery)
    }

    fn decide(&mut self, now: Instant, battery: bool) -> Option<RingChange> {
        let valid = self.weight_us >= VALID_MS * 1_000 && self.alternations >= ALTERNATIONS_MIN && battery;
        self.weight_us = self.weight_us.min(VALID_MS * 1_000);
        if self.ringing_since.is_none() {
            if valid {
                self.ringing_since = Some(now);
                return Some(RingChange::Began);
            }
            return None;
        }
        let quiet = self.last_active.map_or(Duration::MAX, |at| now.since(at));
        if quiet >= Duration::from_millis(PAUSE_MS_MAX) {
            self.clear();
            self.last_poll = Some(now);
            return Some(RingChange::Ended);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    /// Polls every 16 ms from `from_ms` to `to_ms` with the bits that `wave` gives.
    fn poll(ring: &mut Ring, from_ms: u64, to_ms: u64, wave: impl Fn(u64) -> Halves) -> Vec<(u64, RingChange)> {
        (from_ms..to_ms)
            .step_by(16)
            .filter_map(|ms| Some((ms, ring.step(Instant::from_micros(ms * 1_000), wave(ms), true)?)))
            .collect()
    }

    fn ac_25_hz(ms: u64) -> Halves {
        let positive = (ms / 20).is_multiple_of(2);
        Halves { positive, negative: !positive }
    }

    fn cadence(ms: u64) -> Halves {
        if ms % 5_000 < 1_000 { ac_25_hz(ms) } else { Halves::default() }
    }

    #[test]
    fn a_cadence_begins_once_and_ends_once() {
        let mut ring = Ring::default();
        let seen = poll(&mut ring, 0, 20_000, |ms| if ms < 11_000 { cadence(ms) } else { Halves::default() });
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen[0].0 <= 160 && seen[0].1 == RingChange::Began, "{seen:?}");
        assert!((16_900..17_100).contains(&seen[1].0) && seen[1].1 == RingChange::Ended, "{seen:?}");
    }

    #[test]
    fn one_sided_pulses_never_ring() {
        let mut ring = Ring::default();
        let lamp = |ms: u64| Halves { positive: (ms / 20).is_multiple_of(2), negative: false };
        assert_eq!(poll(&mut ring, 0, 10_000, lamp), []);
    }

    #[test]
    fn a_short_click_is_no_ring() {
        let mut ring = Ring::default();
        assert_eq!(poll(&mut ring, 0, 2_000, |ms| if ms < 48 { ac_25_hz(ms) } else { Halves::default() }), []);
    }

    #[test]
    fn sparse_clicks_do_not_add_up() {
        let mut ring = Ring::default();
        let clicks = |ms: u64| if ms % 500 < 32 { ac_25_hz(ms) } else { Halves::default() };
        assert_eq!(poll(&mut ring, 0, 30_000, clicks), []);
    }

    #[test]
    fn a_dead_line_cannot_ring() {
        let mut ring = Ring::default();
        for ms in (0..1_000).step_by(16) {
            assert_eq!(ring.step(Instant::from_micros(ms * 1_000), ac_25_hz(ms), false), None);
        }
    }
}
