//! Callers whom a queue cannot take or keep: full, closed, empty, waited long enough, or leaving by key. Each goes where
//! the configuration says, or is told why and released.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use base::media::Tone;
use base::time::Wall;

use crate::agent::State;
use crate::call::{CallKey, Disposition};
use crate::config::{Config, Destination, EmptyFactor, OverflowKind, Queue as Wanted};
use crate::dialplan::{self, Meaning, Route};
use crate::event::Detail;
use crate::roster::Agent;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// So often a caller may be sent on by queues; then the last one keeps or releases him.
pub(crate) const HOPS_MAX: u32 = 8;

impl Pbx {
    /// Why a queue does not take another caller now.
    pub(crate) fn turned_away(&self, config: &Config, name: &str, wanted: &Wanted, wall: Wall) -> Option<OverflowKind> {
        if !self.is_open(config, wanted, wall) {
            return Some(OverflowKind::Closed);
        }
        let waiting = self.queues.get(name).map_or(0, |q| q.waiting.len());
        if wanted.max_length > 0 && waiting >= wanted.max_length as usize {
            return Some(OverflowKind::Full);
        }
        self.is_empty_by(wanted, &wanted.join_empty).then_some(OverflowKind::Empty)
    }

    /// Nobody of the queue counts as available by these factors; without factors a queue is never empty. Who is logged
    /// out is no member.
    fn is_empty_by(&self, wanted: &Wanted, factors: &BTreeSet<EmptyFactor>) -> bool {
        if factors.is_empty() {
            return false;
        }
        let surge: &[String] = if self.switches.surge { &wanted.surge_agents } else { &[] };
        let mut members = wanted.agents.iter().chain(surge).filter_map(|id| self.agents.get(self.agents.find(id)?));
        !members.any(|agent| self.counts(agent, factors))
    }

    fn counts(&self, agent: &Agent, factors: &BTreeSet<EmptyFactor>) -> bool {
        let none = |factor: EmptyFactor| !factors.contains(&factor);
        let by_state = match agent.state {
            State::LoggedOut => false,
            State::NotReady { .. } => none(EmptyFactor::Paused),
            State::Ready { .. } => true,
            State::Reserved { .. } | State::Ringing { .. } => none(EmptyFactor::Ringing),
            State::Talking { .. } | State::Hold { .. } | State::Personal | State::Outbound => none(EmptyFactor::Inuse),
            State::WrapUp(_) => none(EmptyFactor::Wrapup),
        };
        let by_phone = match agent.phone() {
            None => none(EmptyFactor::Invalid),
            Some(phone) => none(EmptyFactor::Unavailable) || !self.sip.contacts(phone).is_empty(),
        };
        by_state && by_phone
    }

    /// Sends a caller on who is not, or no longer, in a queue's line.
    pub(crate) fn turn_away(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        name: &str,
        kind: OverflowKind,
        wait_ms: u64,
    ) {
        let config = self.config_of(call);
        let to = config.as_ref().and_then(|c| c.queues.get(name)).and_then(|q| q.overflow.get(&kind)).cloned();
        let to = to.filter(|_| self.calls.get(call).is_some_and(|c| c.hops < HOPS_MAX));
        let rule = kind.word();
        match to {
            Some(to) => self.send_on(turn, call, name, (rule, wait_ms), to, format!("queue {name} overflow {rule}")),
            None => {
                self.note_overflow(turn, call, name, rule, wait_ms, "none");
                let words = match kind {
                    OverflowKind::Wait | OverflowKind::Full => "queue-full",
                    OverflowKind::Empty | OverflowKind::Closed => "queue-closed",
                };
                if self.accept_caller(turn, call).is_some() {
                    let words = self.prompt(call, words);
                    self.refuse_aloud(turn, call, Some(words), Tone::Busy, Disposition::Busy);
                }
            }
        }
    }

    fn send_on(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        name: &str,
        (rule, wait_ms): (&str, u64),
        to: Destination,
        why: String,
    ) {
        self.note_overflow(turn, call, name, rule, wait_ms, &dialplan::words(&to));
        if let Some(record) = self.calls.get_mut(call) {
            record.hops += 1;
        }
        self.route_call(turn, call, Route { meaning: Meaning::To(to), why });
    }

    fn note_overflow(&mut self, turn: &mut Turn<'_>, call: CallKey, name: &str, rule: &str, wait_ms: u64, to: &str) {
        let uid = self.calls.get(call).map(|c| c.uid);
        let (queue, rule, to) = (name.to_string(), rule.to_string(), to.to_string());
        self.note(turn, uid, None, "router", Detail::Overflowed { queue, wait_ms, rule, to });
    }

    /// `overflow-wait-s` is over.
    pub(crate) fn overflow_wait(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        if !self.overflow_now(turn, call, OverflowKind::Wait) {
            self.look_again(turn, call, Timer::OverflowWait(call));
        }
    }

    /// False when an agent has the caller already.
    fn overflow_now(&mut self, turn: &mut Turn<'_>, call: CallKey, kind: OverflowKind) -> bool {
        let Some(place) = self.stop_waiting(turn, call, kind.word()) else { return false };
        let wait_ms = turn.now.at.since(place.since).as_millis() as u64;
        self.turn_away(turn, call, &place.queue, kind, wait_ms);
        true
    }

    /// Agents came or went: callers leave a queue that counts as empty now.
    pub(crate) fn leave_empty_queues(&mut self, turn: &mut Turn<'_>) {
        let Some(config) = self.configs.now() else { return };
        for (name, wanted) in config.queues.iter().filter(|(_, q)| !q.leave_empty.is_empty()) {
            if self.queues.get(name).is_none_or(|q| q.is_empty()) || !self.is_empty_by(wanted, &wanted.leave_empty) {
                continue;
            }
            for call in self.in_order(name, turn.now.at) {
                self.overflow_now(turn, call, OverflowKind::Empty);
            }
        }
    }

    /// A waiting caller pressed a key.
    pub(crate) fn exit_key(&mut self, turn: &mut Turn<'_>, call: CallKey, key: char) {
        let Some(crate::call::Phase::Waiting { place, .. }) = self.calls.get(call).map(|c| &c.phase) else { return };
        let name = place.queue.clone();
        let Some(config) = self.config_of(call) else { return };
        let Some(to) = config.queues.get(&name).and_then(|q| q.exits.get(&key)).cloned() else { return };
        let rule = format!("exit {key}");
        let Some(place) = self.stop_waiting(turn, call, &rule) else { return };
        let wait_ms = turn.now.at.since(place.since).as_millis() as u64;
        self.send_on(turn, call, &name, (&rule, wait_ms), to, format!("queue {name} exit {key}"));
    }
}
