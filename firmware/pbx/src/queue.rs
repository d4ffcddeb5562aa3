//! Queues: who waits where since when, who comes first, and how a caller enters and leaves. Who serves a caller:
//! `matching.rs`. What happens to callers that cannot be served: `overflow.rs`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use base::id::LegKey;
use base::media::{Item, PlayId, Tone};
use base::time::{Instant, Now};
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::agent::WrapUp;
use crate::call::{CallKey, Disposition, Phase};
use crate::config::{Config, Consent, Queue as Wanted, Routing};
use crate::event::Detail;
use crate::leg::Role;
use crate::offer::OfferKey;
use crate::precedence::{Measure, Rank};
use crate::roster::AgentIndex;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// The prompt that tells a caller of monitoring.
const NOTICE: &str = "monitor-notice";
/// Longest notice; one that never reports its end does not keep the caller from the agents.
const NOTICE_TIME: Duration = Duration::from_secs(30);

/// A caller's place. It is kept through offers that come to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub queue: String,
    pub priority: u8,
    /// Number of the arrival; kept when the caller goes on to another queue.
    pub arrival: u64,
    /// In this queue.
    pub since: Instant,
    /// In the first queue.
    pub first: Instant,
    /// The agent whom this caller is to reach when possible.
    pub preferred: Option<AgentIndex>,
    /// Offers so far, by agent.
    pub tries: BTreeMap<AgentIndex, u32>,
    /// Relaxation rings for which it was written down that nobody could serve.
    pub unserved_rings: Option<u32>,
    /// Strategy ring-progressively: when the next phone is to join.
    pub next_ring: Option<Instant>,
    /// The notice of monitoring, while it plays: nobody is offered the caller before its end.
    pub notice: Option<PlayId>,
}

impl Place {
    /// The caller's rank at `now`.
    pub fn rank(&self, weight: u8, routing: &Routing, now: Instant) -> Rank {
        let waited_us = now.since(self.first).as_micros() as u64;
        Measure::of(routing).rank(weight, self.priority, waited_us, self.arrival)
    }
}

/// Callers of one queue by number of arrival, and what the queue remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub waiting: BTreeMap<u64, CallKey>,
    /// Strategy round-robin: who was offered a call last.
    pub after: Option<String>,
}

