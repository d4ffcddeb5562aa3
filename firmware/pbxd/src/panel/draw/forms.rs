//! The forms as pixels: switches, network, resets, the first set-up, and what came of them.

use base::time::Instant;
use drivers::keypad::HOLD;
use pbx::config::{Language, Method};
use pbx::switch::Mode;
use pbx::text::{Key, panel as key, text};

use super::super::canvas::{BRIGHT, DARK, DIM, FAINT, HEIGHT, ROW, WIDTH, width};
use super::super::content::{self, Row};
use super::super::digits::Digits;
use super::super::form::{PASSWORD_CHARS_MIN, PasswordForm};
use super::super::machine::{ROWS, Screen};
use super::super::network::{Field, NetworkForm, mask};
use super::super::reset::ResetForm;
use super::super::setup::{LANGUAGES, SOURCES, Setup, Source, Stage};
use super::super::switches::{Switch, SwitchForm};
use super::{Draw, RIGHT};

/// Characters of a password that fit into a row of the big font.
const PASSWORD_SHOWN: usize = 24;
/// Width of a character of the big font.
const BIG: i32 = 10;

/// The name of a language in itself.
pub fn language_name(language: Language) -> &'static str {
    match language {
        Language::Zh => "中文",
        Language::En => "English",
    }
}

fn mode_name(mode: Mode) -> Key {
    match mode {
        Mode::Auto => key::MODE_AUTO,
        Mode::Day => key::MODE_DAY,
        Mode::Night => key::MODE_NIGHT,
    }
}

