//! What the commands say of a small database.

use super::*;
use crate::store::{MainDb, Options, Request};
use base::time::Instant;
use pbx::config::Strategy;
use std::path::PathBuf;

struct Data(PathBuf);

impl Drop for Data {
    fn drop(&mut self) {
        // A directory that stays behind does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn offered() -> Detail {
    let (queue, agent) = ("support".into(), "1001".into());
    let (strategy, priority, wait_ms, ring, starved) = (Strategy::LongestIdle, 5, 0, 0, false);
    let (candidates, callers, why) = (Vec::new(), None, String::new());
    Detail::Offered { queue, agent, priority, wait_ms, strategy, ring, starved, candidates, callers, why }
}

/// A database with calls 1, 2, 3, of which `decided` had an offer.
fn data(name: &str, decided: &[u128]) -> Data {
    let data = Data(std::env::temp_dir().join(format!("cordboard-tell-{name}-{}", std::process::id())));
    let mut db = MainDb::open(&Options::new(&data.0)).unwrap();
    for (index, call) in (0u64..).zip([1u128, 2, 3]) {
        let mut row = |seq: u64, detail| {
            let (at, wall) = (Instant::from_micros(seq), Wall::from_millis(1_795_295_625_000 + seq as i64));
            let (call, actor) = (Some(Uid(call)), "router".into());
            db.queue(Request::Leg(LegEvent { seq, at, wall, call, leg: None, actor, detail }));
        };
        let (caller, called, origin) = ("138".into(), "400".into(), "line 1/1".into());
        row(index * 10 + 1, Detail::CallBegan { caller, called, origin });
        if decided.contains(&call) {
            row(index * 10 + 2, offered());
        }
    }
    db.commit().unwrap();
    data
}

#[test]
fn the_last_call_explained_is_the_last_that_had_a_decision() {
    let data = data("last", &[1, 2]);
    for (language, later) in [(Language::En, "The last call, "), (Language::Zh, "最后一个呼叫 ")] {
        for wanted in [None, Some("last")] {
            let text = explain(&data.0, wanted, language).unwrap();
            assert!(text.starts_with(later) && text.contains(&Uid(3).to_string()), "{text}");
            assert!(text.contains(&format!(" {}  2026-", Uid(2))), "{text}");
        }
    }
    let named = explain(&data.0, Some(&Uid(3).to_string()), Language::En).unwrap();
    assert!(named.contains("No agent was ever to be chosen") && !named.contains("The last call,"), "{named}");
}

#[test]
fn where_the_last_call_had_a_decision_nothing_else_is_said_of_it() {
    let text = explain(&data("newest", &[1, 3]).0, None, Language::En).unwrap();
    assert!(text.contains(&Uid(3).to_string()) && !text.contains("The last call,"), "{text}");
}

#[test]
fn where_no_call_had_one_the_last_says_so() {
    let text = explain(&data("none", &[]).0, None, Language::En).unwrap();
    assert!(text.contains(&Uid(3).to_string()) && text.contains("No agent was ever to be chosen"), "{text}");
}

#[test]
fn a_moment_that_lies_ahead_is_no_state() {
    let data = data("ahead", &[1]);
    for (language, words) in [(Language::En, "lies ahead"), (Language::Zh, "尚未到来")] {
        let why = state(&data.0, Some("2999-01-01 00:00"), language).unwrap_err();
        assert!(why.contains(words) && why.contains("2026-11-21 21:13:45.021 UTC"), "{why}");
    }
    assert!(state(&data.0, Some("2026-11-21 21:13:46"), Language::En).is_ok());
}

#[test]
fn a_site_in_which_callers_are_not_answered_is_refused_by_the_proof() {
    let data = data("check", &[]);
    let file = data.0.join("site.conf");
    let text = "sip { listen 127.0.0.1:5060; }\ndid 4001234 { to hangup; }\n";
    std::fs::write(&file, text).unwrap();
    let why = check(&file, None, Language::En).unwrap_err();
    assert!(
        why.contains("site.conf is refused and nothing was started; errors: 1")
            && why.contains("line 2: did 4001234 to: callers of 4001234"),
        "{why}"
    );
    std::fs::write(&file, text.replace("hangup", "echo")).unwrap();
    assert_eq!(check(&file, None, Language::En), Ok(String::new()));
    std::fs::write(&file, text.replace("to hangup", "to menu m") + "menu m { prompt none; key 1 { to echo; } }\n")
        .unwrap();
    let why = check(&file, None, Language::Zh).unwrap_err();
    assert!(why.contains("没有提示音 zh-CN/none"), "{why}");
}

#[test]
fn a_test_of_the_site_that_fails_is_a_problem_among_the_others() {
    let data = data("check-tests", &[]);
    let file = data.0.join("site.conf");
    let site = "sip { listen 127.0.0.1:5060; }\ndid 4001234 { to echo; }\n\
                test heard { call from 13800138000 to 4001234;\n  expect echo;\n}\n";
    std::fs::write(&file, site).unwrap();
    assert_eq!(check(&file, None, Language::En), Ok("configuration tests: all 1 passed".to_string()));
    std::fs::write(&file, site.replace("expect echo", "expect recorded within 9s")).unwrap();
    let why = check(&file, None, Language::En).unwrap_err();
    assert!(why.contains("line 4: test heard expect: expected `recorded within 9s`"), "{why}");
    assert!(why.contains("0 s sent to echo"), "{why}");
    let why = check(&file, None, Language::Zh).unwrap_err();
    assert!(why.contains("第 4 行") && why.contains("期望 `recorded within 9s` 未实现"), "{why}");
}
