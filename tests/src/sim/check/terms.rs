//! Who wins by the numbers that a decision printed: compared in the order in which they stand.

use pbx::event::{Candidate, TermName};
use std::cmp::Ordering;

/// The eligible candidates, best first.
pub fn in_order(candidates: &[Candidate]) -> Vec<String> {
    let mut eligible: Vec<&Candidate> = candidates.iter().filter(|c| c.excluded.is_none()).collect();
    eligible.sort_by(|a, b| compare(a, b));
    eligible.into_iter().map(|c| c.agent.clone()).collect()
}

fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    for (x, y) in a.terms.iter().zip(&b.terms) {
        let order = if most_wins(x.name) { y.value.cmp(&x.value) } else { x.value.cmp(&y.value) };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn most_wins(name: TermName) -> bool {
    match name {
        TermName::Preferred | TermName::Skill | TermName::IdleMs => true,
        TermName::Calls
        | TermName::TalkMs
        | TermName::OccupancyPermille
        | TermName::Distance
        | TermName::Tries
        | TermName::Draw
        | TermName::Ticket
        | TermName::Position => false,
    }
}
