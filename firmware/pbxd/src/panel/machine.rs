//! The panel's state machine: which screen is up, what a key does, what shines and sounds. Pure: it is told the time, a
//! key or nothing, and the scene; it asks for acts and never does them. From every screen Back leads one step up, holding
//! Back to the idle screen, and so does a minute without a key.

use base::panel::{Key, KeyEvent};
use base::time::Instant;
use drivers::ssd1322::Light;
use pbx::config::Language;
use pbx::door::Act;
use pbx::text::{Key as Words, panel as key};
use std::time::Duration;

use super::content;
use super::form::{Password, PasswordForm, Step};
use super::job::{Job, Told};
use super::menu::{Entry, Menu, Page};
use super::network::NetworkForm;
use super::reset::{self, Agreed, Reset, ResetForm};
use super::setup::Setup;
use super::switches::{Switch, SwitchForm};
use super::view::Scene;

/// Rows below a heading.
pub const ROWS: usize = 3;
/// Without a key for so long: the idle screen, dimmed.
const IDLE_AFTER: Duration = Duration::from_secs(60);
/// The same on a code that somebody tries to scan, and where somebody types or writes down.
const PATIENT_AFTER: Duration = Duration::from_secs(180);
/// What is told to the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A finger.
    Key(KeyEvent),
    /// Time passes, or the scene is another.
    Tick,
    /// What came of a job.
    Told(Told),
}

/// What the machine asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// An act in the core.
    Operate(Act),
    /// To be remembered over a restart.
    Keep(Settings),
    /// Something that takes time; what comes of it is said in this language.
    Work(Job, Language),
}

/// What belongs to the panel itself and outlives the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Chosen at the panel; none is the site's.
    pub language: Option<Language>,
    /// The buzzer may sound.
    pub buzzer: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { language: None, buzzer: true }
    }
}

/// Which screen is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Screen {
    /// Figures of the day.
    Idle,
    /// Entries; `row` is chosen.
    Menu {
        /// Which.
        menu: Menu,
        /// From 0.
        row: usize,
    },
    /// Rows to read.
    Page {
        /// Which.
        page: Page,
        /// The uppermost.
        first: usize,
    },
    /// Alarms that are up; `row` is chosen.
    Alarms {
        /// From 0, the newest.
        row: usize,
    },
    /// One alarm with cause and remedy.
    Alarm {
        /// Which.
        alarm: AlarmId,
        /// The uppermost line.
        first: usize,
    },
    /// The code with diagnostics.
    Code {
        /// Of this alarm; none is of the whole box.
        alarm: Option<AlarmId>,
    },
    /// Day, night or the surge profile.
    Switch(SwitchForm),
    /// The network.
    Network(NetworkForm),
    /// What cannot be taken back.
    Reset(ResetForm),
    /// A new password of the administrator.
    Password(PasswordForm),
    /// The first set-up.
    Setup(Box<Setup>),
    /// A job is being done.
    Busy {
        /// Its name.
        about: Words,
        /// Where it was asked for.
        back: Box<Screen>,
    },
    /// The change in force goes back unless OK is pressed.
    Trial,
    /// What came of something, in words.
    Told {
        /// Heading.
        title: Words,
        /// The words.
        words: String,
        /// The uppermost line.
        first: usize,
        /// What comes next.
        then: Box<Screen>,
    },
    /// The lamp test.
    Lamps {
        /// It began then.
        since: Instant,
    },
}

/// Name and subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlarmId {
    /// Stable name.
    pub name: String,
    /// What it concerns.
    pub subject: String,
}

/// The panel.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) screen: Screen,
    pub(super) settings: Settings,
    pub(super) touched: Instant,
    /// Woken by the key that is down: it does nothing else.
    woken: bool,
    /// OK went down then, on the screen that is up.
    ok_since: Option<Instant>,
}

impl Machine {
    /// The idle screen.
    pub fn new(now: Instant, settings: Settings) -> Machine {
        Machine { screen: Screen::Idle, settings, touched: now, woken: false, ok_since: None }
    }

    /// The screen that is up.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The panel's own settings.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Since when OK is held for what the screen asks it to be held for.
    pub fn held_since(&self) -> Option<Instant> {
        self.ok_since
    }

