//! Phones that answer one offer at the same instant: exactly one has the call, each other one is cancelled or released
//! at once, and the caller talks with one of them alone.

use super::floor::{Plan, Played, Reached};
use super::tally::Tally;
use ::tests::peer::load_ears::Habits;
use ::tests::peer::load_log::By;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Phones that ring together.
const PHONES: u16 = 8;
const RACES: u32 = 200;
const TALK_MS: u64 = 350;
/// Calls come one after the other.
const APART_MS: u64 = 500;

/// Several phones that ring together, and callers one after the other.
pub fn plan(calls: Option<u32>, reached: Reached, base: Plan) -> Plan {
    let calls = u64::from(calls.unwrap_or(RACES));
    Plan {
        name: if reached == Reached::Extension { "race" } else { "race-queue" },
        net: if reached == Reached::Extension { 7 } else { 8 },
        seats: PHONES,
        reached,
        arrivals: super::Arrivals::At((0..calls).map(|call| call * APART_MS).collect()),
        habits: Habits { ring_ms: super::RING_MS, patience_ms: None, talk_ms: Some(TALK_MS), talk_exact: true },
        limit: Duration::from_secs(60),
        ..base
    }
}

/// What came of the phones that answered.
#[derive(Default)]
struct Counts {
    /// Races in which all phones rang.
    full: u32,
    rings: u32,
    answers: u32,
    /// Their 200 crossed with the CANCEL.
    crossed: u32,
    /// Their 200 was taken and the call released at once.
    released: u32,
    /// They were cancelled while they rang.
    cancelled: u32,
    won: u32,
    /// Longest time between two answers of a race.
    apart: Duration,
}

/// Each race has one winner; of each loser it is told how it lost.
pub fn judge(played: &Played, plan: &Plan, tally: &mut Tally, text: &mut String) {
    let mut races: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    played.seen.rings.iter().for_each(|ring| races.entry(ring.caller).or_default().push(ring));
    let mut counts = Counts::default();
    for (caller, rings) in &races {
        counts.rings += rings.len() as u32;
        let answers: Vec<_> = rings.iter().filter_map(|ring| ring.answered).collect();
        counts.answers += answers.len() as u32;
        let spread = answers.iter().max().zip(answers.iter().min()).map(|(last, first)| *last - *first);
        counts.apart = counts.apart.max(spread.unwrap_or_default());
        counts.cancelled += rings.iter().filter(|ring| ring.withdrawn).count() as u32;
        let won: Vec<_> = rings.iter().filter(|ring| ring.over.is_some_and(|(_, by)| by == By::Himself)).collect();
        counts.won += won.len() as u32;
        let lost =
            rings.iter().filter(|ring| ring.answered.is_some() && ring.over.is_some_and(|(_, by)| by == By::Box));
        counts.crossed += lost.clone().filter(|ring| ring.too_late).count() as u32;
        counts.released += lost.filter(|ring| !ring.too_late).count() as u32;
        tally.faults.demand(won.len() == 1, || format!("race {caller} has {} winners: {rings:?}", won.len()));
        let all_over = rings.iter().all(|ring| ring.over.is_some());
        tally.faults.demand(all_over, || format!("race {caller}: a phone still has it: {rings:?}"));
        // A queue rings those who are ready: on a busy machine some may still have the race before.
        let all_rang = rings.len() == usize::from(plan.seats);
        counts.full += u32::from(all_rang);
        tally.faults.demand(all_rang || plan.reached != Reached::Extension, || {
            format!("race {caller}: {} of {} phones rang", rings.len(), plan.seats)
        });
    }
    let _ = writeln!(
        text,
        "{} races of {} phones, all of which rang in {}: {} rings = {} cancelled while ringing + {} answers; answers = {} won + {} crossed with \
         CANCEL + {} released at once; answers of a race at most {} ms apart",
        races.len(),
        plan.seats,
        counts.full,
        counts.rings,
        counts.cancelled,
        counts.answers,
        counts.won,
        counts.crossed,
        counts.released,
        counts.apart.as_millis(),
    );
    let adds_up = counts.rings == counts.cancelled + counts.answers
        && counts.answers == counts.won + counts.crossed + counts.released;
    tally.faults.demand(adds_up, || "the races do not add up".into());
}
