//! A waiting caller as the rows tell of him, whom he may be served by and in which order: the rules of the house once
//! more, from rows and configuration alone.

use super::agents::Agents;
use super::book::Doing;
use pbx::config::{Config, EmptyFactor, Queue, Routing, Strategy};
use pbx::event::{Rule, TermName};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A caller who waits.
#[derive(Debug)]
pub struct Place {
    /// Where.
    pub queue: String,
    /// 0-10.
    pub priority: u8,
    /// Number of the first arrival in a queue.
    pub arrival: u64,
    /// Of the first arrival.
    pub first_us: u64,
    /// In this queue.
    pub since_us: u64,
    /// To be reached when possible.
    pub preferred: Option<String>,
    /// It is not certain that the box remembers the same preferred agent.
    pub vague: bool,
    /// Offers so far, by agent.
    pub tries: BTreeMap<String, u64>,
    /// Agents whose phones ring for this caller.
    pub ringing: BTreeSet<String>,
    /// The last phone was rung then.
    pub rung_us: u64,
    /// An agent has the call, or may have it: nobody else is rung.
    pub taken: bool,
    /// The caller is being told of monitoring: nobody is rung before he has heard it.
    pub held: bool,
}

/// Smaller is served first.
pub type Rank = (u8, Reverse<u8>, i128, u64);

impl Place {
    /// Time in queues.
    pub fn waited_us(&self, now_us: u64) -> u64 {
        now_us - self.first_us
    }

    /// Whether the starvation bound was reached.
    pub fn is_starved(&self, routing: &Routing, now_us: u64) -> bool {
        routing.starvation_s > 0 && self.waited_us(now_us) >= u64::from(routing.starvation_s) * 1_000_000
    }

    /// The place in the order of service over all queues: who starves, by arrival; then the heavier queue; then the
    /// earlier arrival, a level of priority counting as so many seconds; absolute priority when a level is worth 0.
    pub fn rank(&self, weight: u8, routing: &Routing, now_us: u64) -> Rank {
        if self.is_starved(routing, now_us) {
            return (0, Reverse(0), 0, self.arrival);
        }
        let bonus = i128::from(self.priority) * i128::from(routing.priority_step_s) * 1_000_000;
        let due =
            if routing.priority_step_s == 0 { -i128::from(self.priority) } else { i128::from(self.first_us) - bonus };
        (1, Reverse(weight), due, self.arrival)
    }

    /// Whether one more phone may be rung.
    pub fn may_ring(&self, queue: &Queue, now_us: u64) -> bool {
        if self.held || self.ringing.is_empty() {
            return !self.held;
        }
        match queue.strategy {
            _ if self.taken => false,
            Strategy::RingAll => true,
            Strategy::RingProgressively => now_us >= self.rung_us + u64::from(queue.ring_step_s) * 1_000_000,
            Strategy::LongestIdle
            | Strategy::FewestCalls
            | Strategy::LeastTalkTime
            | Strategy::LeastOccupied
            | Strategy::RoundRobin
            | Strategy::Linear
            | Strategy::TopDown
            | Strategy::Random
            | Strategy::WeightedRandom => false,
        }
    }

    /// Rings of relaxation that are open.
    pub fn rings(&self, queue: &Queue, now_us: u64) -> usize {
        queue.relax.keys().filter(|s| now_us - self.since_us >= u64::from(**s) * 1_000_000).count()
    }