    /// The language of the panel: while the box is set up, the one that was chosen there.
    pub fn language(&self, scene: &Scene) -> Language {
        match &self.screen {
            Screen::Setup(setup) => return setup.language(),
            Screen::Busy { back: under, .. } | Screen::Told { then: under, .. } => {
                if let Screen::Setup(setup) = &**under {
                    return setup.language();
                }
            }
            _ => {}
        }
        self.settings.language.unwrap_or_else(|| scene.view().map_or(Language::default(), |view| view.language))
    }

    /// Takes a key or a moment; what is to be done.
    pub fn step(&mut self, now: Instant, event: Event, scene: &Scene) -> Vec<Request> {
        let mut requests = Vec::new();
        match event {
            Event::Tick => self.idle_in_time(now),
            Event::Key(key) => self.key(now, key, scene, &mut requests),
            Event::Told(told) => self.told(now, told, scene, &mut requests),
        }
        self.settle(scene);
        requests
    }

    fn key(&mut self, now: Instant, event: KeyEvent, scene: &Scene, requests: &mut Vec<Request>) {
        let dark = self.light(now, scene) == Light::Off;
        self.idle_in_time(now);
        self.touched = now;
        match event {
            KeyEvent::Pressed(_) if dark => self.woken = true,
            KeyEvent::Pressed(key) => {
                self.woken = false;
                // A hold begins on the screen that it is for.
                let holds = key == Key::Ok && self.takes_hold(scene);
                self.pressed(now, key, scene, requests);
                self.ok_since = Some(now).filter(|_| holds && self.takes_hold(scene));
            }
            KeyEvent::Repeated(_) | KeyEvent::Held(_) if self.woken => {}
            KeyEvent::Repeated(key @ (Key::Up | Key::Down)) => self.repeated(key, scene),
            KeyEvent::Repeated(Key::Left | Key::Right | Key::Ok | Key::Back) => {}
            KeyEvent::Held(Key::Back) => self.screen = Screen::Idle,
            KeyEvent::Held(Key::Ok) => self.held_ok(scene, requests),
            KeyEvent::Held(Key::Up | Key::Down | Key::Left | Key::Right) => {}
            KeyEvent::Released(Key::Ok) => self.ok_since = None,
            KeyEvent::Released(_) => {}
        }
    }

    /// Holding OK does something here.
    fn takes_hold(&self, scene: &Scene) -> bool {
        match &self.screen {
            Screen::Switch(_) => scene.view().is_some(),
            Screen::Reset(form) => form.is_typed(),
            _ => false,
        }
    }

    /// Nobody touched it for long: back to the idle screen.
    fn idle_in_time(&mut self, now: Instant) {
        if now.since(self.touched) >= self.patience() {
            self.screen = Screen::Idle;
        }
    }

    /// How long a screen waits for a key.
    pub(super) fn patience(&self) -> Duration {
        match self.screen {
            Screen::Idle | Screen::Menu { .. } | Screen::Page { .. } | Screen::Alarms { .. } => IDLE_AFTER,
            Screen::Alarm { .. } | Screen::Switch(_) | Screen::Lamps { .. } => IDLE_AFTER,
            Screen::Code { .. } | Screen::Network(_) | Screen::Reset(_) | Screen::Password(_) => PATIENT_AFTER,
            Screen::Setup(_) | Screen::Busy { .. } | Screen::Trial | Screen::Told { .. } => PATIENT_AFTER,
        }
    }

    fn pressed(&mut self, now: Instant, key: Key, scene: &Scene, requests: &mut Vec<Request>) {
        if let Some(step) = self.in_form(key, scene) {
            return self.stepped(step, scene, requests);
        }
        if matches!(self.screen, Screen::Lamps { .. }) {
            return self.back(scene);
        }
        match key {
            Key::Up | Key::Down => self.moved(key, scene),
            // The idle screen of a box that nobody has set up asks for it; the menu is beside it.
            Key::Ok if matches!(self.screen, Screen::Idle) && scene.is_unset() => self.set_up(scene),
            Key::Back | Key::Left => self.back(scene),
            Key::Ok => self.entered(now, scene, requests),
            Key::Right => match &self.screen {
                Screen::Alarm { alarm, .. } => self.screen = Screen::Code { alarm: Some(alarm.clone()) },
                // Right goes deeper and never changes anything.
                Screen::Menu { menu, row } => {
                    let entry = menu.entries(scene).get(*row).copied();
                    let deeper = |entry: &Entry| !matches!(entry, Entry::Buzzer | Entry::Language(_));
                    if entry.as_ref().is_some_and(deeper) {
                        self.entered(now, scene, requests);
                    }
                }
                Screen::Idle | Screen::Alarms { .. } => self.entered(now, scene, requests),
                _ => {}
            },
        }
    }

