//! People who call: over the trunk, an analog line or an office phone. They arrive, press keys, lose patience, talk,
//! hang up.

use super::centre;
use super::dice::Dice;
use super::phone::{CallNo, News};
use super::plan::{CARRIER, Plan, Site};
use super::world::{Event, World};
use base::line::{LineEvent, PortId};
use base::media::{Digit, DigitSource, Report};
use std::net::SocketAddr;

/// Number of a caller, in order of arrival.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallerId(pub u64);

/// The way a caller came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    /// A call on a phone of the world (trunk or office): index of the phone.
    Phone(usize, CallNo),
    /// An analog line.
    Line(PortId),
}

/// What a caller is going to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// Presses a key.
    Press(char),
    /// Has waited long enough.
    GiveUp,
    /// Has talked long enough.
    Goodbye,
}

/// One caller and all that the world knows of the call.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The way in.
    pub way: Way,
    /// Number shown to the box; unique, except on analog lines, which show none.
    pub number: String,
    /// Number dialled.
    pub dialled: String,
    /// First attempt.
    pub began_us: u64,
    /// The box answered.
    pub answered_us: Option<u64>,
    /// First heard a person.
    pub heard_us: Option<u64>,
    /// Left the offer to the box, so that the box learns only by the ACK where to speak to.
    pub delayed: bool,
    /// Hung up, or noticed that the box had.
    pub ended_us: Option<u64>,
    /// Keys to be pressed, with the pause before each.
    keys: Vec<(u64, char)>,
    patience_us: u64,
}

impl World {
    /// The next caller arrives, and the one after is planned.
    pub(super) fn arrival(&mut self) {
        if self.healing || self.arrived >= self.plan.calls {
            return;
        }
        let gap_us = self.dice.exponential(self.plan.gap_us_mean);
        self.plan_event(gap_us, Event::Arrival);
        let quiet = self.plan.site == Site::Centre && self.plan.agents >= 100;
        if quiet && !self.dice.permille(centre::arrivals_permille(self.minute_of_week())) {
            return;
        }
        self.arrived += 1;
        let id = CallerId(self.arrived);
        let free = self.free_line();
        match self.dice.below(20) {
            0 | 1 => self.office_caller(id),
            2..=9 => match free {
                Some(port) => self.line_caller(id, port),
                None => self.trunk_caller(id),
            },
            _ => self.trunk_caller(id),
        }
    }

    fn free_line(&mut self) -> Option<PortId> {
        let now_us = self.now_us;
        let free: Vec<PortId> = self.lines.iter().filter(|(_, l)| l.free(now_us)).map(|(p, _)| *p).collect();
        let n = self.dice.below(free.len() as u64) as usize;
        free.get(n).copied()
    }

    fn begin(&mut self, id: CallerId, way: Way, number: String, dialled: &str) {
        let began_us = self.now_us;
        let odd = self.plan.odd_permille;
        let caller = Caller {
            way,
            number,
            dialled: dialled.to_string(),
            began_us,
            answered_us: None,
            heard_us: None,
            delayed: false,
            ended_us: None,
            keys: match self.plan.site {
                Site::Plain => keys(&mut self.dice, odd),
                Site::Centre => centre_keys(&mut self.dice, dialled),
            },
            patience_us: 3_000_000 + self.dice.exponential(self.plan.patience_us_mean),
        };
        self.note(|| format!("{id:?} calls {dialled} by {way:?} as {:?}", caller.number));
        self.caller_by_way.insert(way, id);
        if !caller.number.is_empty() {
            self.by_number.insert(caller.number.clone(), id);
        }
        self.callers.insert(id, caller);
    }

    fn trunk_caller(&mut self, id: CallerId) {
        let dialled = match (self.plan.site, self.dice.below(40)) {
            (_, 0) => "4009999".to_string(),
            (Site::Centre, 1..=24) => centre::queue_did(self.dice.below(centre::QUEUES as u64) as usize),
            (Site::Centre, _) => centre::MENU_DID.to_string(),
            (Site::Plain, 1..=6) => "4002000".to_string(),
            (Site::Plain, 7..=10) => "4003000".to_string(),
            (Site::Plain, 11..=13) => "4004000".to_string(),
            (Site::Plain, _) => "4001000".to_string(),
        };
        let dialled = dialled.as_str();
        let number = self.somebodys_number(id);
        let trunk = self.trunk;
        let mut no = CallNo(0);
        let shown = number.clone();
        let delayed = self.dice.permille(40);
        self.with_phone(trunk, |phone, now_us, out| no = phone.dial(now_us, dialled, &shown, delayed, out));
        self.begin(id, Way::Phone(trunk, no), number, dialled);
        if let Some(caller) = self.callers.get_mut(&id) {
            caller.delayed = delayed;
        }
        self.impatience(id);
    }

