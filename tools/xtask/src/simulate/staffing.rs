//! The site that a simulation runs on: a plain one with one queue, or the queues and agents of a real configuration with
//! what is to be changed. Every agent gets a virtual phone and is at work all the time; each queue gets a number that
//! leads straight to it.

use ::tests::sim::plan::{BOX, CARRIER};
use pbx::config::{Agent, Config, Queue};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

/// The queue of a site without a configuration.
pub const QUEUE: &str = "calls";
/// Agents of one simulation at most: one extension number each.
pub const AGENTS_MAX: u32 = 2_000;

/// What is to be other than it is; `None` leaves it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// How many agents; further ones are copies of those there are, in turn.
    pub agents: Option<u32>,
    /// Strategy of every queue, by its name in the configuration.
    pub strategy: Option<String>,
    /// Wrap-up of every queue.
    pub wrap_up_s: Option<u32>,
    /// No skill is asked for.
    pub skills_off: bool,
}

/// An agent's place of work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Desk {
    /// Extension.
    pub extension: String,
    /// Its password.
    pub secret: String,
}

/// A site with its people.
#[derive(Clone, Debug)]
pub struct Staffed {
    /// What the box is given.
    pub config: Arc<Config>,
    /// One per agent.
    pub desks: Vec<Desk>,
    /// The number to call for each queue.
    pub dids: BTreeMap<String, String>,
}

impl Staffed {
    /// How many agents.
    pub fn agents(&self) -> u32 {
        self.desks.len() as u32
    }
}

/// Puts people into a site; `ground` is a real configuration, or none for a plain one with `Change::agents` agents.
///
/// # Errors
/// Words for the operator: nobody to answer, too many, a strategy that does not exist.
pub fn staff(ground: Option<&Config>, change: &Change) -> Result<Staffed, String> {
    let models: Vec<Option<(String, &Agent)>> = match ground {
        None => vec![None; change.agents.unwrap_or(0) as usize],
        Some(config) => people(config, change.agents),
    };
    if models.is_empty() || models.len() > AGENTS_MAX as usize {
        return Err(format!("{} agents: 1 to {AGENTS_MAX} are possible", models.len()));
    }
    let queues: Vec<&str> = match ground {
        None => vec![QUEUE],
        Some(config) => config.queues.keys().map(String::as_str).collect(),
    };
    let text = plain_text(models.len(), &queues, change);
    let mut plain = pbx::config::parse(&text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|p| p.render(pbx::config::Language::En)).collect();
        lines.join("\n")
    })?;
    let desks = (0..models.len()).map(|n| Desk { extension: extension(n), secret: secret(n) }).collect();
    let dids = queues.iter().enumerate().map(|(n, queue)| (queue.to_string(), did(n))).collect();
    if let Some(config) = ground {
        plain = transplanted(config, plain, &models, change);
    }
    Ok(Staffed { config: Arc::new(plain), desks, dids })
}

/// The agents of a site that are in a queue, as many as wanted: the first ones, or all and then copies in turn.
fn people(config: &Config, wanted: Option<u32>) -> Vec<Option<(String, &Agent)>> {
    let relaxed = |q: &'_ Queue| -> Vec<String> { q.relax.values().flat_map(|r| r.agents.clone()).collect() };
    let listed: BTreeSet<String> =
        config.queues.values().flat_map(|q| q.agents.iter().cloned().chain(relaxed(q))).collect();
    let there: Vec<(String, &Agent)> =
        listed.into_iter().filter_map(|id| config.agents.get(&id).map(|agent| (id, agent))).collect();
    if there.is_empty() {
        return Vec::new();
    }
    let count = wanted.map_or(there.len(), |n| n as usize);
    there.iter().cycle().take(count).cloned().map(Some).collect()
}

fn extension(n: usize) -> String {
    format!("{}", 70_001 + n)
}

fn agent(n: usize) -> String {
    format!("{}", 80_001 + n)
}

fn secret(n: usize) -> String {
    format!("simulated-{n}")
}

fn did(n: usize) -> String {
    format!("{}", 99_990_001 + n)
}

/// A configuration in the text form, so that every leaf that is not named here has its default.
fn plain_text(agents: usize, queues: &[&str], change: &Change) -> String {
    let mut text = String::from("system { name simulated; }\n");
    let mut say = |line: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    say(format!("sip {{ listen {BOX}; expires-max-s 86400; }}"));
    say("media { rtp-ports 10000-65535; }".into());
    say(format!("trunk carrier {{ address {}; port {}; }}", CARRIER.ip(), CARRIER.port()));
    for n in 0..agents {
        say(format!("extension {} {{ secret \"{}\"; }}", extension(n), secret(n)));
        say(format!("agent {} {{ extension {}; logged-in yes; }}", agent(n), extension(n)));
    }
    let ids: Vec<String> = (0..agents).map(agent).collect();
    let strategy = change.strategy.as_ref().map(|s| format!("strategy {s};")).unwrap_or_default();
    for (n, queue) in queues.iter().enumerate() {
        let wrap_up_s = change.wrap_up_s.unwrap_or(0);
        say(format!(
            "queue {queue} {{ agents [ {} ]; ring-timeout-s 120; wrap-up-s {wrap_up_s}; max-wait-s 0; record no; {strategy} }}",
            ids.join(" ")
        ));
        say(format!("did {} {{ to queue {queue}; }}", did(n)));
    }
    text
}

