//! Many runs on two threads: some seeds of the staffing asked for, fewer of those around it.

use super::basis::Basis;
use super::options::Options;
use super::site::{Scene, play};
use super::staffing::Staffed;
use super::tally::{Figures, Ledger, Mean};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls that are worth simulating, for the staffing asked for and for each of the others.
const CALLS: (f64, f64) = (60_000.0, 6_000.0);
/// Runs, at least and at most, without a word about it.
const RUNS: (u64, u64) = (4, 20);
const THREADS: usize = 2;

/// The figures of one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Over all callers.
    pub figures: Figures,
    /// Over the callers of each queue.
    pub by_queue: BTreeMap<String, Figures>,
    /// Of the agents.
    pub occupancy: f64,
    /// Mean number waiting.
    pub length: f64,
    /// Most waiting.
    pub length_max: f64,
}

impl Run {
    /// Of what the journal says, leaving out callers who came before `warm_us`.
    pub fn of(ledger: &Ledger, warm_us: u64, options: &Options) -> Run {
        let lives = || ledger.lives.iter().filter(|l| l.arrived_us >= warm_us);
        let mut by_queue = BTreeMap::new();
        for life in lives() {
            by_queue
                .entry(life.queue.clone())
                .or_insert_with(|| Figures::of(lives().filter(|l| l.queue == life.queue), &options.threshold));
        }
        Run {
            figures: Figures::of(lives(), &options.threshold),
            by_queue,
            occupancy: ledger.shifts.occupancy(),
            length: ledger.shifts.length(),
            length_max: ledger.shifts.waiting_max as f64,
        }
    }
}

/// Mean of one figure over runs.
pub fn mean(runs: &[Run], figure: impl Fn(&Run) -> Option<f64>) -> Option<Mean> {
    let values: Vec<f64> = runs.iter().filter_map(figure).collect();
    Mean::of(&values)
}

/// Runs by number of agents.
///
/// # Errors
/// What the first run that failed said, or why a staffing is not possible.
pub fn all(basis: &Basis, options: &Options) -> Result<BTreeMap<u32, Vec<Run>>, String> {
    let calls = basis.profile.calls().max(1.0);
    let seeds = options.seeds.unwrap_or(((CALLS.0 / calls).ceil() as u64).clamp(RUNS.0, RUNS.1));
    let fewer = ((CALLS.1 / calls).ceil() as u64).clamp(1, seeds);
    let mut staffed: Vec<(Staffed, u64)> = Vec::new();
    for agents in basis.agents.saturating_sub(options.around).max(1)..=basis.agents + options.around {
        staffed.push((basis.staffed(agents)?, if agents == basis.agents { seeds } else { fewer }));
    }
    // The longest first: the staffing asked for has the most runs, few agents the longest queues.
    staffed.sort_by_key(|(site, count)| (std::cmp::Reverse(*count), site.agents()));
    let jobs: Vec<(&Staffed, u64)> =
        staffed.iter().flat_map(|(site, count)| (1..=*count).map(move |seed| (site, seed))).collect();
    let runs = side_by_side(&jobs, |(site, seed)| one(basis, options, site, *seed))?;
    let mut by_agents: BTreeMap<u32, Vec<Run>> = BTreeMap::new();
    for ((site, _), run) in jobs.iter().zip(runs) {
        by_agents.entry(site.agents()).or_default().push(run);
    }
    Ok(by_agents)
}

/// One run.
///
/// # Errors
/// See [`play`].
pub fn one(basis: &Basis, options: &Options, staffed: &Staffed, seed: u64) -> Result<Run, String> {
    let arrivals = basis.arrivals(seed);
    let ring_us = (basis.ring_s * 1e6) as u64;
    let scene = Scene { staffed, arrivals: &arrivals, ring_us, seed, counted_us: basis.warm_us..basis.length_us() };
    play(&scene).map(|ledger| Run::of(&ledger, basis.warm_us, options))
}

/// Does all jobs on two threads; results in the order of the jobs.
fn side_by_side<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> Result<R, String> + Sync) -> Result<Vec<R>, String> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Result<R, String>>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(n) else { return };
                    let result = work(job);
                    let failed = result.is_err();
                    if let Ok(mut done) = done.lock() {
                        done.insert(n, result);
                    }
                    if failed {
                        next.store(jobs.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let done = done.into_inner().map_err(|_| "a run panicked".to_string())?;
    let all: Vec<R> = done.into_values().collect::<Result<_, _>>()?;
    if all.len() == jobs.len() { Ok(all) } else { Err("some runs did not end".into()) }
}
