//! How long it takes to tell how queues, agents and calls stood at a moment of the past, over millions of leg events:
//! 2,000 calls an hour, 100 agents, and on each day one call that lasts eight hours. Prints; asserts nothing.
//! `CORDBOARD_BENCH_DIR` names a directory on the disk of interest, `CORDBOARD_ROWS` how many rows (5,000,000).

#![allow(clippy::expect_used, reason = "a bench that cannot run says so by ending")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::id::Uid;
use base::time::Wall;
use nix::time::{ClockId, clock_gettime};
use pbx::config::{Language, Strategy};
use pbx::event::{Candidate, Detail, LegEvent, Term, TermName};
use pbxd::store::read::open_readonly;
use pbxd::store::{MainDb, Options, Request};
use pbxd::story::state::{Fold, Shown, state};

const BEGAN_MS: i64 = 1_780_000_000_000;
const GAP_MS: u64 = 1_800;
const AGENTS: u64 = 100;
const LONG_CALL_EVERY: u64 = 48_000;
const ROWS_PER_COMMIT: u64 = 20_000;
const MOMENTS: u64 = 400;

fn main() {
    let dir = std::env::var_os("CORDBOARD_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("cordboard-bench-state-{}", std::process::id()));
    let rows = std::env::var("CORDBOARD_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(5_000_000);
    let until_ms = write(&dir, rows);
    let bytes = std::fs::metadata(dir.join("main.db")).map_or(0, |file| file.len());
    println!("{rows} rows, {} h, {} MB", until_ms / 3_600_000, bytes / 1_000_000);
    read(&dir, until_ms);
    std::fs::remove_dir_all(&dir).expect("own directory");
}

/// A row without its number and time: the call, the leg, what.
type Fact = (Option<Uid>, Option<u32>, Detail);

/// Writes the rows; the time of the last one in ms.
fn write(dir: &Path, rows: u64) -> u64 {
    let mut db = MainDb::open(&Options::new(dir)).expect("database opens");
    let mut planned: BTreeMap<(u64, u64), Fact> = BTreeMap::new();
    let (mut seq, mut calls, mut made, mut now_ms) = (0, 0, 0, 0);
    let began = Instant::now();
    while seq < rows {
        calls += 1;
        for (ms, fact) in call(calls) {
            made += 1;
            planned.insert((ms, made), fact);
        }
        let later = planned.split_off(&((calls + 1) * GAP_MS, 0));
        for ((ms, _), (call, leg, detail)) in std::mem::replace(&mut planned, later) {
            (seq, now_ms) = (seq + 1, ms);
            let at = base::time::Instant::from_micros(ms * 1_000);
            let wall = Wall::from_millis(BEGAN_MS + ms as i64);
            db.queue(Request::Leg(LegEvent { seq, at, wall, call, leg, actor: "router".into(), detail }));
            if seq % ROWS_PER_COMMIT == 0 {
                db.commit().expect("commit");
            }
        }
    }
    db.commit().expect("commit");
    println!("written in {} s", began.elapsed().as_secs());
    now_ms
}

fn s(text: &str) -> String {
    text.to_string()
}

fn sip(sent: bool, message: &str) -> Detail {
    Detail::Sip { sent, message: s(message) }
}

/// All rows of one call.
fn call(number: u64) -> Vec<(u64, Fact)> {
    let began = number * GAP_MS;
    let uid = Some(Uid::new(Wall::from_millis(BEGAN_MS + began as i64), u128::from(number)));
    let agent = format!("{}", 1_000 + number % AGENTS);
    let wait = 2_000 + number * 7_919 % 40_000;
    let talk = if number.is_multiple_of(LONG_CALL_EVERY) { 8 * 3_600_000 } else { 60_000 + number * 104_729 % 180_000 };
    let (answer, end) = (began + wait + 6_000, began + wait + 6_000 + talk);
    let of_call = [
        (began, None, Detail::CallBegan { caller: s("13800138000"), called: s("4001234"), origin: s("line 1/1") }),
        (began, Some(0), sip(false, "INVITE sip:4001234@127.0.0.1 SIP/2.0")),
        (began, None, Detail::Routed { to: s("queue support"), why: s("did 4001234") }),
        (began + 1, Some(0), sip(true, "200 OK (INVITE)")),
        (began + 1, Some(0), Detail::Answered),
        (began + 2, None, Detail::Queued { queue: s("support"), priority: 5, position: 1 }),
        (began + 2, Some(0), Detail::Media { what: s("play queue-welcome music") }),
        (began + wait, None, offered(&agent, wait)),
        (began + wait, Some(1), sip(true, "INVITE sip:2001@127.0.0.1 SIP/2.0")),
        (began + wait + 80, Some(1), sip(false, "180 Ringing (INVITE)")),
        (answer, Some(1), sip(false, "200 OK (INVITE)")),
        (answer, Some(1), sip(true, "ACK")),
        (answer, None, Detail::Connected { with: agent.clone(), queue: s("support"), wait_ms: wait + 6_000 }),
        (end, Some(0), sip(false, "BYE")),
        (end, Some(0), Detail::LegEnded { cause: s("bye") }),
        (end, Some(1), sip(true, "BYE")),
        (end, Some(1), Detail::LegEnded { cause: s("bye") }),
        (end, None, Detail::CallEnded { by: s("caller"), disposition: s("ANSWERED") }),
        (end + 20, Some(0), Detail::LegMedia { sent: 9_000, received: 9_000, lost: 0, strangers: 0 }),
        (end + 20, Some(1), Detail::LegMedia { sent: 9_000, received: 9_000, lost: 0, strangers: 0 }),
    ];
    let of_agent = [
        (began + wait, "ready", "reserved"),
        (began + wait + 1, "reserved", "ringing"),
        (answer, "ringing", "talking"),
        (end, "talking", "wrap-up"),
        (end + 10_000, "wrap-up", "ready"),
    ];
    let state = |(ms, from, to)| (ms, (None, None, agent_state(&agent, from, to)));
    let of_call = of_call.into_iter().map(|(ms, leg, detail)| (ms, (uid, leg, detail)));
    of_call.chain(of_agent.map(state)).collect()
}

fn agent_state(agent: &str, from: &str, to: &str) -> Detail {
    Detail::AgentState { agent: s(agent), from: s(from), to: s(to), why: s("call over"), phone: s("2001") }
}

fn offered(agent: &str, wait_ms: u64) -> Detail {
    let candidate = |n: i64| Candidate {
        agent: format!("{}", 1_000 + n),
        terms: vec![Term { name: TermName::IdleMs, value: 5_000 - n }, Term { name: TermName::Position, value: n }],
        excluded: None,
    };
    Detail::Offered {
        queue: s("support"),
        agent: s(agent),
        priority: 5,
        wait_ms,
        strategy: Strategy::LongestIdle,
        ring: 0,
        starved: false,
        candidates: (0..8).map(candidate).collect(),
        callers: None,
        why: s("longest-idle"),
    }
}

/// CPU time of this thread: on a busy machine it tells more than the clock.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every kernel has it");
    Duration::new(time.tv_sec() as u64, time.tv_nsec() as u32)
}

/// Tells the state at many moments, each over a connection of its own as the command does.
fn read(dir: &Path, until_ms: u64) {
    let mut times: Vec<(Duration, usize)> = Vec::new();
    let cpu_before = cpu();
    for n in 1..=MOMENTS {
        // Spread over the whole time in an order that jumps about.
        let ms = (n * 0x9E37_79B9) % until_ms.max(1);
        let wall = Wall::from_millis(BEGAN_MS + ms as i64);
        let one = Instant::now();
        let moment = open_readonly(dir).and_then(|reader| reader.moment(wall)).expect("moment is read");
        let Some(last) = &moment.last else { continue };
        let rows = moment.rows();
        let text = state(&Fold::of(rows.iter().copied()), Shown::after(last, wall), None, Language::En);
        times.push((one.elapsed(), rows.len()));
        assert!(!text.is_empty());
    }
    times.sort();
    let rows = times.iter().map(|(_, rows)| *rows).max().unwrap_or(0);
    let at = |permille: usize| times.get((times.len().max(1) - 1) * permille / 1_000).map_or(0, |t| t.0.as_micros());
    println!(
        "state at {} moments: p50 {} us, p99 {} us, longest {} us, {} us of CPU each; up to {rows} rows folded",
        times.len(),
        at(500),
        at(990),
        at(1_000),
        (cpu() - cpu_before).as_micros() / u128::from(MOMENTS)
    );
}
