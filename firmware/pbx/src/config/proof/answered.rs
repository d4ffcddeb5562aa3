//! That every number from outside is answered at every minute. A caller of a queue that is closed and says of no place for
//! him hears that it is closed and is released: he was answered, but reached nobody, which is a warning. One whom nobody
//! and nothing answers is an error.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::graph::{Cause, Graph, Place};
use super::year::{YEAR_MIN, Year, moment};
use crate::config::check::Finding;
use crate::config::{Config, Destination, OverflowKind};
use crate::text::{Text, problem};

/// Numbers named in a message; of more only how many there are.
const NUMBERS_SHOWN: usize = 4;

/// How a caller came to a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Origin {
    /// Dialled one of the numbers with this destination.
    Did(usize),
    /// By a way out of a node.
    Way(usize, Cause),
}

/// A caller who reaches nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Gap {
    /// This queue is closed and sends him nowhere.
    Closed(usize),
    /// He is hung up on without having been answered.
    Refused(Origin),
}

/// One destination of numbers from outside.
struct Entry<'c> {
    to: Place,
    numbers: Vec<&'c str>,
}

/// A node, and whether the caller was answered before it.
type Spot = (usize, bool);

/// Where callers get while the same calendars are open.
struct Walk<'g, 'c> {
    graph: &'g Graph<'c>,
    /// How each spot was reached first.
    came: BTreeMap<Spot, (Origin, Option<Spot>)>,
    ahead: VecDeque<Spot>,
    gaps: BTreeMap<Gap, Option<Spot>>,
}

impl<'g, 'c> Walk<'g, 'c> {
    fn from(graph: &'g Graph<'c>, open: &[bool], entries: impl Iterator<Item = (usize, Place)>) -> Walk<'g, 'c> {
        let mut walk = Walk { graph, came: BTreeMap::new(), ahead: VecDeque::new(), gaps: BTreeMap::new() };
        for (n, to) in entries {
            walk.enter(to, Origin::Did(n), None, false);
        }
        while let Some(spot) = walk.ahead.pop_front() {
            walk.leave(spot, open);
        }
        walk
    }

    fn enter(&mut self, to: Place, origin: Origin, before: Option<Spot>, answered: bool) {
        match to {
            Place::Node(node) => {
                let spot = (node, answered);
                if let alloc::collections::btree_map::Entry::Vacant(first) = self.came.entry(spot) {
                    first.insert((origin, before));
                    self.ahead.push_back(spot);
                }
            }
            Place::Hangup if !answered => {
                self.gaps.entry(Gap::Refused(origin)).or_insert(before);
            }
            Place::Hangup | Place::End => {}
        }
    }

    fn leave(&mut self, spot: Spot, open: &[bool]) {
        let (index, answered) = spot;
        let Some(node) = self.graph.nodes.get(index) else { return };
        let mut sent_on = false;
        for way in node.ways(open) {
            let closed = Cause::Overflow(OverflowKind::Closed);
            sent_on |= way.cause == closed;
            // Who is turned away by the hour was not answered. Where it happens for want of room or of agents, it is the
            // wish of whoever wrote it, and passes.
            self.enter(way.to, Origin::Way(index, way.cause), Some(spot), answered || way.cause != closed);
        }
        if node.is_closed(open) && !sent_on {
            self.gaps.entry(Gap::Closed(index)).or_insert(Some(spot));
        }
    }

    /// `did 4001234 → menu main (key 2) → queue support`, up to this spot.
    fn steps(&self, last: Option<Spot>, entries: &[Entry<'_>]) -> String {
        let mut steps = Vec::new();
        let mut spot = last;
        while let Some((origin, before)) = spot.and_then(|spot| self.came.get(&spot)) {
            steps.push(told(self.graph, *origin, entries));
            spot = *before;
        }
        steps.reverse();
        steps.join(" → ")
    }
}

fn told(graph: &Graph<'_>, origin: Origin, entries: &[Entry<'_>]) -> String {
    match origin {
        Origin::Did(n) => format!("did {}", entries.get(n).and_then(|e| e.numbers.first()).unwrap_or(&"")),
        Origin::Way(node, cause) => format!("{} ({})", graph.words(node), cause.words()),
    }
}

/// When a gap is there.
struct Times {
    /// State of what is open when it was there first.
    state: usize,
    from: i64,
    to: i64,
    /// The minute after its last one so far.
    last: i64,
    count: u64,
    minutes: i64,
}

