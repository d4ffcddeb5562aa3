//! What SIP and the media engine tell, handed to the call, offer or agent that it concerns.

use alloc::format;
use alloc::string::ToString;
use base::id::LegKey;
use base::media::{Command, DigitSource, Item, Report};
use signaling::sdp::Audio;
use signaling::sip::door::{DialogKey, EndCause, Event, Incoming, Origin as SipOrigin};

use crate::agent::Happening;
use crate::call::{Arrival, Disposition, Origin, Phase};
use crate::dialplan::{self, Meaning};
use crate::door::Output;
use crate::event::Detail;
use crate::leg::{Goodbye, LegState, Role, Signalling};
use crate::offer::Cause;
use crate::{Pbx, Turn};

impl Pbx {
    /// Something happened in SIP.
    pub(crate) fn sip_event(&mut self, turn: &mut Turn<'_>, event: Event) {
        match event {
            Event::Incoming(incoming) => self.sip_call(turn, incoming),
            Event::Progress { dialog, code, .. } => {
                if let (Some(leg), true) = (self.leg_of(dialog), code >= 180) {
                    self.leg_rings(turn, leg);
                }
            }
            Event::Answered { dialog, answer } => self.sip_answered(turn, dialog, answer.as_ref()),
            Event::Refused { dialog, code, .. } => self.sip_refused(turn, dialog, code),
            Event::Confirmed { dialog, answer } => self.sip_confirmed(turn, dialog, answer.as_ref()),
            Event::Cancelled { dialog } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.leg_lost(turn, leg, "cancelled");
                }
            }
            Event::Ended { dialog, cause } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.leg_lost(turn, leg, end_cause(cause));
                }
            }
            Event::Reoffered { dialog, offer } => self.sip_reoffered(turn, dialog, offer),
            Event::Digit { dialog, digit } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.digit(turn, leg, digit.as_char(), "info");
                    // Unlike a key in the media, this one must be sent on.
                    if let Some(other) = self.legs.get(leg).and_then(|l| l.joined) {
                        turn.out.push(Output::Media(Command::SendDigit { leg: other, digit }));
                    }
                }
            }
            Event::Registered { account, contacts } => {
                let contacts = contacts as u32;
                let detail = Detail::Registered { extension: account.clone(), contacts };
                self.note(turn, None, None, &format!("extension {account}"), detail);
                if contacts > 0 {
                    self.clear_alarm(turn, "sip-auth", &account);
                    if let Some(agent) = self.agents.at_extension(&account) {
                        self.agent(turn, agent, Happening::PhoneBack, "phone registered");
                    }
                    self.unmatched = true;
                }
                self.staffing_changed = true;
            }
            Event::Refreshed { account } => {
                if let Some(agent) = self.agents.at_extension(&account) {
                    self.agent(turn, agent, Happening::PhoneBack, "phone registered");
                }
            }
            Event::Subscribed { target, .. } => self.lamp_watched(turn, &target),
            Event::Trace { dialog, sent, summary } => {
                if let Some(leg) = self.dialogs.get(&dialog).copied() {
                    self.note_leg(turn, leg, "sip", Detail::Sip { sent, message: summary });
                }
            }
            Event::AuthFailed { account, remote } => {
                // One alarm for all names that are none of ours, so that a scanner cannot fill the table.
                let known = self.configs.now().is_some_and(|c| c.extensions.contains_key(&account));
                let subject = if known { account.as_str() } else { "?" };
                self.raise_alarm(turn, "sip-auth", subject, &remote.to_string());
            }
        }
    }

    fn sip_call(&mut self, turn: &mut Turn<'_>, incoming: Incoming) {
        let Incoming { dialog, origin, caller, caller_name, called, offer, .. } = incoming;
        let config = self.configs.now().filter(|_| self.calls.len() < base::limits::CALLS_MAX);
        let Some(config) = config else {
            return self.with_sip(turn, |sip, now, out| sip.refuse(now, dialog, 503, out));
        };
        let (route, origin) = match origin {
            SipOrigin::Account(name) => (dialplan::from_inside(&config, &called), Origin::Extension(name)),
            SipOrigin::Peer(name) => (dialplan::from_outside(&config, &called), Origin::Trunk(name)),
        };
        let signalling = Signalling::Sip { dialog: Some(dialog), offer, ours: None };
        let outside = if let Meaning::Outside(outside) = &route.meaning { Some(outside.clone()) } else { None };
        let arrival = Arrival { origin, caller, caller_name, called, outside, signalling };
        match self.begin_call(turn, arrival) {
            Some(call) => self.route_call(turn, call, route),
            None => self.with_sip(turn, |sip, now, out| sip.refuse(now, dialog, 503, out)),
        }
    }

    fn leg_rings(&mut self, turn: &mut Turn<'_>, leg: LegKey) {
        if let Some(Role::Offered(offer)) = self.legs.get(leg).map(|l| l.role) {
            self.offer_rings(turn, offer);
        }
    }

    fn sip_answered(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, answer: Option<&Audio>) {
        let Some(leg) = self.leg_of(dialog) else { return };
        match self.legs.get(leg).map(|l| (l.role, l.state)) {
            Some((Role::Offered(offer), LegState::Pending)) => self.offer_answered(turn, leg, offer, answer),
            // To an offer of ours within the session: the leg has moved to another port.
            Some((Role::Offered(_) | Role::Caller | Role::Partner, LegState::Up)) => {
                if let Some(answer) = answer {
                    self.their_answer(turn, leg, answer);
                }
            }
            Some((Role::Caller | Role::Partner, LegState::Pending) | (_, LegState::Closing { .. })) | None => {}
        }
    }

    fn sip_refused(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, code: u16) {
        let Some(leg) = self.leg_of(dialog) else { return };
        match self.legs.get(leg).map(|l| l.role) {
            Some(Role::Offered(offer)) if self.is_outside(offer) => self.outside_refused(turn, leg, offer, code),
            Some(Role::Offered(offer)) => self.offer_refused(turn, leg, offer, code),
            Some(Role::Caller | Role::Partner) => self.leg_lost(turn, leg, &format!("refused {code}")),
            None => {}
        }
    }

    fn sip_confirmed(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, answer: Option<&Audio>) {
        let Some(leg) = self.leg_of(dialog) else { return };
        let agreed = self.legs.get(leg).and_then(|l| l.rtp.as_ref()).is_some_and(|r| r.remote.is_some());
        let now_agreed = match answer {
            Some(answer) => self.their_answer(turn, leg, answer),
            None => agreed,
        };
        if !now_agreed {
            let Some(call) = self.legs.get(leg).map(|l| l.call) else { return };
            self.end_leg(turn, leg, "no answer in ACK", Goodbye::HangUp(None));
            self.end_call(turn, call, "box", "no answer in ACK", Disposition::Failed);
        }
    }

    /// The peer changes the session: hold, resume, another address.
    fn sip_reoffered(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, offer: Option<Audio>) {
        let Some(leg) = self.leg_of(dialog) else { return };
        let Some(config) = self.legs.get(leg).and_then(|l| self.config_of(l.call)) else { return };
        let answer = match offer {
            Some(offer) => self.our_answer(turn, &config, leg, &offer),
            None => self.our_offer(&config, leg),
        };
        match answer {
            Some(answer) => self.with_sip(turn, |sip, now, out| sip.accept(now, dialog, Some(answer), out)),
            // RFC 3261 §14.2: the session goes on as it was.
            None => return self.with_sip(turn, |sip, now, out| sip.refuse(now, dialog, 488, out)),
        }
        let Some(record) = self.legs.get_mut(leg) else { return };
        let held = record.rtp.as_ref().and_then(|r| r.remote).is_some_and(|r| !r.send);
        if record.held != held {
            record.held = held;
            let other = record.joined;
            let actor = self.actor_of(leg);
            self.note_leg(turn, leg, &actor, Detail::Held { held });
            self.agent_holds(turn, leg, held);
            match other {
                Some(other) if held => {
                    self.play(turn, other, alloc::vec![Item::Music], true);
                }
                Some(other) => self.stop_play(turn, other),
                None => {}
            }
        }
    }

    /// The agent of a queue call put its caller on hold, or took him back.
    fn agent_holds(&mut self, turn: &mut Turn<'_>, leg: LegKey, held: bool) {
        let Some(call) = self.legs.get(leg).map(|l| l.call) else { return };
        let Some(Phase::Talking { partner, served: Some(served) }) = self.calls.get(call).map(|c| &c.phase) else {
            return;
        };
        if let (Some(index), true) = (served.agent, *partner == leg) {
            let why = if held { "caller on hold" } else { "caller taken back" };
            self.agent(turn, index, Happening::Held(call, held), why);
        }
    }

    /// The media engine tells something.
    pub(crate) fn media_report(&mut self, turn: &mut Turn<'_>, report: Report) {
        match report {
            Report::Digit { leg, digit, source } => {
                let how = match source {
                    DigitSource::Rfc4733 => "rfc4733",
                    DigitSource::Inband => "inband",
                };
                // The engine itself passes keys on to the other side of a bridge, in the form that side has.
                self.digit(turn, leg, digit.as_char(), how);
            }
            Report::PlayDone { leg, play } => {
                let Some((call, role)) = self.legs.get(leg).map(|l| (l.call, l.role)) else { return };
                if let Role::Offered(offer) = role {
                    return self.offer_told(turn, offer, play);
                }
                match self.calls.get(call).map(|c| &c.phase) {
                    Some(Phase::Menu(_)) => self.menu_said(turn, call, play),
                    Some(Phase::Asking(_)) => self.asked(turn, call, play),
                    Some(Phase::Echo { .. }) => self.echo_told(turn, call, play),
                    Some(Phase::Waiting { .. }) => self.notice_heard(turn, call, play),
                    Some(Phase::Announcement { play: expected, .. }) if *expected == Some(play) => {
                        self.announcement_over(turn, call);
                    }
                    _ => {}
                }
            }
            Report::Silent { leg, .. } => self.media_gone(turn, leg, "media-timeout"),
            Report::Failed { leg, why } => self.media_failed(turn, leg, why),
            Report::PromptMissing { leg, name } => {
                self.raise_alarm(turn, "prompt-missing", &name, "");
                self.notice_missing(turn, leg, &name);
            }
            Report::Counters { leg, counters } => self.leg_counted(turn, leg, counters),
            Report::Highway { running: true } => self.clear_alarm(turn, "highway", ""),
            Report::Highway { running: false } => self.raise_alarm(turn, "highway", "", "no periods arrive"),
        }
    }

    /// A key was pressed on a leg.
    fn digit(&mut self, turn: &mut Turn<'_>, leg: LegKey, digit: char, how: &str) {
        let Some(record) = self.legs.get(leg).filter(|l| !l.is_closing()) else { return };
        let (call, role) = (record.call, record.role);
        let actor = self.actor_of(leg);
        // A PIN is nobody's business.
        let written = if role == Role::Caller && self.types_secret(call) { '•' } else { digit };
        self.note_leg(turn, leg, &actor, Detail::Digit { digit: written, how: how.to_string() });
        match (role, self.calls.get(call).map(|c| &c.phase)) {
            (Role::Offered(offer), _) => self.offer_key(turn, offer, digit),
            (Role::Caller, Some(Phase::Menu(_))) => self.menu_key(turn, call, digit),
            (Role::Caller, Some(Phase::Asking(_))) => self.asked_key(turn, call, digit),
            (Role::Caller, Some(Phase::Waiting { .. })) => self.exit_key(turn, call, digit),
            (Role::Caller, Some(Phase::Monitoring(_))) => self.monitor_key(turn, call, digit),
            (Role::Caller | Role::Partner, _) => {}
        }
    }

    /// A leg's audio is gone: the phone vanished, or the leg never worked.
    pub(crate) fn media_gone(&mut self, turn: &mut Turn<'_>, leg: LegKey, cause: &str) {
        let Some(record) = self.legs.get(leg).filter(|l| !l.is_closing()) else { return };
        match (record.role, record.state) {
            (Role::Offered(_), _) => self.offer_leg_over(turn, leg, Cause::Unreachable, cause),
            (Role::Caller | Role::Partner, LegState::Up | LegState::Pending) => {
                let call = record.call;
                let by = self.actor_of(leg);
                let disposition = self.disposition_so_far(call);
                self.end_leg(turn, leg, cause, Goodbye::HangUp(None));
                self.end_call(turn, call, &by, cause, disposition);
            }
            (Role::Caller | Role::Partner, LegState::Closing { .. }) => {}
        }
    }
}

fn end_cause(cause: EndCause) -> &'static str {
    match cause {
        EndCause::Bye => "bye",
        EndCause::NoAck => "no ACK",
        EndCause::Gone => "phone gone",
    }
}
