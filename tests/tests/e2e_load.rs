//! Callers and agents in numbers, all of them real phones with audio both ways on every call: short runs of what
//! `xtask load` plays at length.

use tests::ensure;
use tests::peer::Outcome;
use xtask::load::{Load, Scenario, report};

/// Plays the short run, or the whole scenario when `CORDBOARD_LOADS` is `whole`.
fn play(load: Load) -> Outcome {
    let whole = std::env::var_os("CORDBOARD_LOADS").is_some_and(|word| word == "whole");
    let load = if whole { Load::whole(load.scenario) } else { load };
    let report = report(&load)?;
    println!("{}", report.text);
    let faults = &report.tally.faults;
    ensure!(faults.count == 0, "{}\n{} faults: {:#?}", report.text, faults.count, faults.told);
    Ok(())
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
    play(Load { calls: Some(25), ..Load::whole(Scenario::Race) })
}