impl Queue {
    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Pbx {
    /// The caller comes to a queue: turned away, or answered, greeted, music.
    pub(crate) fn enter_queue(&mut self, turn: &mut Turn<'_>, call: CallKey, name: &str) {
        let Some(config) = self.config_of(call) else { return };
        let Some(wanted) = config.queues.get(name) else { return };
        if let Some(kind) = self.turned_away(&config, name, wanted, turn.now.wall) {
            return self.turn_away(turn, call, name, kind, 0);
        }
        let Some(caller) = self.accept_caller(turn, call) else { return };
        let told = self.calls.get(call).is_some_and(|c| c.noticed);
        let notice = wanted.monitor_consent == Consent::Notice && !told;
        let place = self.new_place(turn.now, call, name, wanted, &config);
        let Some(record) = self.calls.get_mut(call) else { return };
        record.first_wait = Some((place.arrival, place.first));
        let (uid, priority) = (record.uid, place.priority);
        self.queues.entry(name.to_string()).or_default().waiting.insert(place.arrival, call);
        self.enter(call, Phase::Waiting { place, offers: vec![] });
        self.set_waiting_timers(turn.now.at, call, wanted);
        let position = self.position(call, turn.now.at);
        let detail = Detail::Queued { queue: name.to_string(), priority, position };
        self.note(turn, Some(uid), None, "router", detail);
        if notice {
            let words = vec![self.prompt(call, NOTICE)];
            let play = self.play(turn, caller, words, false);
            self.with_place(call, |place, _| place.notice = play);
            self.timers.set(Timer::Notice(call), turn.now.at + NOTICE_TIME);
        } else {
            self.welcome(turn, call);
        }
        self.unmatched = true;
        // `leave-empty` may be stricter than `join-empty`: whoever nobody is there for does not stay.
        self.staffing_changed |= !wanted.leave_empty.is_empty();
    }

    fn welcome(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        if let Some(caller) = self.caller_leg(call) {
            let words = self.prompt(call, "queue-welcome");
            self.play(turn, caller, vec![words, Item::Music], false);
        }
    }

    /// The caller has heard the notice of monitoring to its end, if it was that: only he who has was told.
    pub(crate) fn notice_heard(&mut self, turn: &mut Turn<'_>, call: CallKey, said: PlayId) {
        let Some(record) = self.calls.get_mut(call) else { return };
        if matches!(&record.phase, Phase::Waiting { place, .. } if place.notice == Some(said)) {
            record.noticed = true;
            self.notice_over(turn, call);
        }
    }

    /// The notice could not be played to a leg, because it is not there.
    pub(crate) fn notice_missing(&mut self, turn: &mut Turn<'_>, leg: LegKey, name: &str) {
        let call = self.legs.get(leg).filter(|l| l.role == Role::Caller && name == NOTICE).map(|l| l.call);
        if let Some(call) = call {
            self.notice_unheard(turn, call, "missing");
        }
    }

    /// The caller was not told: he is served all the same, and nobody listens to him.
    pub(crate) fn notice_unheard(&mut self, turn: &mut Turn<'_>, call: CallKey, why: &str) {
        if let (Some(Phase::Waiting { place: Place { notice: Some(_), .. }, .. }), Some(leg)) =
            (self.calls.get(call).map(|c| &c.phase), self.caller_leg(call))
        {
            self.note_leg(turn, leg, "media", Detail::Media { what: format!("{NOTICE} not heard: {why}") });
            self.notice_over(turn, call);
        }
    }

    fn notice_over(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        self.timers.clear(Timer::Notice(call));
        self.with_place(call, |place, _| place.notice = None);
        self.welcome(turn, call);
        self.unmatched = true;
    }

    fn new_place(&mut self, now: Now, call: CallKey, name: &str, wanted: &Wanted, config: &Config) -> Place {
        let record = self.calls.get(call);
        let own_priority = record.and_then(|c| c.own_priority(config));
        let (arrival, first) = record.and_then(|c| c.first_wait).unwrap_or_else(|| {
            self.arrivals += 1;
            (self.arrivals, now.at)
        });
        let number = record.map(|c| c.caller.clone()).unwrap_or_default();
        Place {
            queue: name.to_string(),
            priority: own_priority.unwrap_or(wanted.priority),
            arrival,
            since: now.at,
            first,
            preferred: self.preferred_agent(config, wanted, &number, now.wall),
            tries: BTreeMap::new(),
            unserved_rings: None,
            next_ring: None,
            notice: None,
        }
    }

    fn set_waiting_timers(&mut self, now: Instant, call: CallKey, wanted: &Wanted) {
        if wanted.max_wait_s > 0 {
            self.timers.set(Timer::MaxWait(call), now + seconds(wanted.max_wait_s));
        }
        if wanted.overflow_wait_s > 0 {
            self.timers.set(Timer::OverflowWait(call), now + seconds(wanted.overflow_wait_s));
        }
        self.set_widen_timer(now, call, wanted);
    }

    /// The next moment at which more agents may serve this caller than before: a relaxation ring opens, or the wait
    /// for the preferred agent ends.
    pub(crate) fn set_widen_timer(&mut self, now: Instant, call: CallKey, wanted: &Wanted) {
        let Some(Phase::Waiting { place, .. }) = self.calls.get(call).map(|c| &c.phase) else { return };
        let sticky = Some(wanted.sticky_wait_s).filter(|s| *s > 0 && place.preferred.is_some());
        let next = wanted.relax.keys().copied().chain(sticky).map(|s| place.since + seconds(s)).filter(|at| *at > now);
        if let Some(at) = next.min() {
            self.timers.set(Timer::Widen(call), at);
        }
    }

    /// That moment has come.
    pub(crate) fn widened(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        self.unmatched = true;
        let Some(Phase::Waiting { place, .. }) = self.calls.get(call).map(|c| &c.phase) else { return };
        let name = place.queue.clone();
        let Some(config) = self.config_of_queue(call, &name) else { return };
        if let Some(wanted) = config.queues.get(&name) {
            self.set_widen_timer(turn.now.at, call, wanted);
        }
    }

    /// The configuration that says how a queue is served: the one in force, or, where that has no such queue any more,
    /// the one that the call began with.
    pub(crate) fn config_of_queue(&self, call: CallKey, name: &str) -> Option<alloc::sync::Arc<Config>> {
        self.configs.now().filter(|c| c.queues.contains_key(name)).or_else(|| self.config_of(call))
    }

    /// Position in the caller's queue, from 1; 0 when he does not wait.
    pub(crate) fn position(&self, call: CallKey, now: Instant) -> u32 {
        let Some(Phase::Waiting { place, .. }) = self.calls.get(call).map(|c| &c.phase) else { return 0 };
        let order = self.in_order(&place.queue, now);
        order.iter().position(|c| *c == call).map_or(0, |n| n as u32 + 1)
    }

    /// The callers of a queue in the order in which they are served.
    pub(crate) fn in_order(&self, name: &str, now: Instant) -> Vec<CallKey> {
        let Some(queue) = self.queues.get(name) else { return Vec::new() };
        let Some(config) = self.configs.now() else { return Vec::new() };
        let weight = config.queues.get(name).map_or(0, |q| q.weight);
        let ranked = queue.waiting.values().filter_map(|call| match &self.calls.get(*call)?.phase {
            Phase::Waiting { place, .. } => Some((place.rank(weight, &config.routing, now), *call)),
            Phase::Arriving
            | Phase::Menu(_)
            | Phase::Asking(_)
            | Phase::Ringing { .. }
            | Phase::Talking { .. }
            | Phase::Monitoring(_)
            | Phase::Echo { .. }
            | Phase::Announcement { .. }
            | Phase::Over => None,
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort();
        ranked.into_iter().map(|(_, call)| call).collect()
    }

    /// The caller leaves the queue, whatever comes next.
    pub(crate) fn leave_queue(&mut self, place: &Place) {
        if let Some(queue) = self.queues.get_mut(&place.queue) {
            queue.waiting.remove(&place.arrival);
        }
    }

    /// Takes a waiting caller out of the queue: phones stop ringing, music stops. Where he was; none when he does not
    /// wait, or an agent has him already.
    pub(crate) fn stop_waiting(&mut self, turn: &mut Turn<'_>, call: CallKey, why: &str) -> Option<Place> {
        let Some(Phase::Waiting { place, offers }) = self.calls.get(call).map(|c| c.phase.clone()) else { return None };
        if offers.iter().any(|offer| self.is_won(*offer)) {
            return None;
        }
        self.withdraw_offers(turn, &offers, why);
        self.leave_queue(&place);
        if let Some(caller) = self.caller_leg(call) {
            self.stop_play(turn, caller);
        }
        self.enter(call, Phase::Arriving);
        Some(place)
    }

    /// The caller has waited as long as the queue allows.
    pub(crate) fn waited_too_long(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        let Some(uid) = self.calls.get(call).map(|c| c.uid) else { return };
        let Some(place) = self.stop_waiting(turn, call, "max-wait") else {
            return self.look_again(turn, call, Timer::MaxWait(call));
        };
        let wait_ms = turn.now.at.since(place.since).as_millis() as u64;
        let detail = Detail::Abandoned { queue: place.queue, wait_ms, by: "max-wait".to_string() };
        self.note(turn, Some(uid), None, "timer", detail);
        let words = self.prompt(call, "queue-full");
        self.refuse_aloud(turn, call, Some(words), Tone::Busy, Disposition::Busy);
    }

    /// An agent has the caller all but joined: should that come to nothing, the bound still holds.
    pub(crate) fn look_again(&mut self, turn: &Turn<'_>, call: CallKey, timer: Timer) {
        if !self.offers_of(call).is_empty() {
            self.timers.set(timer, turn.now.at + Duration::from_secs(1));
        }
    }

    /// What follows a call of this queue for its agent; none when nothing does.
    pub(crate) fn wrap_up(&self, call: CallKey, queue: &str, agent: AgentIndex, now: Instant) -> Option<WrapUp> {
        let config = self.config_of_queue(call, queue)?;
        let wanted = config.queues.get(queue)?;
        let wrap_up_s = wanted.surge_wrap_up_s.filter(|_| self.switches.surge).unwrap_or(wanted.wrap_up_s);
        let latest = now + seconds(wanted.wrap_up_max_s.max(wrap_up_s));
        let given = self.agents.get(agent).and_then(|a| a.last.as_ref()).is_some_and(|last| last.disposed);
        let owes = wanted.disposition_required && !given;
        (wrap_up_s > 0 || owes).then(|| WrapUp { until: now + seconds(wrap_up_s), latest, owes })
    }

    /// The offers that ring for a waiting caller now; none when he does not wait.
    pub(crate) fn offers_of(&self, call: CallKey) -> Vec<OfferKey> {
        match self.calls.get(call).map(|c| &c.phase) {
            Some(Phase::Waiting { offers, .. }) => offers.clone(),
            _ => Vec::new(),
        }
    }

    /// Changes what is known about a waiting caller's place.
    pub(crate) fn with_place(&mut self, call: CallKey, change: impl FnOnce(&mut Place, &mut Vec<OfferKey>)) {
        if let Some(Phase::Waiting { place, offers }) = self.calls.get_mut(call).map(|c| &mut c.phase) {
            change(place, offers);
        }
    }
}

/// A bound of the configuration as a duration.
pub(crate) fn seconds(s: u32) -> Duration {
    Duration::from_secs(u64::from(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(priority: u8, arrival: u64, first_s: u64) -> Place {
        let first = Instant::from_micros(first_s * 1_000_000);
        Place {
            queue: "q".into(),
            priority,
            arrival,
            since: first,
            first,
            preferred: None,
            tries: BTreeMap::new(),
            unserved_rings: None,
            next_ring: None,
            notice: None,
        }
    }

    fn first<'p>(places: &[(&'p str, Place)], routing: &Routing, now_s: u64) -> &'p str {
        let now = Instant::from_micros(now_s * 1_000_000);
        let of = |p: &(&'p str, Place)| p.1.rank(0, routing, now);
        places.iter().min_by_key(|p| of(p)).map(|p| p.0).unwrap()
    }

    #[test]
    fn a_level_of_priority_is_worth_so_many_seconds_of_waiting() {
        let routing = Routing { priority_step_s: 60, starvation_s: 0, ..Routing::preset("") };
        let two = |gap: u64| [("early", place(5, 1, 100)), ("important", place(6, 2, 100 + gap))];
        assert_eq!(first(&two(59), &routing, 500), "important");
        assert_eq!(first(&two(61), &routing, 500), "early");
        assert_eq!(first(&two(60), &routing, 500), "early", "equal: who came first");
    }

    #[test]
    fn absolute_priority_yields_to_the_starvation_bound_alone() {
        let routing = Routing { priority_step_s: 0, starvation_s: 300, ..Routing::preset("") };
        let two = [("early", place(0, 1, 100)), ("important", place(10, 2, 390))];
        assert_eq!(first(&two, &routing, 399), "important");
        assert_eq!(first(&two, &routing, 400), "early");
        let both = [("early", place(0, 1, 100)), ("important", place(10, 2, 110))];
        assert_eq!(first(&both, &routing, 900), "early", "among those that starve: who came first");
    }
}
