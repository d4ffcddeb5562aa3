//! Calls to the box itself, worked by keys: who dials a code and is asked for digits, and who monitors and presses keys.

use super::agent;
use super::phone::CallNo;
use super::world::{Event, World};
use base::media::{Digit, DigitSource, Report};
use pbx::door::Input;

/// What is pressed in a call to the box once it is answered.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Pause before each key, and the key.
    pub keys: Vec<(u64, char)>,
    /// Stays so long after the last.
    pub stay_us: u64,
    /// A PIN is among the keys.
    pub pin: Option<String>,
    /// Supervisor who acts.
    pub supervisor: Option<String>,
}

impl Script {
    /// Types digits one after the other.
    pub fn type_in(mut self, digits: &str, pause_us: u64) -> Script {
        self.keys.extend(digits.chars().enumerate().map(|(n, key)| (if n == 0 { pause_us } else { 150_000 }, key)));
        self
    }
}

impl World {
    /// Dials a code that a script belongs to. False when the phone is not free.
    pub(super) fn dial_script(&mut self, index: usize, code: &str, script: Script) -> bool {
        let phone = &self.phones[index];
        let free = phone.alive && phone.live().next().is_none() && phone.registered_until_us > self.now_us;
        if self.healing || !free {
            return false;
        }
        let own = phone.identity.user.clone();
        let mut dialled = None;
        self.with_phone(index, |phone, now_us, out| dialled = Some(phone.dial(now_us, code, &own, false, out)));
        if let Some(no) = dialled {
            self.scripts.insert((index, no), script);
        }
        true
    }

    /// The box answered a call of this phone. True when a script goes on from here.
    pub(super) fn script_begins(&mut self, index: usize, no: CallNo) -> bool {
        let Some(script) = self.scripts.get(&(index, no)).cloned() else { return false };
        let mut at_us = 0;
        for (pause_us, key) in script.keys {
            at_us += pause_us;
            self.plan_event(at_us, Event::Desk(index, agent::Step::Key(no, key)));
        }
        self.plan_event(at_us + script.stay_us, Event::Desk(index, agent::Step::HangUp(no)));
        true
    }

    /// A call of a script is over.
    pub(super) fn script_ends(&mut self, index: usize, no: CallNo) {
        self.scripts.remove(&(index, no));
    }

    /// Presses a key of a script; whoever is not heard hangs up rather than type a PIN into the air.
    pub(super) fn script_key(&mut self, index: usize, no: CallNo, key: char) {
        let Some(script) = self.scripts.get(&(index, no)) else { return };
        if let Some(pin) = script.pin.clone() {
            self.check.secret_typed(self.now_us, &pin);
        }
        if !self.press_at(index, no, key) {
            self.script_ends(index, no);
            self.with_phone(index, |phone, now_us, out| phone.hang_up(now_us, no, out));
        }
    }

    /// Presses a key on a phone, as the media engine hears it. False when it does not.
    pub(super) fn press_at(&mut self, index: usize, no: CallNo, key: char) -> bool {
        let leg = self.phones[index].call(no).and_then(|c| self.media.leg_at(c.rtp)).filter(|_| self.away.is_none());
        let (Some(leg), Some(digit)) = (leg, Digit::from_char(key)) else { return false };
        self.feed(Input::Media(Report::Digit { leg, digit, source: DigitSource::Rfc4733 }));
        true
    }
}
