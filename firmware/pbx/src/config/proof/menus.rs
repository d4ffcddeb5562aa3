//! Menus that lead nowhere, and menus within menus. A menu without keys is an announcement, and one may end with it.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::graph::{Cause, Graph, Node, Place};
use crate::config::check::Finding;
use crate::config::{Config, Severity};
use crate::text::{Text, problem};

/// Deepest menu that nobody minds.
const DEPTH_GOOD: u32 = 3;
/// Deepest menu that is taken.
const DEPTH_MAX: u32 = 4;

pub(super) fn check(config: &Config, graph: &Graph<'_>, found: &mut Vec<Finding>) {
    dead_ends(graph, found);
    depth(config, graph, found);
}

fn menus<'g, 'c>(graph: &'g Graph<'c>) -> impl Iterator<Item = (usize, &'g Node<'c>)> {
    graph.nodes.iter().enumerate().filter(|(_, node)| node.is_menu())
}

/// The menus that a menu leads to.
fn next_menus(graph: &Graph<'_>, menu: usize) -> impl Iterator<Item = (Cause, usize)> {
    let ways = graph.nodes.get(menu).into_iter().flat_map(|node| &node.ways);
    ways.filter_map(|way| match way.to {
        Place::Node(next) if graph.nodes.get(next).is_some_and(Node::is_menu) => Some((way.cause, next)),
        Place::Node(_) | Place::End | Place::Hangup => None,
    })
}

/// Menus from which no key and no waiting leads to anything but the end of the call.
fn dead_ends(graph: &Graph<'_>, found: &mut Vec<Finding>) {
    let mut leads = vec![false; graph.nodes.len()];
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    let mut ahead: Vec<usize> = Vec::new();
    for (n, node) in menus(graph) {
        let bare = !node.ways.iter().any(|way| matches!(way.cause, Cause::Key(_)));
        let place = |to: Place| match to {
            Place::End => true,
            Place::Node(next) => graph.nodes.get(next).is_some_and(|node| !node.is_menu()),
            Place::Hangup => false,
        };
        if bare || node.ways.iter().any(|way| place(way.to)) {
            ahead.push(n);
        }
        for (_, next) in next_menus(graph, n) {
            if let Some(before) = before.get_mut(next) {
                before.push(n);
            }
        }
    }
    while let Some(menu) = ahead.pop() {
        let known = leads.get_mut(menu).is_none_or(|leads| core::mem::replace(leads, true));
        if !known {
            ahead.extend(before.get(menu).into_iter().flatten());
        }
    }
    let dead: BTreeSet<usize> = menus(graph).map(|(n, _)| n).filter(|n| leads.get(*n) == Some(&false)).collect();
    for menu in at_fault(graph, &dead) {
        let reason = problem::FLOW_DEAD_END;
        found.push(Finding::error(graph.words(menu), reason, problem::FLOW_DEAD_END_REMEDY));
    }
}

/// Of menus that lead nowhere those that no other one is to blame for; of a circle of them one.
fn at_fault(graph: &Graph<'_>, dead: &BTreeSet<usize>) -> Vec<usize> {
    let others = |menu: usize| next_menus(graph, menu).map(|(_, next)| next).filter(move |next| *next != menu);
    let last = |menu: &usize| others(*menu).next().is_none();
    let mut to_blame: BTreeSet<usize> = dead.iter().copied().filter(last).collect();
    for menu in dead {
        let mut passed: BTreeSet<usize> = [*menu].into();
        let mut ahead = vec![*menu];
        while let Some(here) = ahead.pop() {
            ahead.extend(others(here).filter(|next| passed.insert(*next)));
        }
        if passed.is_disjoint(&to_blame) {
            to_blame.insert(*menu);
        }
    }
    to_blame.into_iter().collect()
}

/// A menu on the way from where callers come in.
#[derive(Clone, Copy)]
struct Level {
    depth: u32,
    /// The menu and the way by which it is reached.
    before: Option<(usize, Cause)>,
}

/// Menus that callers reach through too many others, by the shortest way: keys that lead back do not count.
fn depth(config: &Config, graph: &Graph<'_>, found: &mut Vec<Finding>) {
    let from_outside = config.dids.values().map(|did| &did.to);
    let from_numbers = from_outside.chain(config.numbers.values()).map(|to| graph.place(to));
    let from_queues = graph.nodes.iter().filter(|node| !node.is_menu()).flat_map(|node| node.ways.iter().map(|w| w.to));
    let entries: BTreeSet<Place> = from_numbers.chain(from_queues).collect();
    let mut deep: BTreeMap<usize, (Severity, Finding)> = BTreeMap::new();
    for entry in entries {
        let Place::Node(entry) = entry else { continue };
        if !graph.nodes.get(entry).is_some_and(Node::is_menu) {
            continue;
        }
        let levels = levels(graph, entry);
        let deepest = levels.values().map(|level| level.depth).max().unwrap_or(0);
        let severity = if deepest > DEPTH_MAX { Severity::Error } else { Severity::Warning };
        for (menu, level) in levels.iter().filter(|(_, level)| level.depth > DEPTH_GOOD && level.depth == deepest) {
            if deep.get(menu).is_none_or(|(known, _)| *known > severity) {
                deep.insert(*menu, (severity, too_deep(graph, &levels, *menu, level, severity)));
            }
        }
    }
    found.extend(deep.into_values().map(|(_, finding)| finding));
}

/// The menus reached from one, to one level beyond what is taken.
fn levels(graph: &Graph<'_>, entry: usize) -> BTreeMap<usize, Level> {
    let mut levels = BTreeMap::from([(entry, Level { depth: 1, before: None })]);
    let mut ahead = VecDeque::from([entry]);
    while let Some(menu) = ahead.pop_front() {
        let depth = levels.get(&menu).map_or(0, |level| level.depth) + 1;
        if depth > DEPTH_MAX + 1 {
            break;
        }
        for (cause, next) in next_menus(graph, menu) {
            levels.entry(next).or_insert_with(|| {
                ahead.push_back(next);
                Level { depth, before: Some((menu, cause)) }
            });
        }
    }
    levels
}

fn too_deep(
    graph: &Graph<'_>,
    levels: &BTreeMap<usize, Level>,
    menu: usize,
    level: &Level,
    weight: Severity,
) -> Finding {
    let mut chain: Vec<String> = [graph.words(menu)].into();
    let mut before = level.before;
    while let Some((menu, cause)) = before {
        chain.push(format!("{} ({})", graph.words(menu), cause.words()));
        before = levels.get(&menu).and_then(|level| level.before);
    }
    chain.reverse();
    let reason = Text::new(problem::FLOW_DEEP).with("depth", u64::from(level.depth)).with("chain", chain.join(" → "));
    let path = level.before.map_or_else(String::new, |(menu, cause)| graph.path(menu, cause));
    let remedy = Text::new(problem::FLOW_DEEP_REMEDY).with("good", u64::from(DEPTH_GOOD));
    let remedy = remedy.with("max", u64::from(DEPTH_MAX));
    match weight {
        Severity::Error => Finding::error(path, reason, remedy),
        Severity::Warning => Finding::warning(path, reason, remedy),
    }
}
