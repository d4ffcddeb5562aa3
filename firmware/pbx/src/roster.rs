//! Who the agents are, at which phones they sit, and what they have done since they logged in. Their states are changed
//! by `agent.rs` alone.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::id::Uid;
use base::limits::CALLS_PER_HOUR_MAX;
use base::time::Instant;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::agent::{OwnCall, State, Wish};
use crate::config::Config;
use crate::offer::Cause;

/// `calls-per-hour-max` looks back so far.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Place in the table of agents; never used for another agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct AgentIndex(u32);

/// The last call of a queue that an agent had: a disposition is given for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct LastCall {
    pub call: Uid,
    pub queue: String,
    /// A disposition was given.
    pub disposed: bool,
}

/// What an agent has done since login; decides some strategies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Queue calls taken.
    pub calls: u32,
    /// Talking and hold, µs.
    pub talk_us: u64,
    /// Reserved, ringing, talking, hold, wrap-up and calls to the outside, µs.
    pub busy_us: u64,
    /// Ready, µs.
    pub ready_us: u64,
}

impl Tally {
    /// Occupancy in 1/1000: busy ÷ (busy + ready).
    pub fn occupancy_permille(&self) -> u32 {
        let all = self.busy_us + self.ready_us;
        (self.busy_us.saturating_mul(1000)).checked_div(all).unwrap_or(0) as u32
    }

    fn add(&mut self, state: State, us: u64) {
        match state {
            State::Talking { .. } | State::Hold { .. } => {
                self.talk_us += us;
                self.busy_us += us;
            }
            State::Reserved { .. } | State::Ringing { .. } | State::WrapUp(_) | State::Outbound => self.busy_us += us,
            State::Ready { .. } => self.ready_us += us,
            State::LoggedOut | State::NotReady { .. } | State::Personal => {}
        }
    }
}

/// One agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Agent {
    /// Id in the configuration.
    pub id: String,
    /// The phone of the configuration.
    home: Option<String>,
    /// The phone chosen at login, instead of `home`.
    away: Option<String>,
    /// Changed by [`crate::Pbx::agent_by`] alone.
    pub state: State,
    /// Since when in that state.
    pub state_since: Instant,
    /// What comes after the call.
    pub wish: Option<Wish>,
    tally: Tally,
    /// Offers missed since the last call taken.
    pub(crate) misses: Misses,
    /// No new offer before then.
    pub(crate) retry_at: Option<Instant>,
    pub(crate) last: Option<LastCall>,
    /// When the latest calls of the last hour were taken, no more of them than the highest cap.
    takes: VecDeque<Instant>,
}

/// Offers missed, counted apart for each rule of RONA.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Misses {
    unanswered: u32,
    busy: u32,
    rejected: u32,
    unreachable: u32,
}

impl Misses {
    /// The count that a cause adds to.
    pub fn of(&mut self, cause: Cause) -> &mut u32 {
        match cause {
            Cause::NoAnswer | Cause::NotConfirmed => &mut self.unanswered,
            Cause::Busy => &mut self.busy,
            Cause::Rejected => &mut self.rejected,
            Cause::Unreachable => &mut self.unreachable,
        }
    }
}

impl Agent {
    /// The extension whose phone the agent works at; none when that is only known after login.
    pub fn phone(&self) -> Option<&str> {
        self.away.as_deref().or(self.home.as_deref())
    }

    /// Done since login, up to `now`.
    pub fn tally(&self, now: Instant) -> Tally {
        let mut tally = self.tally;
        tally.add(self.state, now.since(self.state_since).as_micros() as u64);
        tally
    }

    /// Calls taken in the hour before `now`, and when the oldest of them was.
    pub(crate) fn taken_last_hour(&self, now: Instant) -> (u32, Option<Instant>) {
        let recent = self.takes.iter().copied().filter(|at| now.since(*at) < HOUR);
        (recent.clone().count() as u32, recent.min())
    }