impl Draw<'_> {
    /// A switch's row in the menu; with its return when it is on.
    pub(super) fn switch_words(&self, switch: Switch) -> String {
        let switches = self.scene.view().map(|view| view.switches).unwrap_or_default();
        let (name, until) = match switch {
            Switch::Mode(mode) => (mode_name(mode), switches.mode_until.filter(|_| switches.mode == mode)),
            Switch::Surge(false) => (key::SURGE_ON, switches.surge_until),
            Switch::Surge(true) => (key::SURGE_OFF, None),
        };
        let name = self.word(name);
        match until {
            None => name,
            Some(until) => {
                let time = content::until(self.scene, until.as_millis());
                text(key::UNTIL, self.language, &[("what", &name), ("time", &time)])
            }
        }
    }

    /// What stands behind it.
    pub(super) fn sign_of(&self, switch: Switch) -> String {
        let now = self.scene.view().map(|view| view.switches.mode);
        let on = matches!(switch, Switch::Mode(mode) if Some(mode) == now);
        if on { "√".to_string() } else { ">".to_string() }
    }

    /// How long the change on trial has left, `M:SS`.
    pub(super) fn left(&self) -> String {
        let due = self.scene.trial();
        due.map_or(String::new(), |due| content::minutes(due.since(self.scene.now.at)))
    }

    pub(super) fn switch(&mut self, form: &SwitchForm, now: Instant, held_since: Option<Instant>) {
        let (title, what) = match form.switch {
            Switch::Mode(Mode::Auto) => (key::MODE_AUTO, key::AUTO_WILL),
            Switch::Mode(Mode::Day) => (key::MODE_DAY, key::DAY_WILL),
            Switch::Mode(Mode::Night) => (key::MODE_NIGHT, key::NIGHT_WILL),
            Switch::Surge(true) => (key::SURGE_OFF, key::SURGE_WILL_START),
            Switch::Surge(false) => (key::SURGE_ON, key::SURGE_WILL_END),
        };
        self.heading(&self.word(title), &self.word(key::HOLD));
        self.canvas.text(3, ROW + 1, BRIGHT, what.raw(self.language));
        if form.switch.can_return() {
            let words = match form.until {
                None => self.word(key::RETURN_NEVER),
                Some(until) => {
                    let time = content::until(self.scene, until.as_millis());
                    text(key::RETURN_AT, self.language, &[("time", &time)])
                }
            };
            self.canvas.text(3, 2 * ROW + 2, BRIGHT, &words);
            self.canvas.text_before(WIDTH - 3, 2 * ROW + 2, DIM, key::TURN.raw(self.language));
        }
        self.hold_bar(now, held_since);
    }

    /// How much of a hold is done.
    fn hold_bar(&mut self, now: Instant, held_since: Option<Instant>) {
        let room = WIDTH - 6;
        self.canvas.frame_box(3, 3 * ROW + 4, room, 9, DIM);
        let held = held_since.map_or(0, |since| now.since(since).min(HOLD).as_millis() as i32);
        self.canvas.fill(4, 3 * ROW + 5, (room - 2) * held / HOLD.as_millis() as i32, 7, BRIGHT);
    }

    pub(super) fn network(&mut self, form: &NetworkForm) {
        let title = if form.is_first() { self.stage(key::NETWORK, 2) } else { self.word(key::NETWORK) };
        self.heading(&title, "");
        let rows: Vec<Row> = form.fields().iter().map(|field| self.field(form, *field)).collect();
        self.choice(&rows, form.row());
        if let Some(digits) = form.edited() {
            self.digits_row(&rows, form.row(), digits);
        }
    }

    fn field(&self, form: &NetworkForm, field: Field) -> Row {
        let draft = form.draft();
        let some = |address: std::net::Ipv4Addr| match address.is_unspecified() {
            true => "–".to_string(),
            false => address.to_string(),
        };
        let right = match field {
            Field::Method => self.word(method_name(draft.method)),
            Field::Address => draft.address.to_string(),
            Field::Length => format!("{} /{}", mask(draft.length), draft.length),
            Field::Gateway => some(draft.gateway),
            Field::Dns => some(draft.dns),
            Field::Vlan if draft.vlan == 0 => "–".to_string(),
            Field::Vlan => draft.vlan.to_string(),
            Field::Test | Field::Apply => ">".to_string(),
        };
        Row { left: self.word(field.word(form.is_first())), right }
    }

    /// The row at hand while its digits are turned: dark, with the digit at hand light.
    fn digits_row(&mut self, rows: &[Row], chosen: usize, digits: &Digits) {
        let first = chosen.saturating_sub(1).min(rows.len().saturating_sub(ROWS));
        let y = ROW * (chosen.saturating_sub(first) as i32 + 1);
        self.canvas.fill(0, y, RIGHT, ROW, DARK);
        let name = rows.get(chosen).map(|row| row.left.clone()).unwrap_or_default();
        self.canvas.text(3, y, BRIGHT, &name);
        let (shown, at) = digits.shown();
        self.canvas.frame_box(0, y, RIGHT, ROW, DIM);
        self.digits(RIGHT - 6 - width(&shown), y, &shown, at);
    }

    fn digits(&mut self, x: i32, y: i32, shown: &str, at: usize) {
        let mut x = x;
        for (place, char) in shown.chars().enumerate() {
            let char = char.to_string();
            if place == at {
                self.canvas.fill(x - 1, y, width(&char) + 1, ROW, BRIGHT);
            }
            let ink = if place == at { DARK } else { BRIGHT };
            x = self.canvas.bold(x, y, ink, &char);
        }
    }

    pub(super) fn reset(&mut self, form: &ResetForm, now: Instant, held_since: Option<Instant>) {
        let hint = if form.is_typed() { self.word(key::HOLD) } else { self.word(key::TURN) };
        self.heading(&self.word(form.reset.word()), &hint);
        self.canvas.text(3, ROW + 1, BRIGHT, form.reset.about().raw(self.language));
        let code = form.code();
        let x = self.canvas.text(3, 2 * ROW + 2, BRIGHT, &text(key::TYPE_CODE, self.language, &[("code", &code)]));
        let (shown, at) = form.digits.shown();
        // Typed digits have no digit at hand any more.
        let at = if form.is_typed() { usize::MAX } else { at };
        self.digits(x + 3 * BIG, 2 * ROW + 2, &shown, at);
        self.hold_bar(now, held_since);
    }

    pub(super) fn password(&mut self, title: &str, form: &PasswordForm) {
        self.heading(title, "");
        let words = form.text();
        if !form.is_own() {
            self.canvas.text(3, ROW + 1, DIM, key::PASSWORD_USER.raw(self.language));
            self.canvas.big(3, 2 * ROW - 2, BRIGHT, &words);
            self.canvas.text(3, HEIGHT - ROW, DIM, key::PASSWORD_TAKE.raw(self.language));
            return;
        }
        // The end is where one types.
        let length = words.chars().count();
        let shown: String = words.chars().skip(length.saturating_sub(PASSWORD_SHOWN)).collect();
        let (before, last) = shown.split_at(shown.len().saturating_sub(1));
        let x = self.canvas.big(3, ROW + 6, BRIGHT, before);
        self.canvas.fill(x - 1, ROW + 5, BIG + 2, 22, BRIGHT);
        self.canvas.big(x, ROW + 6, DARK, last);
        let hint = if length < PASSWORD_CHARS_MIN { key::PASSWORD_SHORT } else { key::PASSWORD_OWN };
        self.canvas.text(3, HEIGHT - ROW, DIM, hint.raw(self.language));
    }

    /// A heading that tells how far the set-up is.
    fn stage(&self, title: Key, step: u8) -> String {
        let title = self.word(title);
        text(key::STAGE, self.language, &[("title", &title), ("step", &step.to_string())])
    }

    pub(super) fn setup(&mut self, setup: &Setup) {
        let alone = |left: String| Row { left, right: String::new() };
        match setup.stage() {
            Stage::Language => {
                // Whoever reads only one of them reads it.
                self.heading("语言 Language  1/4", "");
                let rows = LANGUAGES.map(|language| alone(language_name(language).to_string()));
                self.choice(&rows, setup.row());
            }
            Stage::Source => {
                self.heading(&self.stage(key::NETWORK, 2), "");
                let rows = SOURCES.map(|source| alone(self.word(source_name(source))));
                self.choice(&rows, setup.row());
            }
            Stage::Fixed => self.network(setup.fixed()),
            Stage::Password => self.password(&self.stage(key::PASSWORD, 3), setup.password()),
            Stage::Place(_) => {
                self.heading(&self.stage(key::PLACE, 4), "");
                let country = Row { left: self.word(key::COUNTRY), right: format!("< {} >", setup.country()) };
                let offset = Row { left: self.word(key::OFFSET), right: format!("< UTC{} >", setup.offset()) };
                self.choice(&[country, offset], setup.row());
                self.canvas.text(3, HEIGHT - ROW, DIM, key::PLACE_KEYS.raw(self.language));
            }
        }
    }

    pub(super) fn busy(&mut self, about: Key, back: &Screen) {
        self.heading(&self.word(about), "");
        let probing = matches!(back, Screen::Network(_)) && about == key::NETWORK_TEST;
        self.say(2 * ROW, if probing { key::PROBING } else { key::CHECKING });
    }

    pub(super) fn trial(&mut self) {
        let left = self.left();
        self.heading(&self.word(key::TRIAL), "");
        let words = text(key::TRIAL_LEFT, self.language, &[("time", &left)]);
        self.canvas.text(3, ROW + 2, BRIGHT, &words);
        self.canvas.fill(0, HEIGHT - ROW, WIDTH, ROW, FAINT);
        self.canvas.text_around(WIDTH / 2, HEIGHT - ROW, BRIGHT, key::TRIAL_OK.raw(self.language));
    }

    pub(super) fn told(&mut self, title: Key, words: &str, first: usize) {
        self.heading(&self.word(title), "OK");
        let lines = content::lines(words);
        for (place, line) in lines.iter().skip(first).take(ROWS).enumerate() {
            self.canvas.text(3, ROW * (place as i32 + 1), BRIGHT, line);
        }
        self.canvas.scrollbar(ROW, HEIGHT - ROW, first, ROWS, lines.len());
    }
}

fn method_name(method: Method) -> Key {
    match method {
        Method::Dhcp => key::METHOD_DHCP,
        Method::Static => key::METHOD_STATIC,
        Method::Unmanaged => key::METHOD_KEPT,
    }
}

fn source_name(source: Source) -> Key {
    match source {
        Source::Dhcp => key::METHOD_DHCP,
        Source::Fixed => key::METHOD_STATIC,
        Source::Kept => key::METHOD_KEPT,
    }
}
