//! How long the turns of the control task took. Buckets of a quarter of a power of two: fine enough for a bound of
//! 5 ms, small enough to keep for ever.

use std::time::Duration;

/// A quarter of a power of two in microseconds each; the last takes everything from 2^20 µs.
const BUCKETS: usize = 4 * 20 + 1;

/// Counts of turns by length.
#[derive(Clone, Debug)]
pub struct TurnLengths {
    buckets: [u64; BUCKETS],
    max: Duration,
    count: u64,
}

impl Default for TurnLengths {
    fn default() -> TurnLengths {
        TurnLengths { buckets: [0; BUCKETS], max: Duration::ZERO, count: 0 }
    }
}

impl TurnLengths {
    /// One more turn.
    pub fn add(&mut self, length: Duration) {
        if let Some(count) = self.buckets.get_mut(bucket(length)) {
            *count += 1;
        }
        self.max = self.max.max(length);
        self.count += 1;
    }

    /// Turns so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// A length that 99 of 100 turns did not exceed, as the upper end of its bucket, never above the longest.
    pub fn p99(&self) -> Duration {
        let allowed = self.count / 100;
        let mut longer = 0;
        for (index, count) in self.buckets.iter().enumerate().rev() {
            longer += count;
            if longer > allowed {
                return upper(index).min(self.max);
            }
        }
        Duration::ZERO
    }
}

fn bucket(length: Duration) -> usize {
    let us = u64::try_from(length.as_micros()).unwrap_or(u64::MAX).max(1);
    let power = us.ilog2() as usize;
    let quarter = if power >= 2 { (us >> (power - 2)) as usize & 3 } else { 0 };
    (4 * power + quarter).min(BUCKETS - 1)
}

fn upper(index: usize) -> Duration {
    let (power, quarter) = (index / 4, index as u64 % 4);
    let us = if power >= 2 { (5 + quarter) << (power - 2) } else { 2 << power };
    Duration::from_micros(us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_hundredth_does_not_hide_in_the_mean() {
        let mut lengths = TurnLengths::default();
        assert_eq!(lengths.p99(), Duration::ZERO);
        for _ in 0..990 {
            lengths.add(Duration::from_micros(100));
        }
        for _ in 0..10 {
            lengths.add(Duration::from_micros(4_900));
        }
        assert!(lengths.p99() >= Duration::from_micros(100) && lengths.p99() <= Duration::from_micros(112));
        lengths.add(Duration::from_micros(4_900));
        assert_eq!(lengths.p99(), Duration::from_micros(4_900), "never above the longest");
        assert_eq!((lengths.count(), lengths.max()), (1_001, Duration::from_micros(4_900)));
        for us in [0, 1, 2, 3, 5, 1_000, u64::MAX] {
            assert!(bucket(Duration::from_micros(us)) < BUCKETS);
        }
    }
}