    /// A key on a form; none when no form is up.
    fn in_form(&mut self, key: Key, scene: &Scene) -> Option<Step> {
        match &mut self.screen {
            Screen::Switch(form) => Some(form.press(key, scene)),
            Screen::Network(form) => Some(form.press(key)),
            Screen::Reset(form) => Some(form.press(key)),
            Screen::Setup(form) => Some(form.press(key)),
            Screen::Password(form) => Some(match form.press(key) {
                Password::Open => Step::Stay,
                Password::Back => Step::Back,
                Password::Chosen(password) => Step::Do(reset::new_password(password)),
            }),
            _ => None,
        }
    }

    fn stepped(&mut self, step: Step, scene: &Scene, requests: &mut Vec<Request>) {
        match step {
            Step::Stay => {}
            Step::Back => self.back(scene),
            Step::Do(job) => self.work(job, scene, requests),
        }
    }

    /// Something that takes time is asked for.
    fn work(&mut self, job: Job, scene: &Scene, requests: &mut Vec<Request>) {
        let language = self.language(scene);
        let back = Box::new(std::mem::replace(&mut self.screen, Screen::Idle));
        self.screen = Screen::Busy { about: job.about(), back };
        requests.push(Request::Work(job, language));
    }

    /// A job has ended. Whoever went away meanwhile is not called back.
    fn told(&mut self, now: Instant, told: Told, scene: &Scene, requests: &mut Vec<Request>) {
        let language = self.language(scene);
        let Screen::Busy { about, back } = &mut self.screen else { return };
        let (about, back) = (*about, std::mem::replace(&mut **back, Screen::Idle));
        let set_up = matches!(back, Screen::Setup(_));
        self.touched = now;
        let say =
            |title, words: &str, then| Screen::Told { title, words: words.into(), first: 0, then: Box::new(then) };
        self.screen = match told {
            Told::InForce { reverts: true } => Screen::Trial,
            Told::InForce { reverts: false } => {
                let words = if set_up { key::SETUP_DONE } else { key::IN_FORCE };
                say(key::DONE, words.raw(language), Screen::Idle)
            }
            Told::Confirmed => say(key::DONE, key::KEPT.raw(language), Screen::Idle),
            Told::Erasing => say(about, key::ERASING.raw(language), Screen::Idle),
            Told::Refused(words) => return self.screen = say(key::REFUSED, &words, back),
            Told::Probed(words) => say(about, &words, back),
        };
        if set_up && self.settings.language.is_some() {
            // The whole box speaks the language that was chosen.
            self.settings.language = None;
            requests.push(Request::Keep(self.settings));
        }
    }

    fn set_up(&mut self, scene: &Scene) {
        if let Some(setup) = Setup::new(scene, self.language(scene)) {
            self.screen = Screen::Setup(Box::new(setup));
        }
    }

    fn repeated(&mut self, key: Key, scene: &Scene) {
        // An arrow asks for nothing to be done.
        if self.in_form(key, scene).is_none() {
            self.moved(key, scene);
        }
    }

    fn moved(&mut self, key: Key, scene: &Scene) {
        let language = self.language(scene);
        let scrolled = |lines: usize| (lines + 1).saturating_sub(ROWS);
        let (place, count) = match &mut self.screen {
            Screen::Menu { menu, row } => (row, menu.entries(scene).len()),
            Screen::Alarms { row } => (row, scene.view().map_or(0, |view| view.alarms.len())),
            Screen::Page { page, first } => (first, scrolled(content::rows(*page, scene, language).len())),
            Screen::Alarm { alarm, first } => (first, scrolled(content::alarm_lines(scene, alarm, language).len())),
            Screen::Told { words, first, .. } => (first, scrolled(content::lines(words).len())),
            _ => return,
        };
        let next = if key == Key::Up { place.saturating_sub(1) } else { *place + 1 };
        *place = next.min(count.saturating_sub(1));
    }

