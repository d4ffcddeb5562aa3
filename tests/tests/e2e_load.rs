//! Callers and agents in numbers, all of them real phones with audio both ways on every call: short runs of what
//! `xtask load` plays at length.

use std::time::Duration;
use tests::ensure;
use tests::peer::{Outcome, Trouble};
use xtask::load::{Load, Scenario, report};

/// A phone that is further behind its time is not let speak by the machine: what it hears then tells nothing of the box.
const LATE_MAX: Duration = Duration::from_millis(100);
/// So often a load is played on a machine that is too busy.
const TRIES: usize = 3;

/// Plays the short run, or the whole scenario when `CORDBOARD_LOADS` is `whole`.
fn play(load: Load) -> Outcome {
    let whole = std::env::var_os("CORDBOARD_LOADS").is_some_and(|word| word == "whole");
    let load = if whole { Load::whole(load.scenario) } else { load };
    let mut told = String::new();
    for _ in 0..TRIES {
        let report = report(&load)?;
        println!("{}", report.text);
        let (faults, late) = (&report.tally.faults, report.tally.late_max);
        if faults.count == 0 {
            return Ok(());
        }
        told = format!("{}\n{} faults: {:#?}", report.text, faults.count, faults.told);
        ensure!(late > LATE_MAX, "{told}");
    }
    Err(Trouble(format!("the machine was too busy {TRIES} times; the last time:\n{told}")))
}

#[test]
fn a_hundred_callers_at_once_reach_fifty_agents() -> Outcome {
    play(Load::whole(Scenario::Burst))
}

#[test]
fn one_agent_serves_ten_callers_in_order_and_never_two_at_once() -> Outcome {
    play(Load::whole(Scenario::OneAgent))
}

#[test]
fn three_times_the_rated_load_loses_nobody_and_keeps_the_first_calls_whole() -> Outcome {
    play(Load { seconds: Some(12), ..Load::whole(Scenario::Rated) })
}

#[test]
fn phones_that_answer_at_the_same_instant_leave_one_winner() -> Outcome {
    play(Load { calls: Some(15), ..Load::whole(Scenario::Race) })
}

#[test]
fn agents_of_a_queue_that_rings_all_answer_at_the_same_instant_and_one_wins() -> Outcome {
    play(Load { calls: Some(15), ..Load::whole(Scenario::RaceQueue) })
}
