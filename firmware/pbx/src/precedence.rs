//! Which of the waiting callers is served first: the numbers that are compared, as the router compares them and as they
//! stand with each offer. Pure; who waits is the queues' business, which agent takes the caller is `select.rs`'s.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use base::id::Uid;
use core::cmp::Reverse;
use serde::{Deserialize, Serialize};

use crate::config::Routing;

/// Callers that an offer names besides the one served; those beyond are counted.
pub const PASSED_OVER_MAX: usize = 5;

/// Order of service, over all queues: smaller comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rank {
    /// 0 for whom the starvation bound has come, in order of arrival; 1 for all others.
    class: u8,
    weight: Reverse<u8>,
    /// Waiting and what the priority counts for, µs; or the priority alone when it is absolute.
    credit: Reverse<i128>,
    arrival: u64,
}

impl Rank {
    /// Whether the starvation bound put the caller before everybody else.
    pub fn is_starved(self) -> bool {
        self.class == 0
    }
}

/// What decides how callers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Measure {
    /// A level of priority counts as so many seconds of waiting; 0: priority comes before any waiting.
    pub step_s: u32,
    /// Who has waited for so many seconds comes first; 0: nobody.
    pub starvation_s: u32,
}

impl Measure {
    /// That of a configuration.
    pub fn of(routing: &Routing) -> Measure {
        Measure { step_s: routing.priority_step_s, starvation_s: routing.starvation_s }
    }

    /// The rank of a caller who has waited so long and came as number `arrival`.
    pub fn rank(self, weight: u8, priority: u8, waited_us: u64, arrival: u64) -> Rank {
        if self.starvation_s > 0 && waited_us / 1_000_000 >= u64::from(self.starvation_s) {
            return Rank { class: 0, weight: Reverse(0), credit: Reverse(0), arrival };
        }
        let credit = match i128::from(self.step_s) {
            0 => i128::from(priority),
            step_s => i128::from(waited_us) + i128::from(priority) * step_s * 1_000_000,
        };
        Rank { class: 1, weight: Reverse(weight), credit: Reverse(credit), arrival }
    }
}

/// One caller with the numbers that decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Contender {
    /// The call.
    pub call: Uid,
    /// Queue in which it waits.
    pub queue: String,
    /// Weight of the queue.
    pub weight: u8,
    /// 0-10.
    pub priority: u8,
    /// Line of the configuration that gave the priority, `supervisor` when one set it; empty: the queue's own.
    pub priority_by: String,
    /// Since it came to its first queue, µs.
    pub waited_us: u64,
    /// Number of the arrival.
    pub arrival: u64,
}

/// In a row: names would be most of what is stored.
type Stored = (Uid, String, u8, u8, String, u64, u64);

impl From<Stored> for Contender {
    fn from((call, queue, weight, priority, priority_by, waited_us, arrival): Stored) -> Contender {
        Contender { call, queue, weight, priority, priority_by, waited_us, arrival }
    }
}

impl From<Contender> for Stored {
    fn from(c: Contender) -> Stored {
        (c.call, c.queue, c.weight, c.priority, c.priority_by, c.waited_us, c.arrival)
    }
}

/// Why an agent was offered this caller and no other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Precedence {
    /// How callers were compared.
    pub measure: Measure,
    /// The one served, then those whom the agent could have served instead, the next first, at most
    /// [`PASSED_OVER_MAX`] of them.
    pub callers: Vec<Contender>,
    /// How many more the agent could have served.
    pub more: u32,
}

/// A number that callers are compared by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallerTerm {
    /// 1 for whom the starvation bound has come; the larger wins.
    Starved,
    /// Weight of the queue; the larger wins.
    Weight,
    /// Waiting and what the priority counts for, µs; the larger wins.
    CreditUs,
    /// Priority, where it is absolute; the larger wins.
    Priority,
    /// Number of the arrival; the smaller wins.
    Arrival,
}

impl Precedence {
    /// The rank of one of the callers.
    pub fn rank(&self, caller: &Contender) -> Rank {
        self.measure.rank(caller.weight, caller.priority, caller.waited_us, caller.arrival)
    }

    /// Sorts the printed callers anew: whose turn it is.
    pub fn first(&self) -> Option<&Contender> {
        self.callers.iter().min_by_key(|caller| self.rank(caller))
    }

    /// What a caller is compared by, most important first.
    pub fn terms(&self, caller: &Contender) -> Vec<(CallerTerm, i128)> {
        let rank = self.rank(caller);
        let arrival = (CallerTerm::Arrival, i128::from(caller.arrival));
        if rank.is_starved() {
            return vec![(CallerTerm::Starved, 1), arrival];
        }
        let credit = if self.measure.step_s == 0 { CallerTerm::Priority } else { CallerTerm::CreditUs };
        let (weight, credit) = ((CallerTerm::Weight, i128::from(rank.weight.0)), (credit, rank.credit.0));
        vec![(CallerTerm::Starved, 0), weight, credit, arrival]
    }

    /// The term that put the first caller before the next; none when there was no other.
    pub fn deciding(&self) -> Option<CallerTerm> {
        let (first, next) = (self.callers.first()?, self.callers.get(1)?);
        let (own, other) = (self.terms(first), self.terms(next));
        own.iter().zip(&other).find(|(own, other)| own != other).map(|(own, _)| own.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(call: u128, weight: u8, priority: u8, waited_s: u64) -> Contender {
        let (queue, priority_by) = ("support".into(), String::new());
        let (waited_us, arrival) = (waited_s * 1_000_000, 1_000 - waited_s);
        Contender { call: Uid(call), queue, weight, priority, priority_by, waited_us, arrival }
    }

    fn decided(step_s: u32, starvation_s: u32, first: &Contender, next: &Contender) -> Option<CallerTerm> {
        let callers = vec![first.clone(), next.clone()];
        let precedence = Precedence { measure: Measure { step_s, starvation_s }, callers, more: 0 };
        assert_eq!(precedence.first(), Some(first));
        precedence.deciding()
    }

    #[test]
    fn the_term_that_decides_is_named() {
        let (long, dear, heavy) = (caller(1, 0, 5, 400), caller(2, 0, 9, 10), caller(3, 50, 0, 1));
        assert_eq!(decided(60, 300, &long, &heavy), Some(CallerTerm::Starved));
        assert_eq!(decided(60, 0, &heavy, &long), Some(CallerTerm::Weight));
        assert_eq!(decided(60, 0, &long, &dear), Some(CallerTerm::CreditUs));
        assert_eq!(decided(0, 0, &dear, &long), Some(CallerTerm::Priority));
        let even = caller(4, 0, 5, 390);
        assert_eq!(decided(0, 0, &long, &even), Some(CallerTerm::Arrival));
        assert_eq!(decided(60, 300, &long, &even), Some(CallerTerm::Arrival), "both have waited too long");
    }

    #[test]
    fn a_caller_is_stored_in_a_row_and_comes_back() {
        let caller = caller(1, 0, 5, 400);
        let text = serde_json::to_string(&caller).unwrap();
        assert_eq!(text, r#"["00000000000000000000000001","support",0,5,"",400000000,600]"#);
        assert_eq!(serde_json::from_str::<Contender>(&text).unwrap(), caller);
    }
}
