//! Runs of many seeds, and what to say when one fails: the one command that replays it and the ladder of its last
//! events.

use super::plan::Plan;
use super::world::{Outcome, Stats, World};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number from the environment.
pub fn number_from(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs one plan; a panic is a finding, too. When something is wrong it is run again for its ladder.
pub fn run_one(plan: &Plan) -> Outcome {
    let first = caught(plan.clone());
    if first.violations.is_empty() || plan.ladder {
        return first;
    }
    let mut second = caught(Plan { ladder: true, ..plan.clone() });
    if second.violations != first.violations {
        second.violations.push(format!("and the second run of the same seed differs; first: {:?}", first.violations));
    }
    second
}

fn caught(plan: Plan) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| World::new(plan).run())) {
        Ok(outcome) => outcome,
        Err(cause) => {
            let text = cause.downcast_ref::<String>().cloned();
            let text = text.or(cause.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default();
            Outcome {
                violations: vec![format!("panic: {text}")],
                ladder: Vec::new(),
                stats: Stats::default(),
                journal: Default::default(),
            }
        }
    }
}

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Seeds that were well.
    pub well: u64,
    /// The lowest seed that failed, with its report.
    pub failed: Option<(u64, String)>,
    /// Seeds that failed.
    pub failures: Vec<(u64, String)>,
    /// Sums over all seeds.
    pub stats: Stats,
}

/// Runs seeds `from..from + count` on two threads, each seed by the plan that `plan` makes of it. `test` is the name
/// of the test's file, for the command that replays a seed.
pub fn run_many(test: &str, from: u64, count: u64, plan: impl Fn(u64) -> Plan + Sync) -> Summary {
    let next = AtomicU64::new(from);
    let summary = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    let outcome = run_one(&plan(seed));
                    if let Ok(mut summary) = summary.lock() {
                        summary.add(test, seed, &outcome);
                    }
                }
            });
        }
    });
    summary.into_inner().unwrap_or_default()
}

impl Summary {
    fn add(&mut self, test: &str, seed: u64, outcome: &Outcome) {
        let (sum, one) = (&mut self.stats, &outcome.stats);
        sum.virtual_us += one.virtual_us;
        sum.inputs += one.inputs;
        sum.outputs += one.outputs;
        sum.callers += one.callers;
        sum.heard += one.heard;
        sum.faults += one.faults;
        sum.restarts += one.restarts;
        sum.unanswered += one.unanswered;
        sum.unheard += one.unheard;
        sum.rows += one.rows;
        for (name, count) in &one.tally {
            *sum.tally.entry(name.clone()).or_default() += count;
        }
        let Some(first) = outcome.violations.first() else {
            self.well += 1;
            return;
        };
        self.failures.push((seed, first.clone()));
        if self.failed.as_ref().is_none_or(|(old, _)| seed < *old) {
            self.failed = Some((seed, report(test, seed, outcome)));
        }
    }
}

/// A failing seed in words.
pub fn report(test: &str, seed: u64, outcome: &Outcome) -> String {
    format!(
        "{}\n\nseed {seed} failed:\n  {}\nreplay it with:\n  CORDBOARD_SEED={seed} cargo test --release -p tests --test {test} -- --nocapture\n",
        outcome.ladder.join("\n"),
        outcome.violations.join("\n  "),
    )
}
