//! Ports of line cards as the core sees them: idle, ringing, in a call, or out of order.

use alloc::format;
use alloc::string::{String, ToString};
use base::line::{LineCommand, LineEvent, LineFault, PortId};
use base::time::Instant;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::call::{Arrival, CallKey, Origin, Phase};
use crate::config::Config;
use crate::dialplan;
use crate::door::Output;
use crate::event::Detail;
use crate::leg::Signalling;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// A line seized for longer than this is off-hook, whatever happened to the program since.
const SEIZE_WAIT: Duration = Duration::from_secs(3);
/// A line without battery for longer than this is broken rather than released.
const BATTERY_ALARM_AFTER: Duration = Duration::from_secs(2);

/// One port.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LinePort {
    /// The call that has the line.
    call: Option<CallKey>,
    /// Since when we want it seized.
    seized: Option<Instant>,
    battery_lost: Option<Instant>,
}

impl LinePort {
    /// The call that has the line.
    pub fn call(&self) -> Option<CallKey> {
        self.call
    }
}

impl Pbx {
    /// Takes over the ports of a configuration.
    pub(crate) fn configure_lines(&mut self, config: &Config) {
        for port in config.lines.keys() {
            self.lines.entry(*port).or_default();
        }
        self.lines.retain(|port, line| config.lines.contains_key(port) || line.call.is_some());
    }

    /// Something happened on a port.
    pub(crate) fn line_event(&mut self, turn: &mut Turn<'_>, port: PortId, event: LineEvent) {
        let Some(line) = self.lines.get(&port) else { return };
        let call = line.call;
        match event {
            LineEvent::Attached { off_hook, battery } => self.line_attached(turn, port, off_hook, battery),
            LineEvent::RingBegan if call.is_none() => self.line_rings(turn, port),
            LineEvent::RingBegan => {}
            LineEvent::RingEnded => self.line_ring_ended(turn, port),
            LineEvent::BatteryLost => self.battery_lost(turn, port),
            LineEvent::BatteryBack => self.battery_back(turn, port),
            LineEvent::PolarityReversed => self.note_line(turn, port, "polarity reversed"),
            LineEvent::Fault(fault) => self.line_fault(turn, port, fault),
        }
    }

    fn line_attached(&mut self, turn: &mut Turn<'_>, port: PortId, off_hook: bool, battery: bool) {
        self.clear_alarm(turn, "line-fault", &subject(port));
        let Some(line) = self.lines.get(&port) else { return };
        match (line.seized, off_hook) {
            (Some(_), true) | (None, false) => {}
            (None, true) => turn.out.push(Output::Line(port, LineCommand::OnHook)),
            // Our command may have been lost with the program that gave it.
            (Some(since), false) if turn.now.at.since(since) < SEIZE_WAIT => {
                turn.out.push(Output::Line(port, LineCommand::OffHook));
            }
            // The card was started anew and let the caller go: to seize the line again would hold it for nobody.
            (Some(_), false) => {
                self.note_line(turn, port, "line card restarted");
                let call = self.lines.get(&port).and_then(|l| l.call);
                if let Some(leg) = call.and_then(|c| self.caller_leg(c)) {
                    self.leg_lost(turn, leg, "line card restarted");
                }
            }
        }
        if battery {
            self.battery_back(turn, port);
        } else {
            self.battery_lost(turn, port);
        }
    }

    fn line_rings(&mut self, turn: &mut Turn<'_>, port: PortId) {
        let Some(config) = self.configs.now() else { return };
        let Some(wanted) = config.lines.get(&port) else { return };
        let arrival = Arrival {
            origin: Origin::Line(port),
            caller: String::new(),
            caller_name: String::new(),
            called: wanted.did.clone(),
            outside: None,
            signalling: Signalling::Line(port),
        };
        let Some(call) = self.begin_call(turn, arrival) else { return };
        if let Some(line) = self.lines.get_mut(&port) {
            line.call = Some(call);
        }
        self.note_line(turn, port, "ring began");
        let route = dialplan::from_outside(&config, &wanted.did);
        self.route_call(turn, call, route);
    }

    fn line_ring_ended(&mut self, turn: &mut Turn<'_>, port: PortId) {
        let Some(call) = self.lines.get(&port).and_then(|l| l.call) else { return };
        self.note_line(turn, port, "ring ended");
        let gave_up = self.calls.get(call).is_some_and(|c| !c.answered && c.phase != Phase::Over);
        if gave_up {
            let disposition = self.disposition_so_far(call);
            self.end_call(turn, call, &subject_actor(port), "cancelled", disposition);
        }
    }

    fn battery_lost(&mut self, turn: &mut Turn<'_>, port: PortId) {
        let Some(line) = self.lines.get_mut(&port).filter(|l| l.battery_lost.is_none()) else { return };
        line.battery_lost = Some(turn.now.at);
        let call = line.call;
        self.timers.set(Timer::LineBattery(port), turn.now.at + BATTERY_ALARM_AFTER);
        self.note_line(turn, port, "battery lost");
        if let Some(leg) = call.and_then(|c| self.caller_leg(c)) {
            self.leg_lost(turn, leg, "battery-lost");
        }
    }

    fn battery_back(&mut self, turn: &mut Turn<'_>, port: PortId) {
        let Some(line) = self.lines.get_mut(&port) else { return };
        if line.battery_lost.take().is_some() {
            self.timers.clear(Timer::LineBattery(port));
            self.clear_alarm(turn, "line-battery", &subject(port));
        }
    }

    /// The battery has been away for too long to be a release.
    pub(crate) fn battery_still_lost(&mut self, turn: &mut Turn<'_>, port: PortId) {
        self.raise_alarm(turn, "line-battery", &subject(port), "");
    }

    fn line_fault(&mut self, turn: &mut Turn<'_>, port: PortId, fault: LineFault) {
        self.note_line(turn, port, &format!("fault {fault:?}"));
        self.raise_alarm(turn, "line-fault", &subject(port), &format!("{fault:?}"));
        let call = self.lines.get(&port).and_then(|l| l.call);
        if let Some(leg) = call.and_then(|c| self.caller_leg(c)) {
            self.leg_lost(turn, leg, "line fault");
        }
    }

    /// Seizes the line for its call.
    pub(crate) fn seize_line(&mut self, turn: &mut Turn<'_>, port: PortId) {
        let now = turn.now.at;
        if let Some(line) = self.lines.get_mut(&port) {
            line.seized = Some(now);
        }
        turn.out.push(Output::Line(port, LineCommand::OffHook));
        self.note_line(turn, port, "off-hook");
    }

    /// The call has no use for the line any more.
    pub(crate) fn release_line(&mut self, turn: &mut Turn<'_>, port: PortId) {
        let Some(line) = self.lines.get_mut(&port) else { return };
        if line.seized.take().is_some() {
            turn.out.push(Output::Line(port, LineCommand::OnHook));
            self.note_line(turn, port, "on-hook");
        }
        if let Some(line) = self.lines.get_mut(&port) {
            line.call = None;
        }
    }

    fn note_line(&mut self, turn: &mut Turn<'_>, port: PortId, what: &str) {
        let call = self.lines.get(&port).and_then(|l| l.call).and_then(|c| self.calls.get(c)).map(|c| c.uid);
        let leg = call.map(|_| 0);
        self.note(turn, call, leg, &subject_actor(port), Detail::Line { what: what.to_string() });
    }
}

/// A port in the words of alarms.
pub(crate) fn subject(port: PortId) -> String {
    format!("card {} port {}", port.card, port.port)
}

fn subject_actor(port: PortId) -> String {
    format!("line {}/{}", port.card, port.port)
}
