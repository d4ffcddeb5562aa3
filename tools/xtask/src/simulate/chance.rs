//! Chance for generated arrivals: exact exponential times from the seeded streams of the simulation. Not the box's
//! random stream.

use ::tests::sim::dice::Dice;

/// A share of (0, 1], evenly.
pub fn share(dice: &mut Dice) -> f64 {
    ((dice.bits() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// A time with an exponential distribution, in microseconds.
pub fn exponential_us(dice: &mut Dice, mean_s: f64) -> u64 {
    (-share(dice).ln() * mean_s * 1e6) as u64
}

/// One of `0..n`, evenly; 0 when `n` is 0.
pub fn index(dice: &mut Dice, n: usize) -> usize {
    dice.below(n as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_times_have_their_mean_spread_and_tail() {
        let mut dice = Dice::new(1, 1);
        let times: Vec<f64> = (0..100_000).map(|_| exponential_us(&mut dice, 60.0) as f64 / 1e6).collect();
        let mean = times.iter().sum::<f64>() / 1e5;
        let square = times.iter().map(|t| t * t).sum::<f64>() / 1e5;
        let late = times.iter().filter(|t| **t > 300.0).count();
        // Standard errors: 0.19, 51, 26.
        assert!((mean - 60.0).abs() < 0.6, "{mean}");
        assert!((square - 7_200.0).abs() < 155.0, "{square}");
        assert!((594..=754).contains(&late), "{late}");
    }
}
