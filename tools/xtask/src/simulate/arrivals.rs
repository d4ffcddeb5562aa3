//! Who calls and when: a profile of the day with a steady rate in each of its intervals, and callers drawn from it.
//! Recorded callers come from `recorded.rs` in the same form.

use super::chance::{exponential_us, index};
use ::tests::sim::dice::Dice;

/// A stretch of the day in which calls come at a steady rate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Second of the day at which it begins.
    pub from_s: u32,
    /// Second at which it ends; beyond 86,400 on the next day.
    pub to_s: u32,
    /// Arrivals per hour.
    pub calls_per_hour: f64,
}

impl Interval {
    /// Its length.
    pub fn length_s(&self) -> f64 {
        f64::from(self.to_s - self.from_s)
    }

    /// Calls expected.
    pub fn calls(&self) -> f64 {
        self.calls_per_hour * self.length_s() / 3_600.0
    }
}

/// Intervals in order, without gaps; at least one.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    intervals: Vec<Interval>,
}

/// A profile that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProfileError {
    /// A time was expected here.
    Time(String),
    /// A rate was expected here.
    Rate(String),
    /// Times must rise; this one does not.
    Order {
        /// The time that comes too early.
        time: String,
        /// The one before it.
        before: String,
    },
    /// A profile is at least a time, a rate and the time at which it ends.
    Short,
}

/// Rates above this are a slip of the pen.
const CALLS_PER_HOUR_MAX: f64 = 100_000.0;

impl Profile {
    /// The same rate all the time, from 09:00.
    pub fn flat(calls_per_hour: f64, length_s: u32) -> Profile {
        Profile { intervals: vec![Interval { from_s: 32_400, to_s: 32_400 + length_s, calls_per_hour }] }
    }

    /// Intervals in order without gaps; none when there is none.
    pub fn of(intervals: Vec<Interval>) -> Option<Profile> {
        let joined = intervals.windows(2).all(|w| w[0].to_s == w[1].from_s);
        let long = intervals.iter().all(|i| i.to_s > i.from_s);
        (!intervals.is_empty() && joined && long).then_some(Profile { intervals })
    }

    /// Reads `09:00 120/h 10:00 200/h 18:00`: times of the day with the rate that begins there (calls per hour, `/h` may be
    /// left out), and the time at which it ends. A time of the next day is written `06:00+1`: a slip of the pen must not
    /// become a day of 23 hours.
    pub fn parse(text: &str) -> Result<Profile, ProfileError> {
        let mut words = text.split_whitespace();
        let mut before = words.next().ok_or(ProfileError::Short)?;
        let mut from_s = time_of(before)?;
        let mut intervals = Vec::new();
        while let Some(word) = words.next() {
            let calls_per_hour = rate_of(word)?;
            let word = words.next().ok_or(ProfileError::Short)?;
            let to_s = time_of(word)?;
            if to_s <= from_s {
                return Err(ProfileError::Order { time: word.to_string(), before: before.to_string() });
            }
            intervals.push(Interval { from_s, to_s, calls_per_hour });
            (from_s, before) = (to_s, word);
        }
        Profile::of(intervals).ok_or(ProfileError::Short)
    }

    /// The intervals.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// From the first interval's beginning to the last one's end.
    pub fn length_s(&self) -> f64 {
        self.intervals.iter().map(Interval::length_s).sum()
    }

    /// Calls expected.
    pub fn calls(&self) -> f64 {
        self.intervals.iter().map(Interval::calls).sum()
    }

    /// More than one rate.
    pub fn varies(&self) -> bool {
        self.intervals.iter().any(|i| i.calls_per_hour != self.intervals[0].calls_per_hour)
    }
}

fn time_of(word: &str) -> Result<u32, ProfileError> {
    let wrong = || ProfileError::Time(word.to_string());
    let (time, next_day_s) = word.strip_suffix("+1").map_or((word, 0), |time| (time, 86_400));
    let (hours, minutes) = time.split_once(':').ok_or_else(wrong)?;
    let (hours, minutes): (u32, u32) = (hours.parse().map_err(|_| wrong())?, minutes.parse().map_err(|_| wrong())?);
    if hours < 24 && minutes < 60 || (hours, minutes) == (24, 0) {
        Ok(hours * 3_600 + minutes * 60 + next_day_s)
    } else {
        Err(wrong())
    }
}

fn rate_of(word: &str) -> Result<f64, ProfileError> {
    let rate: Option<f64> = word.strip_suffix("/h").unwrap_or(word).parse().ok();
    rate.filter(|r| (0.0..=CALLS_PER_HOUR_MAX).contains(r)).ok_or_else(|| ProfileError::Rate(word.to_string()))
}

/// One caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Microseconds after the beginning.
    pub at_us: u64,
    /// Queue called for.
    pub queue: String,
    /// How long caller and agent talk, once they do.
    pub talk_us: u64,
    /// How long the caller waits in the queue; `None` for ever.
    pub patience_us: Option<u64>,
}

