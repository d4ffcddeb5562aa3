//! Our RTP ports: which are free, and what becomes of a leg whose port another program holds, or for which none is left.
//! That is our trouble and never the phone's: the leg moves to another port, and where none can be had, agents stay ready.

use alloc::collections::VecDeque;
use alloc::format;
use base::id::LegKey;
use base::media::{Command, LegFailure, RtpSend};
use base::time::Instant;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::call::{Disposition, Phase};
use crate::door::Output;
use crate::event::Detail;
use crate::leg::{Goodbye, LegState, Role, Rtp, Signalling};
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// So often a leg moves to another port. Each time is one way to the media thread and back.
const MOVES_MAX: u8 = 8;
/// No agent is offered anybody for so long after a leg could not be given a port.
const PAUSE: Duration = Duration::from_secs(2);
/// Why a leg, an offer or a call ends for which no port could be had.
pub(crate) const NO_PORT: &str = "no media port free";
const ALARM: &str = "rtp-ports";

/// RTP ports of the configured range that are free; the one freed longest ago is taken first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ports {
    range: (u16, u16),
    free: VecDeque<u16>,
    /// When a leg was last left without a port: until a later one ends in good order, the alarm is up.
    short_since: Option<Instant>,
    /// Until then agents are offered nobody.
    paused: bool,
}

impl Ports {
    /// Takes over a range; ports in use stay away until they come back.
    pub fn configure(&mut self, range: (u16, u16), used: &[u16]) {
        if self.range != range {
            self.range = range;
            let (first, last) = (range.0.next_multiple_of(2), range.1);
            self.free = (first..last).step_by(2).filter(|p| !used.contains(p)).collect();
        }
    }

    /// Takes the next free one.
    fn take(&mut self) -> Option<u16> {
        self.free.pop_front()
    }

    /// A port is free again, and the last to be taken.
    pub fn give_back(&mut self, port: u16) {
        if (self.range.0..self.range.1).contains(&port) {
            self.free.push_back(port);
        }
    }

    /// Whether offers wait because no port could be had.
    pub fn is_paused(&self) -> bool {
        self.paused
    }
}

impl Pbx {
    /// Gives the leg its media: a port, or its timeslot. False when there is none left.
    pub(crate) fn open_media(&mut self, turn: &mut Turn<'_>, leg: LegKey) -> bool {
        let Some(record) = self.legs.get(leg) else { return false };
        match record.signalling {
            Signalling::Line(port) => turn.out.push(Output::Media(Command::CreateTdm { leg, port })),
            Signalling::Sip { .. } if record.rtp.is_some() => {}
            Signalling::Sip { .. } => {
                let Some(port) = self.ports.take() else {
                    self.port_short(turn);
                    return false;
                };
                let send = RtpSend {
                    ssrc: self.random.u32(),
                    first_seq: self.random.u32() as u16,
                    first_timestamp: self.random.u32(),
                    epoch: turn.now.at,
                };
                if let Some(record) = self.legs.get_mut(leg) {
                    record.rtp = Some(Rtp { port, send, remote: None, moves: 0, uncounted: 0, untold: false });
                }
                turn.out.push(Output::Media(Command::CreateRtp { leg, local_port: port, send }));
            }
        }
        true
    }

    /// The media engine could not give a leg what it needs.
    pub(crate) fn media_failed(&mut self, turn: &mut Turn<'_>, leg: LegKey, why: LegFailure) {
        match why {
            LegFailure::PortTaken | LegFailure::Exhausted => {
                if self.legs.get(leg).is_some_and(|l| !l.is_closing()) && !self.move_to_another_port(turn, leg) {
                    self.leave_without_port(turn, leg);
                }
            }
            LegFailure::NoCard => self.media_gone(turn, leg, &format!("media failed: {why:?}")),
        }
    }

    /// The leg goes on at the next free port: its phone learns of it by a new offer, once it has answered. False when there
    /// is none, or too many were tried.
    fn move_to_another_port(&mut self, turn: &mut Turn<'_>, leg: LegKey) -> bool {
        let Some(rtp) = self.legs.get_mut(leg).and_then(|l| l.rtp.as_mut()) else { return false };
        if rtp.moves >= MOVES_MAX {
            return false;
        }
        let Some(port) = self.ports.take() else { return false };
        let old = core::mem::replace(&mut rtp.port, port);
        rtp.moves += 1;
        rtp.uncounted += 1;
        rtp.untold = true;
        self.ports.give_back(old);
        self.note_leg(turn, leg, "media", Detail::Media { what: format!("RTP port {old} cannot be had, now {port}") });
        turn.out.push(Output::Media(Command::Destroy { leg }));
        self.media_again(leg, turn.out);
        self.media_around_again(turn, leg);
        if self.legs.get(leg).is_some_and(|l| l.state == LegState::Up) {
            self.tell_port(turn, leg);
        }
        true
    }

