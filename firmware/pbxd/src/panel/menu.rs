//! The menu tree: which entries there are now. An entry that would do nothing is not there; day and night, network,
//! firmware and resets come with the configuration store.

use pbx::config::Language;
use pbx::text::{Key, panel as key};

use super::view::Scene;

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
    /// The surge switch.
    Surge,
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
            Menu::Status | Menu::Mode | Menu::Service | Menu::Language => Some((Menu::Root, Entry::Open(self))),
        }
    }

    /// Its heading.
    pub fn title(self) -> Key {
        match self {
            Menu::Root => key::MENU,
            Menu::Status => key::STATUS,
            Menu::Mode => key::MODE,
            Menu::Service => key::SERVICE,
            Menu::Language => key::LANGUAGE,
        }
    }

    /// Its entries, in order.
    pub fn entries(self, scene: &Scene) -> Vec<Entry> {
        let view = scene.view();
        match self {
            Menu::Root => {
                let mode = view.filter(|view| view.surge || view.surge_matters).map(|_| Entry::Open(Menu::Mode));
                let alarms = view.map(|_| Entry::Alarms);
                let rest = [Entry::Open(Menu::Service), Entry::Open(Menu::Language)];
                [Entry::Open(Menu::Status)].into_iter().chain(alarms).chain(mode).chain(rest).collect()
            }
            Menu::Status => {
                let of_core = view.map(|view| {
                    let lines = Some(Entry::Read(Page::Lines)).filter(|_| !view.lines.is_empty());
                    let first = [Entry::Read(Page::Calls), Entry::Read(Page::Queues)];
                    first.into_iter().chain(lines).chain([Entry::Read(Page::Phones)])
                });
                let of_machine = [Entry::Read(Page::Storage), Entry::Read(Page::About)];
                of_core.into_iter().flatten().chain(of_machine).collect()
            }
            Menu::Mode => vec![Entry::Surge],
            Menu::Service => vec![Entry::Lamps, Entry::Buzzer, Entry::Diagnostics],
            Menu::Language => vec![Entry::Language(Language::Zh), Entry::Language(Language::En)],
        }
    }
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
