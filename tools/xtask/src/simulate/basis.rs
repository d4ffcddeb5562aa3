//! What a simulation is about, put together from the options: the site, the callers, and the few numbers that the
//! textbook models want.

use super::arrivals::{Arrival, Habits, Interval, Profile, generated};
use super::erlang::{Load, agents_needed};
use super::models::{Assumed, over_profile_a, over_profile_c};
use super::options::{Options, Source};
use super::recorded::{self, Recorded};
use super::staffing::{Change, QUEUE, Staffed, staff};
use pbx::config::{Config, Language};

/// Before a steady rate is counted.
const WARM_UP_S: u32 = 1_800;
/// Without a record or a word about it.
const AHT_S: f64 = 180.0;
const WRAP_UP_S: u32 = 10;
const RING_S: f64 = 2.0;
const PATIENCE_S: f64 = 120.0;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The site's configuration; none for the plain one.
    pub ground: Option<Config>,
    /// The day behind it.
    pub recorded: Option<Recorded>,
    /// What the models are told of the callers.
    pub profile: Profile,
    /// Callers before this time do not count.
    pub warm_us: u64,
    /// Queues with callers.
    pub queues: Vec<String>,
    /// Changes of the site, with the number of agents and the wrap-up decided.
    pub change: Change,
    /// How many agents.
    pub agents: u32,
    /// Talk and wrap-up per call, after the change.
    pub aht_s: f64,
    /// Mean wrap-up.
    pub wrap_up_s: f64,
    /// Mean ring time.
    pub ring_s: f64,
    /// Mean patience for Erlang A; `None` for endless or unknown.
    pub patience_s: Option<f64>,
    /// Talk times of a record are stretched by this.
    talk_factor: f64,
    /// The patience asked for.
    patience_asked: Option<Option<f64>>,
}

impl Basis {
    /// Puts it together; reads the configuration and the record.
    ///
    /// # Errors
    /// Words for the operator.
    pub fn of(options: &Options, language: Language) -> Result<Basis, String> {
        let (ground, recorded) = ground(options, language)?;
        let profile = match (&options.source, &recorded) {
            (_, Some(recorded)) => recorded.profile.clone(),
            (Source::Steady(profile) | Source::Day(profile), None) => profile.clone(),
            (Source::Recorded(_), None) => return Err("there is no record".into()),
        };
        let queues = queues(options, ground.as_ref(), recorded.as_ref())?;
        let mut change = options.change.clone();
        let wrap_up_s = wrap_up(&mut change, ground.as_ref(), recorded.as_ref(), &queues);
        let talk_s = recorded.as_ref().map_or(AHT_S - wrap_up_s, Recorded::talk_s);
        let aht_s = options.aht.map_or(talk_s + wrap_up_s, |aht| aht.of(talk_s + wrap_up_s));
        if aht_s <= wrap_up_s || talk_s <= 0.0 {
            return Err(format!(
                "a handling time of {aht_s:.1} s leaves no time to talk beside {wrap_up_s:.1} s of wrap-up"
            ));
        }
        let ring = recorded.as_ref().map(|r| r.ledger.ring_us.mean() / 1e6);
        let seen = recorded.as_ref().map(|r| r.patience.as_ref().map(|p| p.exponential_mean_s()));
        let patience_s = options.patience_s.or(seen).unwrap_or(Some(PATIENCE_S));
        let steady = matches!(options.source, Source::Steady(_));
        let mut basis = Basis {
            warm_us: if steady { u64::from(WARM_UP_S) * 1_000_000 } else { 0 },
            ground,
            recorded,
            profile,
            queues,
            change,
            agents: 0,
            aht_s,
            wrap_up_s,
            ring_s: options.ring_s.or(ring).unwrap_or(RING_S),
            patience_s,
            talk_factor: (aht_s - wrap_up_s) / talk_s,
            patience_asked: options.patience_s,
        };
        basis.agents = basis.agents_wanted(options)?;
        Ok(basis)
    }

    /// As asked for; as recorded; as configured; or as many as the models ask for.
    fn agents_wanted(&self, options: &Options) -> Result<u32, String> {
        let recorded = self.recorded.as_ref().map(|r| (r.ledger.present.mean().round() as u32).max(1));
        let configured = || match &self.ground {
            Some(config) => staff(Some(config), &self.change).map(|s| Some(s.agents())),
            None => Ok(None),
        };
        match self.change.agents.or(recorded) {
            Some(agents) => Ok(agents),
            None => match configured()? {
                Some(agents) => Ok(agents),
                None => self.needed(options).0.or(self.needed(options).1).ok_or_else(|| "say how many --agents".into()),
            },
        }
    }