pub(super) fn check(config: &Config, graph: &Graph<'_>, year: &Year, found: &mut Vec<Finding>) {
    let entries = entries(config, graph);
    let by_state: Vec<Vec<Gap>> = year
        .states
        .iter()
        .map(|open| {
            let all = entries.iter().map(|entry| entry.to).enumerate();
            Walk::from(graph, open, all).gaps.into_keys().collect()
        })
        .collect();
    let mut times: BTreeMap<Gap, Times> = BTreeMap::new();
    for stretch in &year.stretches {
        let (state, from, to) = (stretch.state, stretch.from, stretch.to);
        for gap in by_state.get(state).into_iter().flatten() {
            let fresh = Times { state, from, to: from, last: from, count: 1, minutes: 0 };
            let time = times.entry(*gap).or_insert(fresh);
            if time.last < from {
                time.count += 1;
            }
            if time.count == 1 {
                time.to = to;
            }
            time.minutes += to - from;
            time.last = to;
        }
    }
    let site = Site { graph, year, entries };
    found.extend(times.into_iter().map(|(gap, times)| site.finding(gap, &times)));
}

fn entries<'c>(config: &'c Config, graph: &Graph<'_>) -> Vec<Entry<'c>> {
    let mut by_place: BTreeMap<&Destination, Vec<&str>> = BTreeMap::new();
    for (number, did) in &config.dids {
        by_place.entry(&did.to).or_default().push(number);
    }
    by_place.into_iter().map(|(to, numbers)| Entry { to: graph.place(to), numbers }).collect()
}

struct Site<'g, 'c> {
    graph: &'g Graph<'c>,
    year: &'g Year,
    entries: Vec<Entry<'c>>,
}

impl Site<'_, '_> {
    fn finding(&self, gap: Gap, times: &Times) -> Finding {
        let open = self.year.states.get(times.state).map_or(&[][..], Vec::as_slice);
        let mut numbers: Vec<&str> = Vec::new();
        let mut steps: Option<String> = None;
        for (n, entry) in self.entries.iter().enumerate() {
            let walk = Walk::from(self.graph, open, [(n, entry.to)].into_iter());
            let Some(last) = walk.gaps.get(&gap) else { continue };
            numbers.extend(&entry.numbers);
            let way = walk.steps(*last, &self.entries);
            // The shortest way tells best.
            if steps.as_ref().is_none_or(|known| way.matches('→').count() < known.matches('→').count()) {
                steps = Some(way);
            }
        }
        let steps = steps.unwrap_or_default();
        let numbers = shown(numbers);
        let fill = |text: Text, steps: String| {
            let text = text.with("numbers", &numbers).with("steps", steps);
            let text = text.with("from", moment(times.from)).with("to", moment(times.to));
            text.with("count", times.count).with("minutes", times.minutes as u64)
        };
        match gap {
            Gap::Closed(node) => {
                let queue = self.graph.words(node);
                let reason = fill(Text::new(problem::FLOW_CLOSED), format!("{steps} → {queue}"));
                let remedy = Text::new(problem::FLOW_CLOSED_REMEDY).with("queue", &queue);
                let remedy = remedy.with("brace", "{").with("close", "}");
                let path = format!("{queue} overflow closed");
                // Closed at night is what hours are for; never open is a mistake.
                let never_open = times.minutes as u64 >= YEAR_MIN;
                let finding = if never_open {
                    Finding::error(path, reason, remedy)
                } else {
                    Finding::warning(path, reason, remedy)
                };
                Finding { at: format!("{queue} calendar"), ..finding }
            }
            Gap::Refused(origin) => {
                let last = told(self.graph, origin, &self.entries);
                let way = if steps.is_empty() { last } else { format!("{steps} → {last}") };
                let reason = fill(Text::new(problem::FLOW_REFUSED), format!("{way} → hangup"));
                let path = match origin {
                    Origin::Did(n) => {
                        let number = self.entries.get(n).and_then(|e| e.numbers.first()).unwrap_or(&"");
                        format!("did {number} to")
                    }
                    Origin::Way(node, cause) => self.graph.path(node, cause),
                };
                Finding::error(path, reason, problem::FLOW_REFUSED_REMEDY)
            }
        }
    }
}

fn shown(mut numbers: Vec<&str>) -> String {
    numbers.sort_unstable();
    let few: Vec<&str> = numbers.iter().copied().take(NUMBERS_SHOWN).collect();
    match numbers.len().checked_sub(NUMBERS_SHOWN) {
        None | Some(0) => few.join(", "),
        Some(more) => format!("{} … (+{more})", few.join(", ")),
    }
}
