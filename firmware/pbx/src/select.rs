//! Which agent gets the next caller: a pure function from what is seen of the agents to all that may have the call, best
//! first, with every number that was compared. The winners are computed from those printed numbers and from nothing
//! else, so that reading them back from the journal decides the same again. Not who is looked at, nor which caller is
//! served next: the queue decides that.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::Strategy;
use crate::event::{Candidate, Exclusion, Rule, Term, TermName};

/// One agent as the router sees it.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// Agent id.
    pub agent: &'a str,
    /// Place in the queue's list, from 0; unique among those seen.
    pub position: u32,
    /// Why it may not have the call whatever the caller wishes; none when it may.
    pub excluded: Option<Exclusion>,
    /// Ready for so long.
    pub idle_ms: u64,
    /// Calls taken.
    pub calls: u32,
    /// Time talked.
    pub talk_ms: u64,
    /// Share of the time logged in that was spent on calls, 0-1000.
    pub occupancy_permille: u32,
    /// Skills with their levels, 1-10.
    pub skills: &'a BTreeMap<String, u8>,
    /// Offers of this call that the agent has had already.
    pub tries: u32,
}

/// One skill that the caller wishes, as relaxation has left it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish<'a> {
    /// Its name.
    pub skill: &'a str,
    /// The level that a required skill must have.
    pub level: u8,
    /// A gate: agents without it, or below the level, are not eligible, and those above it are equal. Otherwise a score:
    /// whoever has more of it comes first, before the strategy.
    pub required: bool,
}

/// What is decided, and how.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Queue name, for the path of a configuration line.
    pub queue: &'a str,
    /// How agents are ordered.
    pub strategy: Strategy,
    /// Skills wished.
    pub wishes: &'a [Wish<'a>],
    /// The agent that the caller prefers.
    pub preferred: Option<&'a str>,
    /// Nobody but the preferred agent may have the call yet.
    pub wait_for_preferred: bool,
    /// Round-robin: place of the agent served last.
    pub after: Option<u32>,
    /// Random and weighted-random: 64 bits of chance for this decision.
    pub draw: u64,
}

/// What was decided, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// All that are eligible, best first: indices into what was seen.
    pub winners: Vec<usize>,
    /// All that were looked at, in the order of what was seen.
    pub candidates: Vec<Candidate>,
    /// In words of the journal: strategy, winner, and the term that set it before the second.
    pub why: String,
}

/// Decides. None when nobody is eligible; [`rejected`] tells why.
pub fn select(asked: &Asked<'_>, seen: &[Seen<'_>]) -> Option<Selection> {
    let candidates = look(asked, seen);
    let winners = decide(&candidates);
    let best = candidates.get(*winners.first()?)?;
    let second = winners.get(1).and_then(|index| candidates.get(*index));
    let why = reason(asked.strategy, best, second, winners.len());
    Some(Selection { winners, candidates, why })
}

/// All that were looked at, in the order of what was seen, with what excludes each: why a caller goes on waiting.
pub fn rejected(asked: &Asked<'_>, seen: &[Seen<'_>]) -> Vec<Candidate> {
    look(asked, seen)
}

/// Decides from printed terms alone: indices of those eligible, best first. Terms are compared in the order in which
/// they stand.
pub fn decide(candidates: &[Candidate]) -> Vec<usize> {
    let key = |c: &Candidate| c.terms.iter().map(|term| (term.name, cost(*term))).collect::<Vec<_>>();
    let mut eligible: Vec<(Vec<(TermName, i128)>, usize)> =
        candidates.iter().enumerate().filter(|(_, c)| c.excluded.is_none()).map(|(index, c)| (key(c), index)).collect();
    eligible.sort();
    eligible.into_iter().map(|(_, index)| index).collect()
}

/// The value turned so that the smaller wins, whatever the term.
fn cost(term: Term) -> i128 {
    let value = i128::from(term.value);
    if term.name.higher_wins() { -value } else { value }
}

fn look(asked: &Asked<'_>, seen: &[Seen<'_>]) -> Vec<Candidate> {
    let excluded: Vec<Option<Exclusion>> = seen.iter().map(|agent| exclusion(asked, agent)).collect();
    let ring = Ring::of(asked, seen, &excluded);
    let one = |(agent, excluded): (&Seen<'_>, Option<Exclusion>)| Candidate {
        agent: agent.agent.into(),
        terms: if excluded.is_some() { Vec::new() } else { terms(asked, agent, &ring) },
        excluded,
    };
    seen.iter().zip(excluded).map(one).collect()
}

/// The first rule that keeps an agent out, the state of the agent before the wishes of the caller.
fn exclusion(asked: &Asked<'_>, agent: &Seen<'_>) -> Option<Exclusion> {
    if agent.excluded.is_some() {
        return agent.excluded.clone();
    }
    for wish in asked.wishes.iter().filter(|wish| wish.required) {
        let config = || format!("queue {} skill {}", asked.queue, wish.skill);
        match agent.skills.get(wish.skill) {
            None => return Some(Exclusion { rule: Rule::SkillMissing, detail: wish.skill.into(), config: config() }),
            Some(level) if *level < wish.level => {
                let detail = format!("{} {level} < {}", wish.skill, wish.level);
                return Some(Exclusion { rule: Rule::SkillLevel, detail, config: config() });
            }
            Some(_) => {}
        }
    }
    let preferred = asked.preferred.filter(|preferred| asked.wait_for_preferred && *preferred != agent.agent)?;
    let config = format!("queue {} sticky-wait-s", asked.queue);
    Some(Exclusion { rule: Rule::WaitsForPreferred, detail: preferred.into(), config })
}

