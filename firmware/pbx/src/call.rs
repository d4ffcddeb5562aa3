//! Calls: from the first ring to the last goodbye. A call is in exactly one [`Phase`]; what a phase needs to be left
//! again is inside its variant.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use base::id::{LegKey, Uid};
use base::line::PortId;
use base::media::{PlayId, Side};
use base::time::Instant;
use serde::{Deserialize, Serialize};

use crate::agent::Happening;
use crate::announcement::ANNOUNCEMENT_TIME;
use crate::ask::Ask;
use crate::config::{Config, Destination};
use crate::dialplan::{self, Meaning, Outside, Route};
use crate::door::{Output, RecordingChange};
use crate::event::Detail;
use crate::leg::{Goodbye, Leg, LegState, Role, Signalling};
use crate::menu::Menu;
use crate::offer::{Cause, OfferKey, Purpose};
use crate::port::NO_PORT;
use crate::queue::Place;
use crate::roster::AgentIndex;
use crate::supervise::Monitoring;
use crate::timers::Timer;
use crate::{Pbx, Turn};

base::typed_key!(
    /// A call, while any of it is in a table.
    CallKey
);

/// Where a call came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// A port of a line card.
    Line(PortId),
    /// An extension of the house.
    Extension(String),
    /// A SIP trunk.
    Trunk(String),
}

/// What a call does now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Just come in; not routed yet.
    Arriving,
    /// Hears a menu.
    Menu(Menu),
    /// Is asked for digits.
    Asking(Ask),
    /// Waits in a queue, while phones of agents ring or not.
    Waiting { place: Place, offers: Vec<OfferKey> },
    /// An extension's phones ring, or somebody outside is called.
    Ringing { offer: OfferKey },
    /// Two parties hear each other.
    Talking {
        partner: LegKey,
        /// When it came through a queue.
        served: Option<Served>,
    },
    /// A supervisor hears a call of somebody else.
    Monitoring(Monitoring),
    /// Hears itself, after being told so.
    Echo { intro: Option<PlayId> },
    /// Hears something and is released after it.
    Announcement { play: Option<PlayId>, disposition: Disposition },
    /// Over; legs are closing.
    Over,
}

/// How a queue served a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Served {
    pub queue: String,
    /// None when a supervisor has it.
    pub agent: Option<AgentIndex>,
}

/// A call's recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    pub uid: Uid,
    pub since: Instant,
}

/// Asterisk's CDR dispositions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Disposition {
    Answered,
    NoAnswer,
    Busy,
    Failed,
}

impl Disposition {
    fn as_str(self) -> &'static str {
        match self {
            Disposition::Answered => "ANSWERED",
            Disposition::NoAnswer => "NO ANSWER",
            Disposition::Busy => "BUSY",
            Disposition::Failed => "FAILED",
        }
    }

    /// The final response to a caller who was never answered.
    fn code(self) -> u16 {
        match self {
            Disposition::Answered | Disposition::NoAnswer => 480,
            Disposition::Busy => 486,
            Disposition::Failed => 503,
        }
    }
}

/// One call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub uid: Uid,
    /// Number of the configuration it began with and keeps.
    pub config: u32,
    pub origin: Origin,
    pub caller: String,
    pub caller_name: String,
    pub called: String,
    /// It goes to the outside.
    pub outside: Option<Outside>,
    pub phase: Phase,
    /// All legs that are not gone, the caller first.
    pub legs: Vec<LegKey>,
    pub next_leg: u32,
    /// The caller was answered.
    pub answered: bool,
    /// To be recorded from the moment the caller is answered.
    pub record: bool,
    pub recording: Option<Recording>,
    /// Set by a supervisor; goes before what the configuration says.
    pub priority: Option<u8>,
    /// Number and moment of the first arrival in a queue: kept from queue to queue.
    pub first_wait: Option<(u64, Instant)>,
    /// So often a queue sent it on.
    pub hops: u32,
    /// The caller was told, to the end, that the call may be monitored.
    pub noticed: bool,
    /// Calls of supervisors who hear this one.
    pub monitors: Vec<CallKey>,
}

