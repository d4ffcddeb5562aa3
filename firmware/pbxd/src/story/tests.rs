//! The story of a made-up call, word for word, and the record derived from it.

use super::*;
use base::id::Uid;
use base::time::{Instant, Wall};
use pbx::config::Strategy;
use pbx::event::{Candidate, Exclusion, Rule, Term, TermName};

const RECORDING: Uid = Uid(7);

fn at(ms: u64, leg: Option<u32>, detail: Detail) -> LegEvent {
    let wall = Wall::from_millis(1_795_295_625_000 + ms as i64);
    let call = Some(Uid::new(Wall::from_millis(1_795_295_625_000), 1));
    LegEvent { seq: ms, at: Instant::from_micros(ms * 1_000), wall, call, leg, actor: String::new(), detail }
}

fn sip(ms: u64, leg: u32, sent: bool, message: &str) -> LegEvent {
    at(ms, Some(leg), Detail::Sip { sent, message: message.into() })
}

fn eligible(agent: &str, idle_ms: i64, position: i64) -> Candidate {
    let terms =
        vec![Term { name: TermName::IdleMs, value: idle_ms }, Term { name: TermName::Position, value: position }];
    Candidate { agent: agent.into(), terms, excluded: None }
}

fn call() -> Vec<LegEvent> {
    let s = String::from;
    let wrap_up = Exclusion { rule: Rule::NotReady, detail: s("wrap-up"), config: s("") };
    let candidates = vec![
        eligible("1001", 61_000, 0),
        Candidate { agent: s("1002"), terms: Vec::new(), excluded: Some(wrap_up) },
        eligible("1003", 8_250, 2),
    ];
    let offered = Detail::Offered {
        queue: s("support"),
        agent: s("1001"),
        priority: 5,
        wait_ms: 1,
        strategy: Strategy::LongestIdle,
        ring: 0,
        starved: false,
        candidates,
        callers: None,
        why: s("longest-idle: 1001"),
    };
    vec![
        at(1_000, None, Detail::CallBegan { caller: s("13800138000"), called: s("4001234"), origin: s("line 1/1") }),
        at(1_000, Some(0), Detail::Line { what: s("ring began") }),
        at(1_010, None, Detail::Routed { to: s("menu main"), why: s("did 4001234") }),
        at(1_020, Some(0), Detail::Line { what: s("off-hook") }),
        at(1_020, Some(0), Detail::Answered),
        at(1_020, None, Detail::RecordingBegan { recording: RECORDING }),
        at(4_000, Some(0), Detail::Digit { digit: '2', how: s("inband") }),
        at(4_001, None, Detail::Queued { queue: s("support"), priority: 5, position: 1 }),
        at(4_002, None, offered),
        sip(4_003, 1, true, "INVITE sip:2001@127.0.0.1:5070"),
        sip(4_100, 1, false, "180 Ringing (INVITE)"),
        sip(6_000, 1, false, "200 OK (INVITE)"),
        at(6_001, Some(1), Detail::Connected { with: s("1001"), queue: s("support"), wait_ms: 2_000 }),
        at(9_001, Some(0), Detail::LegEnded { cause: s("battery-lost") }),
        at(9_001, None, Detail::RecordingEnded { recording: RECORDING, length_ms: 7_981 }),
        at(9_002, None, Detail::CallEnded { by: s("caller"), disposition: s("ANSWERED") }),
        sip(9_003, 1, true, "BYE"),
        at(9_050, Some(1), Detail::LegMedia { sent: 250, received: 249, lost: 1, strangers: 0 }),
    ]
}

#[test]
fn the_record_follows_from_the_events() {
    let record = cdr::cdr(&call()).expect("began");
    assert_eq!((record.caller.as_str(), record.with.as_str(), record.offers), ("13800138000", "1001", 1));
    let ms = |d: std::time::Duration| d.as_millis();
    assert_eq!((ms(record.wait), ms(record.talk)), (2_000, 3_000));
    assert_eq!((record.duration.map(ms), record.billed.map(ms)), (Some(8_002), Some(7_982)));
    assert_eq!(record.recordings, [(RECORDING, Some(7_981))]);
    assert_eq!(cdr::cdr(&call()[1..]), None, "the beginning is missing");
}

#[test]
fn a_phone_that_lost_the_race_does_not_end_the_talk() {
    let mut events = call();
    events.insert(13, at(6_002, Some(2), Detail::LegEnded { cause: "cancelled".into() }));
    assert_eq!(cdr::cdr(&events).expect("began").talk.as_millis(), 3_000);
}

#[test]
fn the_ladder_stands_in_columns() {
    let text = ladder::ladder(&call(), Say(Language::En));
    println!("{text}");
    let rail = text.lines().nth(2).and_then(|l| l.chars().position(|c| c == '│')).expect("rail");
    for line in text.lines().skip(1) {
        assert_eq!(line.chars().nth(rail), Some('│'), "{line}");
    }
    assert!(text.contains("ring began ") && text.contains("▶"));
    let ringing = text.lines().find(|l| l.contains("180 Ringing")).expect("180");
    assert!(ringing.contains("◀") && ringing.trim_end().ends_with('│'), "{ringing}");
    assert!(
        text.contains("phone 2001")
            && text.contains(
                "because: longest idle: agent 1001 (idle for 61.000 s) before agent 1003 (idle for 8.250 s), of 2"
            )
            && text.contains("1002: not eligible (wrap-up)")
    );
}

#[test]
fn chinese_rails_stay_straight() {
    let text = ladder::ladder(&call(), Say(Language::Zh));
    println!("{text}");
    let cells: Vec<usize> =
        text.lines().skip(1).filter_map(|l| l.split_once('│').map(|(before, _)| layout::width(before))).collect();
    assert!(cells.iter().all(|c| *c == cells[0]), "{text}");
}

#[test]
fn both_languages_tell_everything() {
    for language in [Language::Zh, Language::En] {
        let agent = Detail::AgentState {
            agent: "1001".into(),
            from: "talking".into(),
            to: "wrap-up".into(),
            why: "call ended".into(),
            phone: "2001".into(),
        };
        let text = story(&call(), &[at(9_002, None, agent)], language);
        println!("{text}");
        for needle in ["4001234", "1001", "2026-11-21 21:13:46", "7.981 s", "support"] {
            assert!(text.contains(needle), "{needle} is missing");
        }
        assert!(!text.contains("{"), "an unfilled gap: {text}");
    }
    let text = records(&[cdr::cdr(&call()).expect("began")], Language::En);
    assert!(text.lines().count() == 2 && text.contains("answered"), "{text}");
}