    /// Changes the state and counts what the old one came to.
    pub(crate) fn enter(&mut self, to: State, now: Instant) {
        let extended = matches!((self.state, to), (State::WrapUp(_), State::WrapUp(_)));
        if !extended {
            self.tally = self.tally(now);
            self.state_since = now;
        }
        if self.state == State::LoggedOut {
            self.tally = Tally::default();
            self.misses = Misses::default();
            self.retry_at = None;
            self.last = None;
        }
        let held = matches!((self.state, to), (State::Hold { .. }, State::Talking { .. }));
        if let (State::Talking { .. }, false) = (to, held) {
            self.tally.calls += 1;
            self.misses = Misses::default();
            self.takes.retain(|at| now.since(*at) < HOUR);
            self.takes.push_back(now);
            if self.takes.len() > CALLS_PER_HOUR_MAX {
                self.takes.pop_front();
            }
        }
        match to {
            State::LoggedOut | State::NotReady { .. } | State::Ready { .. } | State::Personal => self.wish = None,
            State::Reserved { .. }
            | State::Ringing { .. }
            | State::Talking { .. }
            | State::Hold { .. }
            | State::WrapUp(_)
            | State::Outbound => {}
        }
        self.state = to;
    }
}

/// All agents, by place and id, and who sits at which phone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Agents {
    list: Vec<Agent>,
    by_id: BTreeMap<String, AgentIndex>,
    by_extension: BTreeMap<String, AgentIndex>,
    /// Legs of each phone that are not offers of a queue.
    own_legs: BTreeMap<String, OwnLegs>,
}

/// How many legs of one phone are no offers of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct OwnLegs {
    inside: u32,
    outside: u32,
}

impl Agents {
    /// Takes over a configuration: new agents come, changed ones move. Returns who is new and begins logged in, and
    /// who is named no longer.
    pub fn configure(&mut self, config: &Config) -> (Vec<AgentIndex>, Vec<AgentIndex>) {
        let mut begin = Vec::new();
        for (id, wanted) in &config.agents {
            let index = match self.by_id.get(id) {
                Some(index) => *index,
                None => {
                    let index = self.add(id);
                    if wanted.logged_in {
                        begin.push(index);
                    }
                    index
                }
            };
            if let Some(agent) = self.get_mut(index) {
                // Whoever is at work stays at the phone that he sits at; from the next login on the new one is his.
                if agent.state != State::LoggedOut && agent.away.is_none() && agent.home != wanted.extension {
                    agent.away = agent.home.take();
                }
                agent.home.clone_from(&wanted.extension);
                agent.away = agent.away.take().filter(|phone| config.extensions.contains_key(phone));
            }
        }
        self.seat();
        let gone = self.iter().filter(|(_, a)| !config.agents.contains_key(&a.id)).map(|(i, _)| i).collect();
        (begin, gone)
    }

    fn add(&mut self, id: &str) -> AgentIndex {
        let index = AgentIndex(self.list.len() as u32);
        self.list.push(Agent {
            id: id.to_string(),
            home: None,
            away: None,
            state: State::LoggedOut,
            state_since: Instant::BOOT,
            wish: None,
            tally: Tally::default(),
            misses: Misses::default(),
            retry_at: None,
            last: None,
            takes: VecDeque::new(),
        });
        self.by_id.insert(id.to_string(), index);
        index
    }

    /// Who sits where: whoever is logged in at a phone, otherwise the agent whose phone it is by configuration.
    fn seat(&mut self) {
        let mut seats = BTreeMap::new();
        for at_work in [false, true] {
            for (index, agent) in self.iter() {
                if let (Some(phone), true) = (agent.phone(), (agent.state != State::LoggedOut) == at_work) {
                    seats.insert(phone.to_string(), index);
                }
            }
        }
        self.by_extension = seats;
    }

    /// The same for one phone, when somebody has come or gone.
    fn seat_at(&mut self, phone: &str) {
        let here = self.iter().filter(|(_, agent)| agent.phone() == Some(phone));
        let sits = here.max_by_key(|(index, agent)| (agent.state != State::LoggedOut, *index)).map(|(index, _)| index);
        match sits {
            Some(index) => self.by_extension.insert(phone.to_string(), index),
            None => self.by_extension.remove(phone),
        };
    }

    /// The agent has logged in. Looks at nobody else's phone: a whole shift may begin in one turn.
    pub(crate) fn begins_work(&mut self, index: AgentIndex) {
        let Some(phone) = self.get(index).and_then(Agent::phone) else { return };
        let sits = self.at_extension(phone).filter(|other| *other > index).and_then(|other| self.get(other));
        if sits.is_none_or(|other| other.state == State::LoggedOut) {
            let phone = phone.to_string();
            self.by_extension.insert(phone, index);
        }
    }

