//! Circles in which a caller is driven round without pressing a key, by silence in menus and by overflow at once and after
//! waiting; and overflow over more queues than the box follows. Circles that a caller walks by key are his own affair.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::graph::{Cause, Graph, Place};
use super::year::Year;
use crate::config::check::Finding;
use crate::overflow::HOPS_MAX;
use crate::text::{Text, problem};

/// A node and why it is left.
type Step = (usize, Cause);

/// A node on the way, why it is being left, and the other ways out of it.
struct Here {
    node: usize,
    left_for: Cause,
    ways: Vec<(Cause, usize)>,
}

/// What the ways without a key come to while the same calendars are open.
struct Search<'g, 'c> {
    graph: &'g Graph<'c>,
    open: &'g [bool],
    /// Nodes that were entered; with the longest chain of overflow from there once all their ways were followed.
    passed: Vec<Option<Option<u32>>>,
    way: Vec<Here>,
    circles: &'g mut BTreeSet<Vec<Step>>,
}

impl<'g, 'c> Search<'g, 'c> {
    fn enter(&mut self, node: usize) {
        if let Some(passed) = self.passed.get_mut(node) {
            *passed = Some(None);
        }
        let ways = self.graph.nodes.get(node).into_iter().flat_map(|n| n.ways(self.open));
        let ways = ways.filter_map(|way| match way.to {
            Place::Node(next) if way.cause.is_keyless() => Some((way.cause, next)),
            Place::Node(_) | Place::End | Place::Hangup => None,
        });
        self.way.push(Here { node, left_for: Cause::Otherwise, ways: ways.collect() });
    }

    /// Follows every way once.
    fn follow(&mut self, start: usize) {
        self.enter(start);
        while let Some(here) = self.way.last_mut() {
            let Some((cause, next)) = here.ways.pop() else {
                let node = here.node;
                self.way.pop();
                let chain = self.chain_from(node);
                if let Some(passed) = self.passed.get_mut(node) {
                    *passed = Some(Some(chain));
                }
                continue;
            };
            here.left_for = cause;
            match self.passed.get(next) {
                Some(None) => self.enter(next),
                Some(Some(None)) => self.circle(next),
                Some(Some(Some(_))) | None => {}
            }
        }
    }

    /// Overflows in a row from a node whose ways were all followed.
    fn chain_from(&self, node: usize) -> u32 {
        let ways = self.graph.nodes.get(node).into_iter().flat_map(|n| n.ways(self.open));
        let lengths = ways.filter(|way| way.cause.is_keyless()).map(|way| {
            let hop = u32::from(matches!(way.cause, Cause::Overflow(_)));
            let Place::Node(next) = way.to else { return hop };
            hop + self.passed.get(next).copied().flatten().flatten().unwrap_or(0)
        });
        lengths.max().unwrap_or(0)
    }

    fn circle(&mut self, first: usize) {
        let Some(start) = self.way.iter().position(|here| here.node == first) else { return };
        let mut steps: Vec<Step> = self.way.iter().skip(start).map(|here| (here.node, here.left_for)).collect();
        // The same circle is found from any of its nodes.
        let least = steps.iter().enumerate().min_by_key(|(_, step)| **step).map_or(0, |(n, _)| n);
        steps.rotate_left(least);
        self.circles.insert(steps);
    }
}

pub(super) fn check(graph: &Graph<'_>, year: &Year, found: &mut Vec<Finding>) {
    let mut circles: BTreeSet<Vec<Step>> = BTreeSet::new();
    let mut chains: BTreeMap<usize, u32> = BTreeMap::new();
    for open in &year.states {
        let passed = vec![None; graph.nodes.len()];
        let mut search = Search { graph, open, passed, way: Vec::new(), circles: &mut circles };
        for start in 0..graph.nodes.len() {
            if search.passed.get(start) == Some(&None) {
                search.follow(start);
            }
        }
        let lengths = search.passed.iter().enumerate().filter_map(|(node, passed)| Some(((*passed)??, node)));
        if let Some((length, node)) = lengths.max().filter(|(length, _)| *length > HOPS_MAX) {
            chains.insert(node, length);
        }
    }
    found.extend(circles.iter().map(|circle| in_words(graph, circle)));
    // In a circle there is no longest chain.
    for (node, length) in chains.into_iter().filter(|_| circles.is_empty()) {
        let reason = Text::new(problem::FLOW_LONG).with("length", u64::from(length)).with("max", u64::from(HOPS_MAX));
        found.push(Finding::error(format!("{} overflow", graph.words(node)), reason, problem::FLOW_LONG_REMEDY));
    }
}

fn in_words(graph: &Graph<'_>, circle: &[Step]) -> Finding {
    let steps = circle.iter().map(|(node, cause)| format!("{} ({})", graph.words(*node), cause.words()));
    let back = circle.first().map(|(node, _)| graph.words(*node));
    let chain: Vec<String> = steps.chain(back).collect();
    let at = circle.first().map(|(node, cause)| graph.path(*node, *cause)).unwrap_or_default();
    let reason = Text::new(problem::FLOW_LOOP).with("chain", chain.join(" → "));
    Finding::error(at, reason, problem::FLOW_LOOP_REMEDY)
}
