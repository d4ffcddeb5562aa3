//! Waiting callers and ready agents are brought together here: callers in order of service over all queues, for each
//! the agent that `select` names. Nobody blocks anybody: a caller whom nobody can serve is passed over.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use base::time::Instant;
use core::time::Duration;

use crate::agent::{Happening, REASON_UNREACHABLE, State};
use crate::call::{CallKey, Phase};
use crate::config::{Config, Queue as Wanted, Strategy};
use crate::event::{Candidate, Detail, Exclusion, Rule};
use crate::offer::{Cause, Chosen, Unrung};
use crate::port::NO_PORT;
use crate::precedence::{Contender, Measure, PASSED_OVER_MAX, Precedence, Rank};
use crate::queue::{Place, seconds};
use crate::roster::{Agent, AgentIndex, HOUR};
use crate::select::{Asked, Seen, Selection, Wish, rejected, select};
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// A missed offer that does not make the agent not ready is followed by a pause of at least this, so that a phone that
/// refuses at once is not rung in a circle.
pub(crate) const RETRY_DELAY_MIN: Duration = Duration::from_secs(1);

/// A caller about to be served.
struct Head<'c> {
    call: CallKey,
    place: Place,
    rank: Rank,
    config: &'c Config,
    wanted: &'c Wanted,
    /// Relaxation rings open.
    rings: u32,
    members: Vec<&'c str>,
    wishes: Vec<Wish<'c>>,
    /// Offers ring for this caller already.
    ringing: bool,
}

/// All waiting callers in the order in which they are served.
type Order = [(Rank, CallKey)];

impl Pbx {
    /// Offers waiting callers to ready agents until one of the two runs out.
    pub(crate) fn match_callers(&mut self, turn: &mut Turn<'_>) {
        // For whom in a queue this many rings were not enough, fewer are not either.
        let mut fruitless: BTreeMap<String, u32> = BTreeMap::new();
        let anybody_ready = |pbx: &Pbx| pbx.agents.iter().any(|(_, a)| matches!(a.state, State::Ready { .. }));
        let mut nobody_ready = !anybody_ready(self);
        let order = self.callers_in_order(turn.now.at);
        for (rank, call) in order.iter().copied() {
            let Some(Phase::Waiting { place, .. }) = self.calls.get(call).map(|c| &c.phase) else { continue };
            let Some(config) = self.config_of_queue(call, &place.queue) else { continue };
            let Some(wanted) = config.queues.get(&place.queue) else { continue };
            let rings = rings_open(wanted, place, turn.now.at);
            let told = place.unserved_rings == Some(rings) || !place.tries.is_empty();
            let hopeless = nobody_ready
                || fruitless.get(&place.queue).is_some_and(|known| rings <= *known) && place.preferred.is_none();
            if self.ports.is_paused() {
                return;
            }
            if (hopeless && told) || !self.may_be_offered(call, wanted, turn.now.at) {
                continue;
            }
            let place = place.clone();
            let queue = place.queue.clone();
            let anybody = place.preferred.is_none();
            let head = self.head(call, place, rank, &config, wanted, rings);
            let served = self.serve(turn, &head, &order);
            nobody_ready = !anybody_ready(self);
            if !served && anybody {
                let known = fruitless.entry(queue).or_insert(rings);
                *known = (*known).max(rings);
            }
        }
    }

    /// All waiting callers, over all queues, in the order in which they are served.
    fn callers_in_order(&self, now: Instant) -> Vec<(Rank, CallKey)> {
        let Some(config) = self.configs.now() else { return Vec::new() };
        let mut order = Vec::new();
        for (name, queue) in &self.queues {
            let weight = config.queues.get(name).map_or(0, |q| q.weight);
            for call in queue.waiting.values() {
                if let Some(Phase::Waiting { place, .. }) = self.calls.get(*call).map(|c| &c.phase) {
                    order.push((place.rank(weight, &config.routing, now), *call));
                }
            }
        }
        order.sort();
        order
    }

