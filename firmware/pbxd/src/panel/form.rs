//! Small forms that several screens are made of: the password, and what a key makes of a form.

use base::panel::Key;

use super::job::Job;

/// What a key made of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// The form is another, or as it was.
    Stay,
    /// The person goes one step back.
    Back,
    /// This is to be done.
    Do(Job),
}

/// Characters of a generated password: none that is taken for another.
const CLEAR: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Of so many characters: 59 bits of the dice.
const PROPOSED_CHARS: usize = 12;
/// Shorter ones are not taken.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longer ones are not typed.
const PASSWORD_CHARS_MAX: usize = 32;
/// What can be picked, in order.
const PICKED: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.!@#$%*+=?";

/// A new password: the one that the box proposes, or one of the person's own.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordForm {
    proposed: String,
    /// Places in the characters to pick from; none while the proposed one is shown.
    own: Option<Vec<usize>>,
}

impl std::fmt::Debug for PasswordForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a password, {}", if self.own.is_some() { "typed" } else { "proposed" })
    }
}

/// What came of a key.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// Nothing yet.
    Open,
    /// One step back.
    Back,
    /// This one.
    Chosen(String),
}

impl PasswordForm {
    /// With a password made of what the operating system's dice showed.
    pub fn new(dice: u64) -> PasswordForm {
        let base = CLEAR.len() as u64;
        let digits = std::iter::successors(Some(dice), |rest| Some(rest / base)).take(PROPOSED_CHARS);
        let proposed = digits.filter_map(|rest| CLEAR.get((rest % base) as usize)).map(|byte| char::from(*byte));
        PasswordForm { proposed: proposed.collect(), own: None }
    }

    /// The password as it stands.
    pub fn text(&self) -> String {
        match &self.own {
            None => self.proposed.clone(),
            Some(places) => places.iter().filter_map(|at| PICKED.get(*at)).map(|byte| char::from(*byte)).collect(),
        }
    }

    /// The person types one.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// One key.
    pub fn press(&mut self, key: Key) -> Password {
        let text = self.text();
        match (&mut self.own, key) {
            (None, Key::Right) => self.own = Some(vec![0]),
            (None, Key::Up | Key::Down) => {}
            (None, Key::Left | Key::Back) => return Password::Back,
            (None, Key::Ok) => return Password::Chosen(text),
            (Some(_), Key::Back) => self.own = None,
            (Some(places), Key::Left) => {
                places.pop();
                if places.is_empty() {
                    self.own = None;
                }
            }
            (Some(places), Key::Right) if places.len() < PASSWORD_CHARS_MAX => {
                // The next character is often near the one before.
                places.push(places.last().copied().unwrap_or(0));
            }
            (Some(_), Key::Right) => {}
            (Some(places), Key::Up | Key::Down) => {
                let by = if key == Key::Up { 1 } else { PICKED.len() - 1 };
                places.iter_mut().next_back().into_iter().for_each(|at| *at = (*at + by) % PICKED.len());
            }
            (Some(places), Key::Ok) if places.len() >= PASSWORD_CHARS_MIN => return Password::Chosen(text),
            (Some(_), Key::Ok) => {}
        }
        Password::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposed_password_is_twelve_clear_characters_of_the_dice() {
        let texts: std::collections::BTreeSet<String> =
            (0..1_000_u64).map(|n| PasswordForm::new(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).text()).collect();
        assert_eq!(texts.len(), 1_000);
        assert!(texts.iter().all(|text| text.len() == 12 && text.bytes().all(|byte| CLEAR.contains(&byte))));
    }

    #[test]
    fn a_password_is_picked_character_by_character() {
        let mut form = PasswordForm::new(7);
        form.press(Key::Right);
        for (at, ups) in [1, 1, 0, 0, 30, 1, 1, 1].into_iter().enumerate() {
            if at > 0 {
                assert!(form.press(Key::Ok) == Password::Open, "too short");
                form.press(Key::Right);
            }
            (0..ups).for_each(|_| drop(form.press(Key::Up)));
        }
        assert_eq!(form.text(), "bcccGHIJ".replace('G', "6").replace("HIJ", "789"));
        form.press(Key::Left);
        assert!(form.press(Key::Ok) == Password::Open);
        form.press(Key::Right);
        assert!(form.press(Key::Ok) == Password::Chosen("bccc6788".into()));
        (0..8).for_each(|_| drop(form.press(Key::Left)));
        assert!(!form.is_own() && form.press(Key::Back) == Password::Back);
    }
}
