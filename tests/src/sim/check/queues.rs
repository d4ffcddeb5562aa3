//! Queues: callers are served in the order of the rules, by agents who may serve them; nobody waits while such an agent
//! is ready; nobody starves; each visit has one end, and what was offered is what was answered, abandoned and sent on.

use super::Findings;
use super::agents::Agents;
use super::memory::Memory;
use super::place::{Decision, Place, is_empty};
use base::id::Uid;
use base::time::Wall;
use pbx::config::{Config, Consent, Destination, Queue};
use pbx::event::{Candidate, Detail, LegEvent};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Visits of one queue.
#[derive(Clone, Copy, Debug, Default)]
struct Visits {
    offered: u64,
    answered: u64,
    abandoned: u64,
    overflowed: u64,
}

/// What is known of a call apart from its place.
#[derive(Debug, Default)]
struct Caller {
    number: String,
    called: String,
    inside: bool,
    /// Number and moment of the first arrival in a queue.
    first: Option<(u64, u64)>,
    hops: u32,
    /// Set by a supervisor.
    priority: Option<u8>,
    /// Was sent to this queue in this turn and must be found there, or be sent on from there.
    bound_for: Option<String>,
    /// Last key pressed, and when.
    key: Option<(char, u64)>,
    /// Was told of monitoring.
    told: bool,
}

/// All queues.
#[derive(Debug)]
pub struct Queues {
    config: Arc<Config>,
    waiting: BTreeMap<Uid, Place>,
    callers: BTreeMap<Uid, Caller>,
    visits: BTreeMap<String, Visits>,
    /// Who was rung last by each queue.
    after: BTreeMap<String, String>,
    memory: Memory,
    arrivals: u64,
    /// Calls sent on in this turn.
    sent_on: Vec<Uid>,
    /// Last table of candidates, for offers that share it: queue, call, who is left of it in order.
    shared: Option<(Uid, Vec<String>)>,
    changed: bool,
    looked_us: u64,
    idle_since_us: Option<(u64, String)>,
}

/// Nobody waits for longer than this while an agent is ready.
const PROMPT_US: u64 = 100_000;
/// A caller is kept from the agents by the notice of monitoring for no longer: its bound and a restart.
const NOTICE_US: u64 = 32_000_000;
/// So often it is looked even when no row came.
const LOOK_US: u64 = 1_000_000;
/// A bound on waiting may be late by the announcement to an agent who has taken the call, and by a restart.
const LATE_US: u64 = 15_000_000;
/// So often queues send a caller on.
const HOPS_MAX: u32 = 8;

impl Queues {
    /// Queues of a site.
    pub fn new(config: &Arc<Config>) -> Queues {
        Queues {
            config: config.clone(),
            waiting: BTreeMap::new(),
            callers: BTreeMap::new(),
            visits: BTreeMap::new(),
            after: BTreeMap::new(),
            memory: Memory::default(),
            arrivals: 0,
            sent_on: Vec::new(),
            shared: None,
            changed: false,
            looked_us: 0,
            idle_since_us: None,
        }
    }