    fn office_caller(&mut self, id: CallerId) {
        let first = self.plan.agents as usize;
        // Supervisors do not call like others.
        let busy = if self.plan.supervise_us_mean > 0 { u64::from(centre::SUPERVISORS) } else { 0 };
        let n = (busy + self.dice.below(u64::from(self.plan.office) - busy)) as usize;
        let index = first + n;
        let phone = &self.phones[index];
        if !phone.alive || phone.live().next().is_some() || phone.registered_until_us < self.now_us {
            return self.trunk_caller(id);
        }
        let colleague = Plan::office_extension((n as u32 + 1) % self.plan.office);
        let dialled = match self.dice.below(8) {
            0 => "*43".to_string(),
            1 => "8001".to_string(),
            2 => "8000".to_string(),
            3 => "999".to_string(),
            4 => Plan::extension(self.dice.below(u64::from(self.plan.agents)) as u32),
            _ => colleague,
        };
        let number = phone.identity.user.clone();
        let (mut no, shown) = (CallNo(0), number.clone());
        self.with_phone(index, |phone, now_us, out| no = phone.dial(now_us, &dialled, &shown, false, out));
        self.begin(id, Way::Phone(index, no), number, &dialled);
        self.impatience(id);
        if dialled == "*43" {
            let listen_us = self.dice.exponential(8_000_000);
            self.plan_event(listen_us, Event::Caller(id, Step::Goodbye));
        }
    }

    fn line_caller(&mut self, id: CallerId, port: PortId) {
        if let Some(line) = self.lines.get_mut(&port) {
            line.caller = Some(id);
            line.ringing = true;
        }
        self.begin(id, Way::Line(port), String::new(), "4001000");
        self.plan_event(300_000, Event::Line(port, LineEvent::RingBegan));
        self.impatience(id);
    }

    fn impatience(&mut self, id: CallerId) {
        let Some(caller) = self.callers.get(&id) else { return };
        let mut patience_us = caller.patience_us;
        let inside = caller.number.len() == 4;
        if self.dice.permille(if inside { 200 } else { self.plan.odd_permille }) {
            patience_us = self.dice.below(2_500_000);
        }
        self.plan_event(patience_us, Event::Caller(id, Step::GiveUp));
    }

    /// A new number, or that of somebody who called before and is not calling now.
    fn somebodys_number(&mut self, id: CallerId) -> String {
        if self.plan.people > 0 && self.dice.permille(900) {
            let number = centre::person(self.dice.below(self.plan.people));
            let last = self.by_number.get(&number).and_then(|id| self.callers.get(id));
            if last.is_none_or(|c| c.ended_us.is_some_and(|at| at + 90_000_000 < self.now_us)) {
                return number;
            }
        }
        format!("138{:08}", id.0)
    }

    /// The caller who shows this number on the trunk.
    pub(super) fn caller_of_number(&self, number: &str) -> Option<CallerId> {
        self.by_number.get(number).copied()
    }

    /// The world's caller of a call that begins.
    pub(super) fn caller_behind(&self, row: &pbx::event::LegEvent) -> Option<CallerId> {
        let pbx::event::Detail::CallBegan { origin, called, caller } = &row.detail else { return None };
        if origin.starts_with("trunk") {
            return self.caller_of_number(caller);
        }
        if let Some(extension) = origin.strip_prefix("extension ") {
            let theirs = |c: &Caller| c.number == extension && c.dialled == *called;
            return self.callers.iter().rev().take(500).find(|(_, c)| theirs(c)).map(|(id, _)| *id);
        }
        let (port, line) = self.lines.iter().find(|(p, _)| *origin == format!("line {}/{}", p.card, p.port))?;
        line.caller.or(self.caller_by_way.get(&Way::Line(*port)).copied())
    }

    /// The box answered this caller.
    pub(super) fn caller_answered(&mut self, id: CallerId) {
        let now_us = self.now_us;
        let Some(caller) = self.callers.get_mut(&id) else { return };
        if caller.answered_us.is_some() {
            return;
        }
        caller.answered_us = Some(now_us);
        let mut at_us = 0;
        for (pause_us, key) in caller.keys.clone() {
            at_us += pause_us;
            self.plan_event(at_us, Event::Caller(id, Step::Press(key)));
        }
    }

    /// The caller hears a person for the first time: decides who will hang up, and when.
    pub(super) fn caller_hears(&mut self, id: CallerId, other: SocketAddr) {
        let now_us = self.now_us;
        let Some(caller) = self.callers.get_mut(&id).filter(|c| c.heard_us.is_none()) else { return };
        caller.heard_us = Some(now_us);
        self.stats.heard += 1;
        let talk_us = 300_000 + self.dice.exponential(self.plan.talk_us_mean);
        let (caller_ends, both) = (self.dice.permille(500), self.dice.permille(60));
        if caller_ends || both {
            self.plan_event(talk_us, Event::Caller(id, Step::Goodbye));
        }
        if !caller_ends || both {
            self.plan_event(talk_us, Event::HangUp(other));
        }
        if self.dice.permille(30) {
            let at_us = self.dice.below(talk_us);
            self.plan_event(at_us, Event::Hold(other, true));
            self.plan_event((at_us + 2_000_000).min(talk_us), Event::Hold(other, false));
        }
    }