/// What an eligible agent is compared by.
fn terms(asked: &Asked<'_>, agent: &Seen<'_>, ring: &Ring) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut add = |name, value: u64| terms.push(Term { name, value: i64::try_from(value).unwrap_or(i64::MAX) });
    if let Some(preferred) = asked.preferred {
        add(TermName::Preferred, u64::from(preferred == agent.agent));
    }
    // Whom a required skill lets in, it tells apart no further: otherwise no two agents would be left to the strategy. A
    // weighted draw has the skills in its weights; sorted by skill first, only equal weights would be left to draw.
    if asked.wishes.iter().any(|wish| !wish.required) && asked.strategy != Strategy::WeightedRandom {
        add(TermName::Skill, levels(asked.wishes.iter().filter(|wish| !wish.required), agent));
    }
    match asked.strategy {
        Strategy::LongestIdle => add(TermName::IdleMs, agent.idle_ms),
        Strategy::FewestCalls => add(TermName::Calls, agent.calls.into()),
        Strategy::LeastTalkTime => add(TermName::TalkMs, agent.talk_ms),
        Strategy::LeastOccupied => add(TermName::OccupancyPermille, agent.occupancy_permille.into()),
        Strategy::RoundRobin => add(TermName::Distance, ring.distance(asked.after, agent.position)),
        Strategy::TopDown => add(TermName::Tries, agent.tries.into()),
        Strategy::Random => add(TermName::Draw, mixed(asked.draw, agent.position) >> 32),
        Strategy::WeightedRandom => add(TermName::Ticket, ring.ticket(asked, agent)),
        Strategy::RingAll | Strategy::Linear | Strategy::RingProgressively => {}
    }
    add(TermName::Position, agent.position.into());
    terms
}

/// Sum of the agent's levels over some wished skills.
fn levels<'w>(wishes: impl Iterator<Item = &'w Wish<'w>>, agent: &Seen<'_>) -> u64 {
    wishes.filter_map(|wish| agent.skills.get(wish.skill)).map(|level| u64::from(*level)).sum()
}

/// Tickets of an agent in a weighted draw: 1, and one more for each level of a wished skill, required or preferred: the
/// levels are what this strategy goes by.
fn weight(asked: &Asked<'_>, agent: &Seen<'_>) -> u64 {
    1 + levels(asked.wishes.iter(), agent)
}

/// The queue's list bent into a ring: places for round-robin, tickets for the weighted draw.
struct Ring {
    /// Places, those of excluded agents too: they keep theirs.
    places: u64,
    /// Tickets of all that are eligible.
    tickets: u64,
    /// First ticket of each of them by place.
    first: BTreeMap<u32, u64>,
}

impl Ring {
    fn of(asked: &Asked<'_>, seen: &[Seen<'_>], excluded: &[Option<Exclusion>]) -> Ring {
        let last = seen.iter().map(|agent| agent.position).chain(asked.after).max();
        let mut ring = Ring { places: last.map_or(0, |last| u64::from(last) + 1), tickets: 0, first: BTreeMap::new() };
        if asked.strategy == Strategy::WeightedRandom {
            let mut eligible: Vec<&Seen<'_>> =
                seen.iter().zip(excluded).filter(|(_, excluded)| excluded.is_none()).map(|(agent, _)| agent).collect();
            eligible.sort_by_key(|agent| agent.position);
            for agent in eligible {
                ring.first.insert(agent.position, ring.tickets);
                ring.tickets += weight(asked, agent);
            }
        }
        ring
    }

    /// Places between the agent served last and this one; its own is the farthest.
    fn distance(&self, after: Option<u32>, position: u32) -> u64 {
        let from = after.map_or(0, |after| u64::from(after) + 1);
        // `after` is below `places`, so nothing is subtracted below 0.
        (u64::from(position) + self.places - from) % self.places.max(1)
    }

    /// How far the drawn ticket is before those of an eligible agent; 0 when it is one of them.
    fn ticket(&self, asked: &Asked<'_>, agent: &Seen<'_>) -> u64 {
        let tickets = self.tickets.max(1);
        let first = self.first.get(&agent.position).copied().unwrap_or(0);
        let drawn = asked.draw % tickets;
        let inside = drawn >= first && drawn - first < weight(asked, agent);
        if inside { 0 } else { (first + tickets - drawn) % tickets }
    }
}

/// 64 bits that depend on every bit of both (the finalizer of SplitMix64, Steele, Lea and Flood 2014).
fn mixed(draw: u64, position: u32) -> u64 {
    let mut bits = draw.wrapping_add((u64::from(position) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// `longest-idle: 1001 idle-ms 61000 before 1002 idle-ms 3000, of 2`.
fn reason(strategy: Strategy, best: &Candidate, second: Option<&Candidate>, count: usize) -> String {
    let strategy = strategy.word();
    let Some(second) = second else { return format!("{strategy}: {}, the only one eligible", best.agent) };
    match best.terms.iter().zip(&second.terms).find(|(own, other)| own != other) {
        Some((own, other)) => format!(
            "{strategy}: {} {name} {} before {} {name} {}, of {count}",
            best.agent,
            own.value,
            second.agent,
            other.value,
            name = own.name.as_str(),
        ),
        None => format!("{strategy}: {}, of {count}", best.agent),
    }
}

#[cfg(test)]
mod tests;
