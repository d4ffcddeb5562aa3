//! Chance from a seed. Each part of the world throws its own dice, so that one more throw in one part does not change
//! the luck of all others. Integers only.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A seeded stream of integers.
#[derive(Clone, Debug)]
pub struct Dice {
    stream: ChaCha8Rng,
}

impl Dice {
    /// The dice of part `part` (stream number) in the run of `seed`.
    pub fn new(seed: u64, part: u64) -> Dice {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&part.to_le_bytes());
        Dice { stream: ChaCha8Rng::from_seed(key) }
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// One of `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.bits() % n }
    }

    /// One of `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `n` of 1,000 throws.
    pub fn permille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    /// Roughly exponential with the given mean, by integers: the waiting time for a one in sixteen chance that is
    /// thrown sixteen times in each mean; cut at eight means.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        let step = (mean / 16).max(1);
        let mut steps = 0;
        while steps < 128 && !self.below(16).eq(&0) {
            steps += 1;
        }
        steps * step + self.below(step)
    }

    /// 32 bytes, for the seed of the box.
    pub fn key(&mut self) -> [u8; 32] {
        let mut key = [0u8; 32];
        self.stream.fill_bytes(&mut key);
        key
    }

    /// `n` characters of lower-case hexadecimal, for tags and branches.
    pub fn hex(&mut self, n: usize) -> String {
        let bits = self.bits();
        (0..n).map(|i| char::from_digit(((bits >> (4 * (i % 16))) & 15) as u32, 16).unwrap_or('0')).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_has_its_mean() {
        let mut dice = Dice::new(1, 1);
        let sum: u64 = (0..10_000).map(|_| dice.exponential(60_000)).sum();
        let mean = sum / 10_000;
        assert!((55_000..65_000).contains(&mean), "{mean}");
    }

    #[test]
    fn streams_differ_and_repeat() {
        assert_eq!(Dice::new(7, 1).bits(), Dice::new(7, 1).bits());
        assert_ne!(Dice::new(7, 1).bits(), Dice::new(7, 2).bits());
    }
}