impl Call {
    /// The caller's own priority, whatever the queue: set by a supervisor, of a VIP, or of the number dialled.
    pub fn own_priority(&self, config: &Config) -> Option<u8> {
        let vip = || config.vips.get(&self.caller).map(|vip| vip.priority);
        let did = || config.dids.get(&self.called).and_then(|did| did.priority);
        match self.origin {
            Origin::Line(_) | Origin::Trunk(_) => self.priority.or_else(vip).or_else(did),
            Origin::Extension(_) => self.priority.or_else(vip),
        }
    }

    /// The line of the configuration that gave [`Self::own_priority`], `supervisor` when one set it; empty when the call
    /// has none of its own.
    pub fn priority_by(&self, config: &Config) -> String {
        let outside = match self.origin {
            Origin::Line(_) | Origin::Trunk(_) => true,
            Origin::Extension(_) => false,
        };
        if self.priority.is_some() {
            "supervisor".to_string()
        } else if config.vips.contains_key(&self.caller) {
            format!("vip {} priority", self.caller)
        } else if outside && config.dids.get(&self.called).is_some_and(|did| did.priority.is_some()) {
            format!("did {} priority", self.called)
        } else {
            String::new()
        }
    }

    /// Nothing more can happen in it.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }
}

/// Who begins a call, as it came in.
pub(crate) struct Arrival {
    pub origin: Origin,
    pub caller: String,
    pub caller_name: String,
    pub called: String,
    /// What was dialled leads to the outside.
    pub outside: Option<Outside>,
    pub signalling: Signalling,
}

impl Pbx {
    /// A call begins. None when there is no configuration yet.
    pub(crate) fn begin_call(&mut self, turn: &mut Turn<'_>, arrival: Arrival) -> Option<CallKey> {
        let Arrival { origin, caller, caller_name, called, outside, signalling } = arrival;
        let uid = self.random.uid(turn.now.wall);
        let origin_words = match &origin {
            Origin::Line(port) => format!("line {}/{}", port.card, port.port),
            Origin::Extension(name) => format!("extension {name}"),
            Origin::Trunk(name) => format!("trunk {name}"),
        };
        let extension = match &origin {
            Origin::Extension(name) => Some(name.clone()),
            Origin::Line(_) | Origin::Trunk(_) => None,
        };
        self.configs.now()?;
        let call = self.calls.insert(Call {
            uid,
            config: self.configs.current(),
            origin,
            caller: caller.clone(),
            caller_name,
            called: called.clone(),
            outside,
            phase: Phase::Arriving,
            legs: vec![],
            next_leg: 0,
            answered: false,
            record: false,
            recording: None,
            priority: None,
            first_wait: None,
            hops: 0,
            noticed: false,
            monitors: vec![],
        });
        let detail = Detail::CallBegan { caller, called, origin: origin_words.clone() };
        self.note(turn, Some(uid), None, &origin_words, detail);
        self.new_leg(turn, call, Role::Caller, signalling, extension);
        Some(call)
    }

    /// Sends a call where the dialplan says.
    pub(crate) fn route_call(&mut self, turn: &mut Turn<'_>, call: CallKey, route: Route) {
        let (Some(config), Some(record)) = (self.config_of(call), self.calls.get_mut(call)) else { return };
        let uid = record.uid;
        let to = match &route.meaning {
            Meaning::To(to) => dialplan::words(to),
            Meaning::Code(_) => "code".into(),
            Meaning::Outside(outside) => outside.words(),
            Meaning::Unknown | Meaning::Barred => "none".into(),
        };
        match (&route.meaning, &record.origin) {
            (Meaning::To(to), _) => record.record |= dialplan::may_be_recorded(&config, to),
            (Meaning::Outside(outside), Origin::Extension(phone)) => {
                record.record |= dialplan::is_recorded(&config, outside, phone);
            }
            (Meaning::Outside(_) | Meaning::Code(_) | Meaning::Unknown | Meaning::Barred, _) => {}
        }
        self.note(turn, Some(uid), None, "router", Detail::Routed { to, why: route.why });
        match route.meaning {
            Meaning::To(to) => self.send_to(turn, call, &to),
            Meaning::Code(code) => self.feature_code(turn, call, &code),
            Meaning::Outside(outside) => self.call_outside(turn, call, &outside),
            Meaning::Barred => self.cannot_connect(turn, call, "number barred", Disposition::Failed, 403),
            Meaning::Unknown => self.unknown_number(turn, call),
        }
    }

