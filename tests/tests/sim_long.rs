//! 72 virtual hours at 2,000 calls an hour: 50 agents, 56 analog lines and a trunk, calls handled in 75 s with wrap-up.
//! `CORDBOARD_HOURS` sets another length, `CORDBOARD_SEED` another seed.

use std::time::Instant;
use tests::sim::plan::Plan;
use tests::sim::run::{number_from, report, run_one};

#[test]
fn three_days_at_two_thousand_calls_an_hour() {
    let hours = number_from("CORDBOARD_HOURS").unwrap_or(72);
    let seed = number_from("CORDBOARD_SEED").unwrap_or(1);
    let began = Instant::now();
    let outcome = run_one(&Plan::long(seed, hours));
    let took_ms = began.elapsed().as_millis().max(1) as u64;
    let stats = &outcome.stats;
    let virtual_ms = stats.virtual_us / 1_000;
    println!(
        "{} virtual hours in {took_ms} ms: {}.{} virtual hours per second; {} callers, {} conversations, {} faults \
         ({} restarts), {} inputs, {} rows",
        virtual_ms / 3_600_000,
        virtual_ms / 3_600 / took_ms,
        virtual_ms / 360 / took_ms % 10,
        stats.callers,
        stats.heard,
        stats.faults,
        stats.restarts,
        stats.inputs,
        stats.rows,
    );
    assert!(outcome.violations.is_empty(), "{}", report("sim_long", seed, &outcome));
    assert!(stats.callers >= hours * 1_900, "too few callers: {}", stats.callers);
    assert!(stats.heard * 10 >= stats.callers * 6, "too few conversations: {}", stats.heard);
}
