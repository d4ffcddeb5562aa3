//! What a run was and came to.

use super::tally::Tally;
use base::time::Now;
use pbx::door::Input;

/// What a run was.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Virtual time in microseconds.
    pub virtual_us: u64,
    /// Inputs handled.
    pub inputs: u64,
    /// Outputs carried.
    pub outputs: u64,
    /// Callers that arrived.
    pub callers: u64,
    /// Callers that heard a person.
    pub heard: u64,
    /// Faults injected.
    pub faults: u64,
    /// Restarts of the program among them.
    pub restarts: u64,
    /// Offers to agents that ended without an answer at a phone that was well.
    pub unanswered: u64,
    /// Of these, such that the phone never saw its INVITE although there was time to repeat it.
    pub unheard: u64,
    /// Rows of the leg-event journal.
    pub rows: u64,
    /// What happened, at a call centre.
    pub tally: Tally,
}

/// Inputs and outputs of a run, for replay.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Every input with its time.
    pub inputs: Vec<(Now, Input)>,
    /// What each led to, as bytes.
    pub outputs: Vec<Vec<u8>>,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was wrong; empty is well.
    pub violations: Vec<String>,
    /// The last events, when the plan asked for the ladder.
    pub ladder: Vec<String>,
    /// In numbers.
    pub stats: Stats,
    /// When the plan asked for it.
    pub journal: Journal,
}