    /// A caller acts.
    pub(super) fn caller_step(&mut self, id: CallerId, step: Step) {
        let Some(caller) = self.callers.get(&id).filter(|c| c.ended_us.is_none()) else { return };
        let way = caller.way;
        match step {
            Step::Press(key) => self.press(way, key),
            Step::GiveUp if caller.heard_us.is_some() => {}
            Step::GiveUp | Step::Goodbye => self.caller_leaves(id),
        }
    }

    fn press(&mut self, way: Way, key: char) {
        if let (Way::Phone(index, no), true) = (way, self.dice.permille(200)) {
            return self.with_phone(index, |phone, now_us, out| phone.press(now_us, no, key, out));
        }
        let (leg, source) = match way {
            Way::Line(port) => (self.media.leg_on(port), DigitSource::Inband),
            Way::Phone(index, no) => {
                let rtp = self.phones[index].call(no).map(|c| c.rtp);
                (rtp.and_then(|rtp| self.media.leg_at(rtp)), DigitSource::Rfc4733)
            }
        };
        if let (Some(leg), Some(digit)) = (leg, Digit::from_char(key)) {
            self.feed(pbx::door::Input::Media(Report::Digit { leg, digit, source }));
        }
    }

    /// The caller hangs up.
    pub(super) fn caller_leaves(&mut self, id: CallerId) {
        let now_us = self.now_us;
        let Some(caller) = self.callers.get_mut(&id).filter(|c| c.ended_us.is_none()) else { return };
        caller.ended_us = Some(now_us);
        let way = caller.way;
        self.note(|| format!("{id:?} hangs up"));
        match way {
            Way::Phone(index, no) => self.with_phone(index, |phone, now_us, out| phone.hang_up(now_us, no, out)),
            Way::Line(port) => self.line_caller_leaves(port),
        }
    }

    fn line_caller_leaves(&mut self, port: PortId) {
        let now_us = self.now_us;
        self.caller_by_way.remove(&Way::Line(port));
        let Some(line) = self.lines.get_mut(&port) else { return };
        line.caller = None;
        line.rests_until_us = now_us + 12_000_000;
        if line.off_hook {
            self.plan_event(20_000_000, Event::LockOut(port));
            self.plan_event(200_000, Event::Line(port, LineEvent::BatteryLost));
            self.plan_event(1_000_000, Event::Line(port, LineEvent::BatteryBack));
        } else if std::mem::replace(&mut line.ringing, false) {
            self.plan_event(5_000_000, Event::Line(port, LineEvent::RingEnded));
        }
    }

    /// The caller notices that the box hung up.
    pub(super) fn caller_left_by_box(&mut self, id: CallerId) {
        let now_us = self.now_us;
        if let Some(caller) = self.callers.get_mut(&id) {
            caller.ended_us.get_or_insert(now_us);
        }
    }

    /// News of a phone that may be a caller's. True when it was.
    pub(super) fn caller_news(&mut self, index: usize, news: &News) -> bool {
        let (no, over) = match news {
            News::Answered(no) => (*no, false),
            News::Refused(no, _) | News::Ended(no) => (*no, true),
            News::Registered
            | News::NotRegistered(_)
            | News::Offered(_)
            | News::Progress(..)
            | News::Confirmed(_)
            | News::Cancelled(_)
            | News::Missed(_)
            | News::Protest(_) => return false,
        };
        let Some(id) = self.caller_by_way.get(&Way::Phone(index, no)).copied() else { return false };
        if over {
            self.caller_by_way.remove(&Way::Phone(index, no));
            self.caller_left_by_box(id);
        } else {
            self.caller_answered(id);
        }
        true
    }
}

/// Which keys a caller presses: mostly one that leads somewhere.
fn keys(dice: &mut Dice, odd_permille: u64) -> Vec<(u64, char)> {
    let mut keys = Vec::new();
    if dice.permille(odd_permille * 2) {
        return keys;
    }
    if dice.permille(odd_permille * 2) {
        keys.push((dice.between(500_000, 9_000_000), '7'));
    }
    let key = if dice.permille(700) { '2' } else { '1' };
    keys.push((dice.between(200_000, 8_000_000), key));
    keys
}

/// Keys of a caller of the call centre: through the menu, and sometimes out of a queue.
fn centre_keys(dice: &mut Dice, dialled: &str) -> Vec<(u64, char)> {
    let mut keys = Vec::new();
    if dialled == centre::MENU_DID && !dice.permille(50) {
        let key = char::from_digit(dice.between(1, 9) as u32, 10).unwrap_or('1');
        keys.push((dice.between(200_000, 8_000_000), key));
    }
    if dice.permille(60) {
        keys.push((dice.between(2_000_000, 60_000_000), ['0', '9', '3'][dice.below(3) as usize]));
    }
    keys
}

/// Whether this address is the trunk's.
pub fn is_carrier(addr: SocketAddr) -> bool {
    addr.ip() == CARRIER.ip()
}