    /// A row.
    pub fn row(&mut self, now_us: u64, row: &LegEvent, agents: &Agents, found: &mut Findings) {
        if let Detail::AgentState { agent, to, .. } = &row.detail
            && to == "reserved"
        {
            self.reserved(now_us, agent, agents);
        }
        self.changed |= matches!(
            row.detail,
            Detail::AgentState { .. } | Detail::Registered { .. } | Detail::Surge { .. } | Detail::Prioritised { .. }
        );
        let Some(uid) = row.call else { return };
        match &row.detail {
            Detail::CallBegan { caller, called, origin } => {
                let (number, called, inside) = (caller.clone(), called.clone(), origin.starts_with("extension"));
                self.callers.insert(uid, Caller { number, called, inside, ..Caller::default() });
            }
            Detail::Queued { queue, priority, .. } => {
                self.queued(now_us, uid, (queue, *priority), row.wall, agents, found)
            }
            Detail::Offered { .. } => self.offered(now_us, uid, &row.detail, agents, found),
            Detail::Unserved { candidates, .. } => self.unserved(now_us, uid, candidates, agents, found),
            Detail::OfferEnded { agent, cause, .. } => {
                self.changed = true;
                if let Some(place) = self.waiting.get_mut(&uid) {
                    let by_rule = ["max-wait", "wait", "empty", "exit", "moved", "picked"];
                    if place.taken && by_rule.contains(&cause.split(' ').next().unwrap_or("")) {
                        found.push(format!("call {uid} is taken from agent {agent}, who answered it: {cause}"));
                    }
                    place.ringing.remove(agent);
                    place.taken &= !place.ringing.is_empty();
                }
            }
            Detail::Media { what } if row.leg == Some(0) => self.heard(now_us, uid, what, found),
            Detail::Answered if row.leg != Some(0) => self.answered(uid, None),
            Detail::Digit { digit, .. } => {
                if row.leg != Some(0) {
                    self.answered(uid, Some(*digit));
                } else if let Some(caller) = self.callers.get_mut(&uid) {
                    caller.key = Some((*digit, now_us));
                }
            }
            Detail::Connected { queue, with, wait_ms } if !queue.is_empty() => {
                self.connected(now_us, uid, queue, (with, *wait_ms), row.wall, found);
            }
            Detail::Abandoned { queue, by, .. } => {
                self.visits.entry(queue.clone()).or_default().abandoned += 1;
                self.ends(now_us, uid, queue, "abandons", by == "max-wait", found);
            }
            Detail::Overflowed { queue, wait_ms, rule, to } => {
                self.overflowed(now_us, uid, (queue, *wait_ms), (rule, to), row.wall, agents, found);
            }
            Detail::Prioritised { priority, .. } => {
                self.callers.entry(uid).or_default().priority = Some(*priority);
                match self.waiting.get_mut(&uid) {
                    Some(place) => place.priority = *priority,
                    None => found.push(format!("call {uid} is given a priority, but does not wait")),
                }
            }
            Detail::CallEnded { .. } => {
                self.callers.remove(&uid);
                if let Some(place) = self.waiting.get(&uid) {
                    found.push(format!("call {uid} is over, but waits in {}", place.queue));
                }
            }
            _ => {}
        }
    }

    fn queued(
        &mut self,
        now_us: u64,
        uid: Uid,
        (queue, priority): (&str, u8),
        wall: Wall,
        agents: &Agents,
        found: &mut Findings,
    ) {
        self.changed = true;
        let Some(wanted) = self.config.queues.get(queue) else {
            return found.push(format!("call {uid} waits in {queue}, which is not in the configuration"));
        };
        let length = self.waiting.values().filter(|p| p.queue == queue).count();
        if !super::hours::is_open(&self.config, wanted, wall) {
            found.push(format!("call {uid} is let into {queue}, which is closed"));
        } else if wanted.max_length > 0 && length >= wanted.max_length as usize {
            found.push(format!("call {uid} is let into {queue}, where {length} wait"));
        } else if is_empty(wanted, &wanted.join_empty, agents) {
            found.push(format!("call {uid} is let into {queue}, which nobody serves"));
        }
        self.arrivals += 1;
        let arrivals = self.arrivals;
        let caller = self.callers.entry(uid).or_default();
        caller.bound_for = None;
        let (arrival, first_us) = *caller.first.get_or_insert((arrivals, now_us));
        let vip = self.config.vips.get(&caller.number);
        let did = self.config.dids.get(&caller.called).filter(|_| !caller.inside).and_then(|did| did.priority);
        let right = caller.priority.or(vip.map(|v| v.priority)).or(did).unwrap_or(wanted.priority);
        if right != priority {
            found.push(format!("call {uid} waits in {queue} with priority {priority}, not {right}"));
        }
        let own = vip.and_then(|v| v.agent.clone()).filter(|id| self.config.agents.contains_key(id));
        let (known, vague) = self.memory.recall(&caller.number, wall, self.config.routing.sticky_days);
        let sticky = wanted.sticky_wait_s > 0;
        let vague = own.is_none() && sticky && vague;
        let preferred = own.or(known.filter(|_| sticky));
        let place = Place {
            queue: queue.to_string(),
            priority,
            arrival,
            first_us,
            since_us: now_us,
            preferred,
            vague,
            tries: BTreeMap::new(),
            ringing: Default::default(),
            rung_us: 0,
            taken: false,
            held: wanted.monitor_consent == Consent::Notice && !caller.told,
        };
        self.visits.entry(queue.to_string()).or_default().offered += 1;
        if self.waiting.insert(uid, place).is_some() {
            found.push(format!("call {uid} waits in two queues"));
        }
    }

