//! `xtask bench`: what the box costs and how fast it is, measured on the built programs with SIPp and RTP of its own.
//! Nothing here is a test: a busy machine makes every figure worse, so each run prints the load and the speed of a fixed
//! loop beside its figures, and the table puts them in relation to the figure to beat.

mod calls;
mod commit;
mod cpu;
mod farm;
mod latency;
mod media;
pub mod noise;
mod report;
mod restart;
pub mod sipp;
pub mod stage;
mod trial;

use report::Report;

/// One of the measurements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// CPU per call set up and torn down.
    Calls,
    /// CPU per frame of a leg.
    Media,
    /// From an agent's BYE to the next INVITE.
    Latency,
    /// kill -9 under talking calls.
    Restart,
    /// Tests of a configuration.
    Trial,
    /// Commits on a large site under calls.
    Commit,
}

const ALL: [Subject; 6] =
    [Subject::Calls, Subject::Media, Subject::Latency, Subject::Restart, Subject::Trial, Subject::Commit];

/// What to measure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bench {
    /// In this order.
    pub subjects: Vec<Subject>,
    /// One JSON object instead of a table.
    pub json: bool,
    /// Length of each measured stretch, in s.
    pub seconds: u32,
}

impl Bench {
    /// Of the words of the command line: the subject's name or `all`.
    pub fn parse(subject: Option<&str>, json: bool, seconds: Option<u32>) -> Result<Bench, String> {
        let subjects = match subject {
            None | Some("all") => ALL.to_vec(),
            Some("calls") => vec![Subject::Calls],
            Some("media") => vec![Subject::Media],
            Some("latency") => vec![Subject::Latency],
            Some("restart") => vec![Subject::Restart],
            Some("trial") => vec![Subject::Trial],
            Some("commit") => vec![Subject::Commit],
            Some(other) => {
                return Err(format!(
                    "no bench `{other}`; there are calls, media, latency, restart, trial, commit and all"
                ));
            }
        };
        Ok(Bench { subjects, json, seconds: seconds.unwrap_or(10).max(1) })
    }
}

/// Measures and prints.
pub fn run(bench: &Bench) -> Result<(), String> {
    let mut report = Report::begin();
    for subject in &bench.subjects {
        let seconds = bench.seconds;
        match subject {
            Subject::Calls => calls::measure(seconds, &mut report),
            Subject::Media => media::measure(seconds, &mut report),
            Subject::Latency => latency::measure(&mut report),
            Subject::Restart => restart::measure(&mut report),
            Subject::Trial => trial::measure(&mut report),
            Subject::Commit => commit::measure(&mut report),
        }
        .map_err(|trouble| trouble.0)?;
    }
    report.finish();
    if bench.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.table());
    }
    Ok(())
}
