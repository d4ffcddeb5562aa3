//! Whether the exchange feeds the line, and which way round: pure decision over the line voltage readings.

use base::time::Instant;
use core::time::Duration;

/// Below this many volts, either sign, there is no battery.
pub const BATTERY_V_MIN: u8 = 3;
/// A new state must hold this long.
pub const STABLE_MS: u64 = 64;
/// At first, a dead line must hold this long: the hook may have moved just before we began to look, and moving it makes
/// the voltage unreadable for a while.
pub const FIRST_DEAD_MS: u64 = 400;

/// What a change of the feed means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeedChange {
    /// First judgement after start: fed or not.
    Known(bool),
    /// The voltage went away.
    Lost,
    /// The voltage is back.
    Back,
    /// TIP and RING changed places.
    Reversed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Dead,
    Positive,
    Negative,
}

impl Level {
    fn of(volts: i8) -> Level {
        match volts {
            v if v.unsigned_abs() < BATTERY_V_MIN => Level::Dead,
            v if v < 0 => Level::Negative,
            _ => Level::Positive,
        }
    }
}

/// Memory of one line's feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Feed {
    /// The last level that held, and the last polarity seen with battery.
    held: Option<Level>,
    polarity: Option<Level>,
    candidate: Option<(Level, Instant)>,
    settle_until: Option<Instant>,
}

impl Feed {
    /// `Some(true)` with battery, `None` until the first judgement.
    pub fn battery(&self) -> Option<bool> {
        self.held.map(|level| level != Level::Dead)
    }

    /// There is battery and nothing hints at a change.
    pub fn is_steady(&self) -> bool {
        self.battery() == Some(true) && self.candidate.is_none() && self.settle_until.is_none()
    }

    /// Readings before `until` mean nothing: ring voltage is on the line or the hook switch has just moved.
    pub fn settle_until(&mut self, until: Instant) {
        self.candidate = None;
        self.settle_until = Some(self.settle_until.map_or(until, |was| was.max(until)));
    }

    /// Takes one reading in volts.
    pub fn step(&mut self, now: Instant, volts: i8) -> Option<FeedChange> {
        if self.settle_until.is_some_and(|until| now < until) {
            return None;
        }
        self.settle_until = None;
        let level = Level::of(volts);
        if self.held == Some(level) {
            self.candidate = None;
            return None;
        }
        let since = match self.candidate {
            Some((same, since)) if same == level => since,
            _ => {
                self.candidate = Some((level, now));
                now
            }
        };
        let hold_ms = match (self.held, level) {
            (None, Level::Dead) => FIRST_DEAD_MS,
            (None, _) => 0,
            (Some(_), _) => STABLE_MS,
        };
        if now.since(since) < Duration::from_millis(hold_ms) {
            return None;
        }
        self.candidate = None;
        self.accept(level)
    }

    fn accept(&mut self, level: Level) -> Option<FeedChange> {
        let was = self.held.replace(level);
        let polarity_was = self.polarity;
        if level != Level::Dead {
            self.polarity = Some(level);
        }
        match (was, level) {
            (None, level) => Some(FeedChange::Known(level != Level::Dead)),
            (Some(_), Level::Dead) => Some(FeedChange::Lost),
            (Some(Level::Dead), _) => Some(FeedChange::Back),
            (Some(_), level) => (polarity_was != Some(level)).then_some(FeedChange::Reversed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    fn run(feed: &mut Feed, from_ms: u64, to_ms: u64, volts: impl Fn(u64) -> i8) -> Vec<(u64, FeedChange)> {
        (from_ms..to_ms)
            .step_by(16)
            .filter_map(|ms| Some((ms, feed.step(Instant::from_micros(ms * 1_000), volts(ms))?)))
            .collect()
    }

    #[test]
    fn lost_and_back_are_debounced() {
        let mut feed = Feed::default();
        let seen = run(&mut feed, 0, 3_000, |ms| match ms {
            500..530 => 0,
            1_000..1_800 => 1,
            _ => 48,
        });
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert_eq!(seen[0], (0, FeedChange::Known(true)));
        assert!((1_064..1_100).contains(&seen[1].0) && seen[1].1 == FeedChange::Lost, "{seen:?}");
        assert!((1_864..1_900).contains(&seen[2].0) && seen[2].1 == FeedChange::Back, "{seen:?}");
    }

    #[test]
    fn a_dead_line_is_known_after_a_while() {
        let mut feed = Feed::default();
        assert_eq!(run(&mut feed, 0, 800, |_| 0), [(400, FeedChange::Known(false))]);
    }

    #[test]
    fn a_line_that_settles_is_not_dead() {
        let mut feed = Feed::default();
        assert_eq!(run(&mut feed, 0, 800, |ms| if ms < 300 { 0 } else { 8 }), [(304, FeedChange::Known(true))]);
    }

    #[test]
    fn nothing_is_judged_while_settling() {
        let mut feed = Feed::default();
        run(&mut feed, 0, 100, |_| 48);
        feed.settle_until(Instant::from_micros(400_000));
        assert_eq!(run(&mut feed, 112, 400, |_| 0), []);
        assert_eq!(run(&mut feed, 400, 600, |_| 8), []);
    }

    #[test]
    fn polarity_changes_are_told_once() {
        let mut feed = Feed::default();
        let seen = run(&mut feed, 0, 2_000, |ms| if ms >= 1_000 { -48 } else { 48 });
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert_eq!(seen[1].1, FeedChange::Reversed);
    }
}
