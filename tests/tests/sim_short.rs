//! Thousands of short seeds: a few minutes at a small site each, in any weather, with faults; then everything heals and
//! must come to its end. `CORDBOARD_SEEDS` sets how many, `CORDBOARD_SEED` runs one, both together so many from
//! that one on.

#![allow(clippy::panic)]

use std::time::Instant;
use tests::sim::plan::Plan;
use tests::sim::run::{number_from, run_many};

/// Seeds of a test run.
const SEEDS: u64 = 2_000;

#[test]
fn short_runs_keep_every_rule_and_come_to_their_end() {
    let began = Instant::now();
    let (from, count) = match number_from("CORDBOARD_SEED") {
        Some(seed) => (seed, number_from("CORDBOARD_SEEDS").unwrap_or(1)),
        None => (0, number_from("CORDBOARD_SEEDS").unwrap_or(SEEDS)),
    };
    let summary = run_many("sim_short", from, count, Plan::short);
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
        let seeds: Vec<String> =
            summary.failures.iter().map(|(seed, what)| format!("  {seed}: {}", shorten(what))).collect();
        panic!("{report}\n{} seeds failed:\n{}", seeds.len(), seeds.join("\n"));
    }
    println!("{} offers without an answer at a healthy phone, {} never seen there", stats.unanswered, stats.unheard);
    assert!(stats.unheard * 20 <= stats.unanswered + 40, "offers get lost although they could be repeated");
    assert!(stats.heard > 0, "nobody ever talked");
}

fn shorten(what: &str) -> String {
    what.chars().take(200).collect()
}
