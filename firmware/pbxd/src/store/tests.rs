//! The store with its thread, and the views over a day in small.

use super::read::Reader;
use super::*;
use base::time::{Instant, Wall};
use pbx::config::Strategy;
use pbx::door::TroubleKind;
use pbx::event::{Candidate, Detail, Term, TermName};
use pbx::switch::{Mode, Switches};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const CALL: Uid = Uid(77 << 80 | 1);

/// A data directory of this test alone, gone at its end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cordboard-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    fn options(&self) -> Options {
        Options::new(&self.0)
    }

    fn start(&self) -> (Store, Receiver<Report>) {
        let (reports, inbox) = channel();
        let store = Store::start(&self.options(), move |report| drop(reports.send(report))).unwrap();
        (store, inbox)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn event(seq: u64, at_ms: u64, leg: Option<u32>, detail: Detail) -> LegEvent {
    LegEvent {
        seq,
        at: Instant::from_micros(at_ms * 1_000),
        // The wall clock was set back by an hour in the middle: nothing but the printed times may follow it.
        wall: Wall::from_millis(1_700_000_000_000 + at_ms as i64 - if at_ms > 20_000 { 3_600_000 } else { 0 }),
        call: Some(CALL),
        leg,
        actor: "router".into(),
        detail,
    }
}

/// Menu, queue, one agent who does not answer, one who does, 30 s of talk.
fn queue_call() -> Vec<LegEvent> {
    let offered = |agent: &str| Detail::Offered {
        queue: "support".into(),
        agent: agent.into(),
        priority: 5,
        wait_ms: 0,
        strategy: Strategy::LongestIdle,
        ring: 0,
        starved: false,
        candidates: vec![Candidate {
            agent: agent.into(),
            terms: vec![Term { name: TermName::IdleMs, value: 5 }],
            excluded: None,
        }],
        callers: None,
        why: "longest idle".into(),
    };
    let state = |agent: &str, from: &str, to: &str| Detail::AgentState {
        agent: agent.into(),
        from: from.into(),
        to: to.into(),
        why: "rona".into(),
        phone: "2001".into(),
    };
    let steps = [
        (0, Detail::CallBegan { caller: "13800138000".into(), called: "4001234".into(), origin: "line 1/1".into() }),
        (100, Detail::Routed { to: "menu main".into(), why: "did 4001234".into() }),
        (500, Detail::Answered),
        (5_000, Detail::Digit { digit: '2', how: "inband".into() }),
        (5_100, Detail::Routed { to: "queue support".into(), why: "menu main, key 2".into() }),
        (5_100, Detail::Queued { queue: "support".into(), priority: 5, position: 1 }),
        (5_100, offered("1001")),
        (20_100, Detail::OfferEnded { agent: "1001".into(), cause: "no-answer".into(), ring_ms: 15_000 }),
        (20_100, state("1001", "ringing", "not-ready 90")),
        (20_100, offered("1002")),
        (23_100, Detail::Connected { with: "1002".into(), queue: "support".into(), wait_ms: 18_000 }),
        (23_100, Detail::RecordingBegan { recording: Uid(9) }),
        (53_100, Detail::CallEnded { by: "extension 2002".into(), disposition: "ANSWERED".into() }),
        (60_100, state("1001", "not-ready 90", "ready")),
    ];
    (1..).zip(steps).map(|(seq, (at_ms, detail))| event(seq, at_ms, Some(0), detail)).collect()
}

#[test]
fn events_are_stored_once_and_read_back() {
    let dir = Dir::new();
    let (store, reports) = dir.start();
    for event in queue_call().into_iter().chain(queue_call()) {
        store.request(Request::Leg(event)).unwrap();
    }
    assert!(store.flush(Duration::from_secs(20)));
    assert_eq!(reports.recv(), Ok(Report::Stored(14)));
    let reader = Reader::open(&dir.options()).unwrap();
    assert_eq!(reader.call_events(CALL).unwrap(), queue_call());
    assert_eq!((reader.calls(10).unwrap(), reader.last_seq().unwrap()), (vec![CALL], 14));
    store.finish();
    assert!(MainDb::open(&dir.options()).unwrap().run() > 1);
}

#[test]
fn the_call_record_follows_from_the_events() {
    let dir = Dir::new();
    let mut main = MainDb::open(&dir.options()).unwrap();
    queue_call().into_iter().for_each(|event| main.queue(Request::Leg(event)));
    assert_eq!(main.commit().unwrap().leg_event, Some(14));
    let reader = Reader::open(&dir.options()).unwrap();
    let record: std::collections::BTreeMap<String, String> = reader.cdr(CALL).unwrap().unwrap().into_iter().collect();
    let expected = [
        ("src", "13800138000"),
        ("dst", "4001234"),
        ("channel", "line 1/1"),
        ("dstchannel", "1002"),
        ("lastapp", "Queue"),
        ("lastdata", "support"),
        ("start", "2023-11-14 22:13:20"),
        ("answer", "2023-11-14 22:13:20"),
        ("duration", "53"),
        ("billsec", "52"),
        ("disposition", "ANSWERED"),
        ("queue", "support"),
        ("wait_s", "18"),
        ("offers", "2"),
        ("recording_id", "00000000000000000000000009"),
    ];
    for (name, value) in expected {
        assert_eq!(record[name], value, "{name}");
    }
    assert_eq!(record["uniqueid"], CALL.to_string());
}

#[test]
fn the_queue_log_and_agent_states_follow_from_the_events() {
    let dir = Dir::new();
    let mut main = MainDb::open(&dir.options()).unwrap();
    queue_call().into_iter().for_each(|event| main.queue(Request::Leg(event)));
    main.commit().unwrap();
    let rows = |query: &str| -> Vec<String> {
        let mut statement = main.connection().prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let log = rows(
        "SELECT queuename || '|' || agent || '|' || event || '|' || data1 || '|' || data2 || '|' || data3
         FROM queue_log ORDER BY seq",
    );
    let expected = [
        "support|NONE|ENTERQUEUE||13800138000|1".to_string(),
        "support|1001|RINGNOANSWER|15000|no-answer|".into(),
        "NONE|1001|PAUSEALL|90|rona|".into(),
        format!("support|1002|CONNECT|18|{CALL}|3"),
        "support|1002|COMPLETEAGENT|18|30|".into(),
        "NONE|1001|UNPAUSEALL|90|rona|".into(),
    ];
    assert_eq!(log, expected);
    let states = rows("SELECT agent || ' ' || state || ' ' || coalesce(lasted_ms, '-') FROM agent_state ORDER BY seq");
    assert_eq!(states, ["1001 not-ready 90 40000", "1001 ready -"]);
}

/// Twenty seconds in one queue, a supervisor moves the caller; in the next two phones ring one after the other, and the
/// first wins; then a supervisor takes over.
fn visits() -> Vec<LegEvent> {
    let s = String::from;
    let offered = |queue: &str, agent: &str| Detail::Offered {
        queue: queue.into(),
        agent: agent.into(),
        priority: 5,
        wait_ms: 0,
        strategy: Strategy::RingProgressively,
        ring: 0,
        starved: false,
        candidates: vec![],
        callers: None,
        why: s(""),
    };
    let missed =
        |cause: &str, agent: &str, ring_ms| Detail::OfferEnded { agent: agent.into(), cause: cause.into(), ring_ms };
    let queued = |queue: &str| Detail::Queued { queue: queue.into(), priority: 5, position: 1 };
    let left = |rule: &str, wait_ms, to: &str| Detail::Overflowed {
        queue: s("support"),
        wait_ms,
        rule: rule.into(),
        to: to.into(),
    };
    let connected = |with: &str, wait_ms| Detail::Connected { with: with.into(), queue: s("sales"), wait_ms };
    let steps = [
        (0, Detail::CallBegan { caller: s("13800138000"), called: s("4001236"), origin: s("line 1/1") }),
        (0, Detail::Answered),
        (0, queued("support")),
        (0, offered("support", "1001")),
        (15_000, missed("no-answer", "1001", 15_000)),
        (20_000, left("moved", 20_000, "queue sales")),
        (20_000, queued("sales")),
        (20_000, offered("sales", "1002")),
        (25_000, offered("sales", "1003")),
        (28_000, missed("answered-elsewhere", "1003", 3_000)),
        (28_000, connected("1002", 8_000)),
        (58_000, connected("supervisor 9001", 0)),
        (88_000, Detail::CallEnded { by: s("line 1/1"), disposition: s("ANSWERED") }),
    ];
    (1..).zip(steps).map(|(seq, (at_ms, detail))| event(seq, at_ms, Some(0), detail)).collect()
}

#[test]
fn a_call_to_the_outside_pauses_nobody_and_frees_nobody() {
    let dir = Dir::new();
    let mut main = MainDb::open(&dir.options()).unwrap();
    let state = |from: &str, to: &str| Detail::AgentState {
        agent: "1001".into(),
        from: from.into(),
        to: to.into(),
        why: "why".into(),
        phone: "2001".into(),
    };
    let steps = [
        state("logged-out", "ready"),
        state("ready", "not-ready 3"),
        state("not-ready 3", "outbound"),
        state("outbound", "not-ready 3"),
        state("not-ready 3", "outbound"),
        state("outbound", "ready"),
        state("ready", "outbound"),
        state("outbound", "ready"),
        state("ready", "outbound"),
        state("outbound", "not-ready 2"),
    ];
    for (seq, detail) in (1..).zip(steps) {
        main.queue(Request::Leg(event(seq, 100 * seq, None, detail)));
    }
    main.commit().unwrap();
    let query = "SELECT event || ' ' || data1 || ' ' || seq FROM queue_log ORDER BY seq";
    let mut statement = main.connection().prepare(query).unwrap();
    let log: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(log, ["AGENTLOGIN 2001 1", "PAUSEALL 3 2", "UNPAUSEALL 3 6", "PAUSEALL 2 10"]);
}

#[test]
fn waits_and_ring_times_of_all_visits_add_up_to_the_whole() {
    let dir = Dir::new();
    let mut main = MainDb::open(&dir.options()).unwrap();
    visits().into_iter().for_each(|event| main.queue(Request::Leg(event)));
    main.commit().unwrap();
    let mut statement = main
        .connection()
        .prepare(
            "SELECT queuename || '|' || agent || '|' || event || '|' || data1 || '|' || data2 || '|' || data3
             FROM queue_log ORDER BY seq",
        )
        .unwrap();
    let log: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let expected = [
        "support|NONE|ENTERQUEUE||13800138000|1".to_string(),
        "support|1001|RINGNOANSWER|15000|no-answer|".into(),
        "support|NONE|WITHDRAW|||20".into(),
        "sales|NONE|ENTERQUEUE||13800138000|1".into(),
        "sales|1003|RINGCANCELED|3000|answered-elsewhere|".into(),
        // Rang from 20 s on; the other phone, which rang later, does not count.
        format!("sales|1002|CONNECT|8|{CALL}|8"),
        "sales|1002|COMPLETECALLER|8|60|".into(),
    ];
    assert_eq!(log, expected);
    let record = crate::story::cdr::cdr(&visits()).unwrap();
    assert_eq!((record.wait.as_millis(), record.with.as_str()), (28_000, "1002, supervisor 9001"));
    let row: std::collections::BTreeMap<String, String> =
        Reader::open(&dir.options()).unwrap().cdr(CALL).unwrap().unwrap().into_iter().collect();
    assert_eq!((row["wait_s"].as_str(), row["queue"].as_str(), row["duration"].as_str()), ("28", "sales", "88"));
    // 28 s of waiting and 60 s of talk are the 88 s of the call.
    assert_eq!(record.wait + record.talk, record.duration.unwrap());
}

#[test]
fn a_lost_state_is_told_from_the_rows() {
    let dir = Dir::new();
    let mut main = MainDb::open(&dir.options()).unwrap();
    queue_call().into_iter().take(9).for_each(|event| main.queue(Request::Leg(event)));
    let recording = Uid(9);
    let began = Wall::from_millis(5);
    main.queue(Request::Recording(RecordingChange::Open { recording, call: CALL, began }));
    let until = Some(Wall::from_millis(9));
    let switched = [
        (101, Detail::Mode { mode: Mode::Day, until: None }),
        (102, Detail::Surge { on: true, until: None }),
        (103, Detail::Mode { mode: Mode::Night, until }),
    ];
    for (seq, detail) in switched {
        let (at, actor) = (Instant::BOOT, "panel".to_string());
        main.queue(Request::Leg(LegEvent { seq, at, wall: began, call: None, leg: None, actor, detail }));
    }
    main.commit().unwrap();
    let rebuilt = Reader::open(&dir.options()).unwrap().rebuilt().unwrap();
    assert_eq!((&rebuilt.calls_open[..], &rebuilt.recordings_open[..]), (&[CALL][..], &[recording][..]));
    assert_eq!(
        rebuilt.agents,
        [pbx::door::AgentWas { id: "1001".into(), state: "not-ready 90".into(), phone: "2001".into() }]
    );
    assert_eq!(rebuilt.switches, Switches { mode: Mode::Night, mode_until: until, surge: true, surge_until: None });
}

#[test]
fn a_recording_is_closed_once_however_often_it_is_told() {
    let dir = Dir::new();
    let mut main = MainDb::open(&dir.options()).unwrap();
    let (recording, began) = (Uid(9), Wall::from_millis(5));
    let open = Request::Recording(RecordingChange::Open { recording, call: CALL, began });
    let close = Request::Recording(RecordingChange::Close { recording, samples: 1_600 });
    for request in [&open, &close, &open, &close] {
        main.queue(request.clone());
        main.queue(Request::Length { recording, samples: 800 });
        main.commit().unwrap();
    }
    let row = Reader::open(&dir.options()).unwrap().recording(recording).unwrap().unwrap();
    assert_eq!((row.call, row.began_ms, row.samples, row.closed), (Some(CALL), 5, 1_600, true));
}

#[test]
fn a_disk_that_fails_keeps_the_rows_and_says_so_until_it_works() {
    let dir = Dir::new();
    let main = MainDb::open(&dir.options()).unwrap();
    // A page limit is how SQLite itself can be told that the disk is full.
    let pages: i64 = main.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    main.connection().pragma_update(None, "max_page_count", pages).unwrap();
    let (reports, inbox) = channel();
    let store = Store::start_with(main, &dir.options(), move |report| drop(reports.send(report))).unwrap();
    let big = |seq| {
        let why = "x".repeat(60_000);
        Request::Leg(event(seq, seq, None, Detail::Routed { to: "none".into(), why }))
    };
    store.request(big(1)).unwrap();
    assert!(!store.flush(Duration::from_secs(20)));
    let Ok(Report::Trouble(trouble)) = inbox.recv() else { panic!("no trouble told") };
    assert!(trouble.raised && trouble.kind == TroubleKind::StoreWrite);
    assert!(trouble.detail.contains("main.db") && trouble.detail.contains("free space"), "{}", trouble.detail);
    store.finish();
}

#[test]
fn a_newer_database_is_refused() {
    let dir = Dir::new();
    let main = MainDb::open(&dir.options()).unwrap();
    main.connection().pragma_update(None, "user_version", VERSION + 1).unwrap();
    drop(main);
    let error = MainDb::open(&dir.options()).unwrap_err();
    assert!(error.to_string().contains("newer firmware"), "{error}");
    assert!(Reader::open(&dir.options()).is_err());
}

/// Whoever only reads does not change a database, and the rows of an older one have other fields.
#[test]
fn an_older_database_is_named_with_its_remedy() {
    let dir = Dir::new();
    let main = MainDb::open(&dir.options()).unwrap();
    main.connection().pragma_update(None, "user_version", VERSION - 1).unwrap();
    drop(main);
    let Err(error) = Reader::open(&dir.options()) else { panic!("read as if it were ours") };
    assert!(error.to_string().contains("start the box once"), "{error}");
}