    /// Sends a call to a destination.
    pub(crate) fn send_to(&mut self, turn: &mut Turn<'_>, call: CallKey, to: &Destination) {
        match to {
            Destination::Extension(name) => self.ring_extension(turn, call, name),
            Destination::Queue(name) => self.enter_queue(turn, call, name),
            Destination::Menu(name) => self.enter_menu(turn, call, name),
            Destination::Echo => {
                if let Some(caller) = self.accept_caller(turn, call) {
                    let intro = self.prompt(call, "echo-intro");
                    let intro = self.play(turn, caller, vec![intro], false);
                    self.enter(call, Phase::Echo { intro });
                }
            }
            Destination::Hangup if self.calls.get(call).is_some_and(|c| c.answered) => {
                let goodbye = vec![self.prompt(call, "goodbye")];
                self.announce(turn, call, goodbye, Disposition::Answered, ANNOUNCEMENT_TIME);
            }
            Destination::Hangup => self.end_call(turn, call, "router", "released", Disposition::NoAnswer),
        }
    }

    /// Answers the caller if that has not happened: off-hook or 200, media, recording. None when the call had to be
    /// ended because it cannot be answered.
    pub(crate) fn accept_caller(&mut self, turn: &mut Turn<'_>, call: CallKey) -> Option<LegKey> {
        let config = self.config_of(call)?;
        let caller = self.caller_leg(call)?;
        if self.calls.get(call)?.answered {
            return Some(caller);
        }
        if !self.open_media(turn, caller) {
            self.end_call_with(turn, call, "box", NO_PORT, Disposition::Failed, Goodbye::Refuse(503));
            return None;
        }
        match self.legs.get(caller).map(|l| l.signalling.clone())? {
            Signalling::Line(port) => self.seize_line(turn, port),
            Signalling::Sip { dialog, offer, .. } => {
                let answer = match offer {
                    Some(offer) => self.our_answer(turn, &config, caller, &offer),
                    None => self.our_offer(&config, caller),
                };
                let Some(answer) = answer else {
                    let no = Goodbye::Refuse(488);
                    self.end_call_with(turn, call, "box", "no common codec", Disposition::Failed, no);
                    return None;
                };
                let dialog = dialog?;
                self.with_sip(turn, |sip, now, out| sip.accept(now, dialog, Some(answer), out));
            }
        }
        self.calls.get_mut(call)?.answered = true;
        self.leg_up(turn, caller);
        self.begin_recording(turn, call);
        self.tap(turn, caller, Side::Caller);
        Some(caller)
    }

    fn begin_recording(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        let Some(record) = self.calls.get_mut(call).filter(|c| c.record && c.recording.is_none()) else { return };
        let uid = self.random.uid(turn.now.wall);
        record.recording = Some(Recording { uid, since: turn.now.at });
        let call_uid = record.uid;
        let change = RecordingChange::Open { recording: uid, call: call_uid, began: turn.now.wall };
        turn.out.push(Output::Recording(change));
        self.note(turn, Some(call_uid), None, "box", Detail::RecordingBegan { recording: uid });
    }

