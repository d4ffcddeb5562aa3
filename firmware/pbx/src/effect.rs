//! What putting another configuration in force will do, before it is done: to calls, callers, phones, keys and people. Pure:
//! two configurations and one look at how things stand in, lines out. What really happens is [`crate::restart`]'s.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::time::Instant;

mod flows;

use crate::Pbx;
use crate::config::{Config, Queue, Trunk};
use crate::dialplan::words;
use crate::standing::{PhaseNow, Standing};
use crate::text::{Key, Text, effect as key};

/// Lines at most; a last one then says how many more there are.
pub const LINES_MAX: usize = 40;
/// Names in one line.
const NAMES_MAX: usize = 4;

/// How things stand, as far as a change can touch them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Live {
    /// Queues, agents and calls.
    pub standing: Standing,
    /// Phones registered, by extension.
    pub phones: BTreeMap<String, usize>,
    /// Calls in and out, by trunk.
    pub trunks: BTreeMap<String, usize>,
    /// Extension and lamp of each key that is watched.
    pub keys: Vec<(String, String)>,
}

impl Pbx {
    /// How things stand at `now`.
    pub fn live(&self, now: Instant) -> Live {
        let phones = self.phones_now().into_iter().map(|phone| (phone.extension, phone.registered));
        let trunks = self.trunks_now().into_iter().map(|now| (now.trunk, now.calls_in + now.calls_out));
        Live {
            standing: self.standing(now),
            trunks: trunks.collect(),
            phones: phones.collect(),
            keys: self.sip.watchers().map(|(phone, lamp)| (phone.to_string(), lamp.to_string())).collect(),
        }
    }
}

impl Live {
    fn waiting(&self, queue: &str) -> usize {
        self.standing.queues.get(queue).map_or(0, Vec::len)
    }

    fn phones(&self, extension: &str) -> usize {
        self.phones.get(extension).copied().unwrap_or(0)
    }

    /// Calls that began there, or that an extension or agent's phone is in.
    fn calls(&self, origin: &str) -> usize {
        self.standing.calls.values().filter(|call| call.origin == origin).count()
    }

    fn calls_of_extension(&self, extension: &str) -> usize {
        let agents = self.standing.agents.values().filter(|agent| agent.phone == extension && agent.call.is_some());
        self.calls(&format!("extension {extension}")) + agents.count()
    }
}

/// What the change from `old` to `new` will do, the gravest first; one line says so when it does nothing.
pub fn effects(old: &Config, new: &Config, live: &Live) -> Vec<Text> {
    let mut found = Vec::new();
    people(old, new, &mut found);
    addresses(old, new, live, &mut found);
    extensions(old, new, live, &mut found);
    trunks(old, new, live, &mut found);
    dids(old, new, &mut found);
    flows::flows(old, new, &mut found);
    queues(old, new, live, &mut found);
    agents(old, new, live, &mut found);
    codes_and_keys(old, new, live, &mut found);
    flows::others(old, new, &mut found);
    if found.is_empty() {
        return [key::NOTHING.into()].into();
    }
    if let Some(more) = found.len().checked_sub(LINES_MAX - 1).filter(|more| *more > 0) {
        found.truncate(LINES_MAX - 1);
        found.push(Text::new(key::MORE).with("count", more as u64));
    }
    let waiting: usize = live.standing.queues.values().map(Vec::len).sum();
    let waits = |phase: &PhaseNow| matches!(phase, PhaseNow::Waiting { .. });
    let calls = live.standing.calls.values().filter(|call| !waits(&call.phase)).count();
    let keep = Text::new(key::CALLS_KEEP).with("calls", calls as u64).with("waiting", waiting as u64);
    found.push(keep);
    found
}

fn line(found: &mut Vec<Text>, key: Key, name: &str) -> Option<()> {
    found.push(Text::new(key).with("name", name));
    Some(())
}

/// The last line, with more in it.
fn fill(found: &mut [Text], name: &'static str, value: impl Into<crate::text::Value>) {
    if let Some(last) = found.last_mut() {
        *last = last.clone().with(name, value);
    }
}

fn from_to(found: &mut Vec<Text>, key: Key, name: &str, from: String, to: String) {
    if from != to {
        found.push(Text::new(key).with("name", name).with("from", from).with("to", to));
    }
}

fn people(old: &Config, new: &Config, found: &mut Vec<Text>) {
    match (old.users.is_empty(), new.users.is_empty()) {
        (true, false) => found.push(key::FIRST_USER.into()),
        (false, true) => found.push(key::OPEN_TO_ALL.into()),
        (true, true) | (false, false) => {}
    }
    for (name, user) in &old.users {
        match new.users.get(name) {
            None => {
                line(found, key::USER_GONE, name);
            }
            Some(now) => from_to(found, key::USER_ROLE, name, user.role.word().into(), now.role.word().into()),
        }
    }
}

fn addresses(old: &Config, new: &Config, live: &Live, found: &mut Vec<Text>) {
    if old.network != new.network {
        let shown = |config: &Config| match config.network.address {
            Some(address) => format!("{} {address}", config.network.method.word()),
            None => config.network.method.word().to_string(),
        };
        found.push(Text::new(key::NETWORK).with("from", shown(old)).with("to", shown(new)));
    }
    if old.sip.listen != new.sip.listen {
        let phones: usize = live.phones.values().sum();
        let text = Text::new(key::LISTEN).with("from", old.sip.listen.to_string());
        found.push(text.with("to", new.sip.listen.to_string()).with("phones", phones as u64));
    }
    if old.media != new.media {
        found.push(key::MEDIA.into());
    }
    if old.chassis.country != new.chassis.country {
        found.push(Text::new(key::AT_START).with("path", "chassis country"));
    }
    for (port, was) in &old.lines {
        let to = new.lines.get(port).map_or_else(|| "-".to_string(), |line| line.did.clone());
        from_to(found, key::LINE, &format!("{}/{}", port.card, port.port), was.did.clone(), to);
    }
}

