//! How patient callers are, from a record in which most of them were answered before it could be seen: a caller who was
//! answered after 30 s would have waited longer than 30 s, nobody knows how long (censored). Kaplan and Meier's
//! estimate of the distribution, and the mean that Erlang A wants.

/// How long one recorded caller waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// In microseconds.
    pub us: u64,
    /// The caller hung up; otherwise was answered, or left the queue by its rules.
    pub hung_up: bool,
}

/// The distribution of patience.
#[derive(Clone, PartialEq, Debug)]
pub struct Patience {
    /// Where the estimate falls: time, and the share that is more patient. Rising times, falling shares.
    steps: Vec<(u64, f64)>,
    /// Time waited by all ÷ number of those who hung up, in seconds: the mean if patience is exponential.
    mean_s: f64,
}

impl Patience {
    /// From what was seen; `None` when nobody hung up: patience is then unknown.
    pub fn of(waits: &[Wait]) -> Option<Patience> {
        let mut sorted = waits.to_vec();
        // Of equal times the abandons come first: the answered were still there.
        sorted.sort_by_key(|w| (w.us, !w.hung_up));
        let gone = sorted.iter().filter(|w| w.hung_up).count();
        let waited_s: f64 = sorted.iter().map(|w| w.us as f64 / 1e6).sum();
        if gone == 0 || waited_s <= 0.0 {
            return None;
        }
        let mut steps: Vec<(u64, f64)> = Vec::new();
        let mut share = 1.0;
        for (n, wait) in sorted.iter().enumerate().filter(|(_, w)| w.hung_up) {
            share *= 1.0 - 1.0 / (sorted.len() - n) as f64;
            match steps.last_mut() {
                Some(last) if last.0 == wait.us => last.1 = share,
                Some(_) | None => steps.push((wait.us, share)),
            }
        }
        Some(Patience { steps, mean_s: waited_s / gone as f64 })
    }

    /// Mean of the exponential distribution that fits best: total time at risk ÷ abandons (maximum likelihood).
    pub fn exponential_mean_s(&self) -> f64 {
        self.mean_s
    }

    /// Mean by Kaplan and Meier: area under the estimate up to the last abandon, and from there on as if exponential.
    pub fn mean_s(&self) -> f64 {
        let (mut area_s, mut at_us, mut share) = (0.0, 0, 1.0);
        for (us, next) in &self.steps {
            area_s += share * (us - at_us) as f64 / 1e6;
            (at_us, share) = (*us, *next);
        }
        area_s + share * self.mean_s
    }

    /// Share of callers that wait longer than so long; beyond the last abandon as if exponential.
    pub fn share_beyond(&self, us: u64) -> f64 {
        let before = self.steps.partition_point(|(at, _)| *at <= us);
        let share = before.checked_sub(1).map_or(1.0, |n| self.steps[n].1);
        match self.steps.last() {
            Some((last_us, _)) if us > *last_us => share * (-((us - last_us) as f64) / 1e6 / self.mean_s).exp(),
            Some(_) | None => share,
        }
    }

    /// A patience of somebody who has waited so long already, for the chance `u` of (0, 1]: in microseconds.
    pub fn draw_beyond(&self, us: u64, u: f64) -> u64 {
        let share = self.share_beyond(us) * u;
        // The first step that falls to this share or below.
        let n = self.steps.partition_point(|(_, s)| *s > share);
        match (self.steps.get(n), self.steps.last()) {
            (Some((at_us, _)), _) => (*at_us).max(us),
            (None, Some((last_us, last))) => last_us + ((last / share.max(1e-300)).ln() * self.mean_s * 1e6) as u64,
            (None, None) => us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::exponential_us;
    use super::*;
    use ::tests::sim::dice::Dice;

    fn gone(s: u64) -> Wait {
        Wait { us: s * 1_000_000, hung_up: true }
    }

    fn answered(s: u64) -> Wait {
        Wait { us: s * 1_000_000, hung_up: false }
    }

    #[test]
    fn the_estimate_is_kaplans_and_meiers() {
        // By hand: at 10 s one of five hangs up (0.8), at 20 s one of three (0.5333), at 40 s the last one (0).
        let waits = [answered(15), gone(10), gone(40), gone(20), answered(20)];
        let patience = Patience::of(&waits).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        close(patience.share_beyond(9_999_999), 1.0);
        close(patience.share_beyond(10_000_000), 0.8);
        close(patience.share_beyond(19_000_000), 0.8);
        close(patience.share_beyond(20_000_000), 0.8 * 2.0 / 3.0);
        close(patience.share_beyond(50_000_000), 0.0);
        close(patience.exponential_mean_s(), 105.0 / 3.0);
        close(patience.mean_s(), 10.0 + 8.0 + 20.0 * 0.8 * 2.0 / 3.0);
        assert_eq!(patience.draw_beyond(0, 1.0), 10_000_000);
        assert_eq!(patience.draw_beyond(0, 0.7), 20_000_000);
        assert_eq!(patience.draw_beyond(12_000_000, 0.5), 40_000_000);
        assert_eq!(Patience::of(&[answered(5), answered(9)]), None);
        assert_eq!(Patience::of(&[]), None);
    }

    #[test]
    fn the_mean_is_found_although_most_are_answered_first() {
        let mut dice = Dice::new(3, 1);
        let waits: Vec<Wait> = (0..50_000)
            .map(|_| {
                let (patience, turn) = (exponential_us(&mut dice, 120.0), exponential_us(&mut dice, 40.0));
                Wait { us: patience.min(turn), hung_up: patience < turn }
            })
            .collect();
        let patience = Patience::of(&waits).unwrap();
        // 12,500 abandons: standard error 1.07 s.
        assert!((patience.exponential_mean_s() - 120.0).abs() < 3.3, "{}", patience.exponential_mean_s());
        assert!((patience.mean_s() - 120.0).abs() < 8.0, "{}", patience.mean_s());
        assert!((patience.share_beyond(120_000_000) - 0.3679).abs() < 0.02);
    }

    #[test]
    fn what_is_drawn_beyond_a_wait_is_longer_and_has_the_distribution() {
        let waits: Vec<Wait> = (1..=100).map(|s| if s % 3 == 0 { gone(s) } else { answered(s) }).collect();
        let patience = Patience::of(&waits).unwrap();
        let drawn: Vec<u64> = (1..=10_000).map(|n| patience.draw_beyond(50_000_000, n as f64 / 10_000.0)).collect();
        assert!(drawn.iter().all(|us| *us >= 50_000_000));
        let late = drawn.iter().filter(|us| **us > 80_000_000).count() as f64 / 10_000.0;
        let expected = patience.share_beyond(80_000_000) / patience.share_beyond(50_000_000);
        assert!((late - expected).abs() < 0.01, "{late} {expected}");
    }
}
