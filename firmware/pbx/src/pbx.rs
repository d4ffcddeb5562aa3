//! The one value and its three verbs. Every input comes in through [`Pbx::handle`], is passed to the file that knows
//! about it, and its consequences (SIP events, callers that can be served now) are worked off before it returns.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::id::{LegKey, Uid};
use base::line::PortId;
use base::slab::Slab;
use base::time::{Instant, Now};
use serde::{Deserialize, Serialize};
use signaling::sip::Endpoint;
use signaling::sip::door as sip;

use crate::acquaintance::Acquaintances;
use crate::alarm::Alarms;
use crate::call::{Call, CallKey};
use crate::commit::Commits;
use crate::config::Config;
use crate::door::{Input, Output};
use crate::event::{Detail, LegEvent};
use crate::leg::Leg;
use crate::line::LinePort;
use crate::offer::{Offer, OfferKey};
use crate::port::Ports;
use crate::queue::Queue;
use crate::random::Random;
use crate::roster::Agents;
use crate::switch::Switches;
use crate::timers::{Timer, Timers};

/// The whole control plane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pbx {
    pub(crate) configs: Configs,
    pub(crate) commits: Commits,
    pub(crate) sip: Endpoint,
    pub(crate) random: Random,
    pub(crate) calls: Slab<CallKey, Call>,
    pub(crate) legs: Slab<LegKey, Leg>,
    pub(crate) offers: Slab<OfferKey, Offer>,
    pub(crate) agents: Agents,
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) lines: BTreeMap<PortId, LinePort>,
    pub(crate) ports: Ports,
    pub(crate) dialogs: BTreeMap<sip::DialogKey, LegKey>,
    pub(crate) timers: Timers,
    pub(crate) alarms: Alarms,
    /// Counts arrivals in queues, so that equal priority is first come, first served.
    pub(crate) arrivals: u64,
    /// Something changed that may let a waiting caller be served.
    pub(crate) unmatched: bool,
    /// An agent's state or phone changed: a queue may count as empty now.
    pub(crate) staffing_changed: bool,
    pub(crate) switches: Switches,
    pub(crate) acquaintances: Acquaintances,
    next_event: u64,
    stored: u64,
    pub(crate) last_input: Now,
}

/// One call of [`Pbx::handle`]: the time, where outputs go, and SIP events not yet worked off.
pub(crate) struct Turn<'a> {
    pub now: Now,
    pub out: &'a mut Vec<Output>,
    events: VecDeque<sip::Event>,
}

impl Pbx {
    /// An empty box. Its first inputs are `Boot`, then `Configured`.
    pub fn new() -> Pbx {
        Pbx {
            configs: Configs::default(),
            commits: Commits::default(),
            sip: Endpoint::new(),
            random: Random::new([0; 32]),
            calls: Slab::default(),
            legs: Slab::default(),
            offers: Slab::default(),
            agents: Agents::default(),
            queues: BTreeMap::new(),
            lines: BTreeMap::new(),
            ports: Ports::default(),
            dialogs: BTreeMap::new(),
            timers: Timers::default(),
            alarms: Alarms::default(),
            arrivals: 0,
            unmatched: false,
            staffing_changed: false,
            switches: Switches::default(),
            acquaintances: Acquaintances::default(),
            next_event: 1,
            stored: 0,
            last_input: Now::default(),
        }
    }