    fn back(&mut self, scene: &Scene) {
        self.screen = match &mut self.screen {
            Screen::Idle | Screen::Setup(_) | Screen::Busy { .. } => Screen::Idle,
            Screen::Menu { menu, .. } => match menu.parent() {
                Some((parent, entry)) => at(parent, entry, scene),
                None => Screen::Idle,
            },
            Screen::Page { page, .. } => at(Menu::Status, Entry::Read(*page), scene),
            Screen::Alarms { .. } => at(Menu::Root, Entry::Alarms, scene),
            Screen::Alarm { alarm, .. } => Screen::Alarms { row: content::alarm_row(scene, alarm) },
            Screen::Code { alarm: Some(alarm) } => Screen::Alarm { alarm: alarm.clone(), first: 0 },
            Screen::Code { alarm: None } => at(Menu::Service, Entry::Diagnostics, scene),
            Screen::Switch(form) => at(Menu::Mode, Entry::Switch(form.switch), scene),
            Screen::Network(_) => at(Menu::Root, Entry::Network, scene),
            Screen::Reset(form) => at(Menu::Reset, Entry::Reset(form.reset), scene),
            Screen::Password(_) => at(Menu::Reset, Entry::Reset(Reset::Password), scene),
            Screen::Trial => at(Menu::Root, Entry::Keep, scene),
            Screen::Told { then, .. } => std::mem::replace(&mut **then, Screen::Idle),
            Screen::Lamps { .. } => at(Menu::Service, Entry::Lamps, scene),
        };
    }

    fn entered(&mut self, now: Instant, scene: &Scene, requests: &mut Vec<Request>) {
        match &mut self.screen {
            Screen::Idle => {
                let urgent = scene.view().is_some_and(|view| view.unseen().next().is_some());
                let entry = match () {
                    () if scene.trial().is_some() => Entry::Keep,
                    () if urgent => Entry::Alarms,
                    () => Entry::Open(Menu::Status),
                };
                self.screen = at(Menu::Root, entry, scene);
            }
            Screen::Menu { menu, row } => {
                if let Some(entry) = menu.entries(scene).get(*row) {
                    self.take(now, *entry, scene, requests);
                }
            }
            Screen::Alarms { row } => {
                if let Some(alarm) = scene.view().and_then(|view| view.alarms.get(*row)) {
                    let alarm = AlarmId { name: alarm.name.clone(), subject: alarm.subject.clone() };
                    self.screen = Screen::Alarm { alarm, first: 0 };
                }
            }
            Screen::Alarm { alarm, .. } => {
                let AlarmId { name, subject } = alarm.clone();
                let unseen = scene.view().and_then(|view| view.alarm(&name, &subject)).is_some_and(|a| !a.acknowledged);
                if unseen {
                    requests.push(Request::Operate(Act::Acknowledge { name, subject }));
                }
            }
            Screen::Trial => self.work(Job::Confirm, scene, requests),
            Screen::Told { .. } => self.back(scene),
            _ => {}
        }
    }

    fn take(&mut self, now: Instant, entry: Entry, scene: &Scene, requests: &mut Vec<Request>) {
        match entry {
            Entry::Open(menu) => self.screen = Screen::Menu { menu, row: 0 },
            Entry::Read(page) => self.screen = Screen::Page { page, first: 0 },
            Entry::Alarms => self.screen = Screen::Alarms { row: 0 },
            Entry::SetUp => self.set_up(scene),
            Entry::Keep => self.screen = Screen::Trial,
            Entry::Switch(switch) => self.screen = Screen::Switch(SwitchForm::new(switch)),
            Entry::Network => {
                if let Some(form) = NetworkForm::new(scene) {
                    self.screen = Screen::Network(form);
                }
            }
            Entry::Reset(reset) => {
                if let Some(form) = ResetForm::new(reset, scene) {
                    self.screen = Screen::Reset(form);
                }
            }
            Entry::Lamps => self.screen = Screen::Lamps { since: now },
            Entry::Diagnostics => self.screen = Screen::Code { alarm: None },
            Entry::Buzzer => {
                self.settings.buzzer = !self.settings.buzzer;
                requests.push(Request::Keep(self.settings));
            }
            Entry::Language(language) => {
                self.settings.language = Some(language);
                requests.push(Request::Keep(self.settings));
            }
        }
    }

