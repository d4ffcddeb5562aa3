//! The panel's state machine: which screen is up, what a key does, what shines and sounds. Pure: it is told the time, a
//! key or nothing, and the scene; it asks for acts and never does them. From every screen Back leads one step up, holding
//! Back to the idle screen, and so does a minute without a key.

use base::panel::{Key, KeyEvent, Signals};
use base::time::Instant;
use drivers::ssd1322::Light;
use pbx::config::Language;
use pbx::door::Act;
use std::time::Duration;

use super::content;
use super::menu::{Entry, Menu, Page};
use super::view::{Core, Scene};

/// Rows below a heading.
pub const ROWS: usize = 3;
/// Without a key for so long: the idle screen, dimmed.
const IDLE_AFTER: Duration = Duration::from_secs(60);
/// The same on a code that somebody tries to scan.
const CODE_AFTER: Duration = Duration::from_secs(180);
/// Without a key and an alarm for so long: dark.
const SLEEP_AFTER: Duration = Duration::from_secs(600);
/// Each part of the lamp test.
pub const LAMP_STEP: Duration = Duration::from_millis(800);
/// The buzzer repeats after this while service is lost…
const ALERT_PERIOD: Duration = Duration::from_secs(1);
/// …and after this for other alarms…
const NOTICE_PERIOD: Duration = Duration::from_secs(10);
/// …and sounds for so long.
const BEEP: Duration = Duration::from_millis(250);

/// What is told to the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A finger.
    Key(KeyEvent),
    /// Time passes, or the scene is another.
    Tick,
}

/// What the machine asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// An act in the core.
    Operate(Act),
    /// To be remembered over a restart.
    Keep(Settings),
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
    /// The surge switch.
    Surge {
        /// OK is down since.
        held_since: Option<Instant>,
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

/// The parts of the lamp test, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LampPart {
    /// Green lamp.
    Green,
    /// Amber lamp.
    Amber,
    /// Red lamp.
    Red,
    /// Buzzer.
    Buzzer,
    /// All pixels.
    Screen,
}

/// The panel.
#[derive(Clone, Debug)]
pub struct Machine {
    screen: Screen,
    settings: Settings,
    touched: Instant,
    /// Woken by the key that is down: it does nothing else.
    woken: bool,
}

impl Machine {
    /// The idle screen.
    pub fn new(now: Instant, settings: Settings) -> Machine {
        Machine { screen: Screen::Idle, settings, touched: now, woken: false }
    }

    /// The screen that is up.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The panel's own settings.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The language of the panel.
    pub fn language(&self, scene: &Scene) -> Language {
        self.settings.language.unwrap_or_else(|| scene.view().map_or(Language::default(), |view| view.language))
    }