    /// Takes one input, appends what follows from it.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let mut turn = Turn { now, out, events: VecDeque::new() };
        // At a start the numbers of leg events come first.
        if !matches!(input, Input::Boot(_)) {
            self.switch_back(&mut turn);
        }
        self.take(&mut turn, input);
        self.settle(&mut turn);
        self.last_input = now;
    }

    /// When `Input::Timer` is due; none when nothing waits.
    pub fn deadline(&self) -> Option<Instant> {
        match (self.timers.next(), self.sip.deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// No call, no dialog, no transaction: nothing of any call is left in any table. Registrations, agents and lines
    /// stay.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.legs.is_empty()
            && self.offers.is_empty()
            && self.dialogs.is_empty()
            && self.queues.values().all(Queue::is_empty)
            && self.sip.is_empty()
    }

    /// Calls that are not over.
    pub fn calls_live(&self) -> usize {
        self.calls.iter().filter(|(_, c)| !c.is_over()).count()
    }

    /// Whether a call is in the tables.
    pub fn knows_call(&self, uid: Uid) -> bool {
        self.calls.iter().any(|(_, c)| c.uid == uid)
    }

    /// Whether a recording of a call in the tables has this identity.
    pub fn knows_recording(&self, uid: Uid) -> bool {
        self.calls.iter().any(|(_, c)| c.recording.is_some_and(|r| r.uid == uid))
    }

    /// Number of the last leg event that the store has made durable.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// The number of the last leg event so far, 0 before the first.
    pub fn last_event(&self) -> u64 {
        self.next_event.saturating_sub(1)
    }

    /// Time of the last input: where the clock of a recovered state stands.
    pub fn last_input(&self) -> Now {
        self.last_input
    }

    fn take(&mut self, turn: &mut Turn<'_>, input: Input) {
        match input {
            Input::Configured(config, commit) => self.begun_with(turn, config, commit),
            Input::Boot(boot) => {
                self.next_event = self.next_event.max(boot.events_from);
                self.boot(turn, &boot);
            }
            Input::Rebuilt(rebuilt) => self.rebuilt(turn, rebuilt),
            Input::Sip(sip::Input::Timer) | Input::Timer => self.timer(turn),
            Input::Sip(input) => self.with_sip(turn, |sip, now, out| sip.handle(now, input, out)),
            Input::Media(report) => self.media_report(turn, report),
            Input::Line(port, event) => self.line_event(turn, port, event),
            Input::Stored(upto) => self.stored = self.stored.max(upto),
            Input::Trouble(trouble) => self.trouble(turn, &trouble),
            Input::Operator { actor, act } => self.operate(turn, &actor, &act),
            Input::SetAside { seq, input } => self.set_aside(turn, seq, &input),
            Input::Stop { end_calls } => self.stop(turn, end_calls),
            Input::Commit(commit) => self.commit(turn, commit),
            Input::CommitStored(number) => self.commit_stored(turn, number),
            Input::Confirm { ticket, actor } => self.confirm(turn, ticket, &actor),
            Input::Unconfirmed(told) => self.unconfirmed(turn, told),
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        loop {
            if let Some(event) = turn.events.pop_front() {
                self.sip_event(turn, event);
            } else if core::mem::take(&mut self.unmatched) {
                self.match_callers(turn);
            } else if core::mem::take(&mut self.staffing_changed) {
                self.leave_empty_queues(turn);
            } else {
                return;
            }
        }
    }

    fn timer(&mut self, turn: &mut Turn<'_>) {
        if self.sip.deadline().is_some_and(|at| at <= turn.now.at) {
            self.with_sip(turn, |sip, now, out| sip.handle(now, sip::Input::Timer, out));
        }
        while let Some(timer) = self.timers.pop(turn.now.at) {
            match timer {
                Timer::Offer(offer) => self.offer_timed_out(turn, offer),
                Timer::MenuSilence(call) => self.menu_silence(turn, call),
                Timer::MaxWait(call) => self.waited_too_long(turn, call),
                Timer::OverflowWait(call) => self.overflow_wait(turn, call),
                Timer::Widen(call) => self.widened(turn, call),
                Timer::NextRing(_) => self.unmatched = true,
                Timer::Asking(call) => self.asking_over(turn, call),
                Timer::Announcement(call) => self.announcement_over(turn, call),
                Timer::WrapUp(agent) => self.wrap_up_due(turn, agent),
                Timer::AgentAgain(agent) => {
                    self.set_again_timer(agent, turn.now.at);
                    self.unmatched = true;
                }
                Timer::LegClose(leg) => self.leg_closed(leg),
                Timer::PortsAgain => self.offer_again(),
                Timer::Notice(call) => self.notice_unheard(turn, call, "took too long"),
                Timer::Forget => self.forget_acquaintances(turn.now),
                Timer::LineBattery(port) => self.battery_still_lost(turn, port),
                Timer::Unconfirmed => self.not_confirmed(turn),
                Timer::SwitchBack => self.wake_for_switches(turn.now),
            }
            self.settle(turn);
        }
    }

    /// Lets the SIP endpoint act; what it sends leaves, what it tells waits its turn.
    pub(crate) fn with_sip<R>(
        &mut self,
        turn: &mut Turn<'_>,
        act: impl FnOnce(&mut Endpoint, Now, &mut Vec<sip::Output>) -> R,
    ) -> R {
        let mut outputs = Vec::new();
        let result = act(&mut self.sip, turn.now, &mut outputs);
        for output in outputs {
            match output {
                sip::Output::Event(event) => turn.events.push_back(event),
                other @ (sip::Output::Datagram { .. }
                | sip::Output::Bytes { .. }
                | sip::Output::Connect { .. }
                | sip::Output::Close { .. }) => turn.out.push(Output::Sip(other)),
            }
        }
        result
    }

    /// Appends a fact to the leg-event journal.
    pub(crate) fn note(
        &mut self,
        turn: &mut Turn<'_>,
        call: Option<Uid>,
        leg: Option<u32>,
        actor: &str,
        detail: Detail,
    ) {
        let seq = self.next_event;
        self.next_event += 1;
        let Now { at, wall } = turn.now;
        turn.out.push(Output::Record(LegEvent { seq, at, wall, call, leg, actor: actor.to_string(), detail }));
    }
}

impl Default for Pbx {
    fn default() -> Self {
        Pbx::new()
    }
}

/// The configuration in force and those that live calls began with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Configs {
    current: u32,
    kept: BTreeMap<u32, Arc<Config>>,
}

impl Configs {
    /// Puts a configuration in force.
    pub fn put(&mut self, config: Arc<Config>) {
        self.current += 1;
        self.kept.insert(self.current, config);
    }

    /// Number of the one in force.
    pub fn current(&self) -> u32 {
        self.current
    }

    /// The one in force; none before the first `Configured`.
    pub fn now(&self) -> Option<Arc<Config>> {
        self.get(self.current)
    }

    /// The one that a call began with.
    pub fn get(&self, number: u32) -> Option<Arc<Config>> {
        self.kept.get(&number).cloned()
    }

    /// Forgets those that neither the future nor a live call needs.
    pub fn forget_unless(&mut self, used: impl Fn(u32) -> bool) {
        let current = self.current;
        self.kept.retain(|number, _| *number == current || used(*number));
    }

    /// More than the one in force is kept.
    pub fn has_old(&self) -> bool {
        self.kept.len() > 1
    }
}
