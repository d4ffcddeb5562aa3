//! Checks between the parts of a configuration: what each part alone cannot know. Pure; every problem names the path at
//! which it is to be mended and the paths that it rests on, so that a part that is wrong in itself causes no second report.

mod admin;
mod outside;
mod people;
mod queues;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::schema::{Section, Table};
use super::value::{Kind, Value};
use super::view::{BlockView, view};
use super::{Config, Destination, Language, Problem, Severity};
use crate::text::{Text, problem};

/// A problem whose place is still a path.
pub(super) struct Finding {
    pub severity: Severity,
    /// Shown to people.
    pub path: String,
    /// Where it stands: `path`, or one of the words there.
    pub at: String,
    /// What else it rests on.
    pub rests_on: Vec<String>,
    pub reason: Text,
    pub remedy: Text,
}

impl Finding {
    pub fn error(path: impl Into<String>, reason: impl Into<Text>, remedy: impl Into<Text>) -> Finding {
        let path = path.into();
        Finding {
            severity: Severity::Error,
            at: path.clone(),
            path,
            rests_on: Vec::new(),
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }

    pub fn warning(path: impl Into<String>, reason: impl Into<Text>, remedy: impl Into<Text>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(path, reason, remedy) }
    }

    fn resting_on(mut self, path: impl Into<String>) -> Finding {
        self.rests_on.push(path.into());
        self
    }

    /// With its place; 0 when it is not known.
    pub fn place(self, at: (u32, u32)) -> Problem {
        let Finding { severity, path, reason, remedy, .. } = self;
        Problem { line: at.0, column: at.1, path, reason, remedy, severity }
    }
}

/// Everything that is wrong between the parts. `known` tells of an entry that is not in the configuration whether it was
/// written nevertheless, and is wrong in another way.
pub(super) fn check(config: &Config, known: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let tables = Tables::of(config);
    for block in view(config) {
        references(&block, "", &tables, known, &mut found);
    }
    sip_and_media(config, &mut found);
    extensions(config, &mut found);
    numbers(config, &mut found);
    codes(config, &mut found);
    menus(config, &mut found);
    outside::check(config, &mut found);
    queues::check(config, &mut found);
    people::check(config, &mut found);
    admin::check(config, &mut found);
    found
}

/// The prompts that menus and queues need, each `zh-CN/menu-main`, against those that are there.
pub(super) fn check_prompts(config: &Config, available: &BTreeSet<&str>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut need = |language: Language, prompt: &str, path: String| {
        let file = format!("{}/{prompt}", language.tag());
        if !available.contains(file.as_str()) {
            let same = available.iter().filter_map(|a| a.strip_prefix(language.tag())?.strip_prefix('/'));
            let names: Vec<&str> = same.take(20).collect();
            let reason = Text::new(problem::PROMPT_MISSING).with("file", file);
            let remedy = Text::new(problem::PROMPT_MISSING_REMEDY).with("names", names.join(", "));
            found.push(Finding::error(path, reason, remedy));
        }
    };
    for (name, menu) in &config.menus {
        for language in &menu.languages {
            need(*language, &menu.prompt, format!("menu {name} prompt"));
        }
    }
    // Agents are spoken to in the language of the site.
    for (name, queue) in &config.queues {
        if let Some(prompt) = &queue.agent_announce {
            need(config.system.language, prompt, format!("queue {name} agent-announce"));
        }
    }
    found
}

/// The names that can be referred to.
struct Tables<'c>(BTreeMap<Table, BTreeSet<&'c str>>);

