//! Checks of queues: that callers can be served, where they overflow to, and that nothing is written which can never
//! happen.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Finding;
use crate::config::{Config, Destination, EmptyFactor, OverflowKind, Queue, Wanted};
use crate::text::{Text, problem};

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    for (name, calendar) in &config.calendars {
        if calendar.hours.is_empty() && calendar.extra.is_empty() {
            let path = format!("calendar {name}");
            let finding = Finding::warning(path.clone(), problem::CALENDAR_SHUT, problem::CALENDAR_SHUT_REMEDY);
            found.push(finding.resting_on(format!("{path} hours")).resting_on(format!("{path} extra")));
        }
    }
    for (name, queue) in &config.queues {
        let site = Site { config, name, queue };
        site.staff(found);
        site.skills(found);
        site.relaxation(found);
        site.wrap_up(found);
        site.overflow(found);
        site.empty_factors(found);
        site.sticky(found);
    }
    circles(config, found);
}

/// One queue of a site.
struct Site<'c> {
    config: &'c Config,
    name: &'c str,
    queue: &'c Queue,
}

impl<'c> Site<'c> {
    fn path(&self, leaf: &str) -> String {
        format!("queue {} {leaf}", self.name)
    }

    fn warning(&self, leaf: &str, reason: impl Into<Text>, remedy: impl Into<Text>) -> Finding {
        Finding::warning(self.path(leaf), reason, remedy)
    }