    /// Agents that Erlang A and Erlang C ask for.
    pub fn needed(&self, options: &Options) -> (Option<u32>, Option<u32>) {
        let load = Load { calls_per_hour: 1.0, aht_s: self.aht_s, agents: 1 };
        let assumed = |agents| Assumed { agents, ..self.assumed(options) };
        let with_a =
            agents_needed(&load, options.goal, options.variant, |l| over_profile_a(&self.profile, &assumed(l.agents)));
        let with_c =
            agents_needed(&load, options.goal, options.variant, |l| over_profile_c(&self.profile, &assumed(l.agents)));
        (with_a, with_c)
    }

    /// What the models are told.
    pub fn assumed(&self, options: &Options) -> Assumed {
        Assumed { aht_s: self.aht_s, agents: self.agents, patience_s: self.patience_s, threshold: options.threshold }
    }

    /// The site with so many agents.
    ///
    /// # Errors
    /// Words for the operator.
    pub fn staffed(&self, agents: u32) -> Result<Staffed, String> {
        staff(self.ground.as_ref(), &Change { agents: Some(agents), ..self.change.clone() })
    }

    /// The callers of one run.
    pub fn arrivals(&self, seed: u64) -> Vec<Arrival> {
        match &self.recorded {
            Some(recorded) => recorded.arrivals(self.talk_factor, self.patience_asked, seed),
            None => {
                let habits = Habits { talk_s: self.aht_s - self.wrap_up_s, patience_s: self.patience_s };
                generated(&self.drawn(), &habits, &self.queues, seed)
            }
        }
    }

    /// The profile with what comes before it is counted.
    fn drawn(&self) -> Profile {
        let warm_s = (self.warm_us / 1_000_000) as u32;
        let mut intervals: Vec<Interval> = self.profile.intervals().to_vec();
        if let Some(first) = intervals.first_mut() {
            first.from_s = first.from_s.saturating_sub(warm_s);
        }
        Profile::of(intervals).unwrap_or_else(|| self.profile.clone())
    }

    /// From the first caller to the end of the profile.
    pub fn length_us(&self) -> u64 {
        self.warm_us + (self.profile.length_s() * 1e6) as u64
    }
}

fn ground(options: &Options, language: Language) -> Result<(Option<Config>, Option<Recorded>), String> {
    let (mut ground, recorded) = match &options.source {
        Source::Recorded(day) => {
            let (config, recorded) = recorded::read(&options.data, day.as_deref(), options.queue.as_deref(), language)?;
            (Some(config), Some(recorded))
        }
        Source::Steady(_) | Source::Day(_) => (None, None),
    };
    if let Some(path) = &options.config {
        ground = Some(pbxd::control::start::read_site(path, language)?.config);
    }
    if let (Some(config), Some(queue)) = (&mut ground, &options.queue) {
        config.queues.retain(|name, _| name == queue);
    }
    Ok((ground, recorded))
}

fn queues(options: &Options, ground: Option<&Config>, recorded: Option<&Recorded>) -> Result<Vec<String>, String> {
    let there: Vec<String> = match ground {
        None => vec![QUEUE.to_string()],
        Some(config) => config.queues.keys().cloned().collect(),
    };
    if there.is_empty() || ground.is_none() && options.queue.is_some() {
        return Err(format!("there is no queue {}", options.queue.clone().unwrap_or_default()));
    }
    let strange = recorded.and_then(|r| r.ledger.lives.iter().find(|l| !there.contains(&l.queue)));
    match strange {
        Some(life) => Err(format!("the configuration has no queue {}, for which callers came", life.queue)),
        None => Ok(there),
    }
}

/// Mean wrap-up; what is to be configured goes to `change`.
fn wrap_up(change: &mut Change, ground: Option<&Config>, recorded: Option<&Recorded>, queues: &[String]) -> f64 {
    let seen_us = recorded.map(|r| r.ledger.shifts.wrap_up_us.mean());
    if change.wrap_up_s.is_none() {
        // Agents may have finished it early, or extended it.
        change.wrap_up_s = seen_us.map(|us| (us / 1e6).round().min(600.0) as u32);
    }
    match (change.wrap_up_s, ground) {
        (Some(s), _) => f64::from(s),
        (None, Some(config)) => {
            let each =
                config.queues.iter().filter(|(name, _)| queues.contains(name)).map(|(_, q)| f64::from(q.wrap_up_s));
            each.sum::<f64>() / queues.len().max(1) as f64
        }
        (None, None) => f64::from(*change.wrap_up_s.insert(WRAP_UP_S)),
    }
}