    /// What the engine knew of a leg and others: bridge and monitors.
    fn media_around_again(&self, turn: &mut Turn<'_>, leg: LegKey) {
        let Some(record) = self.legs.get(leg) else { return };
        turn.out.extend(record.joined.map(|other| Output::Media(Command::Join { a: leg, b: other })));
        let Some(call) = self.calls.get(record.call) else { return };
        let watching = call.monitors.iter().chain([&record.call]).filter_map(|call| {
            let Phase::Monitoring(monitoring) = &self.calls.get(*call)?.phase else { return None };
            let monitor = self.caller_leg(*call)?;
            let concerned = monitor == leg || monitoring.of == leg;
            concerned.then_some(Command::Monitor { leg: monitor, of: monitoring.of, mode: monitoring.mode })
        });
        turn.out.extend(watching.map(Output::Media));
    }

    /// A phone that has answered is told of the port that its leg was moved to, if it was.
    pub(crate) fn tell_port(&mut self, turn: &mut Turn<'_>, leg: LegKey) {
        let Some(record) = self.legs.get_mut(leg) else { return };
        let (call, dialog) = (record.call, record.dialog());
        if !record.rtp.as_mut().is_some_and(|rtp| core::mem::take(&mut rtp.untold)) {
            return;
        }
        let offer = self.config_of(call).and_then(|config| self.our_offer(&config, leg));
        if let (Some(dialog), Some(offer)) = (dialog, offer) {
            self.with_sip(turn, |sip, now, out| sip.reoffer(now, dialog, Some(offer), out));
        }
    }

    /// No port could be had for the leg.
    fn leave_without_port(&mut self, turn: &mut Turn<'_>, leg: LegKey) {
        self.port_short(turn);
        match self.legs.get(leg).map(|l| l.role) {
            Some(Role::Offered(offer)) => self.offer_without_port(turn, offer, leg),
            Some(Role::Caller | Role::Partner) => self.drop_for_want_of_port(turn, leg),
            None => {}
        }
    }

    /// The box ends the call of a party who cannot be given a port: nobody hung up.
    fn drop_for_want_of_port(&mut self, turn: &mut Turn<'_>, leg: LegKey) {
        let Some(call) = self.legs.get(leg).filter(|l| !l.is_closing()).map(|l| l.call) else { return };
        self.end_leg(turn, leg, NO_PORT, Goodbye::HangUp(None));
        self.end_call(turn, call, "box", NO_PORT, Disposition::Failed);
    }

    /// No agent is offered anybody for a while, so that they are not rung in a circle.
    pub(crate) fn pause_offers(&mut self, turn: &Turn<'_>) {
        self.ports.paused = true;
        self.timers.set(Timer::PortsAgain, turn.now.at + PAUSE);
    }

    /// The pause is over.
    pub(crate) fn offer_again(&mut self) {
        self.ports.paused = false;
        self.unmatched = true;
    }

    fn port_short(&mut self, turn: &mut Turn<'_>) {
        self.ports.short_since = Some(turn.now.at);
        let (first, last) = self.ports.range;
        self.raise_alarm(turn, ALARM, "", &format!("{first}-{last}"));
    }

    /// The engine has counted a leg. Whether these were the counts of a port that the leg has left.
    pub(crate) fn port_counted(&mut self, turn: &mut Turn<'_>, leg: LegKey) -> bool {
        let Some(rtp) = self.legs.get_mut(leg).and_then(|l| l.rtp.as_mut()) else { return false };
        if rtp.uncounted > 0 {
            rtp.uncounted -= 1;
            return true;
        }
        let (moves, opened) = (rtp.moves, rtp.send.epoch);
        if moves == 0 && self.ports.short_since.is_some_and(|since| since < opened) {
            self.ports.short_since = None;
            self.clear_alarm(turn, ALARM, "");
        }
        false
    }
}