    /// All who may ever serve it.
    fn agents(&self) -> BTreeSet<&'c str> {
        let later = self.queue.relax.values().flat_map(|relax| &relax.agents);
        self.queue.agents.iter().chain(&self.queue.surge_agents).chain(later).map(String::as_str).collect()
    }

    fn staff(&self, found: &mut Vec<Finding>) {
        if self.agents().is_empty() {
            let path = format!("queue {}", self.name);
            let mut finding = Finding::warning(path, problem::QUEUE_EMPTY, problem::QUEUE_EMPTY_REMEDY);
            for leaf in ["agents", "surge-agents"] {
                finding = finding.resting_on(self.path(leaf));
            }
            for step in self.queue.relax.keys() {
                finding = finding.resting_on(self.path(&format!("relax {step} agents")));
            }
            found.push(finding);
        }
    }

    /// Skills that nobody has who serves the queue.
    fn skills(&self, found: &mut Vec<Finding>) {
        let agents = self.agents();
        let has = |skill: &str, level: u8| {
            let levels = agents.iter().filter_map(|id| self.config.agents.get(*id)?.skills.get(skill));
            levels.copied().any(|own| own >= level)
        };
        for (skill, Wanted { level, required }) in &self.queue.skills {
            let least = if *required { *level } else { 1 };
            if agents.is_empty() || has(skill, least) || !self.config.skills.contains_key(skill) {
                continue;
            }
            let reason = Text::new(problem::SKILL_NOBODY).with("skill", skill).with("level", u64::from(least));
            let remedy = Text::new(problem::SKILL_NOBODY_REMEDY).with("skill", skill).with("level", u64::from(least));
            let leaf = format!("skill {skill}");
            let mut finding = self.warning(&leaf, reason, remedy).resting_on(self.path("agents"));
            for id in &agents {
                finding = finding.resting_on(format!("agent {id} skills"));
            }
            found.push(finding.resting_on(format!("skill {skill}")));
        }
    }

    fn relaxation(&self, found: &mut Vec<Finding>) {
        let (bound, seconds) = (self.config.routing.starvation_s, self.queue.max_wait_s);
        if bound > 0 && seconds > 0 && bound >= seconds {
            let reason = Text::new(problem::STARVED_LATE).with("bound", u64::from(bound));
            let reason = reason.with("seconds", u64::from(seconds));
            let finding = self.warning("max-wait-s", reason, problem::STARVED_LATE_REMEDY);
            found.push(finding.resting_on("routing starvation-s"));
        }
        for (step, relax) in &self.queue.relax {
            let leaf = format!("relax {step}");
            for (bound, seconds) in self.ends() {
                if *step >= seconds {
                    found.push(self.too_late(&leaf, bound, seconds));
                    break;
                }
            }
            for skill in relax.drop.iter().filter(|s| !self.queue.skills.get(*s).is_some_and(|w| w.required)) {
                let reason = Text::new(problem::DROP_NEEDLESS).with("skill", skill);
                let path = format!("{leaf} drop");
                let finding = self.warning(&path, reason, problem::DROP_NEEDLESS_REMEDY);
                let at = self.path(&format!("{path} {skill}"));
                found.push(Finding { at, ..finding }.resting_on(self.path(&format!("skill {skill}"))));
            }
        }
    }

    /// The moments at which nobody waits any longer: leaf and seconds.
    fn ends(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let ends = [("max-wait-s", self.queue.max_wait_s), ("overflow-wait-s", self.queue.overflow_wait_s)];
        ends.into_iter().filter(|(_, seconds)| *seconds > 0)
    }

    fn too_late(&self, leaf: &str, bound: &str, seconds: u32) -> Finding {
        let reason = Text::new(problem::TOO_LATE).with("bound", bound).with("seconds", u64::from(seconds));
        let remedy = Text::new(problem::TOO_LATE_REMEDY).with("bound", bound);
        self.warning(leaf, reason, remedy).resting_on(self.path(bound))
    }

    fn wrap_up(&self, found: &mut Vec<Finding>) {
        let longest = self.queue.wrap_up_max_s;
        let normal = ("wrap-up-s", Some(self.queue.wrap_up_s));
        for (leaf, seconds) in [normal, ("surge-wrap-up-s", self.queue.surge_wrap_up_s)] {
            let Some(seconds) = seconds.filter(|s| *s > longest) else { continue };
            let reason = Text::new(problem::WRAP_UP_CROSSED).with("max", u64::from(longest)).with("leaf", leaf);
            let reason = reason.with("seconds", u64::from(seconds));
            let remedy = Text::new(problem::WRAP_UP_CROSSED_REMEDY).with("leaf", leaf);
            let finding = Finding::error(self.path("wrap-up-max-s"), reason, remedy);
            found.push(finding.resting_on(self.path(leaf)));
        }
        if self.queue.disposition_required && self.config.dispositions.is_empty() {
            let remedy = Text::new(problem::DISPOSITION_NONE_REMEDY).with("brace", "{").with("close", "}");
            found.push(self.warning("disposition-required", problem::DISPOSITION_NONE, remedy));
        }
    }

    /// Overflow that is written and cannot happen, or can happen and leads nowhere.
    fn overflow(&self, found: &mut Vec<Finding>) {
        let (wait, longest) = (self.queue.overflow_wait_s, self.queue.max_wait_s);
        if wait > 0 && longest > 0 && wait >= longest {
            found.push(self.too_late("overflow-wait-s", "max-wait-s", longest));
        }
        if wait > 0 && !self.queue.overflow.contains_key(&OverflowKind::Wait) {
            let remedy = Text::new(problem::OVERFLOW_NOWHERE_REMEDY).with("brace", "{").with("close", "}");
            let finding = self.warning("overflow-wait-s", problem::OVERFLOW_NOWHERE, remedy);
            found.push(finding.resting_on(self.path("overflow wait")));
        }
        for kind in self.queue.overflow.keys().filter(|kind| !happens(self.queue, **kind)) {
            let needs = match kind {
                OverflowKind::Wait => "overflow-wait-s",
                OverflowKind::Full => "max-length",
                OverflowKind::Empty => "join-empty",
                OverflowKind::Closed => "calendar",
            };
            let reason = Text::new(problem::OVERFLOW_NEVER).with("needs", needs);
            let remedy = Text::new(problem::OVERFLOW_NEVER_REMEDY).with("needs", needs);
            let finding = self.warning(&format!("overflow {}", kind.word()), reason, remedy);
            found.push(finding.resting_on(self.path(needs)));
        }
    }

    fn empty_factors(&self, found: &mut Vec<Finding>) {
        for (leaf, factors) in [("join-empty", &self.queue.join_empty), ("leave-empty", &self.queue.leave_empty)] {
            for factor in factors.iter().filter(|f| matches!(f, EmptyFactor::Penalty | EmptyFactor::Unknown)) {
                let reason = Text::new(problem::FACTOR_NEVER).with("factor", factor.word());
                found.push(self.warning(leaf, reason, problem::FACTOR_NEVER_REMEDY));
            }
        }
    }

    fn sticky(&self, found: &mut Vec<Finding>) {
        if self.queue.sticky_wait_s > 0 && self.config.routing.sticky_days == 0 {
            let finding = self.warning("sticky-wait-s", problem::STICKY_NEVER, problem::STICKY_NEVER_REMEDY);
            found.push(finding.resting_on("routing sticky-days"));
        }
    }
}