    fn offered(&mut self, now_us: u64, uid: Uid, detail: &Detail, agents: &Agents, found: &mut Findings) {
        let Detail::Offered { queue, agent, priority, wait_ms, strategy, ring, starved, candidates, .. } = detail
        else {
            return;
        };
        self.changed = true;
        let config = self.config.clone();
        let (Some(place), Some(wanted)) = (self.waiting.get(&uid), config.queues.get(queue)) else {
            return found.push(format!("call {uid} is offered from {queue}, where it does not wait"));
        };
        let rings = place.rings(wanted, now_us) as u32;
        let right = (place.priority, place.waited_us(now_us) / 1_000, wanted.strategy, rings);
        if place.queue != *queue || right != (*priority, *wait_ms, *strategy, *ring) {
            found.push(format!("call {uid} is offered as {detail:?}, but it is {place:?}, {right:?}"));
        }
        if place.is_starved(&config.routing, now_us) != *starved {
            found.push(format!("call {uid} is offered with starved {starved} after {wait_ms} ms"));
        }
        if !place.may_ring(wanted, now_us) {
            found.push(format!("call {uid} is offered to {agent} while {:?} ring", place.ringing));
        }
        let rule = place.excluded(agent, wanted, &config, agents, now_us);
        let serves = place.is_served_by(agent, wanted, agents, now_us);
        if !serves || (rule.is_some() && !place.vague) {
            found.push(format!("agent {agent} is offered a caller of {queue}, but may not have him: {rule:?}"));
        }
        self.decided(now_us, uid, agent, candidates, agents, found);
        self.in_order(now_us, uid, agent, agents, found);
    }

    /// The winner is the one whom the printed terms name, and the terms are those of the books.
    fn decided(
        &mut self,
        now_us: u64,
        uid: Uid,
        agent: &str,
        candidates: &[Candidate],
        agents: &Agents,
        found: &mut Findings,
    ) {
        if candidates.is_empty() {
            let next = self.shared.as_mut().filter(|(call, rest)| *call == uid && !rest.is_empty());
            match next.map(|(_, rest)| rest.remove(0)) {
                Some(right) if right == agent => {}
                other => found.push(format!("call {uid} is offered to {agent} without a reason; next was {other:?}")),
            }
            return;
        }
        let mut order = super::terms::in_order(candidates);
        match order.first() {
            Some(right) if right == agent => {}
            other => {
                found.push(format!("call {uid} is offered to {agent}, but the terms name {other:?}: {candidates:?}"))
            }
        }
        order.drain(..order.len().min(1));
        self.shared = Some((uid, order));
        self.candidates(now_us, uid, candidates, agents, found);
    }

    fn candidates(&self, now_us: u64, uid: Uid, candidates: &[Candidate], agents: &Agents, found: &mut Findings) {
        let Some(place) = self.waiting.get(&uid).filter(|p| !p.vague) else { return };
        let Some(queue) = self.config.queues.get(&place.queue) else { return };
        let named: Vec<&str> = candidates.iter().map(|c| c.agent.as_str()).collect();
        let members = place.members(queue, agents, now_us);
        if named != members {
            found.push(format!("call {uid}: {named:?} were looked at, but {members:?} serve it"));
        }
        let after = self.after.get(&place.queue).map(String::as_str);
        let at = Decision { queue, config: &self.config, agents, after, now_us };
        for candidate in candidates {
            let rule = place.excluded(&candidate.agent, queue, &self.config, agents, now_us);
            let said = candidate.excluded.as_ref().map(|e| e.rule);
            if rule != said {
                found.push(format!("call {uid}: {} is excluded by {said:?}, not by {rule:?}", candidate.agent));
            }
            for term in &candidate.terms {
                let right = place.term(term.name, &candidate.agent, &at).unwrap_or(term.value);
                if right != term.value {
                    found.push(format!("call {uid}: {} has {term:?}, but it is {right}", candidate.agent));
                }
            }
        }
    }

