//! Breadth first through every world that can be reached, so that the first broken rule comes with one of its shortest
//! stories. Each world remembers which one follows from it when nobody does anything any more (`World::fair`); at the end
//! every such path must lead to a world without calls. Written here rather than taken from a model checker: the state is
//! the real core, compared by what matters (`fingerprint.rs`), and the question is where a fair end leads from *every*
//! state, over joins and cycles; the rest is a queue and a table, for which stateright 0.31 would bring 46 crates, a web
//! server among them.

use serde_json::Map;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::time::Instant as Clock;

use crate::check::{Seen, broken};
use crate::world::{Step, World};

/// A fair end takes no longer than so many steps.
const FAIR_STEPS_MAX: usize = 2_000;

/// What was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub worlds: usize,
    pub steps: usize,
    /// Of the deepest world.
    pub depth: u32,
    /// Worlds that were not gone on from, because the bound was reached.
    pub open: usize,
    /// Worlds without calls in which paths ended.
    pub ends: usize,
}

struct Node {
    parent: u32,
    step: Step,
    depth: u32,
    /// The world that follows when nobody does anything; none at an end.
    fair: Option<u64>,
}

/// One search.
struct Search<'w> {
    begin: &'w World,
    nodes: Vec<Node>,
    known: HashMap<u64, u32>,
    /// From here a fair end was reached by going there.
    ends_well: HashSet<u64>,
    frontier: VecDeque<(u32, u64, World)>,
    report: Report,
}

/// Explores up to so many worlds; the story of the first rule broken when there is one.
pub fn explore(name: &str, begin: &World, worlds_max: usize) -> Result<Report, String> {
    let clock = Clock::now();
    let mut search = Search {
        begin,
        nodes: vec![],
        known: HashMap::new(),
        ends_well: HashSet::new(),
        frontier: VecDeque::new(),
        report: Report::default(),
    };
    let mut first = begin.clone();
    let (print, seen) = first.print();
    search.meet(0, Step::Time, 0, print, first, seen)?;
    while let Some((at, print, world)) = search.frontier.pop_front() {
        if search.nodes.len() >= worlds_max {
            search.report.open += 1;
            search.end_by_walking(at, print, world)?;
        } else {
            search.go_on(at, world)?;
        }
    }
    search.every_end_is_reached()?;
    let Report { worlds, steps, depth, open, ends } = search.report;
    println!(
        "{name}: {worlds} worlds, {steps} steps, depth {depth}, {ends} ends, {open} left open at the bound, {} ms",
        clock.elapsed().as_millis()
    );
    Ok(search.report)
}

impl Search<'_> {
    /// A world was reached: a new one is checked and will be gone on from.
    fn meet(
        &mut self,
        parent: u32,
        step: Step,
        depth: u32,
        print: u64,
        world: World,
        seen: Map<String, serde_json::Value>,
    ) -> Result<(), String> {
        if self.known.contains_key(&print) {
            return Ok(());
        }
        let at = self.nodes.len() as u32;
        self.known.insert(print, at);
        self.nodes.push(Node { parent, step, depth, fair: None });
        self.report.worlds += 1;
        self.report.depth = self.report.depth.max(depth);
        if let Some(rule) = broken(&world, &Seen(seen)) {
            return Err(self.story(at, &[], &rule));
        }
        if world.is_over() {
            self.report.ends += 1;
            self.ends_well.insert(print);
            return self.drain(at, &[], world);
        }
        self.frontier.push_back((at, print, world));
        Ok(())
    }

    fn go_on(&mut self, at: u32, world: World) -> Result<(), String> {
        let depth = self.nodes[at as usize].depth + 1;
        let fair = world.fair();
        let mut steps = world.steps();
        steps.extend(fair.filter(|step| !steps.contains(step)));
        for step in steps {
            let mut next = world.clone();
            next.take(step);
            self.report.steps += 1;
            let (print, seen) = next.print();
            if Some(step) == fair {
                self.nodes[at as usize].fair = Some(print);
            }
            self.meet(at, step, depth, print, next, seen)?;
        }
        if fair.is_none() {
            return Err(self.story(at, &[], "nothing can happen any more, and a call is left"));
        }
        Ok(())
    }

    /// Beyond the bound only the fair end is looked at.
    fn end_by_walking(&mut self, at: u32, print: u64, mut world: World) -> Result<(), String> {
        let (mut way, mut prints) = (vec![], vec![print]);
        loop {
            let Some(step) = world.fair().filter(|_| way.len() < FAIR_STEPS_MAX) else {
                return Err(self.story(at, &way, "no fair end"));
            };
            world.take(step);
            way.push(step);
            let (print, seen) = world.print();
            if let Some(rule) = broken(&world, &Seen(seen)) {
                return Err(self.story(at, &way, &rule));
            }
            if self.ends_well.contains(&print) {
                break;
            }
            prints.push(print);
            if world.is_over() {
                self.report.ends += 1;
                self.drain(at, &way, world)?;
                break;
            }
        }
        self.ends_well.extend(prints);
        Ok(())
    }

    /// Nobody is in a call any more: time alone must empty all tables.
    fn drain(&mut self, at: u32, way: &[Step], mut world: World) -> Result<(), String> {
        for _ in 0..4 {
            while let Some(step) = world.fair().filter(|step| *step != Step::Time) {
                world.take(step);
            }
            world.advance(world.now.at + core::time::Duration::from_secs(40));
        }
        let (_, seen) = world.print();
        match broken(&world, &Seen(seen)) {
            Some(rule) => Err(self.story(at, way, &format!("afterwards: {rule}"))),
            None if world.is_empty() => Ok(()),
            None => Err(self.story(at, way, "afterwards the tables are not empty")),
        }
    }

    /// Follows the fair way from every world that was gone on from.
    fn every_end_is_reached(&mut self) -> Result<(), String> {
        let known: Vec<(u64, u32)> = self.known.iter().map(|(print, at)| (*print, *at)).collect();
        for (print, at) in known {
            let (mut way, mut here) = (vec![], print);
            while !self.ends_well.contains(&here) {
                way.push(here);
                let node = self.known.get(&here).map(|at| &self.nodes[*at as usize]);
                match node.and_then(|n| n.fair).filter(|_| way.len() < FAIR_STEPS_MAX) {
                    Some(next) => here = next,
                    None => return Err(self.story(at, &[], "no fair end: it goes round in a circle")),
                }
            }
            self.ends_well.extend(way);
        }
        Ok(())
    }

    /// How a world came about, step by step, with what the box said.
    fn story(&self, at: u32, more: &[Step], rule: &str) -> String {
        let mut steps = vec![];
        let mut here = at;
        while here != 0 {
            let node = &self.nodes[here as usize];
            steps.push(node.step);
            here = node.parent;
        }
        steps.reverse();
        steps.extend(more);
        let mut text = format!("broken: {rule}\nafter {} steps:\n", steps.len());
        let mut world = self.begin.clone();
        for step in steps {
            world.story = Some(vec![]);
            world.take(step);
            let _ = writeln!(text, "{step:?}");
            for line in world.story.take().unwrap_or_default() {
                let _ = writeln!(text, "    {line}");
            }
        }
        text
    }
}