    /// What must not happen by a touch happens by holding.
    fn held_ok(&mut self, scene: &Scene, requests: &mut Vec<Request>) {
        if self.ok_since.take().is_none() {
            return;
        }
        match &self.screen {
            Screen::Switch(form) => {
                let (switch, act) = (form.switch, form.act());
                self.screen = at(Menu::Mode, Entry::Switch(switch), scene);
                requests.push(Request::Operate(act));
            }
            Screen::Reset(form) => match form.held(scene) {
                Agreed::No => {}
                Agreed::Do(job) => self.work(job, scene, requests),
                Agreed::Choose(form) => self.screen = Screen::Password(form),
            },
            _ => {}
        }
    }

    /// What the screen speaks of may be gone, lists may have become shorter, and the panel may be locked meanwhile.
    fn settle(&mut self, scene: &Scene) {
        let language = self.language(scene);
        if self.is_shut(scene) {
            self.screen = Screen::Idle;
        }
        let gone = |alarm: &AlarmId| scene.view().and_then(|view| view.alarm(&alarm.name, &alarm.subject)).is_none();
        match &mut self.screen {
            Screen::Menu { menu, row } => *row = (*row).min(menu.entries(scene).len().saturating_sub(1)),
            Screen::Alarms { row } => {
                *row = (*row).min(scene.view().map_or(0, |view| view.alarms.len()).saturating_sub(1));
            }
            Screen::Page { page, first } => {
                *first = (*first).min(content::rows(*page, scene, language).len().saturating_sub(ROWS));
            }
            Screen::Alarm { alarm, .. } | Screen::Code { alarm: Some(alarm) } if gone(alarm) => {
                self.screen = Screen::Alarms { row: 0 };
            }
            Screen::Alarm { alarm, first } => {
                *first = (*first).min(content::alarm_lines(scene, alarm, language).len().saturating_sub(ROWS));
            }
            Screen::Switch(form) => form.settle(scene),
            Screen::Trial if scene.went_back() => {
                let words = key::WENT_BACK.raw(language).to_string();
                self.screen = Screen::Told { title: key::NETWORK, words, first: 0, then: Box::new(Screen::Idle) };
            }
            Screen::Told { words, first, .. } => {
                *first = (*first).min(content::lines(words).len().saturating_sub(ROWS));
            }
            _ => {}
        }
        if !self.takes_hold(scene) {
            self.ok_since = None;
        }
    }

    /// The screen is not for a panel that is locked, or the box is set up already.
    fn is_shut(&self, scene: &Scene) -> bool {
        match &self.screen {
            Screen::Idle | Screen::Alarms { .. } | Screen::Alarm { .. } | Screen::Page { .. } => false,
            Screen::Code { alarm: Some(_) } => false,
            Screen::Menu { menu, .. } => scene.is_locked() && !matches!(menu, Menu::Root | Menu::Status),
            Screen::Setup(_) => scene.view().is_some() && !scene.is_unset(),
            // What was begun is told to its end.
            Screen::Busy { .. } | Screen::Told { .. } => false,
            Screen::Code { alarm: None } | Screen::Switch(_) | Screen::Network(_) | Screen::Reset(_) => {
                scene.is_locked()
            }
            Screen::Password(_) | Screen::Trial | Screen::Lamps { .. } => scene.is_locked(),
        }
    }
}

/// A menu with this entry chosen.
fn at(menu: Menu, entry: Entry, scene: &Scene) -> Screen {
    let same = |other: &Entry| match (*other, entry) {
        // One row switches it on and off.
        (Entry::Switch(Switch::Surge(_)), Entry::Switch(Switch::Surge(_))) => true,
        (other, entry) => other == entry,
    };
    let row = menu.entries(scene).iter().position(same).unwrap_or(0);
    Screen::Menu { menu, row }
}