    /// Nobody is passed over whom the same agent could serve and who comes first.
    fn in_order(&self, now_us: u64, uid: Uid, agent: &str, agents: &Agents, found: &mut Findings) {
        let Some(place) = self.waiting.get(&uid) else { return };
        let routing = &self.config.routing;
        let rank = |p: &Place| {
            let weight = self.config.queues.get(&p.queue).map_or(0, |q| q.weight);
            p.rank(weight, routing, now_us)
        };
        let own = rank(place);
        for (other, p) in self.waiting.iter().filter(|(u, p)| **u != uid && !p.vague) {
            let earlier = rank(p) < own;
            // The bound once more, without the arithmetic of the order.
            let starves = p.is_starved(routing, now_us) && p.first_us < place.first_us;
            if (earlier || starves) && self.could_serve(now_us, p, agent, agents) {
                found.push(format!("call {uid} is served before {other} ({p:?}) that came before it"));
            }
        }
    }

    fn could_serve(&self, now_us: u64, place: &Place, agent: &str, agents: &Agents) -> bool {
        let Some(queue) = self.config.queues.get(&place.queue) else { return false };
        place.may_ring(queue, now_us)
            && place.excluded(agent, queue, &self.config, agents, now_us).is_none()
            && place.is_served_by(agent, queue, agents, now_us)
    }

    fn unserved(&self, now_us: u64, uid: Uid, candidates: &[Candidate], agents: &Agents, found: &mut Findings) {
        if let Some(eligible) = candidates.iter().find(|c| c.excluded.is_none()) {
            found.push(format!("call {uid} is not served, but {} could", eligible.agent));
        }
        self.candidates(now_us, uid, candidates, agents, found);
    }

    fn reserved(&mut self, now_us: u64, agent: &str, agents: &Agents) {
        let Some((queue, uid)) = agents.book(agent).and_then(|b| b.offer.clone()) else { return };
        self.after.insert(queue, agent.to_string());
        if let Some(place) = self.waiting.get_mut(&uid) {
            *place.tries.entry(agent.to_string()).or_default() += 1;
            place.ringing.insert(agent.to_string());
            place.rung_us = now_us;
        }
    }

    /// Something is played to a caller: the music comes when he was told of monitoring, at last.
    fn heard(&mut self, now_us: u64, uid: Uid, what: &str, found: &mut Findings) {
        let Some(place) = self.waiting.get_mut(&uid).filter(|place| place.held) else { return };
        if what.starts_with("play") && what.ends_with("music") {
            place.held = false;
            self.changed = true;
            self.callers.entry(uid).or_default().told = true;
            if now_us > place.since_us + NOTICE_US {
                found.push(format!("call {uid} was told of monitoring for {} us", now_us - place.since_us));
            }
        }
    }

    /// A phone of an offer was answered, or a key was pressed on it.
    fn answered(&mut self, uid: Uid, key: Option<char>) {
        let Some(place) = self.waiting.get_mut(&uid) else { return };
        let confirm = self.config.queues.get(&place.queue).and_then(|q| q.confirm_key);
        place.taken |= confirm.is_none() || confirm == key;
    }