    /// Who serves the caller now.
    pub fn members<'a>(&self, queue: &Queue, agents: &'a Agents, now_us: u64) -> &'a [String] {
        agents.crew(&self.queue, self.rings(queue, now_us))
    }

    /// Whether an agent serves the caller now.
    pub fn is_served_by(&self, agent: &str, queue: &Queue, agents: &Agents, now_us: u64) -> bool {
        self.members(queue, agents, now_us).iter().any(|id| id == agent)
    }

    /// Why an agent may not have the caller now.
    pub fn excluded(&self, agent: &str, queue: &Queue, config: &Config, agents: &Agents, now_us: u64) -> Option<Rule> {
        let book = agents.book(agent)?;
        if book.doing != Doing::Ready {
            return Some(Rule::NotReady);
        }
        if book.phone.is_empty() || !agents.reachable(&book.phone) {
            return Some(Rule::PhoneNotRegistered);
        }
        if book.retry_us > now_us {
            return Some(Rule::RetryDelay);
        }
        let known = config.agents.get(agent)?;
        if known.calls_per_hour_max > 0 && book.taken_last_hour(now_us) >= known.calls_per_hour_max {
            return Some(Rule::CallsPerHour);
        }
        let rings = self.rings(queue, now_us);
        let minus = queue.relax.values().take(rings).map(|ring| ring.level_minus).max().unwrap_or(0);
        for (skill, wanted) in queue.skills.iter().filter(|(_, wanted)| wanted.required) {
            if queue.relax.values().take(rings).any(|ring| ring.drop.contains(skill)) {
                continue;
            }
            match known.skills.get(skill) {
                None => return Some(Rule::SkillMissing),
                Some(level) if *level < wanted.level.saturating_sub(minus).max(1) => return Some(Rule::SkillLevel),
                Some(_) => {}
            }
        }
        let waits = self.waits_for_preferred(queue, agents, now_us);
        (waits && self.preferred.as_deref() != Some(agent)).then_some(Rule::WaitsForPreferred)
    }

    /// Nobody but the preferred agent, who is at work, may have the caller yet.
    fn waits_for_preferred(&self, queue: &Queue, agents: &Agents, now_us: u64) -> bool {
        let Some(preferred) = &self.preferred else { return false };
        let doing = agents.book(preferred).map(|b| b.doing);
        now_us - self.since_us < u64::from(queue.sticky_wait_s) * 1_000_000
            && !matches!(doing, None | Some(Doing::LoggedOut | Doing::NotReady))
            && self.is_served_by(preferred, queue, agents, now_us)
    }

    /// What a term of an eligible agent is by the books; none for a number that was drawn.
    pub fn term(&self, name: TermName, agent: &str, at: &Decision<'_>) -> Option<i64> {
        let Decision { queue, config, agents, after, now_us } = *at;
        let book = agents.book(agent)?;
        let done = book.done(now_us);
        let members = self.members(queue, agents, now_us);
        let position = members.iter().position(|m| m == agent)? as u64;
        let value = match name {
            TermName::Preferred => u64::from(self.preferred.as_deref() == Some(agent)),
            TermName::Skill => {
                let skills = &config.agents.get(agent)?.skills;
                let open = || queue.relax.values().take(self.rings(queue, now_us));
                let preferred = queue
                    .skills
                    .iter()
                    .filter(|(skill, wanted)| !wanted.required || open().any(|ring| ring.drop.contains(*skill)));
                preferred.filter_map(|(skill, _)| skills.get(skill)).map(|level| u64::from(*level)).sum()
            }
            TermName::IdleMs => (now_us - book.idle_us) / 1_000,
            TermName::Calls => done.calls,
            TermName::TalkMs => done.talk_us / 1_000,
            TermName::OccupancyPermille => {
                done.busy_us.saturating_mul(1_000).checked_div(done.busy_us + done.ready_us).unwrap_or(0)
            }
            TermName::Distance => {
                let from = after.and_then(|id| members.iter().position(|m| m == id)).map_or(0, |n| n as u64 + 1);
                (position + members.len() as u64 - from) % members.len() as u64
            }
            TermName::Tries => self.tries.get(agent).copied().unwrap_or(0),
            TermName::Position => position,
            TermName::Draw | TermName::Ticket => return None,
        };
        i64::try_from(value).ok()
    }
}

/// What else a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// The queue.
    pub queue: &'a Queue,
    /// The site.
    pub config: &'a Config,
    /// The agents.
    pub agents: &'a Agents,
    /// Who was rung last by this queue.
    pub after: Option<&'a str>,
    /// When.
    pub now_us: u64,
}

/// Nobody of a queue counts by these factors. Without factors a queue is never empty.
pub fn is_empty(queue: &Queue, factors: &BTreeSet<EmptyFactor>, agents: &Agents) -> bool {
    let none = |factor: EmptyFactor| !factors.contains(&factor);
    let surge = agents.surge();
    let members = queue.agents.iter().chain(queue.surge_agents.iter().filter(|_| surge));
    let counts = |id: &String| {
        let Some(book) = agents.book(id) else { return false };
        let by_phone = match book.phone.as_str() {
            "" => none(EmptyFactor::Invalid),
            phone => none(EmptyFactor::Unavailable) || agents.reachable(phone),
        };
        by_phone
            && match book.doing {
                Doing::LoggedOut => false,
                Doing::Ready => true,
                Doing::NotReady => none(EmptyFactor::Paused),
                Doing::Reserved | Doing::Ringing => none(EmptyFactor::Ringing),
                Doing::Talking | Doing::Hold | Doing::Personal | Doing::Outbound => none(EmptyFactor::Inuse),
                Doing::WrapUp => none(EmptyFactor::Wrapup),
            }
    };
    !factors.is_empty() && !members.into_iter().any(counts)
}

/// Who serves a queue when so many rings of relaxation are open: the queue's agents, those of open rings, those of the surge
/// profile when it is on.
pub fn crew(queue: &Queue, rings: usize, surge: bool) -> Vec<String> {
    let mut crew: Vec<String> = Vec::new();
    let more = queue.relax.values().take(rings).flat_map(|ring| &ring.agents);
    for id in queue.agents.iter().chain(more).chain(queue.surge_agents.iter().filter(|_| surge)) {
        if !crew.contains(id) {
            crew.push(id.clone());
        }
    }
    crew
}
