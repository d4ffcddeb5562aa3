//! kill -9 of the box under talking calls, with the supervisor of `run`: until it is ready again, and until the phones hear
//! RTP again.

use super::farm::Side;
use super::report::{Report, Row};
use super::sipp::Load;
use super::stage::{Plan, Stage};
use ::tests::peer::Outcome;
use std::time::Duration;

const CALLS: [u32; 3] = [1, 20, 100];
/// Kills of each case; fewer than the supervisor takes for a program that keeps dying.
const KILLS: usize = 5;
/// Between two kills: a hole has ended long before, and the supervisor has not lost its patience.
const REST: Duration = Duration::from_secs(3);
const TALK_MS: u32 = 3_600_000;

/// One kill.
struct Kill {
    ready: Duration,
    start: Duration,
    heard: Vec<Duration>,
    deaf: usize,
}

/// Runs every size.
pub fn measure(report: &mut Report) -> Outcome {
    for calls in CALLS {
        run(calls, report)?;
    }
    Ok(())
}

fn run(calls: u32, report: &mut Report) -> Outcome {
    let (mut stage, first) = Stage::open(Plan { name: "restart", phones: calls, agents: 0, record: false, queues: 0 })?;
    stage.register()?;
    let called = stage.callees("bench_callee", 0)?;
    let load = Load { rate: 25, calls: Some(calls), talk_ms: TALK_MS, ..stage.carrier() };
    let calling = load.start(stage.place.path())?;
    stage.talk(Side::Carrier, &calling, &called, calls as usize)?;
    std::thread::sleep(REST);
    let kills = (0..KILLS).map(|_| kill(&mut stage)).collect::<Outcome<Vec<Kill>>>()?;
    let replayed = replayed(&stage.log());
    drop((calling, called));
    stage.close()?;

    let case = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
    let mut row = |what: &str, value: f64, unit: &'static str, peer: Option<f64>| {
        report.row(Row { bench: "restart", case: case.clone(), what: what.into(), value, unit, peer });
    };
    let of = |what: fn(&Kill) -> Duration| spread(kills.iter().map(what).collect());
    row("first start, nothing to recover", ms(first.ready - first.at), "ms", None);
    let (median, worst) = of(|kill| kill.start);
    row("start to ready, median", median, "ms", None);
    row("start to ready, worst", worst, "ms", None);
    let (median, worst) = of(|kill| kill.ready);
    row("kill to ready, median", median, "ms", Some(1000.0));
    row("kill to ready, worst", worst, "ms", Some(1000.0));
    let (median, worst) = spread(kills.iter().flat_map(|kill| kill.heard.clone()).collect());
    row("kill to RTP at a phone, median", median, "ms", Some(1000.0));
    row("kill to RTP at a phone, worst", worst, "ms", Some(1000.0));
    row("legs that heard nothing again", kills.iter().map(|kill| kill.deaf).max().unwrap_or(0) as f64, "", None);
    row("inputs replayed, most", replayed.iter().copied().max().unwrap_or(0) as f64, "", None);
    row("recoveries", replayed.len() as f64, "", None);
    Ok(())
}

fn kill(stage: &mut Stage) -> Outcome<Kill> {
    let before = stage.farm.seen()?;
    let killed = stage.kill()?;
    let started = stage.started()?;
    std::thread::sleep(REST);
    let after = stage.farm.seen()?;
    let deaf = before.iter().zip(&after).filter(|(before, after)| after.received <= before.received + 10).count();
    Ok(Kill {
        ready: started.ready - killed,
        start: started.ready - started.at,
        heard: after.iter().filter_map(|seen| seen.first).map(|first| first - killed).collect(),
        deaf,
    })
}

/// Median and greatest, in ms.
fn spread(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    (times.get(times.len() / 2).copied().map_or(0.0, ms), times.last().copied().map_or(0.0, ms))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// How many inputs each recovery replayed, as the box logged it.
fn replayed(log: &str) -> Vec<u64> {
    let count = |line: &str| line.split_once("recovered: ")?.1.split(' ').next()?.parse().ok();
    log.lines().filter_map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replayed_inputs_are_read_from_the_log() {
        let log = "INFO a\nINFO pbxd: recovered: 37 inputs replayed, 1 calls, away for 60 ms\n";
        assert_eq!(replayed(log), [37]);
    }
}
