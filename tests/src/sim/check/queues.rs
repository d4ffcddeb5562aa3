//! Queues: first come, first served within a priority; the longest idle agent is chosen; nobody waits while an agent who
//! could take the call is ready.

use super::Findings;
use super::agents::Agents;
use base::id::Uid;
use pbx::config::Config;
use pbx::event::{Detail, LegEvent};
use std::collections::BTreeMap;

/// A caller who waits.
#[derive(Debug)]
struct Place {
    queue: String,
    priority: u8,
    order: u64,
    offered: bool,
}

/// All queues.
#[derive(Debug)]
pub struct Queues {
    members: BTreeMap<String, Vec<String>>,
    waiting: BTreeMap<Uid, Place>,
    changed: bool,
    idle_since_us: Option<(u64, String)>,
}

/// Nobody waits for longer than this while an agent is ready.
const PROMPT_US: u64 = 1_000_000;

impl Queues {
    /// Queues of a site.
    pub fn new(config: &Config) -> Queues {
        Queues {
            members: config.queues.iter().map(|(name, q)| (name.clone(), q.agents.clone())).collect(),
            waiting: BTreeMap::new(),
            changed: false,
            idle_since_us: None,
        }
    }

    /// A row.
    pub fn row(&mut self, now_us: u64, row: &LegEvent, agents: &Agents, found: &mut Findings) {
        let relevant = matches!(row.detail, Detail::AgentState { .. } | Detail::Registered { .. });
        self.changed |= relevant;
        let Some(uid) = row.call else { return };
        match &row.detail {
            Detail::Queued { queue, priority, .. } => {
                self.changed = true;
                let place = Place { queue: queue.clone(), priority: *priority, order: row.seq, offered: false };
                if self.waiting.insert(uid, place).is_some() {
                    found.push(format!("call {uid} waits in two queues"));
                }
            }
            Detail::Offered { queue, agent, .. } => {
                self.changed = true;
                self.offered(now_us, uid, queue, agent, agents, found);
            }
            Detail::OfferEnded { .. } => {
                self.changed = true;
                if let Some(place) = self.waiting.get_mut(&uid) {
                    place.offered = false;
                }
            }
            Detail::Connected { queue, .. } if !queue.is_empty() => {
                self.changed = true;
                if self.waiting.remove(&uid).is_none() {
                    found.push(format!("call {uid} is connected from queue {queue}, where it does not wait"));
                }
            }
            Detail::Abandoned { queue, .. } => {
                self.changed = true;
                if self.waiting.remove(&uid).is_none() {
                    found.push(format!("call {uid} abandons queue {queue}, where it does not wait"));
                }
            }
            Detail::CallEnded { .. } => {
                if let Some(place) = self.waiting.get(&uid) {
                    found.push(format!("call {uid} is over, but waits in {}", place.queue));
                }
            }
            _ => {}
        }
    }

    fn offered(&mut self, now_us: u64, uid: Uid, queue: &str, agent: &str, agents: &Agents, found: &mut Findings) {
        let members = self.members.get(queue).map_or(&[][..], Vec::as_slice);
        let chosen = agents.ready_since(agent);
        if chosen.is_none() || !members.iter().any(|m| m == agent) {
            found.push(format!("agent {agent} is offered a caller of {queue}, but is not ready there"));
        }
        let longer = members.iter().find(|m| agents.ready_since(m).is_some_and(|at| chosen.is_some_and(|c| at < c)));
        if let Some(other) = longer {
            found.push(format!("agent {agent} is chosen at {now_us} us, but {other} is idle for longer"));
        }
        let Some(place) = self.waiting.get(&uid) else {
            return found.push(format!("call {uid} is offered from {queue}, where it does not wait"));
        };
        if place.offered {
            found.push(format!("call {uid} is offered twice at once"));
        }
        let before = |other: &Place| (other.priority, place.order) > (place.priority, other.order);
        let serves = |other: &Place| self.members.get(&other.queue).is_some_and(|m| m.iter().any(|a| a == agent));
        let passed = self.waiting.iter().find(|(u, p)| **u != uid && !p.offered && before(p) && serves(p));
        if let Some((other, p)) = passed {
            found.push(format!("call {uid} is served before {other} ({p:?}) that came before it"));
        }
        if let Some(place) = self.waiting.get_mut(&uid) {
            place.offered = true;
        }
    }

    /// All outputs of a turn were shown: does anybody wait although an agent is ready?
    pub fn turn_over(&mut self, now_us: u64, agents: &Agents) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let mut idle = None;
        for (name, members) in &self.members {
            let waits = self.waiting.iter().find(|(_, p)| !p.offered && p.queue == *name);
            let ready = waits.and_then(|_| members.iter().find(|m| agents.ready_since(m).is_some()));
            if let (Some((uid, _)), Some(agent)) = (waits, ready) {
                idle = Some(format!("call {uid} waits in {name} while agent {agent} is ready"));
            }
        }
        match (&mut self.idle_since_us, idle) {
            (since, None) => *since = None,
            (Some((_, old)), Some(what)) => *old = what,
            (since, Some(what)) => *since = Some((now_us, what)),
        }
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

    /// The end: nobody waits.
    pub fn finish(&self, found: &mut Findings) {
        if let Some((uid, place)) = self.waiting.first_key_value() {
            found.push(format!("call {uid} is left waiting: {place:?}"));
        }
    }
}