    /// An offered phone took the call: whoever it is, and the caller, hear each other.
    pub(crate) fn connect(&mut self, turn: &mut Turn<'_>, call: CallKey, partner: LegKey, purpose: &Purpose) {
        let Some(caller) = self.accept_caller(turn, call) else { return };
        let Some(record) = self.calls.get(call) else { return };
        let (number, phase) = (record.caller.clone(), record.phase.clone());
        let mut wait_ms = 0;
        if let Phase::Waiting { place, .. } = &phase {
            wait_ms = turn.now.at.since(place.since).as_millis() as u64;
            self.leave_queue(place);
        }
        let (with, served) = match purpose {
            Purpose::Agent { index, queue } => {
                if let Some(config) = self.config_of_queue(call, queue)
                    && let Some(wanted) = config.queues.get(queue)
                {
                    self.acquaint(&config, wanted, &number, *index, turn.now);
                }
                let id = self.agents.get(*index).map_or_else(String::new, |a| a.id.clone());
                (id, Some(Served { queue: queue.clone(), agent: Some(*index) }))
            }
            Purpose::Extension(name) | Purpose::Outside(name) => (name.clone(), None),
        };
        self.talk(turn, call, (caller, partner), served, with, wait_ms);
    }

    /// Caller and partner hear each other from now on.
    pub(crate) fn talk(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        (caller, partner): (LegKey, LegKey),
        served: Option<Served>,
        with: String,
        wait_ms: u64,
    ) {
        if let Some(leg) = self.legs.get_mut(partner) {
            leg.role = Role::Partner;
        }
        let queue = served.as_ref().map_or_else(String::new, |s| s.queue.clone());
        let uid = self.calls.get(call).map(|c| c.uid);
        self.enter(call, Phase::Talking { partner, served });
        self.tap(turn, partner, Side::Agent);
        self.join(turn, caller, partner);
        self.note(turn, uid, None, "router", Detail::Connected { with, queue, wait_ms });
    }

    /// Ends a call the ordinary way: hang up whoever is still there.
    pub(crate) fn end_call(&mut self, turn: &mut Turn<'_>, call: CallKey, by: &str, cause: &str, d: Disposition) {
        let goodbye = if self.calls.get(call).is_some_and(|c| c.answered) {
            Goodbye::HangUp(None)
        } else {
            Goodbye::Refuse(d.code())
        };
        self.end_call_with(turn, call, by, cause, d, goodbye);
    }

    /// Ends a call with a chosen goodbye to its caller. Ending it twice does nothing.
    pub(crate) fn end_call_with(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        by: &str,
        cause: &str,
        disposition: Disposition,
        goodbye: Goodbye<'_>,
    ) {
        let Some(record) = self.calls.get_mut(call).filter(|c| !c.is_over()) else { return };
        let phase = record.phase.clone();
        let (uid, legs, recording) = (record.uid, record.legs.clone(), record.recording);
        let answered = record.answered;
        self.enter(call, Phase::Over);
        match phase {
            Phase::Waiting { place, offers } => {
                self.leave_queue(&place);
                let wait_ms = turn.now.at.since(place.since).as_millis() as u64;
                let detail = Detail::Abandoned { queue: place.queue, wait_ms, by: by.to_string() };
                self.note(turn, Some(uid), None, by, detail);
                self.withdraw_offers(turn, &offers, "caller-gone");
            }
            Phase::Ringing { offer } => self.withdraw_offer(turn, offer, "caller-gone"),
            Phase::Talking { served: Some(Served { queue, agent: Some(index) }), .. } => {
                let after = self.wrap_up(call, &queue, index, turn.now.at);
                self.agent_by(turn, index, Happening::CallOver(call, after), Some(by), "call over");
            }
            Phase::Monitoring(monitoring) => self.monitor_left(turn, call, &monitoring),
            Phase::Talking { served: None | Some(Served { agent: None, .. }), .. }
            | Phase::Arriving
            | Phase::Menu(_)
            | Phase::Asking(_)
            | Phase::Echo { .. }
            | Phase::Announcement { .. }
            | Phase::Over => {}
        }
        self.monitored_call_over(turn, call);
        for leg in legs {
            let is_caller = self.legs.get(leg).is_some_and(|l| l.role == Role::Caller);
            self.end_leg(turn, leg, cause, if is_caller { goodbye } else { Goodbye::HangUp(None) });
        }
        if let Some(recording) = recording {
            self.end_recording(turn, uid, recording);
        }
        // As in Asterisk: who was answered, be it by a menu, is not told otherwise by what came after.
        let disposition = if answered { Disposition::Answered } else { disposition }.as_str().to_string();
        self.note(turn, Some(uid), None, by, Detail::CallEnded { by: by.to_string(), disposition });
    }

