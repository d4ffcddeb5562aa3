//! Checks of agents and supervisors: that each has a phone or a PIN of its own and something to do.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Finding;
use crate::config::Config;
use crate::text::{Text, problem};

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    agents(config, found);
    supervisors(config, found);
    idle(config, found);
}

fn agents(config: &Config, found: &mut Vec<Finding>) {
    let phones = config.agents.iter().map(|(id, a)| (id, a.extension.as_ref()));
    shared("agent", phones, found);
    for (id, agent) in &config.agents {
        let extension = format!("agent {id} extension");
        pin("agent", id, agent.pin.as_ref(), found);
        if agent.extension.is_some() {
            continue;
        }
        if agent.logged_in {
            let path = format!("agent {id} logged-in");
            let finding = Finding::error(path, problem::LOGGED_IN_NOWHERE, problem::LOGGED_IN_NOWHERE_REMEDY);
            found.push(finding.resting_on(extension));
        } else if agent.pin.is_none() {
            found.push(without_phone(format!("agent {id}")));
        }
    }
}

fn supervisors(config: &Config, found: &mut Vec<Finding>) {
    let phones = config.supervisors.iter().map(|(id, s)| (id, s.extension.as_ref()));
    shared("supervisor", phones, found);
    for (id, supervisor) in &config.supervisors {
        pin("supervisor", id, supervisor.pin.as_ref(), found);
        if config.agents.contains_key(id) {
            let reason = Text::new(problem::SUPERVISOR_IS_AGENT).with("id", id);
            found.push(Finding::error(format!("supervisor {id}"), reason, problem::SUPERVISOR_IS_AGENT_REMEDY));
        }
        if supervisor.extension.is_none() && supervisor.pin.is_none() {
            found.push(without_phone(format!("supervisor {id}")));
        }
    }
}

/// Two of one sort at the same phone.
fn shared<'c>(sort: &str, phones: impl Iterator<Item = (&'c String, Option<&'c String>)>, found: &mut Vec<Finding>) {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, phone) in phones {
        let Some(phone) = phone else { continue };
        let Some(other) = taken.get(phone.as_str()) else {
            taken.insert(phone, id);
            continue;
        };
        let other = format!("{sort} {other}");
        let reason = Text::new(problem::PHONE_SHARED).with("extension", phone).with("other", &other);
        let finding = Finding::error(format!("{sort} {id} extension"), reason, problem::PHONE_SHARED_REMEDY);
        found.push(finding.resting_on(format!("{other} extension")));
    }
}

fn pin(sort: &str, id: &str, pin: Option<&String>, found: &mut Vec<Finding>) {
    if pin.is_some_and(|pin| pin == id) {
        let path = format!("{sort} {id} pin");
        found.push(Finding::error(path, problem::PIN_IS_ID, problem::SECRET_IS_NUMBER_REMEDY));
    }
}

fn without_phone(path: String) -> Finding {
    let finding = Finding::warning(path.clone(), problem::PHONE_NONE, problem::PHONE_NONE_REMEDY);
    finding.resting_on(format!("{path} extension")).resting_on(format!("{path} pin"))
}

/// Agents without a queue.
fn idle(config: &Config, found: &mut Vec<Finding>) {
    let mut serving: BTreeSet<&str> = BTreeSet::new();
    for queue in config.queues.values() {
        serving.extend(queue.agents.iter().chain(&queue.surge_agents).map(String::as_str));
        serving.extend(queue.relax.values().flat_map(|relax| &relax.agents).map(String::as_str));
    }
    for id in config.agents.keys().filter(|id| !serving.contains(id.as_str())) {
        let mut finding = Finding::warning(format!("agent {id}"), problem::AGENT_IDLE, problem::AGENT_IDLE_REMEDY);
        for queue in config.queues.keys() {
            finding = finding.resting_on(format!("queue {queue} agents"));
        }
        found.push(finding);
    }
}