    fn connected(
        &mut self,
        now_us: u64,
        uid: Uid,
        queue: &str,
        (with, wait_ms): (&str, u64),
        wall: Wall,
        found: &mut Findings,
    ) {
        let supervisor = with.starts_with("supervisor ");
        let Some(place) = self.waiting.get(&uid) else {
            // A supervisor took the call over: no visit, nobody waited.
            if !supervisor || wait_ms != 0 {
                found.push(format!("call {uid} is connected from queue {queue}, where it does not wait"));
            }
            return;
        };
        if (now_us - place.since_us) / 1_000 != wait_ms {
            found.push(format!("call {uid} is connected after {wait_ms} ms: {place:?}"));
        }
        if !supervisor && !place.ringing.contains(with) {
            found.push(format!("call {uid} is answered by {with}, whose phone does not ring for it"));
        }
        let others: Vec<&String> = place.ringing.iter().filter(|a| *a != with).collect();
        if !others.is_empty() {
            found.push(format!("call {uid} is answered by {with} while {others:?} still ring"));
        }
        let sticky = self.config.queues.get(queue).is_some_and(|q| q.sticky_wait_s > 0);
        if let (Some(caller), true, false) = (self.callers.get(&uid), sticky, supervisor) {
            self.memory.remember(&caller.number, with, wall);
        }
        self.visits.entry(queue.to_string()).or_default().answered += 1;
        self.ends(now_us, uid, queue, "is connected from", false, found);
    }

