//! The menu tree: which entries there are now. An entry that would do nothing is not there, and a panel that is locked
//! only shows.

use pbx::config::Language;
use pbx::switch::Mode;
use pbx::text::{Key, panel as key};

use super::reset::Reset;
use super::switches::Switch;
use super::view::{Scene, View};

/// A list of entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Menu {
    /// From the idle screen.
    Root,
    /// How the box stands.
    Status,
    /// How it works today.
    Mode,
    /// For the technician.
    Service,
    /// What cannot be taken back.
    Reset,
    /// Of the panel.
    Language,
}

/// A list that is only read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// Calls that are not over.
    Calls,
    /// Queues.
    Queues,
    /// Analog lines.
    Lines,
    /// Extensions.
    Phones,
    /// The disk.
    Storage,
    /// The program.
    About,
}

/// What an entry leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Another menu.
    Open(Menu),
    /// A list.
    Read(Page),
    /// The alarms.
    Alarms,
    /// The first set-up.
    SetUp,
    /// The change that goes back unless somebody keeps it.
    Keep,
    /// Day, night or the surge profile.
    Switch(Switch),
    /// The network.
    Network,
    /// A reset.
    Reset(Reset),
    /// Lamps, buzzer and screen one after the other.
    Lamps,
    /// The code with diagnostics.
    Diagnostics,
    /// The buzzer on or off.
    Buzzer,
    /// This language.
    Language(Language),
}

impl Menu {
    /// Where a step back leads, and the entry to stand on there.
    pub fn parent(self) -> Option<(Menu, Entry)> {
        match self {
            Menu::Root => None,
            Menu::Status | Menu::Mode | Menu::Service | Menu::Reset | Menu::Language => {
                Some((Menu::Root, Entry::Open(self)))
            }
        }
    }

    /// Its heading.
    pub fn title(self) -> Key {
        match self {
            Menu::Root => key::MENU,
            Menu::Status => key::STATUS,
            Menu::Mode => key::MODE,
            Menu::Service => key::SERVICE,
            Menu::Reset => key::RESET,
            Menu::Language => key::LANGUAGE,
        }
    }

    /// Its entries, in order.
    pub fn entries(self, scene: &Scene) -> Vec<Entry> {
        let view = scene.view();
        match self {
            Menu::Root => root(scene),
            Menu::Status => {
                let of_core = view.map(|view| {
                    let lines = Some(Entry::Read(Page::Lines)).filter(|_| !view.lines.is_empty());
                    let first = [Entry::Read(Page::Calls), Entry::Read(Page::Queues)];
                    first.into_iter().chain(lines).chain([Entry::Read(Page::Phones)])
                });
                let of_machine = [Entry::Read(Page::Storage), Entry::Read(Page::About)];
                of_core.into_iter().flatten().chain(of_machine).collect()
            }
            Menu::Mode => view.map(switches).unwrap_or_default(),
            Menu::Reset => Reset::ALL.map(Entry::Reset).to_vec(),
            Menu::Service => vec![Entry::Lamps, Entry::Buzzer, Entry::Diagnostics],
            Menu::Language => vec![Entry::Language(Language::Zh), Entry::Language(Language::En)],
        }
    }
}

/// What matters most comes first; without the core there is nothing to change.
fn root(scene: &Scene) -> Vec<Entry> {
    let shown = [Entry::Open(Menu::Status)].into_iter().chain(scene.view().map(|_| Entry::Alarms));
    if scene.is_locked() {
        return shown.collect();
    }
    let first = [(scene.trial().is_some(), Entry::Keep), (scene.is_unset(), Entry::SetUp)];
    let first = first.into_iter().filter(|(shown, _)| *shown).map(|(_, entry)| entry);
    let of_core = scene.view().into_iter().flat_map(|view| {
        let mode = Some(Entry::Open(Menu::Mode)).filter(|_| !switches(view).is_empty());
        mode.into_iter().chain([Entry::Network])
    });
    let reset = scene.view().map(|_| Entry::Open(Menu::Reset));
    let rest = [Entry::Open(Menu::Service)].into_iter().chain(reset).chain([Entry::Open(Menu::Language)]);
    first.chain(shown).chain(of_core).chain(rest).collect()
}

/// Those that make a difference, and those that are on all the same.
fn switches(view: &View) -> Vec<Entry> {
    let hours = view.hours_matter || view.switches.mode != Mode::Auto;
    let surge = view.surge_matters || view.switches.surge;
    let modes = Mode::ALL.into_iter().filter(|_| hours).map(|mode| Entry::Switch(Switch::Mode(mode)));
    modes.chain(Some(Entry::Switch(Switch::Surge(!view.switches.surge))).filter(|_| surge)).collect()
}

impl Page {
    /// Its heading.
    pub fn title(self) -> Key {
        match self {
            Page::Calls => key::CALLS_PAGE,
            Page::Queues => key::QUEUES,
            Page::Lines => key::LINES,
            Page::Phones => key::PHONES,
            Page::Storage => key::STORAGE,
            Page::About => key::ABOUT,
        }
    }
}
