//! CPU of the box for each frame of a leg (one packet taken and one sent, every 20 ms) in two-party G.711 calls, with and
//! without recording.

use super::cpu::Cpu;
use super::farm::{Seen, Side};
use super::report::{Report, Row};
use super::sipp::Load;
use super::stage::{Plan, Stage};
use ::tests::peer::Outcome;
use std::time::Duration;

/// Calls at once.
const CALLS: [u32; 2] = [50, 200];
/// All audio flows, and what setting up cost has passed.
const SETTLE: Duration = Duration::from_secs(2);
/// Longer than any run.
const TALK_MS: u32 = 3_600_000;
/// Asterisk 22 on a machine like the one this was written on.
const PEER_US: f64 = 15.0;

/// Runs every size, not recorded and recorded.
pub fn measure(seconds: u32, report: &mut Report) -> Outcome {
    for calls in CALLS {
        run(calls, seconds, false, report)?;
        run(calls, seconds, true, report)?;
    }
    Ok(())
}

fn run(calls: u32, seconds: u32, record: bool, report: &mut Report) -> Outcome {
    let agents = if record { calls } else { 0 };
    let (stage, _) = Stage::open(Plan { name: "media", phones: calls, agents, record, queues: 0 })?;
    stage.register()?;
    let called = stage.callees("bench_callee", 0)?;
    let load = if record { stage.waiting() } else { stage.carrier() };
    let load = Load { rate: 25, calls: Some(calls), talk_ms: TALK_MS, ..load };
    let calling = load.start(stage.place.path())?;
    stage.talk(Side::Carrier, &calling, &called, calls as usize)?;
    std::thread::sleep(SETTLE);
    let (seen, cpu) = (stage.farm.seen()?, Cpu::of(stage.pid())?);
    stage.farm.mark()?;
    std::thread::sleep(Duration::from_secs(u64::from(seconds)));
    let (after, used) = (stage.farm.seen()?, Cpu::of(stage.pid())?.since(&cpu));
    // Both SIPps first: nobody is left to answer the box's BYEs, but it does not wait for them.
    drop((calling, called));
    stage.close()?;

    let sum = |seen: &[Seen], what: fn(&Seen) -> u64| seen.iter().map(what).sum::<u64>();
    let sent = sum(&after, |s| s.sent) - sum(&seen, |s| s.sent);
    let received = sum(&after, |s| s.received) - sum(&seen, |s| s.received);
    let silent = after.iter().zip(&seen).filter(|(after, before)| after.received == before.received).count();
    let hole = after.iter().map(|s| s.hole).max().unwrap_or_default();
    let frames = sent.max(1) as f64;
    let case = format!("{calls} calls, {}", if record { "recorded" } else { "not recorded" });
    let mut row = |what: String, value: f64, unit: &'static str, peer: Option<f64>| {
        report.row(Row { bench: "media", case: case.clone(), what, value, unit, peer });
    };
    row("CPU per leg-frame, process".into(), used.total_ns() as f64 / 1000.0 / frames, "µs", Some(PEER_US));
    let media = used.thread_ns("media") as f64;
    row("CPU per leg-frame, media thread".into(), media / 1000.0 / frames, "µs", Some(PEER_US));
    for (thread, ns) in used.shares().into_iter().filter(|(thread, _)| *thread != "media") {
        row(format!("  thread {thread}"), ns as f64 / 1000.0 / frames, "µs", None);
    }
    row("frames".into(), frames, "", None);
    row("frames that did not come back".into(), sent as f64 - received as f64, "", None);
    row("legs that heard nothing".into(), silent as f64, "", None);
    row("longest hole at a phone".into(), hole.as_secs_f64() * 1000.0, "ms", None);
    Ok(())
}
