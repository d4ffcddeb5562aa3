//! The first set-up of a box that nobody has set up: language, network, the administrator's password, clock and country,
//! in the fewest keys: every step has an answer that OK takes. Nothing is changed before the last one.

use base::panel::Key;
use pbx::config::{COUNTRIES, Language};
use pbx::text::panel as key;

use super::form::{Password, PasswordForm, Step};
use super::job::{ADMIN, Change, Job, line};
use super::network::NetworkForm;
use super::view::Scene;

/// Local times are so far apart.
const OFFSET_STEP_MIN: i32 = 15;
/// Farthest west.
const OFFSET_MIN: i32 = -12 * 60;
/// Farthest east.
const OFFSET_MAX: i32 = 14 * 60;

/// The languages, in order.
pub const LANGUAGES: [Language; 2] = [Language::Zh, Language::En];

/// Where the address comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A server.
    Dhcp,
    /// A person who knows it.
    Fixed,
    /// The machine as it is.
    Kept,
}

/// The sources, in order.
pub const SOURCES: [Source; 3] = [Source::Dhcp, Source::Fixed, Source::Kept];

/// Where the set-up stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Which language.
    Language,
    /// Where the address comes from.
    Source,
    /// The fixed address.
    Fixed,
    /// The administrator's password.
    Password,
    /// Country and local time; the row at hand.
    Place(usize),
}

/// The screens, and what was answered so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    stage: Stage,
    language: usize,
    source: usize,
    fixed: NetworkForm,
    password: PasswordForm,
    country: usize,
    offset_min: i32,
}

impl Setup {
    /// With the answers that most will take.
    pub fn new(scene: &Scene, language: Language) -> Option<Setup> {
        let view = scene.view()?;
        let at = |country: &str| COUNTRIES.iter().position(|known| *known == country).unwrap_or(0);
        Some(Setup {
            stage: Stage::Language,
            language: LANGUAGES.iter().position(|known| *known == language).unwrap_or(0),
            source: 0,
            fixed: NetworkForm::first(scene)?,
            password: PasswordForm::new(scene.facts.dice?),
            country: at(&view.country),
            offset_min: view.utc_offset_min,
        })
    }

    /// Where it stands.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The language chosen so far: everything is said in it at once.
    pub fn language(&self) -> Language {
        LANGUAGES.get(self.language).copied().unwrap_or(Language::Zh)
    }

    /// The row at hand of a list.
    pub fn row(&self) -> usize {
        match self.stage {
            Stage::Language => self.language,
            Stage::Source => self.source,
            Stage::Fixed => self.fixed.row(),
            Stage::Password => 0,
            Stage::Place(row) => row,
        }
    }

    /// The part about a fixed address.
    pub fn fixed(&self) -> &NetworkForm {
        &self.fixed
    }

    /// The part about the password.
    pub fn password(&self) -> &PasswordForm {
        &self.password
    }

    /// The country, as its code.
    pub fn country(&self) -> &'static str {
        COUNTRIES.get(self.country).copied().unwrap_or_default()
    }

    /// Local time, `+08:00`.
    pub fn offset(&self) -> String {
        let (sign, minutes) = (if self.offset_min < 0 { '-' } else { '+' }, self.offset_min.abs());
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// One key.
    pub fn press(&mut self, key: Key) -> Step {
        match &mut self.stage {
            Stage::Language => match key {
                Key::Up | Key::Down => moved(&mut self.language, key, LANGUAGES.len()),
                Key::Ok | Key::Right => self.stage = Stage::Source,
                Key::Left | Key::Back => return Step::Back,
            },
            Stage::Source => match key {
                Key::Up | Key::Down => moved(&mut self.source, key, SOURCES.len()),
                Key::Ok | Key::Right if self.source() == Source::Fixed => self.stage = Stage::Fixed,
                Key::Ok | Key::Right => self.stage = Stage::Password,
                Key::Left | Key::Back => self.stage = Stage::Language,
            },
            Stage::Fixed => match self.fixed.press(key) {
                Step::Stay => {}
                Step::Back if key == Key::Ok => self.stage = Stage::Password,
                Step::Back => self.stage = Stage::Source,
                // What it would change is part of what the end changes.
                Step::Do(_) => self.stage = Stage::Password,
            },
            Stage::Password => match self.password.press(key) {
                Password::Open => {}
                Password::Back if self.source() == Source::Fixed => self.stage = Stage::Fixed,
                Password::Back => self.stage = Stage::Source,
                Password::Chosen(_) => self.stage = Stage::Place(0),
            },
            Stage::Place(row) => match key {
                Key::Up | Key::Down => moved(row, key, 2),
                Key::Left | Key::Right => self.turn(key == Key::Right),
                Key::Ok => return Step::Do(self.job()),
                Key::Back => self.stage = Stage::Password,
            },
        }
        Step::Stay
    }

    fn source(&self) -> Source {
        SOURCES.get(self.source).copied().unwrap_or(Source::Kept)
    }

    /// Another country or local time.
    fn turn(&mut self, on: bool) {
        if self.stage == Stage::Place(0) {
            let by = if on { 1 } else { COUNTRIES.len() - 1 };
            self.country = (self.country + by) % COUNTRIES.len();
        } else {
            let by = if on { OFFSET_STEP_MIN } else { -OFFSET_STEP_MIN };
            self.offset_min = (self.offset_min + by).clamp(OFFSET_MIN, OFFSET_MAX);
        }
    }

    /// All of it, as one change that stays: the person stands in front of the box.
    fn job(&self) -> Job {
        let mut lines = vec![
            line(&format!("set system language {}", self.language().tag())),
            line(&format!("set system utc-offset {}", self.offset())),
            line(&format!("set chassis country {}", self.country())),
            line(&format!("set user {ADMIN} role admin")),
        ];
        match self.source() {
            Source::Dhcp => lines.extend(self.fixed.served_lines()),
            Source::Fixed => lines.extend(self.fixed.lines()),
            Source::Kept => {}
        }
        let password = Some(self.password.text());
        Job::Change(Change { about: key::SETUP, lines, password, confirm_within_min: None, recovers: false })
    }
}

fn moved(row: &mut usize, key: Key, count: usize) {
    let next = if key == Key::Up { row.saturating_sub(1) } else { *row + 1 };
    *row = next.min(count.saturating_sub(1));
}
