//! Commits of a large site while it talks: what the person at the console waits for, what a keystroke waits for, and how
//! long calls are kept waiting for it.

use super::farm::Side;
use super::report::{Report, Row};
use super::sipp::Load;
use super::stage::{Plan, Stage, TURN_MAX_US, Turns, site};
use ::tests::peer::terminal::Terminal;
use ::tests::peer::{Outcome, Trouble};
use base::time::{Now, Wall};
use pbx::Pbx;
use pbx::calendar::Date;
use pbx::commit::{Commit, Label};
use pbx::config::{Config, Language, Problem, Written, parse, prove};
use pbx::door::Input;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// 1,000 extensions: half of them call, the other half are called, and 200 of these are agents.
const PLAN: Plan = Plan { name: "commit", phones: 500, agents: 200, record: false, queues: 50 };
/// Calls that talk meanwhile.
const CALLS: u32 = 200;
const TALK_MS: u32 = 3_600_000;
/// Commits; odd, for a median.
const COMMITS: usize = 9;
const KEYS: usize = 500;

/// Runs once.
pub fn measure(report: &mut Report) -> Outcome {
    proof(report)?;
    turns(report)?;
    people(report)
}

/// One figure, in ms.
fn row(report: &mut Report, case: &str, what: &str, value: f64, peer: Option<f64>) {
    report.row(Row { bench: "commit", case: case.into(), what: what.into(), value, unit: "ms", peer });
}

fn read(text: &str) -> Outcome<Arc<Config>> {
    parse(text).map(Arc::new).map_err(told)
}

fn told(problems: Vec<Problem>) -> Trouble {
    let words: Vec<String> = problems.iter().map(|problem| problem.render(Language::En)).collect();
    Trouble(format!("the site of the measurement is no site: {}", words.join("\n")))
}

/// The ways of callers through a year, on one thread.
fn proof(report: &mut Report) -> Outcome {
    let config = read(&site(PLAN))?;
    let today = Date::new(2026, 11, 23).ok_or_else(|| Trouble("no such day".into()))?;
    let times = (0..COMMITS).map(|_| {
        let begun = Instant::now();
        std::hint::black_box(prove(&config, today, None));
        begun.elapsed()
    });
    let (median, worst) = spread(times.collect());
    row(report, "1000 extensions, 50 queues", "flow proof, median", median, None);
    row(report, "1000 extensions, 50 queues", "flow proof, worst", worst, None);
    Ok(())
}

/// The core alone: the two inputs of a commit.
fn turns(report: &mut Report) -> Outcome {
    let mut pbx = Pbx::new();
    let mut out = Vec::new();
    let bound = Some(TURN_MAX_US / 1000.0);
    let now = Now { at: base::time::Instant::from_micros(1_000_000), wall: Wall::from_millis(1_780_000_000_000) };
    let config = read(&site(PLAN))?;
    let begun = Instant::now();
    pbx.handle(now, Input::Configured(config, 1), &mut out);
    row(report, "the core alone", "first configuration", ms(begun.elapsed()), bound);
    let mut stored = Vec::new();
    for base in 1..=COMMITS as u64 {
        let text =
            format!("{}queue support {{ weight {base}; }}\n", site(PLAN).replace("queue support", "queue sales"));
        let site = Written::of(&text).map_err(told)?;
        let commit = Commit { ticket: 1, base, site, label: Label::default(), confirm_within_s: 0 };
        out.clear();
        pbx.handle(now, Input::Commit(Box::new(commit)), &mut out);
        let begun = Instant::now();
        pbx.handle(now, Input::CommitStored(base + 1), &mut out);
        stored.push(begun.elapsed());
    }
    let (median, worst) = spread(stored);
    row(report, "the core alone", "a commit comes into force, median", median, bound);
    row(report, "the core alone", "a commit comes into force, worst", worst, bound);
    Ok(())
}

/// At the console of a box that talks.
fn people(report: &mut Report) -> Outcome {
    let (stage, _) = Stage::open(PLAN)?;
    stage.register()?;
    let called = stage.callees("bench_callee", 0)?;
    let load = Load { rate: 20, calls: Some(CALLS), talk_ms: TALK_MS, ..stage.carrier() };
    let calling = load.start(stage.place.path())?;
    stage.talk(Side::Carrier, &calling, &called, CALLS as usize)?;

    let mut terminal = Terminal::attach_in(&stage.place.join("data"))?;
    terminal.sees("> ")?;
    let case = "200 calls talk";
    row(report, case, "configure", ms(asked(&mut terminal, "configure", "")?), None);
    let (mut checks, mut commits, mut compares) = (Vec::new(), Vec::new(), Vec::new());
    for weight in 1..=COMMITS {
        asked(&mut terminal, &format!("set queue q1 weight {weight}"), "")?;
        compares.push(asked(&mut terminal, "compare", "")?);
        checks.push(asked(&mut terminal, "commit check", "")?);
        commits.push(asked(&mut terminal, "commit", "is in force")?);
    }
    for (what, times) in [("compare", compares), ("commit check", checks), ("commit", commits)] {
        let (median, worst) = spread(times);
        row(report, case, &format!("{what}, median"), median, None);
        row(report, case, &format!("{what}, worst"), worst, None);
    }
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        let begun = Instant::now();
        terminal.types("x")?;
        terminal.sees("x")?;
        keys.push(begun.elapsed());
        terminal.types("\x15")?;
        terminal.sees("# ")?;
    }
    keys.sort_unstable();
    let at = |part: usize| keys.get((keys.len() * part / 100).min(keys.len() - 1)).copied().map_or(0.0, ms);
    row(report, case, "keystroke to echo, median", at(50), None);
    row(report, case, "keystroke to echo, 99 of 100", at(99), None);
    drop((calling, called));
    // With the start of the box, 500 registrations in a burst and the set-up of all calls.
    Turns::tell(stage.close()?, "commit", report);
    Ok(())
}

/// How long a line takes until the next prompt.
fn asked(terminal: &mut Terminal, line: &str, wanted: &str) -> Outcome<Duration> {
    let begun = Instant::now();
    let said = terminal.ask(line, "# ")?;
    let took = begun.elapsed();
    if said.contains(wanted) { Ok(took) } else { Err(Trouble(format!("`{line}` says: {said}"))) }
}

/// Median and greatest, in ms.
fn spread(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    (times.get(times.len() / 2).copied().map_or(0.0, ms), times.last().copied().map_or(0.0, ms))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
