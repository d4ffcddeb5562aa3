//! That every queue that is ever open has agents who can come to serve it: able to log in, with the skills and levels that
//! are required, at some ring of relaxation that opens before the wait is over.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use super::graph::{Cause, Graph, Sort};
use super::year::Year;
use crate::config::check::Finding;
use crate::config::{Config, OverflowKind, Queue};
use crate::text::{Text, problem};

/// Whether an agent has a phone, or a PIN and a phone to use it at.
pub(super) fn can_log_in(config: &Config, id: &str) -> bool {
    let agent = config.agents.get(id);
    agent.is_some_and(|a| a.extension.is_some() || a.pin.is_some() && !config.extensions.is_empty())
}

pub(super) fn check(config: &Config, graph: &Graph<'_>, year: &Year, found: &mut Vec<Finding>) {
    for node in &graph.nodes {
        let Sort::Queue { queue, calendar, always_empty } = node.sort else { continue };
        let sends_on = node.ways.iter().any(|way| way.cause == Cause::Overflow(OverflowKind::Empty));
        // A queue that only ever sends callers on is no trouble.
        let serves = calendar.is_none_or(|n| year.ever_open(n)) && !(always_empty && sends_on);
        if serves {
            found.extend(Staff { config, name: node.name, queue }.finding());
        }
    }
}

struct Staff<'c> {
    config: &'c Config,
    name: &'c str,
    queue: &'c Queue,
}

impl<'c> Staff<'c> {
    fn finding(&self) -> Option<Finding> {
        if self.is_served(false) {
            return None;
        }
        let path = format!("queue {}", self.name);
        if self.is_served(true) {
            let path = format!("{path} agents");
            return Some(Finding::warning(path, problem::FLOW_SURGE_ONLY, problem::FLOW_SURGE_ONLY_REMEDY));
        }
        let all = self.members(self.rings(), true);
        let able: Vec<&str> = all.iter().copied().filter(|id| can_log_in(self.config, id)).collect();
        let (path, why, remedy) = if all.is_empty() {
            (path, problem::FLOW_NOBODY_THERE, problem::QUEUE_EMPTY_REMEDY)
        } else if able.is_empty() {
            (format!("{path} agents"), problem::FLOW_NOBODY_LOGS_IN, problem::FLOW_NOBODY_LOGS_IN_REMEDY)
        } else {
            let lacking = self.queue.skills.iter().find(|(_, wanted)| wanted.required).map(|(skill, _)| skill);
            let lacking = self.queue.skills.keys().find(|skill| !able.iter().any(|id| self.has(id, skill))).or(lacking);
            let path = lacking.map_or(path.clone(), |skill| format!("{path} skill {skill}"));
            (path, problem::FLOW_NOBODY_SKILLED, problem::FLOW_NOBODY_SKILLED_REMEDY)
        };
        Some(Finding::error(path, Text::new(problem::FLOW_UNSERVED).with("why", why), remedy))
    }

    /// Rings of relaxation that open before the caller leaves.
    fn rings(&self) -> usize {
        let bounds = [self.queue.max_wait_s, self.queue.overflow_wait_s];
        let end = bounds.into_iter().filter(|s| *s > 0).min().unwrap_or(u32::MAX);
        self.queue.relax.keys().filter(|step| **step < end).count()
    }

    fn members(&self, rings: usize, surge: bool) -> BTreeSet<&'c str> {
        let relaxed = self.queue.relax.values().take(rings).flat_map(|relax| &relax.agents);
        let surge = self.queue.surge_agents.iter().filter(|_| surge);
        self.queue.agents.iter().chain(relaxed).chain(surge).map(alloc::string::String::as_str).collect()
    }

    /// Whether somebody can ever be offered a caller.
    fn is_served(&self, surge: bool) -> bool {
        (0..=self.rings()).any(|rings| {
            let mut members = self.members(rings, surge).into_iter();
            members.any(|id| can_log_in(self.config, id) && self.suits(id, rings))
        })
    }

    /// Whether an agent has everything that is required when so many rings are open.
    fn suits(&self, id: &str, rings: usize) -> bool {
        self.queue.skills.keys().all(|skill| self.fits(id, skill, rings))
    }

    fn has(&self, id: &str, skill: &str) -> bool {
        self.fits(id, skill, self.rings())
    }

    fn fits(&self, id: &str, skill: &str, rings: usize) -> bool {
        let Some(wanted) = self.queue.skills.get(skill) else { return true };
        let open = || self.queue.relax.values().take(rings);
        if !wanted.required || open().any(|relax| relax.drop.iter().any(|dropped| dropped == skill)) {
            return true;
        }
        let minus = open().map(|relax| relax.level_minus).max().unwrap_or(0);
        let least = wanted.level.saturating_sub(minus).max(1);
        let own = self.config.agents.get(id).and_then(|agent| agent.skills.get(skill));
        own.is_some_and(|own| *own >= least)
    }
}
