//! Where a dialled number leads: pure look-ups in one configuration, each with the rule that decided.

use alloc::format;
use alloc::string::{String, ToString};

use crate::code::{self, Code};
use crate::config::{Config, Destination};

/// What was dialled means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A place in the house.
    To(Destination),
    /// A code of the caller's own phone.
    Code(Code),
    /// Nothing.
    Unknown,
}

/// A meaning and the rule that gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The meaning.
    pub meaning: Meaning,
    /// The rule, with its path in the configuration.
    pub why: String,
}

/// What an extension may dial: feature codes, colleagues, then `number …`.
pub fn from_inside(config: &Config, called: &str) -> Route {
    let codes = &config.codes;
    if called == codes.echo {
        return route(Meaning::To(Destination::Echo), format!("codes echo {}", codes.echo));
    }
    if let Some((code, path)) = code::parse(codes, called) {
        return route(Meaning::Code(code), path);
    }
    if config.extensions.contains_key(called) {
        return route(Meaning::To(Destination::Extension(called.to_string())), format!("extension {called}"));
    }
    match config.numbers.get(called) {
        Some(to) => route(Meaning::To(to.clone()), format!("number {called}")),
        None => route(Meaning::Unknown, format!("no extension, number or code is {called}")),
    }
}

/// What callers from outside reach.
pub fn from_outside(config: &Config, called: &str) -> Route {
    match config.dids.get(called) {
        Some(did) => route(Meaning::To(did.to.clone()), format!("did {called}")),
        None => route(Meaning::Unknown, format!("no did is {called}")),
    }
}

/// Whether a call to `to` can come to a place that records.
pub fn may_be_recorded(config: &Config, to: &Destination) -> bool {
    reaches_recording(config, to, 8)
}

fn reaches_recording(config: &Config, to: &Destination, depth: u32) -> bool {
    match to {
        Destination::Queue(name) => config.queues.get(name).is_some_and(|q| q.record),
        Destination::Extension(name) => config.extensions.get(name).is_some_and(|e| e.record),
        Destination::Menu(name) if depth > 0 => config.menus.get(name).is_some_and(|m| {
            m.keys.values().chain(core::iter::once(&m.otherwise)).any(|d| reaches_recording(config, d, depth - 1))
        }),
        Destination::Menu(_) | Destination::Echo | Destination::Hangup => false,
    }
}

/// A destination in the words of the configuration.
pub fn words(to: &Destination) -> String {
    match to {
        Destination::Extension(name) => format!("extension {name}"),
        Destination::Queue(name) => format!("queue {name}"),
        Destination::Menu(name) => format!("menu {name}"),
        Destination::Echo => "echo".into(),
        Destination::Hangup => "hangup".into(),
    }
}

fn route(meaning: Meaning, why: String) -> Route {
    Route { meaning, why }
}