impl<'c> Tables<'c> {
    fn of(config: &'c Config) -> Tables<'c> {
        fn names<T>(table: &BTreeMap<String, T>) -> BTreeSet<&str> {
            table.keys().map(String::as_str).collect()
        }
        Tables(
            [
                (Table::Extension, names(&config.extensions)),
                (Table::Calendar, names(&config.calendars)),
                (Table::Skill, names(&config.skills)),
                (Table::Agent, names(&config.agents)),
                (Table::Queue, names(&config.queues)),
                (Table::Menu, names(&config.menus)),
                (Table::Did, names(&config.dids)),
                (Table::Trunk, names(&config.trunks)),
            ]
            .into(),
        )
    }

    fn has(&self, table: Table, name: &str) -> bool {
        self.0.get(&table).is_some_and(|names| names.contains(name))
    }
}

/// What does not exist, in this section and those inside it.
fn references(
    block: &BlockView,
    parent: &str,
    tables: &Tables<'_>,
    known: &dyn Fn(&str) -> bool,
    found: &mut Vec<Finding>,
) {
    let own = block.path(parent);
    let missing = |table: Table, name: &str| {
        let entry = format!("{} {name}", table.keyword());
        (!tables.has(table, name) && !known(&entry)).then_some((table, name.to_string()))
    };
    if let (Some(Kind::Reference(table)), Some(name)) = (block.block.key, &block.key)
        && let Some((table, name)) = missing(table, name)
    {
        found.push(no_such(own.clone(), table, &name));
    }
    for leaf in &block.leaves {
        for (table, name) in leaf.value.references(leaf.kind) {
            let Some((table, name)) = missing(table, name) else { continue };
            let finding = no_such(format!("{own} {}", leaf.name), table, &name);
            found.push(Finding { at: format!("{own} {} {name}", leaf.name), ..finding });
        }
    }
    for inner in &block.inner {
        references(inner, &own, tables, known, found);
    }
}

fn no_such(path: String, table: Table, name: &str) -> Finding {
    let reason = Text::new(problem::REFERENCE).with("table", table.word()).with("name", name);
    let remedy = Text::new(problem::REFERENCE_REMEDY).with("keyword", table.keyword()).with("name", name);
    Finding::error(path, reason, remedy.with("brace", "{").with("close", "}"))
}

fn sip_and_media(config: &Config, found: &mut Vec<Finding>) {
    let (sip, media) = (&config.sip, &config.media);
    if sip.expires_min_s > sip.expires_max_s {
        let reason = Text::new(problem::EXPIRES_CROSSED).with("min", u64::from(sip.expires_min_s));
        let reason = reason.with("max", u64::from(sip.expires_max_s));
        let finding = Finding::error("sip expires-min-s", reason, problem::EXPIRES_CROSSED_REMEDY);
        found.push(finding.resting_on("sip expires-max-s"));
    }
    let (first, last) = media.rtp_ports;
    let port = sip.listen.port();
    if (first..=last).contains(&port) && overlap(sip.listen.ip(), media.address) {
        let reason = Text::new(problem::RTP_SIP).with("ports", format!("{first}-{last}"));
        let reason = reason.with("port", u64::from(port));
        let finding = Finding::error("media rtp-ports", reason, problem::RTP_SIP_REMEDY);
        found.push(finding.resting_on("sip listen").resting_on("media address"));
    }
    if media.address.is_unspecified() {
        let reason = Text::new(problem::MEDIA_ANY).with("address", media.address.to_string());
        found.push(Finding::error("media address", reason, problem::MEDIA_ANY_REMEDY).resting_on("sip listen"));
    }
}

/// Whether a port can be taken on one only.
fn overlap(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}

fn extensions(config: &Config, found: &mut Vec<Finding>) {
    for (number, extension) in &config.extensions {
        if extension.secret == *number {
            let path = format!("extension {number} secret");
            found.push(Finding::error(path, problem::SECRET_IS_NUMBER, problem::SECRET_IS_NUMBER_REMEDY));
        }
    }
}

fn numbers(config: &Config, found: &mut Vec<Finding>) {
    for number in config.numbers.keys().filter(|n| config.extensions.contains_key(*n)) {
        let reason = Text::new(problem::NUMBER_TAKEN).with("number", number);
        found.push(Finding::error(format!("number {number}"), reason, problem::NUMBER_TAKEN_REMEDY));
    }
}

/// Codes after which digits are dialled: a reason, a result, an agent, the place of a caller.
pub(super) const WITH_DIGITS: &[&str] = &[
    "agent-login",
    "agent-not-ready",
    "disposition",
    "listen",
    "whisper",
    "barge",
    "take-over",
    "force-state",
    "move-caller",
    "re-prioritise",
    "pick",
];

/// Codes equal to another, or to another followed by digits where that one takes some. Codes begin with `*` or `#`,
/// numbers and extensions with a digit, so these never meet.
fn codes(config: &Config, found: &mut Vec<Finding>) {
    let Some(mut block) = view(config).into_iter().find(|b| b.block.section == Section::Codes) else {
        return;
    };
    // Defaults first: of two codes that meet the one that was written is to be mended.
    block.leaves.sort_by_key(|leaf| leaf.written);
    let mut before: Vec<(&str, &str)> = Vec::new();
    for leaf in &block.leaves {
        let Value::Text(code) = &leaf.value else { continue };
        let met = before.iter().find_map(|(name, other)| {
            let shadowed = |long: &str, short: &str, short_name: &str| {
                let rest = long.strip_prefix(short).filter(|_| WITH_DIGITS.contains(&short_name));
                rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
            };
            let reason = match () {
                () if *other == code.as_str() => Text::new(problem::CODE_TAKEN),
                () if shadowed(code, other, name) => Text::new(problem::CODE_SHADOWED),
                () if shadowed(other, code, leaf.name) => Text::new(problem::CODE_SHADOWS).with("longer", *other),
                () => return None,
            };
            Some((*name, reason.with("code", code).with("other", *name)))
        });
        before.push((leaf.name, code));
        if let Some((name, reason)) = met {
            let finding = Finding::error(format!("codes {}", leaf.name), reason, problem::CODE_REMEDY);
            found.push(finding.resting_on(format!("codes {name}")));
        }
    }
}

fn menus(config: &Config, found: &mut Vec<Finding>) {
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    for (name, menu) in &config.menus {
        if menu.keys.is_empty() {
            let remedy = Text::new(problem::MENU_BARE_REMEDY).with("brace", "{").with("close", "}");
            found.push(Finding::warning(format!("menu {name}"), problem::MENU_BARE, remedy));
        }
        if reported.contains(name.as_str()) {
            continue;
        }
        let Some(circle) = circle_from(config, name) else { continue };
        reported.extend(circle.iter().copied());
        let chain: Vec<&str> = circle.iter().copied().chain([name.as_str()]).collect();
        let reason = Text::new(problem::MENU_LOOP).with("chain", chain.join(" → "));
        let mut finding = Finding::error(format!("menu {name} otherwise to"), reason, problem::MENU_LOOP_REMEDY);
        for member in circle {
            finding = finding.resting_on(format!("menu {member} otherwise to"));
        }
        found.push(finding);
    }
}

/// The menus that a silent caller passes from `start` back to it; by key a caller may go round as often as he likes.
fn circle_from<'c>(config: &'c Config, start: &'c str) -> Option<Vec<&'c str>> {
    let mut passed: BTreeSet<&str> = BTreeSet::new();
    let mut circle = Vec::new();
    let mut here = start;
    loop {
        if !passed.insert(here) {
            return None;
        }
        circle.push(here);
        match &config.menus.get(here)?.otherwise {
            Destination::Menu(next) if next == start => return Some(circle),
            Destination::Menu(next) => here = next,
            _ => return None,
        }
    }
}