    /// The agent works at this phone from now on; none: at the phone of the configuration.
    pub(crate) fn sit_at(&mut self, index: AgentIndex, phone: Option<&str>) {
        let Some(agent) = self.get_mut(index) else { return };
        let left = agent.phone().map(ToString::to_string);
        agent.away = phone.map(ToString::to_string);
        let taken = agent.phone().map(ToString::to_string);
        for phone in [left, taken].into_iter().flatten() {
            self.seat_at(&phone);
        }
    }

    /// By place.
    pub fn get(&self, index: AgentIndex) -> Option<&Agent> {
        self.list.get(index.0 as usize)
    }

    /// By id.
    pub fn find(&self, id: &str) -> Option<AgentIndex> {
        self.by_id.get(id).copied()
    }

    /// Who works at this phone.
    pub fn at_extension(&self, extension: &str) -> Option<AgentIndex> {
        self.by_extension.get(extension).copied()
    }

    /// Another agent works at the phone of this one.
    pub(crate) fn seat_taken(&self, index: AgentIndex) -> bool {
        let phone = self.get(index).and_then(Agent::phone);
        let other = phone.and_then(|phone| self.at_extension(phone)).filter(|other| *other != index);
        other.and_then(|other| self.get(other)).is_some_and(|other| other.state != State::LoggedOut)
    }

    /// All, by place.
    pub fn iter(&self) -> impl Iterator<Item = (AgentIndex, &Agent)> {
        self.list.iter().enumerate().map(|(i, a)| (AgentIndex(i as u32), a))
    }

    /// The call of this agent's phone that no queue made; one to the outside counts before others.
    pub(crate) fn own_call_of(&self, index: AgentIndex) -> Option<OwnCall> {
        self.own_call(self.get(index).and_then(Agent::phone)?)
    }

    /// The same by phone.
    pub(crate) fn own_call(&self, extension: &str) -> Option<OwnCall> {
        let legs = self.own_legs.get(extension)?;
        Some(if legs.outside > 0 { OwnCall::Outside } else { OwnCall::Inside })
    }

    /// Counts a leg of a phone that is no offer of a queue.
    pub(crate) fn count_own_leg(&mut self, extension: &str, kind: OwnCall, began: bool) {
        let legs = self.own_legs.entry(extension.to_string()).or_default();
        let count = match kind {
            OwnCall::Inside => &mut legs.inside,
            OwnCall::Outside => &mut legs.outside,
        };
        *count = if began { *count + 1 } else { count.saturating_sub(1) };
        if *legs == OwnLegs::default() {
            self.own_legs.remove(extension);
        }
    }

    pub(crate) fn get_mut(&mut self, index: AgentIndex) -> Option<&mut Agent> {
        self.list.get_mut(index.0 as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use alloc::format;
    use proptest::prelude::*;

    const AGENTS: usize = 6;
    const PHONES: usize = 4;

    proptest! {
        /// One seat taken or left leads to the same as asking everybody again.
        #[test]
        fn who_comes_and_goes_leaves_the_seats_that_all_together_have(
            acts in proptest::collection::vec((0..AGENTS, 0..=PHONES, any::<bool>()), 1..40),
        ) {
            let mut site = String::from("sip { listen 127.0.0.1:5060; }\n");
            for phone in 0..PHONES {
                site += &format!("extension 200{phone} {{ secret amber-kite; }}\n");
            }
            for agent in 0..AGENTS {
                let home = if agent < PHONES { format!("extension 200{agent};") } else { String::new() };
                site += &format!("agent 100{agent} {{ pin 482{agent}; {home} }}\n");
            }
            let mut agents = Agents::default();
            agents.configure(&parse(&site).unwrap());
            for (agent, phone, at_work) in acts {
                let index = AgentIndex(agent as u32);
                let phone = (phone < PHONES).then(|| format!("200{phone}"));
                agents.sit_at(index, phone.as_deref());
                let was = core::mem::replace(
                    &mut agents.get_mut(index).unwrap().state,
                    if at_work { State::Ready { since: Instant::BOOT } } else { State::LoggedOut },
                );
                match (was, at_work) {
                    (State::LoggedOut, true) => agents.begins_work(index),
                    (_, false) => agents.sit_at(index, None),
                    (_, true) => agents.sit_at(index, phone.as_deref()),
                }
                let one_by_one = agents.by_extension.clone();
                agents.seat();
                prop_assert_eq!(&one_by_one, &agents.by_extension);
            }
        }
    }
}