fn extensions(old: &Config, new: &Config, live: &Live, found: &mut Vec<Text>) {
    if old.sip.realm != new.sip.realm {
        let phones: usize = live.phones.values().sum();
        let text = Text::new(key::REALM).with("from", old.sip.realm.clone()).with("to", new.sip.realm.clone());
        found.push(text.with("phones", phones as u64));
    }
    for (name, extension) in &old.extensions {
        match new.extensions.get(name) {
            None => {
                line(found, key::EXTENSION_GONE, name);
                fill(found, "calls", live.calls_of_extension(name) as u64);
            }
            Some(now) if now.secret != extension.secret => {
                line(found, key::EXTENSION_SECRET, name);
            }
            Some(_) => continue,
        }
        fill(found, "phones", live.phones(name) as u64);
    }
}

fn trunks(old: &Config, new: &Config, live: &Live, found: &mut Vec<Text>) {
    let shown = |trunk: &Trunk| match trunk.port {
        Some(port) => format!("{}:{port}", trunk.address),
        None => trunk.address.to_string(),
    };
    for (name, trunk) in &old.trunks {
        match new.trunks.get(name) {
            None => {
                line(found, key::TRUNK_GONE, name);
                fill(found, "calls", live.trunks.get(name).copied().unwrap_or(0) as u64);
            }
            Some(now) => from_to(found, key::TRUNK_CHANGED, name, shown(trunk), shown(now)),
        }
    }
    for (name, route) in &old.routes {
        if new.routes.get(name) != Some(route) {
            line(found, key::ROUTE, name);
        }
    }
    for name in new.routes.keys().filter(|name| !old.routes.contains_key(*name)) {
        line(found, key::ROUTE, name);
    }
}

fn dids(old: &Config, new: &Config, found: &mut Vec<Text>) {
    for (name, did) in &old.dids {
        match new.dids.get(name) {
            Some(now) => from_to(found, key::DID, name, words(&did.to), words(&now.to)),
            None => {
                line(found, key::DID_GONE, name);
                fill(found, "from", words(&did.to));
            }
        }
    }
    for (name, did) in new.dids.iter().filter(|(name, _)| !old.dids.contains_key(*name)) {
        line(found, key::DID_NEW, name);
        fill(found, "to", words(&did.to));
    }
}

fn queues(old: &Config, new: &Config, live: &Live, found: &mut Vec<Text>) {
    for (name, queue) in &old.queues {
        match new.queues.get(name) {
            None => {
                line(found, key::QUEUE_GONE, name);
            }
            Some(now) if now != queue => {
                line(found, key::QUEUE_CHANGED, name);
                fill(found, "leaves", listed(changed_leaves(queue, now)));
                fill(found, "agents", now.agents.len() as u64);
            }
            Some(_) => continue,
        }
        fill(found, "waiting", live.waiting(name) as u64);
    }
}

/// Names of the leaves that differ; what is not a leaf is one word.
fn changed_leaves(old: &Queue, new: &Queue) -> Vec<String> {
    let leaves = crate::config::schema::changed(old, new);
    let parts = [
        ("skill", old.skills != new.skills),
        ("relax", old.relax != new.relax),
        ("overflow", old.overflow != new.overflow),
        ("exit", old.exits != new.exits),
    ];
    let parts = parts.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name);
    leaves.into_iter().chain(parts).map(ToString::to_string).collect()
}

fn agents(old: &Config, new: &Config, live: &Live, found: &mut Vec<Text>) {
    for (id, agent) in &old.agents {
        let Some(now) = new.agents.get(id) else {
            let state = live.standing.agents.get(id);
            let told = match state {
                None => key::AGENT_NOT_IN.into(),
                Some(state) if state.state == "logged-out" => key::AGENT_NOT_IN.into(),
                Some(state) if state.call.is_some() => {
                    Text::new(key::AGENT_AFTER_CALL).with("now", state.state.clone())
                }
                Some(state) => Text::new(key::AGENT_OUT).with("now", state.state.clone()),
            };
            line(found, key::AGENT_GONE, id);
            fill(found, "state", told);
            continue;
        };
        let shown = |phone: &Option<String>| phone.clone().unwrap_or_else(|| "-".to_string());
        from_to(found, key::AGENT_PHONE, id, shown(&agent.extension), shown(&now.extension));
    }
}

fn codes_and_keys(old: &Config, new: &Config, live: &Live, found: &mut Vec<Text>) {
    for (name, from, to) in crate::config::schema::differing(&old.codes, &new.codes) {
        from_to(found, key::CODE, name, from, to);
    }
    let lit = |config: &Config, lamp: &str| {
        let agent = lamp.strip_prefix(config.codes.agent_login.as_str());
        config.extensions.contains_key(lamp) || agent.is_some_and(|id| config.agents.contains_key(id))
    };
    let mut lost: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (phone, lamp) in &live.keys {
        if lit(old, lamp) && !lit(new, lamp) && new.extensions.contains_key(phone) {
            lost.entry(phone).or_default().insert(lamp);
        }
    }
    for (phone, lamps) in lost {
        line(found, key::LAMPS, phone);
        fill(found, "keys", lamps.len() as u64);
        fill(found, "targets", listed(lamps.into_iter().map(ToString::to_string).collect()));
    }
}

fn listed(names: Vec<String>) -> String {
    let few: Vec<&str> = names.iter().map(String::as_str).take(NAMES_MAX).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => few.join(", "),
        more => format!("{} … (+{more})", few.join(", ")),
    }
}

#[cfg(test)]
mod tests;
