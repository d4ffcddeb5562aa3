//! Queues: callers in order of priority and arrival, and the matching of callers with agents.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use base::media::{Item, Tone};
use base::time::Instant;
use core::cmp::Reverse;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::agent::{AgentIndex, Happening, State};
use crate::call::{CallKey, Disposition, Phase};
use crate::config;
use crate::event::Detail;
use crate::offer::Chosen;
use crate::select::{Seen, Selection, select};
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// Who comes first: higher priority, then earlier arrival.
type Order = (Reverse<u8>, u64);

/// A caller's place. It is kept through offers that come to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub queue: String,
    pub priority: u8,
    pub arrival: u64,
    pub since: Instant,
}

impl Place {
    fn key(&self) -> Order {
        (Reverse(self.priority), self.arrival)
    }
}

/// Callers of one queue, the next to be served first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Queue {
    waiting: BTreeMap<Order, CallKey>,
}

impl Queue {
    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Pbx {
    /// The caller enters a queue: answered, greeted, music.
    pub(crate) fn enter_queue(&mut self, turn: &mut Turn<'_>, call: CallKey, name: &str) {
        let Some(config) = self.config_of(call) else { return };
        let Some(wanted) = config.queues.get(name) else { return };
        let Some(caller) = self.accept_caller(turn, call) else { return };
        let Some(uid) = self.calls.get(call).map(|c| c.uid) else { return };
        self.arrivals += 1;
        let place =
            Place { queue: name.to_string(), priority: wanted.priority, arrival: self.arrivals, since: turn.now.at };
        let queue = self.queues.entry(name.to_string()).or_default();
        queue.waiting.insert(place.key(), call);
        let position = queue.waiting.range(..=place.key()).count() as u32;
        self.enter(call, Phase::Waiting { place, offer: None });
        if wanted.max_wait_s > 0 {
            let at = turn.now.at + Duration::from_secs(u64::from(wanted.max_wait_s));
            self.timers.set(Timer::MaxWait(call), at);
        }
        let detail = Detail::Queued { queue: name.to_string(), priority: wanted.priority, position };
        self.note(turn, Some(uid), None, "router", detail);
        let welcome = self.prompt(call, "queue-welcome");
        self.play(turn, caller, vec![welcome, Item::Music], false);
        self.unmatched = true;
    }

    /// The caller leaves the queue, whatever comes next.
    pub(crate) fn leave_queue(&mut self, place: &Place) {
        if let Some(queue) = self.queues.get_mut(&place.queue) {
            queue.waiting.remove(&place.key());
        }
    }

    /// The caller has waited as long as the queue allows.
    pub(crate) fn waited_too_long(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        let Some(record) = self.calls.get(call) else { return };
        let Phase::Waiting { place, offer } = record.phase.clone() else { return };
        let uid = record.uid;
        if let Some(offer) = offer {
            self.withdraw_offer(turn, offer, "max-wait");
        }
        self.leave_queue(&place);
        let wait_ms = turn.now.at.since(place.since).as_millis() as u64;
        let detail = Detail::Abandoned { queue: place.queue, wait_ms, by: "max-wait".to_string() };
        self.note(turn, Some(uid), None, "timer", detail);
        let words = self.prompt(call, "queue-full");
        self.refuse_aloud(turn, call, Some(words), Tone::Busy, Disposition::Busy);
    }

    /// Offers waiting callers to ready agents until one of the two runs out: highest priority first, then longest
    /// waiting, over all queues.
    pub(crate) fn match_callers(&mut self, turn: &mut Turn<'_>) {
        let Some(config) = self.configs.now() else { return };
        let mut heads: Vec<(Order, CallKey, &String)> = Vec::new();
        for (name, queue) in self.queues.iter().filter(|(_, q)| !q.is_empty()) {
            let Some((name, wanted)) = config.queues.get_key_value(name) else { continue };
            if self.anybody_ready(wanted) {
                heads.extend(queue.waiting.iter().map(|(key, call)| (*key, *call, name)));
            }
        }
        heads.sort();
        let mut nobody: Vec<&String> = Vec::new();
        for (_, call, name) in heads {
            if nobody.contains(&name) {
                continue;
            }
            let free = matches!(self.calls.get(call).map(|c| &c.phase), Some(Phase::Waiting { offer: None, .. }));
            if free && !self.offer_to_best(turn, call, name) {
                nobody.push(name);
            }
        }
    }

    fn anybody_ready(&self, wanted: &config::Queue) -> bool {
        let mut members = wanted.agents.iter().filter_map(|id| self.agents.get(self.agents.find(id)?));
        members.any(|agent| matches!(agent.state, State::Ready { .. }))
    }

    /// Offers one caller to the agent that `select` names. False when nobody is eligible.
    fn offer_to_best(&mut self, turn: &mut Turn<'_>, call: CallKey, name: &str) -> bool {
        let Some(config) = self.configs.now() else { return false };
        let Some(wanted) = config.queues.get(name) else { return false };
        let timeout = Duration::from_secs(u64::from(wanted.ring_timeout_s));
        // An agent whose phone cannot be rung at all is out of the next round, so this ends.
        while let Some((index, selection)) = self.select_agent(wanted, turn.now.at) {
            let Some(extension) = self.agents.get(index).map(|a| a.extension.clone()) else { return false };
            let uid = self.calls.get(call).map(|c| c.uid);
            let chosen = Chosen { index, queue: name.to_string(), wrap_up_s: wanted.wrap_up_s };
            let agent = self.agents.get(index).map_or_else(String::new, |a| a.id.clone());
            let Selection { candidates, why, .. } = selection;
            let detail = Detail::Offered { queue: name.to_string(), agent, candidates, why };
            self.note(turn, uid, None, "router", detail);
            match self.begin_offer(turn, call, &extension, Some(chosen), timeout) {
                Some(offer) => {
                    self.agent(turn, index, Happening::Chosen(offer), "chosen by the router");
                    if let Some(Phase::Waiting { place, .. }) = self.calls.get(call).map(|c| c.phase.clone()) {
                        self.enter(call, Phase::Waiting { place, offer: Some(offer) });
                    }
                    return true;
                }
                None => {
                    let reason = crate::agent::REASON_UNREACHABLE;
                    self.agent(turn, index, Happening::GoNotReady(reason), "phone could not be rung");
                }
            }
        }
        false
    }

    fn select_agent(&self, wanted: &config::Queue, now: Instant) -> Option<(AgentIndex, Selection)> {
        let members: Vec<AgentIndex> = wanted.agents.iter().filter_map(|id| self.agents.find(id)).collect();
        let seen: Vec<Seen<'_>> = members
            .iter()
            .filter_map(|index| self.agents.get(*index))
            .map(|agent| {
                let ready_since = match agent.state {
                    State::Ready { since } => Some(since),
                    State::LoggedOut
                    | State::NotReady { .. }
                    | State::Reserved { .. }
                    | State::Ringing { .. }
                    | State::Talking { .. }
                    | State::WrapUp { .. }
                    | State::Personal => None,
                };
                Seen {
                    agent: &agent.id,
                    ready_since,
                    not_ready: if ready_since.is_some() { String::new() } else { agent.state.name() },
                    reachable: !self.sip.contacts(&agent.extension).is_empty(),
                }
            })
            .collect();
        let selection = select(&seen, now)?;
        Some((*members.get(selection.winner)?, selection))
    }
}