/// The queues and agents of a real configuration on the network and the phones of the plain one.
fn transplanted(real: &Config, plain: Config, models: &[Option<(String, &Agent)>], change: &Change) -> Config {
    let mut config = real.clone();
    config.lines.clear();
    config.agents.clear();
    config.supervisors.clear();
    config.vips.clear();
    for (n, (_, model)) in models.iter().flatten().enumerate() {
        let Some(seat) = plain.agents.get(&agent(n)) else { continue };
        let seated = Agent { extension: seat.extension.clone(), logged_in: true, ..(*model).clone() };
        config.agents.insert(agent(n), seated);
    }
    // In the order of the list, which some strategies go by; copies beside their model.
    let seats = |ids: &[String]| -> Vec<String> {
        let of = |id: &String| {
            let id = id.clone();
            let is = move |model: &Option<(String, &Agent)>| model.as_ref().is_some_and(|(other, _)| *other == id);
            models.iter().enumerate().filter(move |(_, model)| is(model)).map(|(n, _)| agent(n))
        };
        ids.iter().flat_map(of).collect()
    };
    for (name, queue) in &mut config.queues {
        let Some(pattern) = plain.queues.get(name) else { continue };
        queue.agents = seats(&queue.agents);
        for step in queue.relax.values_mut() {
            step.agents = seats(&step.agents);
        }
        change_queue(queue, pattern, change);
    }
    config.extensions.extend(plain.extensions);
    Config { sip: plain.sip, media: plain.media, trunks: plain.trunks, dids: plain.dids, ..config }
}

/// What virtual agents and callers do not do is switched off, and what is wanted otherwise is changed.
fn change_queue(queue: &mut Queue, pattern: &Queue, change: &Change) {
    queue.record = false;
    // A virtual agent answers; how long that takes is the simulation's affair.
    queue.ring_timeout_s = pattern.ring_timeout_s;
    queue.confirm_key = None;
    queue.disposition_required = false;
    queue.surge_agents.clear();
    // The callers were let in already.
    queue.calendar = None;
    if change.wrap_up_s.is_some() {
        queue.wrap_up_s = pattern.wrap_up_s;
        queue.wrap_up_max_s = queue.wrap_up_max_s.max(pattern.wrap_up_s);
    }
    if change.strategy.is_some() {
        queue.strategy = pattern.strategy;
    }
    if change.skills_off {
        queue.skills.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pbx::config::Strategy;

    const SITE: &str = "
        skill billing { title Billing; }
        extension 2001 { secret \"amber-kite-7194\"; }
        agent 1001 { extension 2001; skills [ billing:7 ]; }
        agent 1002 { pin 4711; }
        agent 1003 { pin 4712; }
        agent 1009 { pin 4713; }
        queue support {
            agents [ 1002 1001 ]; strategy linear; wrap-up-s 30; confirm-key 1;
            skill billing { level 5; need required; }
            relax 30 { agents [ 1003 ]; }
        }
        queue sales { agents [ 1003 ]; }
        sip { listen 127.0.0.1:5060; }";

    fn site() -> Config {
        pbx::config::parse(SITE).unwrap()
    }

    #[test]
    fn a_plain_site_has_one_queue_and_as_many_agents_as_wanted() {
        let change = Change { agents: Some(3), strategy: Some("fewest-calls".into()), ..Change::default() };
        let staffed = staff(None, &change).unwrap();
        let queue = &staffed.config.queues[QUEUE];
        assert_eq!((staffed.agents(), queue.agents.len(), queue.strategy), (3, 3, Strategy::FewestCalls));
        assert!(pbx::config::validate(&staffed.config).is_empty());
        assert!(staff(None, &Change::default()).is_err());
        assert!(staff(None, &Change { agents: Some(AGENTS_MAX + 1), ..Change::default() }).is_err());
        let wrong = staff(None, &Change { strategy: Some("fewest-cals".into()), ..change }).unwrap_err();
        assert!(wrong.contains("fewest-calls"), "{wrong}");
    }

    #[test]
    fn a_real_site_keeps_its_rules_and_gets_other_people() {
        let staffed = staff(Some(&site()), &Change::default()).unwrap();
        // 1009 serves nobody; 1003 joins support by relaxation and is in sales.
        assert_eq!(staffed.agents(), 3);
        let (config, queue) = (&staffed.config, &staffed.config.queues["support"]);
        assert_eq!(queue.agents, ["80002", "80001"]);
        assert_eq!(queue.relax[&30].agents, ["80003"]);
        assert_eq!((queue.strategy, queue.wrap_up_s, queue.confirm_key), (Strategy::Linear, 30, None));
        assert_eq!(config.agents["80001"].skills["billing"], 7);
        assert_eq!(queue.skills.len(), 1);
        assert_eq!(staffed.dids.len(), 2);
        let change =
            Change { agents: Some(5), strategy: Some("random".into()), wrap_up_s: Some(900), skills_off: true };
        assert!(staff(Some(&site()), &change).is_err(), "15 minutes of wrap-up are beyond the bound");
        let change = Change { wrap_up_s: Some(5), ..change };
        let staffed = staff(Some(&site()), &change).unwrap();
        let queue = &staffed.config.queues["support"];
        assert_eq!(queue.agents, ["80002", "80005", "80001", "80004"]);
        assert_eq!((queue.strategy, queue.wrap_up_s, queue.skills.len()), (Strategy::Random, 5, 0));
        assert_eq!(staffed.config.agents["80004"].skills["billing"], 7);
    }
}
