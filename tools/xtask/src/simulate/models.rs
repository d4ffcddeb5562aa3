//! The textbook models over a profile: each interval by itself, as if it had been at rest from its beginning, and the
//! intervals weighed by their calls (the stationary independent period by period approach of staffing tables).

use super::arrivals::Profile;
use super::erlang::{Ends, Load, Outlook, Threshold, erlang_a, erlang_c};

/// What the models are told.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Assumed {
    /// Talk and wrap-up per call.
    pub aht_s: f64,
    /// Agents, there all the time.
    pub agents: u32,
    /// Mean patience; `None` when nobody hangs up or nothing is known.
    pub patience_s: Option<f64>,
    /// Of the service level.
    pub threshold: Threshold,
}

/// Erlang C over a profile; `None` when the queue of one of its intervals never comes to rest.
pub fn over_profile_c(profile: &Profile, assumed: &Assumed) -> Option<Outlook> {
    over(profile, assumed, |load| erlang_c(load, &assumed.threshold))
}

/// Erlang A over a profile; `None` without a patience.
pub fn over_profile_a(profile: &Profile, assumed: &Assumed) -> Option<Outlook> {
    let patience_s = assumed.patience_s?;
    over(profile, assumed, |load| erlang_a(load, patience_s, &assumed.threshold))
}

fn over(profile: &Profile, assumed: &Assumed, model: impl Fn(&Load) -> Option<Outlook>) -> Option<Outlook> {
    let (calls, length_s) = (profile.calls(), profile.length_s());
    let mut sum = Outlook {
        waits: 0.0,
        ends: Ends { offered: 1.0, ..Ends::default() },
        asa_s: 0.0,
        abandon_s: None,
        occupancy: 0.0,
        length: 0.0,
    };
    let mut abandoned_s = 0.0;
    for interval in profile.intervals().iter().filter(|i| i.calls_per_hour > 0.0) {
        let load = Load { calls_per_hour: interval.calls_per_hour, aht_s: assumed.aht_s, agents: assumed.agents };
        let one = model(&load)?;
        let (of_calls, of_time) = (interval.calls() / calls, interval.length_s() / length_s);
        sum.waits += one.waits * of_calls;
        sum.ends.answered += one.ends.answered * of_calls;
        sum.ends.answered_within += one.ends.answered_within * of_calls;
        sum.ends.abandoned += one.ends.abandoned * of_calls;
        sum.ends.abandoned_within += one.ends.abandoned_within * of_calls;
        sum.ends.abandoned_short += one.ends.abandoned_short * of_calls;
        sum.asa_s += one.asa_s * one.ends.answered * of_calls;
        abandoned_s += one.abandon_s.unwrap_or(0.0) * one.ends.abandoned * of_calls;
        sum.occupancy += one.occupancy * of_time;
        sum.length += one.length * of_time;
    }
    if sum.ends.answered <= 0.0 {
        return None;
    }
    sum.asa_s /= sum.ends.answered;
    sum.abandon_s = (sum.ends.abandoned > 0.0).then(|| abandoned_s / sum.ends.abandoned);
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_one_rate_is_the_model_itself_and_a_split_one_its_weighted_mean() {
        let threshold = Threshold::default();
        let assumed = Assumed { aht_s: 180.0, agents: 14, patience_s: Some(90.0), threshold };
        let load = |calls_per_hour| Load { calls_per_hour, aht_s: 180.0, agents: 14 };
        let flat = Profile::flat(200.0, 7_200);
        let (one, all) = (erlang_a(&load(200.0), 90.0, &threshold).unwrap(), over_profile_a(&flat, &assumed).unwrap());
        assert!((one.ends.answered_within - all.ends.answered_within).abs() < 1e-12);
        assert!((one.asa_s - all.asa_s).abs() < 1e-12 && (one.occupancy - all.occupancy).abs() < 1e-12);
        assert!((one.abandon_s.unwrap() - all.abandon_s.unwrap()).abs() < 1e-9);
        let mixed = Profile::parse("09:00 100 10:00 200 11:00 0 12:00").unwrap();
        let (low, high) = (erlang_c(&load(100.0), &threshold).unwrap(), erlang_c(&load(200.0), &threshold).unwrap());
        let both = over_profile_c(&mixed, &assumed).unwrap();
        assert!(
            (both.ends.answered_within - (low.ends.answered_within + 2.0 * high.ends.answered_within) / 3.0).abs()
                < 1e-12
        );
        assert!((both.occupancy - (low.occupancy + high.occupancy) / 3.0).abs() < 1e-12);
        // 300 calls an hour of 180 s are too many for 14 agents without anybody hanging up.
        let rush = Profile::parse("09:00 100 10:00 300 11:00").unwrap();
        assert_eq!(over_profile_c(&rush, &assumed), None);
        assert!(over_profile_a(&rush, &assumed).is_some());
        assert_eq!(over_profile_a(&rush, &Assumed { patience_s: None, ..assumed }), None);
    }
}