    /// Whether one more phone may ring for the caller now.
    fn may_be_offered(&self, call: CallKey, wanted: &Wanted, now: Instant) -> bool {
        let Some(Phase::Waiting { place, offers }) = self.calls.get(call).map(|c| &c.phase) else { return false };
        let more = match wanted.strategy {
            Strategy::RingAll => true,
            Strategy::RingProgressively => place.next_ring.is_none_or(|at| at <= now),
            Strategy::LongestIdle
            | Strategy::FewestCalls
            | Strategy::LeastTalkTime
            | Strategy::LeastOccupied
            | Strategy::RoundRobin
            | Strategy::Linear
            | Strategy::TopDown
            | Strategy::Random
            | Strategy::WeightedRandom => false,
        };
        // Nobody who may be heard by others is connected before he was told.
        place.notice.is_none() && (offers.is_empty() || (more && !offers.iter().any(|offer| self.is_won(*offer))))
    }

    fn head<'c>(
        &self,
        call: CallKey,
        place: Place,
        rank: Rank,
        config: &'c Config,
        wanted: &'c Wanted,
        rings: u32,
    ) -> Head<'c> {
        let open = wanted.relax.values().take(rings as usize);
        let surge: &[String] = if self.switches.surge { &wanted.surge_agents } else { &[] };
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let all = wanted.agents.iter().chain(open.clone().flat_map(|ring| &ring.agents)).chain(surge);
        let members: Vec<&str> = all.map(String::as_str).filter(|id| known.insert(*id)).collect();
        let minus = open.clone().map(|ring| ring.level_minus).max().unwrap_or(0);
        let wish = |(skill, want): (&'c String, &crate::config::Wanted)| {
            let dropped = open.clone().any(|ring| ring.drop.contains(skill));
            Wish { skill, level: want.level.saturating_sub(minus).max(1), required: want.required && !dropped }
        };
        let wishes = wanted.skills.iter().map(wish).collect();
        let ringing = !self.offers_of(call).is_empty();
        Head { call, place, rank, config, wanted, rings, members, wishes, ringing }
    }

    /// Lets phones ring for a caller: one, or with ring-all those of everybody eligible. False when nobody is.
    fn serve(&mut self, turn: &mut Turn<'_>, head: &Head<'_>, order: &Order) -> bool {
        let draw = match head.wanted.strategy {
            Strategy::Random | Strategy::WeightedRandom => self.random.u64(),
            Strategy::RingAll
            | Strategy::LongestIdle
            | Strategy::FewestCalls
            | Strategy::LeastTalkTime
            | Strategy::LeastOccupied
            | Strategy::RoundRobin
            | Strategy::Linear
            | Strategy::TopDown
            | Strategy::RingProgressively => 0,
        };
        // Whose phone cannot be rung at all is out of the next round, so this ends.
        loop {
            let (winners, selection) = match self.choose(head, draw, turn.now.at) {
                Ok(chosen) => chosen,
                Err(candidates) => {
                    self.note_unserved(turn, head, candidates);
                    return false;
                }
            };
            let all = head.wanted.strategy == Strategy::RingAll;
            let count = if all { winners.len() } else { 1 };
            let mut candidates = selection.candidates;
            let mut rung = false;
            for index in winners.into_iter().take(count) {
                // With ring-all the same tables hold for all: they are written down once.
                let callers = (!candidates.is_empty()).then(|| self.precedence(head, index, order, turn.now.at));
                self.note_offered(turn, head, index, (core::mem::take(&mut candidates), callers), &selection.why);
                rung |= self.offer_to(turn, head, index);
                if self.ports.is_paused() {
                    return rung;
                }
            }
            if rung {
                return true;
            }
        }
    }

    /// Who is to serve the caller, best first, and why; or why nobody can.
    fn choose(&self, head: &Head<'_>, draw: u64, now: Instant) -> Result<(Vec<AgentIndex>, Selection), Vec<Candidate>> {
        let asked = self.wished(head, draw, now);
        let (indices, seen): (Vec<AgentIndex>, Vec<Seen<'_>>) =
            head.members.iter().enumerate().filter_map(|(n, id)| self.seen(head, n as u32, id, now)).unzip();
        match select(&asked, &seen) {
            Some(selection) => {
                let winners = selection.winners.iter().filter_map(|n| indices.get(*n).copied()).collect();
                Ok((winners, selection))
            }
            None => Err(rejected(&asked, &seen)),
        }
    }

    /// What the caller wishes of an agent.
    fn wished<'p>(&'p self, head: &'p Head<'p>, draw: u64, now: Instant) -> Asked<'p> {
        let waited_s = now.since(head.place.since).as_secs();
        let preferred = head.place.preferred.and_then(|index| self.agents.get(index));
        let at_work = |agent: &Agent| !matches!(agent.state, State::LoggedOut | State::NotReady { .. });
        let member = |agent: &Agent| head.members.contains(&agent.id.as_str());
        let after = self.queues.get(&head.place.queue).and_then(|q| q.after.as_deref());
        Asked {
            queue: &head.place.queue,
            strategy: head.wanted.strategy,
            wishes: &head.wishes,
            preferred: preferred.map(|agent| agent.id.as_str()),
            wait_for_preferred: waited_s < u64::from(head.wanted.sticky_wait_s)
                && preferred.is_some_and(|agent| at_work(agent) && member(agent)),
            after: after.and_then(|id| head.members.iter().position(|m| *m == id)).map(|n| n as u32),
            draw,
        }
    }

    fn seen<'p>(&'p self, head: &Head<'p>, position: u32, id: &str, now: Instant) -> Option<(AgentIndex, Seen<'p>)> {
        let index = self.agents.find(id)?;
        let agent = self.agents.get(index)?;
        let skills = &head.config.agents.get(id)?.skills;
        let tally = agent.tally(now);
        let idle_ms = match agent.state {
            State::Ready { since } => now.since(since).as_millis() as u64,
            State::LoggedOut
            | State::NotReady { .. }
            | State::Reserved { .. }
            | State::Ringing { .. }
            | State::Talking { .. }
            | State::Hold { .. }
            | State::WrapUp(_)
            | State::Personal
            | State::Outbound => 0,
        };
        let seen = Seen {
            agent: &agent.id,
            position,
            excluded: self.exclusion(head.config, agent, now),
            idle_ms,
            calls: tally.calls,
            talk_ms: tally.talk_us / 1_000,
            occupancy_permille: tally.occupancy_permille(),
            skills,
            tries: head.place.tries.get(&index).copied().unwrap_or(0),
        };
        Some((index, seen))
    }

    /// Why an agent cannot be offered anybody now; skills aside.
    fn exclusion(&self, config: &Config, agent: &Agent, now: Instant) -> Option<Exclusion> {
        let exclusion = |rule, detail: String, config: String| Some(Exclusion { rule, detail, config });
        if !matches!(agent.state, State::Ready { .. }) {
            return exclusion(Rule::NotReady, agent.state.name(), String::new());
        }
        if agent.phone().is_none_or(|phone| self.sip.contacts(phone).is_empty()) {
            let phone = agent.phone().unwrap_or_default().to_string();
            return exclusion(Rule::PhoneNotRegistered, phone, String::new());
        }
        if let Some(at) = agent.retry_at.filter(|at| *at > now) {
            return exclusion(Rule::RetryDelay, format!("{} ms", at.since(now).as_millis()), String::new());
        }
        let cap = config.agents.get(&agent.id).map_or(0, |a| a.calls_per_hour_max);
        let (taken, _) = agent.taken_last_hour(now);
        if cap > 0 && taken >= cap {
            let path = format!("agent {} calls-per-hour-max", agent.id);
            return exclusion(Rule::CallsPerHour, format!("{taken}"), path);
        }
        None
    }

    fn note_offered(
        &mut self,
        turn: &mut Turn<'_>,
        head: &Head<'_>,
        index: AgentIndex,
        (candidates, callers): (Vec<Candidate>, Option<Precedence>),
        why: &str,
    ) {
        let uid = self.calls.get(head.call).map(|c| c.uid);
        let detail = Detail::Offered {
            queue: head.place.queue.clone(),
            agent: self.agents.get(index).map_or_else(String::new, |a| a.id.clone()),
            priority: head.place.priority,
            wait_ms: turn.now.at.since(head.place.first).as_millis() as u64,
            strategy: head.wanted.strategy,
            ring: head.rings,
            starved: head.rank.is_starved(),
            candidates,
            callers,
            why: why.to_string(),
        };
        self.note(turn, uid, None, "router", detail);
    }

    /// Why the agent is offered this caller: he and all whom the agent could have served instead.
    fn precedence(&self, head: &Head<'_>, index: AgentIndex, order: &Order, now: Instant) -> Precedence {
        let measure = self.configs.now().map_or_else(Measure::default, |config| Measure::of(&config.routing));
        let mut precedence = Precedence { measure, callers: vec![], more: 0 };
        precedence.callers.extend(self.contender(head.call, now));
        // Callers of one queue are alike but for their relaxation and the agent whom they wait for.
        let mut known = BTreeMap::new();
        for (_, call) in order.iter().filter(|(_, call)| *call != head.call) {
            let Some(Phase::Waiting { place, .. }) = self.calls.get(*call).map(|c| &c.phase) else { continue };
            let Some(config) = self.config_of_queue(*call, &place.queue) else { continue };
            let Some(wanted) = config.queues.get(&place.queue) else { continue };
            if !self.may_be_offered(*call, wanted, now) {
                continue;
            }
            let waits = place.preferred.filter(|_| now.since(place.since) < seconds(wanted.sticky_wait_s));
            let like = (place.queue.as_str(), rings_open(wanted, place, now), waits);
            let could = *known.entry(like).or_insert_with(|| {
                let other = self.head(*call, place.clone(), head.rank, &config, wanted, like.1);
                self.could_serve(&other, index, now)
            });
            if could && precedence.callers.len() <= PASSED_OVER_MAX {
                precedence.callers.extend(self.contender(*call, now));
            } else {
                precedence.more += u32::from(could);
            }
        }
        precedence
    }

    /// Whether this agent, who is eligible for another, could be offered the caller.
    fn could_serve(&self, head: &Head<'_>, index: AgentIndex, now: Instant) -> bool {
        let id = self.agents.get(index).map_or("", |agent| &agent.id);
        let position = head.members.iter().position(|member| *member == id);
        let seen = position.and_then(|n| self.seen(head, n as u32, id, now));
        seen.is_some_and(|(_, seen)| select(&self.wished(head, 0, now), &[seen]).is_some())
    }

    /// The numbers by which a waiting caller is compared with others.
    fn contender(&self, key: CallKey, now: Instant) -> Option<Contender> {
        let call = self.calls.get(key)?;
        let Phase::Waiting { place, .. } = &call.phase else { return None };
        Some(Contender {
            call: call.uid,
            queue: place.queue.clone(),
            weight: self.configs.now()?.queues.get(&place.queue).map_or(0, |queue| queue.weight),
            priority: place.priority,
            priority_by: self.config_of(key).map_or_else(String::new, |config| call.priority_by(&config)),
            waited_us: now.since(place.first).as_micros() as u64,
            arrival: place.arrival,
        })
    }

    /// Why nobody serves the caller: told at the first attempt, and again when a ring more did not help.
    fn note_unserved(&mut self, turn: &mut Turn<'_>, head: &Head<'_>, candidates: Vec<Candidate>) {
        if head.ringing || head.place.unserved_rings == Some(head.rings) {
            return;
        }
        self.with_place(head.call, |place, _| place.unserved_rings = Some(head.rings));
        let uid = self.calls.get(head.call).map(|c| c.uid);
        let detail = Detail::Unserved { queue: head.place.queue.clone(), ring: head.rings, candidates };
        self.note(turn, uid, None, "router", detail);
    }

    /// Rings one agent's phone for a caller. False when it could not be rung.
    fn offer_to(&mut self, turn: &mut Turn<'_>, head: &Head<'_>, index: AgentIndex) -> bool {
        let Some(agent) = self.agents.get(index) else { return false };
        let (id, phone) = (agent.id.clone(), agent.phone().unwrap_or_default().to_string());
        let chosen = Chosen { index, queue: head.place.queue.clone() };
        let timeout = seconds(head.wanted.ring_timeout_s);
        let offer = match self.begin_offer(turn, head.call, &phone, Some(chosen), timeout) {
            Ok(offer) => offer,
            Err(why) => {
                self.not_rung(turn, head.call, index, why);
                return false;
            }
        };
        self.agent(turn, index, Happening::Chosen(offer), "chosen by the router");
        if let Some(queue) = self.queues.get_mut(&head.place.queue) {
            queue.after = Some(id);
        }
        let next_ring = turn.now.at + seconds(head.wanted.ring_step_s);
        self.with_place(head.call, |place, offers| {
            *place.tries.entry(index).or_default() += 1;
            place.next_ring = Some(next_ring);
            offers.push(offer);
        });
        if head.wanted.strategy == Strategy::RingProgressively {
            self.timers.set(Timer::NextRing(head.call), next_ring);
        }
        true
    }

    /// An agent's phone could not be rung for a caller. That its phone is gone makes an agent not ready; that we have no port
    /// does not, and is the same for all.
    fn not_rung(&mut self, turn: &mut Turn<'_>, call: CallKey, index: AgentIndex, why: Unrung) {
        let agent = self.agents.get(index).map_or_else(String::new, |a| a.id.clone());
        let uid = self.calls.get(call).map(|c| c.uid);
        let cause = match why {
            Unrung::NoPhone => Cause::Unreachable.as_str(),
            Unrung::NoPort => NO_PORT,
        };
        let cause = cause.to_string();
        self.note(turn, uid, None, "router", Detail::OfferEnded { agent, cause, ring_ms: 0 });
        match why {
            Unrung::NoPhone => {
                let not_ready = Happening::GoNotReady(REASON_UNREACHABLE);
                self.agent_by(turn, index, not_ready, Some("router"), "phone could not be rung");
            }
            Unrung::NoPort => self.pause_offers(turn),
        }
    }

    /// An agent did not take an offer: not ready after so many for this cause in a row, otherwise a pause. The reason of not being
    /// ready, if it comes to that.
    pub(crate) fn missed(
        &mut self,
        turn: &Turn<'_>,
        index: AgentIndex,
        cause: Cause,
        (limit, retry_delay_s): (u8, u32),
        reason: u8,
    ) -> Option<u8> {
        let agent = self.agents.get_mut(index)?;
        let misses = agent.misses.of(cause);
        *misses += 1;
        if limit > 0 && *misses >= u32::from(limit) {
            *misses = 0;
            agent.retry_at = None;
            return Some(reason);
        }
        agent.retry_at = Some(turn.now.at + seconds(retry_delay_s).max(RETRY_DELAY_MIN));
        self.set_again_timer(index, turn.now.at);
        None
    }

    /// When time alone makes the agent eligible again.
    pub(crate) fn set_again_timer(&mut self, index: AgentIndex, now: Instant) {
        let Some(agent) = self.agents.get(index) else { return };
        let cap = self.configs.now().and_then(|c| c.agents.get(&agent.id).map(|a| a.calls_per_hour_max)).unwrap_or(0);
        let (taken, oldest) = agent.taken_last_hour(now);
        let uncapped = oldest.filter(|_| cap > 0 && taken >= cap).map(|at| at + HOUR);
        let next = vec![agent.retry_at, uncapped].into_iter().flatten().filter(|at| *at > now).min();
        if let Some(at) = next {
            self.timers.set(Timer::AgentAgain(index), at);
        }
    }
}

fn rings_open(wanted: &Wanted, place: &Place, now: Instant) -> u32 {
    let waited_s = now.since(place.since).as_secs();
    wanted.relax.keys().filter(|s| u64::from(**s) <= waited_s).count() as u32
}