    /// Takes a key or a moment; what is to be done.
    pub fn step(&mut self, now: Instant, event: Event, scene: &Scene) -> Vec<Request> {
        let mut requests = Vec::new();
        match event {
            Event::Tick => self.idle_in_time(now),
            Event::Key(key) => self.key(now, key, scene, &mut requests),
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
                self.pressed(now, key, scene, requests);
            }
            KeyEvent::Repeated(_) | KeyEvent::Held(_) if self.woken => {}
            KeyEvent::Repeated(key @ (Key::Up | Key::Down)) => self.moved(key, scene),
            KeyEvent::Repeated(Key::Left | Key::Right | Key::Ok | Key::Back) => {}
            KeyEvent::Held(Key::Back) => self.screen = Screen::Idle,
            KeyEvent::Held(Key::Ok) => self.held_ok(scene, requests),
            KeyEvent::Held(Key::Up | Key::Down | Key::Left | Key::Right) => {}
            KeyEvent::Released(Key::Ok) => {
                if let Screen::Surge { held_since } = &mut self.screen {
                    *held_since = None;
                }
            }
            KeyEvent::Released(_) => {}
        }
    }

    /// Nobody touched it for long: back to the idle screen.
    fn idle_in_time(&mut self, now: Instant) {
        let after = if matches!(self.screen, Screen::Code { .. }) { CODE_AFTER } else { IDLE_AFTER };
        if now.since(self.touched) >= after {
            self.screen = Screen::Idle;
        }
    }

    fn pressed(&mut self, now: Instant, key: Key, scene: &Scene, requests: &mut Vec<Request>) {
        if matches!(self.screen, Screen::Lamps { .. }) {
            self.screen = at(Menu::Service, Entry::Lamps, scene);
            return;
        }
        match key {
            Key::Up | Key::Down => self.moved(key, scene),
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
                Screen::Page { .. } | Screen::Code { .. } | Screen::Surge { .. } | Screen::Lamps { .. } => {}
            },
        }
    }

    fn moved(&mut self, key: Key, scene: &Scene) {
        let language = self.language(scene);
        let (place, count) = match &mut self.screen {
            Screen::Menu { menu, row } => (row, menu.entries(scene).len()),
            Screen::Alarms { row } => (row, scene.view().map_or(0, |view| view.alarms.len())),
            Screen::Page { page, first } => {
                let rows = content::rows(*page, scene, language).len();
                (first, (rows + 1).saturating_sub(ROWS))
            }
            Screen::Alarm { alarm, first } => {
                let lines = content::alarm_lines(scene, alarm, language).len();
                (first, (lines + 1).saturating_sub(ROWS))
            }
            Screen::Idle | Screen::Code { .. } | Screen::Surge { .. } | Screen::Lamps { .. } => return,
        };
        let next = if key == Key::Up { place.saturating_sub(1) } else { *place + 1 };
        *place = next.min(count.saturating_sub(1));
    }

    fn back(&mut self, scene: &Scene) {
        self.screen = match &self.screen {
            Screen::Idle => Screen::Idle,
            Screen::Menu { menu, .. } => match menu.parent() {
                Some((parent, entry)) => at(parent, entry, scene),
                None => Screen::Idle,
            },
            Screen::Page { page, .. } => at(Menu::Status, Entry::Read(*page), scene),
            Screen::Alarms { .. } => at(Menu::Root, Entry::Alarms, scene),
            Screen::Alarm { alarm, .. } => Screen::Alarms { row: content::alarm_row(scene, alarm) },
            Screen::Code { alarm: Some(alarm) } => Screen::Alarm { alarm: alarm.clone(), first: 0 },
            Screen::Code { alarm: None } => at(Menu::Service, Entry::Diagnostics, scene),
            Screen::Surge { .. } => at(Menu::Mode, Entry::Surge, scene),
            Screen::Lamps { .. } => at(Menu::Service, Entry::Lamps, scene),
        };
    }

    fn entered(&mut self, now: Instant, scene: &Scene, requests: &mut Vec<Request>) {
        match &mut self.screen {
            Screen::Idle => {
                let urgent = scene.view().is_some_and(|view| view.unseen().next().is_some());
                let entry = if urgent { Entry::Alarms } else { Entry::Open(Menu::Status) };
                self.screen = at(Menu::Root, entry, scene);
            }
            Screen::Menu { menu, row } => {
                if let Some(entry) = menu.entries(scene).get(*row) {
                    self.take(now, *entry, requests);
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
            Screen::Surge { held_since } => *held_since = Some(now),
            Screen::Page { .. } | Screen::Code { .. } | Screen::Lamps { .. } => {}
        }
    }

    fn take(&mut self, now: Instant, entry: Entry, requests: &mut Vec<Request>) {
        match entry {
            Entry::Open(menu) => self.screen = Screen::Menu { menu, row: 0 },
            Entry::Read(page) => self.screen = Screen::Page { page, first: 0 },
            Entry::Alarms => self.screen = Screen::Alarms { row: 0 },
            Entry::Surge => self.screen = Screen::Surge { held_since: None },
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
        let (Screen::Surge { held_since }, Some(view)) = (&mut self.screen, scene.view()) else { return };
        if held_since.take().is_some() {
            requests.push(Request::Operate(Act::Surge { on: !view.surge }));
        }
    }

    /// What the screen speaks of may be gone, and lists may have become shorter.
    fn settle(&mut self, scene: &Scene) {
        let language = self.language(scene);
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
            Screen::Idle | Screen::Code { .. } | Screen::Surge { .. } | Screen::Lamps { .. } => {}
        }
    }

    /// How light the display is. It never sleeps while an alarm is up or the core is silent.
    pub fn light(&self, now: Instant, scene: &Scene) -> Light {
        let quiet = now.since(self.touched);
        let (unseen, alarm) = match &scene.core {
            Core::Seen(view) => (view.unseen().next().is_some(), !view.alarms.is_empty()),
            Core::Silent => (true, true),
            Core::Starting => (false, false),
        };
        let after = if matches!(self.screen, Screen::Code { .. }) { CODE_AFTER } else { IDLE_AFTER };
        if unseen || quiet < after {
            Light::Normal
        } else if alarm || quiet < SLEEP_AFTER {
            Light::Dim
        } else {
            Light::Off
        }
    }

    /// Lamps and buzzer.
    pub fn signals(&self, now: Instant, scene: &Scene) -> Signals {
        if let Some(part) = self.lamp_part(now) {
            return Signals {
                green: part == LampPart::Green,
                amber: part == LampPart::Amber,
                red: part == LampPart::Red,
                buzzer: part == LampPart::Buzzer,
            };
        }
        let view = match &scene.core {
            Core::Seen(view) => view,
            Core::Silent => return Signals { red: true, ..Signals::default() },
            Core::Starting => return Signals::default(),
        };
        let red = view.service_is_lost();
        let period = if red { ALERT_PERIOD } else { NOTICE_PERIOD };
        let newest = view.unseen().filter(|alarm| alarm.buzzer).map(|alarm| alarm.since.at).max();
        let beeps = |since: Instant| now.since(since).as_micros() % period.as_micros() < BEEP.as_micros();
        Signals {
            green: !red,
            amber: !red && !view.alarms.is_empty(),
            red,
            buzzer: self.settings.buzzer && newest.is_some_and(beeps),
        }
    }

    /// What the lamp test shows now; none when it does not run.
    pub fn lamp_part(&self, now: Instant) -> Option<LampPart> {
        let Screen::Lamps { since } = self.screen else { return None };
        let parts = [LampPart::Green, LampPart::Amber, LampPart::Red, LampPart::Buzzer, LampPart::Screen];
        let step = now.since(since).as_micros() / LAMP_STEP.as_micros();
        parts.get(step as usize % parts.len()).copied()
    }
}

/// A menu with this entry chosen.
fn at(menu: Menu, entry: Entry, scene: &Scene) -> Screen {
    let row = menu.entries(scene).iter().position(|other| *other == entry).unwrap_or(0);
    Screen::Menu { menu, row }
}
