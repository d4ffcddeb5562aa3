//! Ways of callers that a change moves without touching the number that they dial, and settings that are named because
//! nothing else tells of them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{fill, from_to, line, listed};
use crate::config::schema::changed;
use crate::config::{Config, Destination};
use crate::dialplan::words;
use crate::text::{Text, effect as key};

/// Internal numbers, menus, calendars, emergency numbers.
pub(super) fn flows(old: &Config, new: &Config, found: &mut Vec<Text>) {
    for (name, to) in &old.numbers {
        match new.numbers.get(name) {
            Some(now) => from_to(found, key::NUMBER, name, words(to), words(now)),
            None => {
                line(found, key::NUMBER_GONE, name);
                fill(found, "from", words(to));
            }
        }
    }
    for (name, to) in new.numbers.iter().filter(|(name, _)| !old.numbers.contains_key(*name)) {
        line(found, key::NUMBER_NEW, name);
        fill(found, "to", words(to));
    }
    for name in differing(&old.menus, &new.menus) {
        line(found, key::MENU, &name);
        fill(found, "numbers", reached(old, &Destination::Menu(name)));
    }
    for name in differing(&old.calendars, &new.calendars) {
        let uses = |config: &Config| -> Vec<String> {
            let queues = config.queues.iter().filter(|(_, queue)| queue.calendar.as_ref() == Some(&name));
            queues.map(|(queue, _)| queue.clone()).collect()
        };
        let queues: BTreeSet<String> = uses(old).into_iter().chain(uses(new)).collect();
        line(found, key::CALENDAR, &name);
        fill(found, "queues", or_none(queues.into_iter().collect()));
    }
    let emergency = |config: &Config| or_none(config.routing.emergency_numbers.clone());
    from_to(found, key::EMERGENCY, "", emergency(old), emergency(new));
}

/// What no other line is about, named by its place.
pub(super) fn others(old: &Config, new: &Config, found: &mut Vec<Text>) {
    let mut names: Vec<String> = Vec::new();
    let mut of = |place: &str, leaves: Vec<&'static str>, told: &[&str]| {
        names.extend(leaves.into_iter().filter(|leaf| !told.contains(leaf)).map(|leaf| format!("{place} {leaf}")));
    };
    of("system", changed(&old.system, &new.system), &[]);
    of("chassis", changed(&old.chassis, &new.chassis), &["country"]);
    of("sip", changed(&old.sip, &new.sip), &["listen", "realm"]);
    of("routing", changed(&old.routing, &new.routing), &["emergency-numbers"]);
    for (name, was, now) in both(&old.extensions, &new.extensions) {
        of(&format!("extension {name}"), changed(was, now), &["secret"]);
    }
    for (name, was, now) in both(&old.agents, &new.agents) {
        of(&format!("agent {name}"), changed(was, now), &["extension"]);
    }
    for (name, was, now) in both(&old.trunks, &new.trunks) {
        of(&format!("trunk {name}"), changed(was, now), &["address", "port"]);
    }
    for (name, was, now) in both(&old.dids, &new.dids) {
        of(&format!("did {name}"), changed(was, now), &["to"]);
    }
    for (name, was, now) in both(&old.users, &new.users) {
        of(&format!("user {name}"), changed(was, now), &["role"]);
    }
    for (port, was, now) in both(&old.lines, &new.lines) {
        of(&format!("card {} port {}", port.card, port.port), changed(was, now), &["did"]);
    }
    let came = [
        ("extension", gained(&old.extensions, &new.extensions)),
        ("agent", gained(&old.agents, &new.agents)),
        ("queue", gained(&old.queues, &new.queues)),
        ("trunk", gained(&old.trunks, &new.trunks)),
        ("user", gained(&old.users, &new.users)),
        ("vip", differing(&old.vips, &new.vips)),
        ("supervisor", differing(&old.supervisors, &new.supervisors)),
        ("skill", differing(&old.skills, &new.skills)),
        ("alarm", differing(&old.alarms, &new.alarms)),
        ("reason", differing(&old.reasons, &new.reasons)),
        ("disposition", differing(&old.dispositions, &new.dispositions)),
    ];
    names.extend(came.into_iter().flat_map(|(kind, keys)| keys.into_iter().map(move |key| format!("{kind} {key}"))));
    if !names.is_empty() {
        found.push(Text::new(key::OTHERS).with("names", listed(names)));
    }
}

fn or_none(names: Vec<String>) -> String {
    if names.is_empty() { "-".to_string() } else { listed(names) }
}

fn both<'t, K: Ord, V: PartialEq>(
    old: &'t BTreeMap<K, V>,
    new: &'t BTreeMap<K, V>,
) -> impl Iterator<Item = (&'t K, &'t V, &'t V)> {
    old.iter().filter_map(|(key, was)| Some((key, was, new.get(key)?))).filter(|(_, was, now)| was != now)
}

fn gained<K: Ord + ToString, V>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Vec<String> {
    new.keys().filter(|key| !old.contains_key(key)).map(ToString::to_string).collect()
}

/// Keys of entries that are not the same in both.
fn differing<K: Ord + ToString, V: PartialEq>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Vec<String> {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|key| old.get(key) != new.get(key)).map(ToString::to_string).collect()
}

/// Numbers from outside whose callers can come there.
fn reached(config: &Config, place: &Destination) -> String {
    let numbers = config.dids.iter().filter(|(_, did)| leads_to(config, &did.to, place, &mut BTreeSet::new()));
    or_none(numbers.map(|(number, _)| number.clone()).collect())
}

fn leads_to(config: &Config, from: &Destination, place: &Destination, seen: &mut BTreeSet<String>) -> bool {
    if from == place {
        return true;
    }
    if !seen.insert(words(from)) {
        return false;
    }
    let next: Vec<&Destination> = match from {
        Destination::Menu(name) => match config.menus.get(name) {
            Some(menu) => menu.keys.values().chain([&menu.otherwise]).collect(),
            None => Vec::new(),
        },
        Destination::Queue(name) => match config.queues.get(name) {
            Some(queue) => queue.overflow.values().chain(queue.exits.values()).collect(),
            None => Vec::new(),
        },
        Destination::Extension(_) | Destination::Echo | Destination::Hangup => Vec::new(),
    };
    next.into_iter().any(|next| leads_to(config, next, place, seen))
}
