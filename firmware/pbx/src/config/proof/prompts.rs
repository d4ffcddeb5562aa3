//! Prompts that a caller or an agent can hear and that are not there: those that the configuration names, and those of the
//! box itself that its menus and queues play.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::check::{Finding, check_prompts};
use crate::config::{Config, Consent};
use crate::text::{Text, problem};

pub(super) fn check(config: &Config, available: &BTreeSet<&str>, found: &mut Vec<Finding>) {
    found.extend(check_prompts(config, available));
    for (file, path) in own(config) {
        if !available.contains(file.as_str()) {
            let reason = Text::new(problem::PROMPT_MISSING).with("file", file);
            found.push(Finding::error(path, reason, problem::FLOW_PROMPT_REMEDY));
        }
    }
}

/// The box's own prompts that callers can hear, each with one place that asks for it.
fn own(config: &Config) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut need = |language: &str, name: &str, path: String| {
        files.entry(format!("{language}/{name}")).or_insert(path);
    };
    let site = config.system.language.tag();
    for (name, menu) in &config.menus {
        for language in menu.languages.iter().filter(|_| menu.retries > 0) {
            need(language.tag(), "menu-invalid", format!("menu {name} languages"));
        }
        need(site, "goodbye", "system language".into());
    }
    for (name, queue) in &config.queues {
        for prompt in ["queue-welcome", "queue-full", "queue-closed"] {
            need(site, prompt, "system language".into());
        }
        if queue.monitor_consent == Consent::Notice {
            need(site, "monitor-notice", format!("queue {name} monitor-consent"));
        }
    }
    files
}