/// Habits of generated callers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Habits {
    /// Mean of the exponential talk time.
    pub talk_s: f64,
    /// Mean of the exponential patience; `None`: nobody hangs up.
    pub patience_s: Option<f64>,
}

/// Callers of one day drawn from a profile: Poisson in each interval, spread evenly over `queues`. What each caller would
/// do is drawn with the arrival, so that the same seed brings the same callers to any staffing.
pub fn generated(profile: &Profile, habits: &Habits, queues: &[String], seed: u64) -> Vec<Arrival> {
    let [mut when, mut what, mut talk, mut patience] = [11, 12, 13, 14].map(|part| Dice::new(seed, part));
    let begin_s = profile.intervals[0].from_s;
    let mut arrivals = Vec::new();
    for interval in profile.intervals.iter().filter(|i| i.calls_per_hour > 0.0) {
        let to_us = u64::from(interval.to_s - begin_s) * 1_000_000;
        let mut at_us = u64::from(interval.from_s - begin_s) * 1_000_000;
        loop {
            at_us += exponential_us(&mut when, 3_600.0 / interval.calls_per_hour);
            if at_us >= to_us {
                break;
            }
            arrivals.push(Arrival {
                at_us,
                queue: queues[index(&mut what, queues.len())].clone(),
                talk_us: exponential_us(&mut talk, habits.talk_s),
                patience_us: habits.patience_s.map(|mean_s| exponential_us(&mut patience, mean_s)),
            });
        }
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_read_and_misread_ones_are_told() {
        let profile = Profile::parse("09:00 120/h 10:30 200 12:00 0/h 13:00").unwrap();
        let expected = [(32_400, 37_800, 120.0), (37_800, 43_200, 200.0), (43_200, 46_800, 0.0)];
        let found: Vec<_> = profile.intervals().iter().map(|i| (i.from_s, i.to_s, i.calls_per_hour)).collect();
        assert_eq!(found, expected);
        assert_eq!(profile.calls(), 480.0);
        assert_eq!(profile.length_s(), 14_400.0);
        assert!(profile.varies());
        let night = Profile::parse("22:00 60 06:00+1").unwrap();
        assert_eq!(night.length_s(), 28_800.0);
        assert!(!night.varies());
        assert_eq!(Profile::parse("22:00 60 02:00+1 10 06:00+1").map(|p| p.calls()), Ok(280.0));
        assert_eq!(Profile::parse("09:00 10 24:00").map(|p| p.length_s()), Ok(54_000.0));
        let early = |time: &str, before: &str| ProfileError::Order { time: time.into(), before: before.into() };
        for (text, error) in [
            ("", ProfileError::Short),
            ("09:00", ProfileError::Short),
            ("09:00 10", ProfileError::Short),
            ("9 10 10:00", ProfileError::Time("9".into())),
            ("09:60 10 10:00", ProfileError::Time("09:60".into())),
            ("09:00 -1 10:00", ProfileError::Rate("-1".into())),
            ("09:00 nan 10:00", ProfileError::Rate("nan".into())),
            ("09:00 10 10:00 10 08:00", early("08:00", "10:00")),
            ("09:00 10 08:00 10 12:00", early("08:00", "09:00")),
            ("09:00 120/h 08:00", early("08:00", "09:00")),
            ("09:00 120/h 09:00", early("09:00", "09:00")),
            ("09:00+1 120/h 10:00", early("10:00", "09:00+1")),
            ("22:00 10 06:00+2", ProfileError::Time("06:00+2".into())),
        ] {
            assert_eq!(Profile::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn generated_callers_keep_to_the_profile() {
        let profile = Profile::parse("08:00 1000 18:00 0 19:00 3000 20:00").unwrap();
        let habits = Habits { talk_s: 100.0, patience_s: Some(50.0) };
        let queues = ["a".to_string(), "b".to_string()];
        let callers = generated(&profile, &habits, &queues, 5);
        // 13,000 expected; standard error 114.
        assert!((12_600..13_400).contains(&callers.len()), "{}", callers.len());
        let hour = |n: u64| callers.iter().filter(|c| c.at_us / 3_600_000_000 == n).count();
        assert!((880..1_120).contains(&hour(3)), "{}", hour(3));
        assert_eq!(hour(10), 0);
        assert!((2_800..3_200).contains(&hour(11)), "{}", hour(11));
        assert!(callers.is_sorted_by_key(|c| c.at_us));
        let a = callers.iter().filter(|c| c.queue == "a").count();
        assert!((6_200..6_800).contains(&a), "{a}");
        let mean = |f: &dyn Fn(&Arrival) -> u64| callers.iter().map(f).sum::<u64>() as f64 / callers.len() as f64 / 1e6;
        assert!((mean(&|c| c.talk_us) - 100.0).abs() < 4.0);
        assert!((mean(&|c| c.patience_us.unwrap()) - 50.0).abs() < 2.0);
        assert_eq!(callers, generated(&profile, &habits, &queues, 5));
        assert_ne!(callers, generated(&profile, &habits, &queues, 6));
    }
}
