//! A call centre of 100 agents, twelve queues of all strategies and thirty skills: a virtual week, and many seeds of twenty
//! minutes at a smaller one in any weather. `CORDBOARD_HOURS` sets the length (8760: a year), `CORDBOARD_SEED` another
//! seed, `CORDBOARD_SEEDS` how many of the short ones.

#![allow(clippy::panic, reason = "a failing seed ends the test with its report")]

use std::time::Instant;
use tests::sim::plan::Plan;
use tests::sim::run::{number_from, report, run_many, run_one};

/// Seeds of twenty minutes.
const SEEDS: u64 = 500;
/// What must come to pass in so many seeds; otherwise it was not tested.
const SEEN: [&str; 58] = [
    "offer ring-all",
    "offer longest-idle",
    "offer fewest-calls",
    "offer least-talk-time",
    "offer least-occupied",
    "offer round-robin",
    "offer linear",
    "offer top-down",
    "offer random",
    "offer weighted-random",
    "offer ring-progressively",
    "offer relaxed",
    "offer starved",
    "offer preferred",
    "offer ended no-answer",
    "offer ended busy",
    "offer ended rejected",
    "offer ended unreachable",
    "offer ended answered elsewhere",
    "offer ended caller-gone",
    "excluded not-ready",
    "excluded phone-not-registered",
    "excluded skill-missing",
    "excluded skill-level",
    "excluded waits-for-preferred",
    "excluded calls-per-hour",
    "excluded retry-delay",
    "overflow wait",
    "overflow full",
    "overflow empty",
    "overflow closed",
    "overflow exit 0",
    "overflow exit 9",
    "overflow moved",
    "abandoned by max-wait",
    "abandoned by others",
    "state hold",
    "state personal",
    "state outbound",
    "state wrap-up",
    "wish not-ready",
    "wish logged-out",
    "wish ready",
    "disposition given",
    "disposition missing",
    "id and PIN",
    "secret digit",
    "supervisor listen",
    "supervisor whisper",
    "supervisor barge",
    "supervisor monitor-end",
    "supervisor take-over",
    "supervisor pick",
    "supervisor move-caller",
    "supervisor re-prioritise",
    "supervisor force-state",
    "supervisor refused",
    "surge",
];
/// Hours of a week.
const HOURS: u64 = 168;

#[test]
fn a_week_of_a_hundred_agents_and_twelve_queues() {
    let hours = number_from("CORDBOARD_HOURS").unwrap_or(HOURS);
    let seed = number_from("CORDBOARD_SEED").unwrap_or(1);
    let began = Instant::now();
    let outcome = run_one(&Plan::week(seed, hours));
    let stats = &outcome.stats;
    println!(
        "{} virtual hours in {} ms: {} callers, {} conversations, {} faults ({} restarts), {} inputs, {} rows",
        stats.virtual_us / 3_600_000_000,
        began.elapsed().as_millis(),
        stats.callers,
        stats.heard,
        stats.faults,
        stats.restarts,
        stats.inputs,
        stats.rows,
    );
    assert!(outcome.violations.is_empty(), "{}", report("sim_scale", seed, &outcome));
    assert!(stats.heard * 10 >= stats.callers * 6, "too few conversations: {} of {}", stats.heard, stats.callers);
}

#[test]
fn twenty_minutes_of_a_call_centre_in_any_weather() {
    let began = Instant::now();
    let (from, count) = match number_from("CORDBOARD_SEED") {
        Some(seed) => (seed, number_from("CORDBOARD_SEEDS").unwrap_or(1)),
        None => (0, number_from("CORDBOARD_SEEDS").unwrap_or(SEEDS)),
    };
    let summary = run_many("sim_scale", from, count, Plan::busy);
    let stats = &summary.stats;
    println!(
        "{} of {count} seeds well: {} callers, {} conversations, {} faults ({} restarts), {} inputs, {} rows in {} ms",
        summary.well,
        stats.callers,
        stats.heard,
        stats.faults,
        stats.restarts,
        stats.inputs,
        stats.rows,
        began.elapsed().as_millis()
    );
    if let Some((_, report)) = &summary.failed {
        let line = |(seed, what): &(u64, String)| format!("  {seed}: {}", what.chars().take(240).collect::<String>());
        let seeds: Vec<String> = summary.failures.iter().map(line).collect();
        panic!("{report}\n{} seeds failed:\n{}", seeds.len(), seeds.join("\n"));
    }
    let missing: Vec<&str> = SEEN.into_iter().filter(|name| !stats.tally.contains_key(*name)).collect();
    assert!(count < SEEDS || missing.is_empty(), "never came to pass: {missing:?} in {:?}", stats.tally);
    println!("{:?}", stats.tally);
}