/// Whether callers can ever overflow for this reason.
fn happens(queue: &Queue, kind: OverflowKind) -> bool {
    match kind {
        OverflowKind::Wait => queue.overflow_wait_s > 0,
        OverflowKind::Full => queue.max_length > 0,
        OverflowKind::Empty => !queue.join_empty.is_empty() || !queue.leave_empty.is_empty(),
        OverflowKind::Closed => queue.calendar.is_some(),
    }
}

/// The queues to which callers can be sent on without having waited.
fn at_once(queue: &Queue) -> impl Iterator<Item = (OverflowKind, &str)> {
    queue.overflow.iter().filter_map(|(kind, to)| match (kind, to) {
        (OverflowKind::Wait, _) => None,
        (kind, Destination::Queue(next)) if happens(queue, *kind) => Some((*kind, next.as_str())),
        _ => None,
    })
}

/// A queue on the way, the reason for which it is being left, and the other ways out of it.
struct Step<'c> {
    queue: &'c str,
    left_for: OverflowKind,
    ways: Vec<(OverflowKind, &'c str)>,
}

impl<'c> Step<'c> {
    fn at(config: &'c Config, queue: &'c str) -> Step<'c> {
        let ways = config.queues.get(queue).into_iter().flat_map(at_once).collect();
        Step { queue, left_for: OverflowKind::Full, ways }
    }
}

/// Circles in which a caller could be sent round for ever without waiting anywhere. Every way is followed once.
fn circles(config: &Config, found: &mut Vec<Finding>) {
    let mut passed: BTreeSet<&str> = BTreeSet::new();
    let mut way: Vec<Step<'_>> = Vec::new();
    for start in config.queues.keys().map(String::as_str) {
        if passed.insert(start) {
            way.push(Step::at(config, start));
        }
        while let Some(step) = way.last_mut() {
            let Some((kind, next)) = step.ways.pop() else {
                way.pop();
                continue;
            };
            step.left_for = kind;
            if passed.insert(next) {
                way.push(Step::at(config, next));
            } else if let Some(first) = way.iter().position(|step| step.queue == next) {
                found.push(circle(way.get(first..).unwrap_or_default()));
            }
        }
    }
}

fn circle(steps: &[Step<'_>]) -> Finding {
    let names = steps.iter().map(|step| format!("{} ({})", step.queue, step.left_for.word()));
    let back = steps.first().map_or("", |step| step.queue).to_string();
    let chain: Vec<String> = names.chain([back]).collect();
    let reason = Text::new(problem::OVERFLOW_LOOP).with("chain", chain.join(" → "));
    let path = |step: &Step<'_>| format!("queue {} overflow {} to", step.queue, step.left_for.word());
    let at = steps.first().map(path).unwrap_or_default();
    let finding = Finding::error(at, reason, problem::OVERFLOW_LOOP_REMEDY);
    steps.iter().map(path).fold(finding, Finding::resting_on)
}
