//! What cannot be taken back: it happens by typing four digits that are shown, and then holding.

use base::panel::Key;
use pbx::text::{Key as Words, panel as key};

use super::digits::Digits;
use super::form::{PasswordForm, Step};
use super::job::{ADMIN, Change, Job, line};
use super::network;
use super::view::Scene;

/// What is reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reset {
    /// The administrator gets a new password.
    Password,
    /// The address comes from a server again.
    Network,
    /// Factory settings; recordings stay.
    Factory,
    /// Everything is erased.
    Erase,
}

impl Reset {
    /// All, the least first.
    pub const ALL: [Reset; 4] = [Reset::Password, Reset::Network, Reset::Factory, Reset::Erase];

    /// Its name.
    pub fn word(self) -> Words {
        match self {
            Reset::Password => key::RESET_PASSWORD,
            Reset::Network => key::RESET_NETWORK,
            Reset::Factory => key::RESET_FACTORY,
            Reset::Erase => key::RESET_ERASE,
        }
    }

    /// What it does.
    pub fn about(self) -> Words {
        match self {
            Reset::Password => key::RESET_PASSWORD_DOES,
            Reset::Network => key::RESET_NETWORK_DOES,
            Reset::Factory => key::RESET_FACTORY_DOES,
            Reset::Erase => key::RESET_ERASE_DOES,
        }
    }
}

/// The screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResetForm {
    /// What.
    pub reset: Reset,
    /// To be typed.
    code: [u16; 4],
    /// Typed so far.
    pub digits: Digits,
}

/// What holding leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Agreed {
    /// The code is not typed.
    No,
    /// This is to be done.
    Do(Job),
    /// A new password is chosen first.
    Choose(PasswordForm),
}

impl ResetForm {
    /// With digits of the dice, never those that are there from the beginning.
    pub fn new(reset: Reset, scene: &Scene) -> Option<ResetForm> {
        let dice = scene.facts.dice?;
        let number = (dice % 9_000) as u16 + 1_000;
        let code = [number / 1_000, number / 100 % 10, number / 10 % 10, number % 10];
        Some(ResetForm { reset, code, digits: Digits::code() })
    }

    /// The digits to type.
    pub fn code(&self) -> String {
        self.code.iter().map(u16::to_string).collect::<Vec<_>>().join(" ")
    }

    /// They are typed.
    pub fn is_typed(&self) -> bool {
        self.digits.values() == self.code
    }

    /// One key; OK goes to the next digit, and is held at the end.
    pub fn press(&mut self, key: Key) -> Step {
        match key {
            Key::Back => return Step::Back,
            Key::Left if !self.digits.press(Key::Left) => return Step::Back,
            Key::Ok if !self.is_typed() => drop(self.digits.press(Key::Right)),
            Key::Up | Key::Down | Key::Right => drop(self.digits.press(key)),
            Key::Left | Key::Ok => {}
        }
        Step::Stay
    }

    /// OK was held.
    pub fn held(&self, scene: &Scene) -> Agreed {
        if !self.is_typed() {
            return Agreed::No;
        }
        match self.reset {
            Reset::Password => scene.facts.dice.map_or(Agreed::No, |dice| Agreed::Choose(PasswordForm::new(dice))),
            Reset::Network => Agreed::Do(Job::Change(network::reset())),
            Reset::Factory => Agreed::Do(Job::Factory),
            Reset::Erase => Agreed::Do(Job::Erase),
        }
    }
}

/// The administrator gets this password; who was none becomes one.
pub fn new_password(password: String) -> Job {
    let lines = vec![line(&format!("set user {ADMIN} role admin"))];
    let password = Some(password);
    Job::Change(Change { about: key::RESET_PASSWORD, lines, password, confirm_within_min: None, recovers: true })
}