    /// The visit ends.
    fn ends(&mut self, now_us: u64, uid: Uid, queue: &str, how: &str, max_wait: bool, found: &mut Findings) {
        self.changed = true;
        let Some(place) = self.waiting.remove(&uid).filter(|p| p.queue == queue) else {
            return found.push(format!("call {uid} {how} queue {queue}, where it does not wait"));
        };
        let waited_us = now_us - place.since_us;
        let Some(wanted) = self.config.queues.get(queue) else { return };
        let bound_us = u64::from(wanted.max_wait_s) * 1_000_000;
        if max_wait && waited_us < bound_us {
            found.push(format!("call {uid} waited {waited_us} us in {queue}, and {bound_us} us are granted"));
        }
        if bound_us > 0 && waited_us > bound_us + LATE_US {
            found.push(format!("call {uid} waited {waited_us} us in {queue}, where {bound_us} us is the bound"));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what is known of one offer")]
    fn overflowed(
        &mut self,
        now_us: u64,
        uid: Uid,
        (queue, wait_ms): (&str, u64),
        (rule, to): (&str, &str),
        wall: Wall,
        agents: &Agents,
        found: &mut Findings,
    ) {
        let config = self.config.clone();
        let Some(wanted) = config.queues.get(queue) else { return };
        let waited = self.waiting.get(&uid).filter(|p| p.queue == queue).map(|p| now_us - p.since_us);
        let length = self.waiting.values().filter(|p| p.queue == queue).count();
        let caller = self.callers.entry(uid).or_default();
        let pressed = |key: &str| caller.key.is_some_and(|(k, at)| at == now_us && key.starts_with(k));
        let right = match (rule.split_once(' '), rule, waited) {
            (Some(("exit", key)), _, Some(_)) => pressed(key) && wanted.exits.keys().any(|k| key.starts_with(*k)),
            (None, "wait", Some(us)) => {
                wanted.overflow_wait_s > 0 && us >= u64::from(wanted.overflow_wait_s) * 1_000_000
            }
            (None, "empty", Some(_)) => is_empty(wanted, &wanted.leave_empty, agents),
            (None, "empty", None) => is_empty(wanted, &wanted.join_empty, agents),
            (None, "full", None) => wanted.max_length > 0 && length >= wanted.max_length as usize,
            (None, "closed", None) => !super::hours::is_open(&config, wanted, wall),
            (None, "moved", Some(_)) => true,
            _ => false,
        };
        if !right || waited.unwrap_or(0) / 1_000 != wait_ms {
            found.push(format!("call {uid} goes from {queue} to {to} by {rule} after {wait_ms} ms, waited {waited:?}"));
        }
        let meant = destination(wanted, rule).filter(|_| caller.hops < HOPS_MAX || rule.starts_with("exit"));
        if rule != "moved" {
            if to != meant.as_deref().unwrap_or("none") {
                found.push(format!("call {uid} goes from {queue} by {rule} to {to}, not to {meant:?}"));
            }
            caller.hops += u32::from(to != "none");
        }
        caller.bound_for = to.strip_prefix("queue ").map(str::to_string);
        self.sent_on.push(uid);
        let visits = self.visits.entry(queue.to_string()).or_default();
        visits.overflowed += 1;
        match waited {
            Some(_) => self.ends(now_us, uid, queue, "goes on from", false, found),
            None => visits.offered += 1,
        }
    }

    /// All outputs of a turn were shown: does anybody wait although an agent is ready?
    pub fn turn_over(&mut self, now_us: u64, agents: &Agents, found: &mut Findings) {
        for uid in std::mem::take(&mut self.sent_on) {
            if let Some(queue) = self.callers.get(&uid).and_then(|c| c.bound_for.as_ref()) {
                found.push(format!("call {uid} was sent to {queue}, where it did not arrive"));
            }
        }
        if !std::mem::take(&mut self.changed) && now_us < self.looked_us + LOOK_US {
            return;
        }
        self.looked_us = now_us;
        let idle = self.idle(now_us, agents).or_else(|| self.forsaken(agents));
        match (&mut self.idle_since_us, idle) {
            (since, None) => *since = None,
            (Some((_, old)), Some(what)) => *old = what,
            (since, Some(what)) => *since = Some((now_us, what)),
        }
    }

    fn idle(&self, now_us: u64, agents: &Agents) -> Option<String> {
        if self.waiting.is_empty() || !agents.anybody_ready() {
            return None;
        }
        self.waiting.iter().filter(|(_, p)| !p.vague).find_map(|(uid, place)| {
            let queue = self.config.queues.get(&place.queue).filter(|q| place.may_ring(q, now_us))?;
            let free = |id: &&String| place.excluded(id, queue, &self.config, agents, now_us).is_none();
            let agent = place.members(queue, agents, now_us).iter().find(free)?;
            Some(format!("call {uid} waits in {} while agent {agent} is ready", place.queue))
        })
    }

    /// Somebody waits in a queue that counts as empty.
    fn forsaken(&self, agents: &Agents) -> Option<String> {
        self.waiting.iter().find_map(|(uid, place)| {
            let queue = self.config.queues.get(&place.queue)?;
            let empty = !place.taken && is_empty(queue, &queue.leave_empty, agents);
            empty.then(|| format!("call {uid} waits in {}, which nobody serves", place.queue))
        })
    }

    /// Time passed.
    pub fn time(&mut self, now_us: u64, grace_us: u64, found: &mut Findings) {
        if let Some((since_us, what)) = &self.idle_since_us
            && now_us > since_us + PROMPT_US + grace_us
        {
            found.push(format!("{what}, since {since_us} us"));
            self.idle_since_us = None;
        }
    }

    /// The end: nobody waits, and every visit is accounted for once.
    pub fn finish(&self, found: &mut Findings) {
        if let Some((uid, place)) = self.waiting.first_key_value() {
            found.push(format!("call {uid} is left waiting: {place:?}"));
        }
        for (queue, v) in &self.visits {
            if v.offered != v.answered + v.abandoned + v.overflowed {
                found.push(format!("queue {queue} was offered what nobody has: {v:?}"));
            }
        }
    }
}

/// Where a queue sends callers by a rule, in the words of the journal.
fn destination(queue: &Queue, rule: &str) -> Option<String> {
    let to = match rule.split_once(' ') {
        Some(("exit", key)) => queue.exits.get(&key.chars().next()?),
        _ => queue.overflow.iter().find(|(kind, _)| kind.word() == rule).map(|(_, to)| to),
    };
    Some(match to? {
        Destination::Extension(name) => format!("extension {name}"),
        Destination::Queue(name) => format!("queue {name}"),
        Destination::Menu(name) => format!("menu {name}"),
        Destination::Echo => "echo".into(),
        Destination::Hangup => "hangup".into(),
    })
}