    fn end_recording(&mut self, turn: &mut Turn<'_>, call: Uid, recording: Recording) {
        let length = turn.now.at.since(recording.since);
        let samples = length.as_micros() as u64 / 125;
        turn.out.push(Output::Recording(RecordingChange::Close { recording: recording.uid, samples }));
        let length_ms = length.as_millis() as u64;
        let detail = Detail::RecordingEnded { recording: recording.uid, length_ms };
        self.note(turn, Some(call), None, "box", detail);
    }

    /// The far end of a leg that was up is gone: the call is over.
    pub(crate) fn leg_lost(&mut self, turn: &mut Turn<'_>, leg: LegKey, cause: &str) {
        let Some(Leg { call, role, .. }) = self.legs.get(leg) else { return };
        let (call, role) = (*call, *role);
        let by = self.actor_of(leg);
        match role {
            Role::Offered(_) => {
                // Who answered and hung up before the caller was joined did not want the call.
                let up = self.legs.get(leg).is_some_and(|l| l.state == LegState::Up);
                let why = if up { Cause::Rejected } else { Cause::Unreachable };
                self.offer_leg_over(turn, leg, why, cause);
            }
            Role::Caller | Role::Partner => {
                self.end_leg(turn, leg, cause, Goodbye::None);
                let disposition = self.disposition_so_far(call);
                self.end_call(turn, call, &by, cause, disposition);
            }
        }
    }

    /// What the CDR says when the call ends by a party's wish.
    pub(crate) fn disposition_so_far(&self, call: CallKey) -> Disposition {
        match self.calls.get(call) {
            Some(c) if c.answered => Disposition::Answered,
            Some(_) | None => Disposition::NoAnswer,
        }
    }

    /// A leg has left the tables; with the last one the call goes, too.
    pub(crate) fn leg_gone(&mut self, call: CallKey, leg: LegKey) {
        let Some(record) = self.calls.get_mut(call) else { return };
        record.legs.retain(|l| *l != leg);
        if record.legs.is_empty() && record.is_over() {
            self.calls.remove(call);
            if self.configs.has_old() {
                let calls = &self.calls;
                self.configs.forget_unless(|number| calls.iter().any(|(_, c)| c.config == number));
            }
        }
    }

    /// The only writer of a call's phase: leaving one takes its timers along.
    pub(crate) fn enter(&mut self, call: CallKey, phase: Phase) {
        let Some(record) = self.calls.get_mut(call) else { return };
        match record.phase {
            Phase::Menu(_) => self.timers.clear(Timer::MenuSilence(call)),
            Phase::Asking(_) => self.timers.clear(Timer::Asking(call)),
            Phase::Waiting { .. } if !matches!(phase, Phase::Waiting { .. }) => {
                let bounds = [Timer::MaxWait(call), Timer::OverflowWait(call), Timer::Notice(call)];
                for timer in bounds.into_iter().chain([Timer::Widen(call), Timer::NextRing(call)]) {
                    self.timers.clear(timer);
                }
            }
            Phase::Announcement { .. } => self.timers.clear(Timer::Announcement(call)),
            Phase::Arriving
            | Phase::Waiting { .. }
            | Phase::Ringing { .. }
            | Phase::Talking { .. }
            | Phase::Monitoring(_)
            | Phase::Echo { .. }
            | Phase::Over => {}
        }
        record.phase = phase;
    }

    /// The configuration that a call began with.
    pub(crate) fn config_of(&self, call: CallKey) -> Option<Arc<Config>> {
        self.configs.get(self.calls.get(call)?.config)
    }

    /// The leg that began the call, unless it is over.
    pub(crate) fn caller_leg(&self, call: CallKey) -> Option<LegKey> {
        let record = self.calls.get(call)?;
        record.legs.iter().copied().find(|l| {
            self.legs.get(*l).is_some_and(|l| l.role == Role::Caller && !matches!(l.state, LegState::Closing { .. }))
        })
    }
}
