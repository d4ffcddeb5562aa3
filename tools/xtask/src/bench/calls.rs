//! CPU of the box for each call that is set up and torn down with two SIP legs: between extensions, where the caller is
//! asked for its digest as real phones are, and from a carrier.

use super::cpu::Cpu;
use super::report::{Report, Row};
use super::sipp::Load;
use super::stage::{Plan, Stage, Turns};
use ::tests::peer::Outcome;
use std::time::Duration;

/// New calls per second.
const RATES: [u32; 3] = [20, 50, 100];
/// How long each call talks.
const TALK_MS: u32 = 100;
/// After the last call: what is written in groups is written then, all timers of RFC 3261 but the longest have run.
const SETTLE: Duration = Duration::from_millis(1500);
/// Asterisk 22 on a machine like the one this was written on: 3 to 4 ms.
const PEER_US: f64 = 3000.0;

/// Runs every rate from both kinds of callers.
pub fn measure(seconds: u32, report: &mut Report) -> Outcome {
    let (stage, _) = Stage::open(Plan { name: "calls", phones: 50, agents: 0, record: false, queues: 0 })?;
    stage.register()?;
    for rate in RATES {
        run(&stage, stage.callers(), ("extension", rate, seconds), report)?;
        run(&stage, stage.carrier(), ("trunk", rate, seconds), report)?;
    }
    Turns::tell(stage.close()?, "calls", report);
    Ok(())
}

fn run(stage: &Stage, load: Load, (kind, rate, seconds): (&str, u32, u32), report: &mut Report) -> Outcome {
    let callees = stage.callees("bench_callee", 0)?;
    let load = Load { rate, calls: Some(rate * seconds), talk_ms: TALK_MS, ..load };
    let before = Cpu::of(stage.pid())?;
    let mut callers = load.start(stage.place.path())?;
    let counts = callers.finish(Duration::from_secs(u64::from(seconds) + 120))?;
    std::thread::sleep(SETTLE);
    let used = Cpu::of(stage.pid())?.since(&before);
    let called = callees.close()?;
    if counts.failed > 0 {
        eprintln!("{}", callers.complaints());
    }
    let calls = (counts.successful + counts.failed).max(1) as f64;
    let case = format!("{kind}, {rate} calls/s");
    let mut row = |what: String, value: f64, unit: &'static str, peer: Option<f64>| {
        report.row(Row { bench: "calls", case: case.clone(), what, value, unit, peer });
    };
    row("CPU per call".into(), used.total_ns() as f64 / 1000.0 / calls, "µs", Some(PEER_US));
    for (thread, ns) in used.shares() {
        row(format!("  thread {thread}"), ns as f64 / 1000.0 / calls, "µs", None);
    }
    row("calls".into(), calls, "", None);
    row("calls failed".into(), counts.failed as f64, "", None);
    row("retransmissions of callers".into(), counts.retransmissions as f64, "", None);
    row("retransmissions of callees".into(), called.retransmissions as f64, "", None);
    Ok(())
}
