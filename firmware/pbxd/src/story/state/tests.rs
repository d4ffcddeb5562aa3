//! A made-up moment in words: a supervisor who hears a call, and agents of whom no row tells.

use super::*;
use pbx::config::Agent;

const CALLER: Uid = Uid(1);
const OWN: Uid = Uid(2);

fn at(seq: u64, call: Option<Uid>, detail: Detail) -> LegEvent {
    let (at, wall) = (Instant::from_micros(seq * 1_000_000), Wall::from_millis(seq as i64 * 1_000));
    LegEvent { seq, at, wall, call, leg: None, actor: "router".into(), detail }
}

fn heard(act: &str) -> Detail {
    let (supervisor, whom) = ("9001".to_string(), "1001".to_string());
    Detail::Supervised { supervisor, act: act.into(), whom, refused: String::new(), own: Some(OWN) }
}

fn began(origin: &str) -> Detail {
    Detail::CallBegan { caller: "138".into(), called: "*511001".into(), origin: origin.into() }
}

fn rows() -> Vec<LegEvent> {
    let s = String::from;
    let (agent, from, to, why, phone) = (s("1001"), s("ready"), s("talking"), s("answered"), s("2001"));
    vec![
        at(1, None, Detail::AgentState { agent, from, to, why, phone }),
        at(2, Some(CALLER), began("line 1/1")),
        at(3, Some(CALLER), Detail::Queued { queue: s("support"), priority: 5, position: 1 }),
        at(4, Some(CALLER), Detail::Connected { with: s("1001"), queue: s("support"), wait_ms: 1 }),
        at(5, Some(OWN), began("extension 2009")),
        at(6, Some(OWN), Detail::Routed { to: s("code"), why: s("codes listen *51") }),
    ]
}

fn told(rows: &[LegEvent], language: Language) -> String {
    let last = rows.last().unwrap();
    let mut site = Config::preset();
    site.agents = ["1001", "1002"].map(|id| (id.to_string(), Agent::preset(id))).into();
    state(&Fold::of(rows), Shown::after(last, last.wall), Some(&site), language)
}

#[test]
fn a_supervisor_who_hears_a_call_is_told_as_such() {
    let mut rows = rows();
    for (act, en, zh) in [
        ("listen", "listening to the call of agent 1001", "监听 座席 1001 的通话"),
        ("whisper", "whispering to agent 1001", "对 座席 1001 密语"),
        ("barge", "barged into the call of agent 1001", "强插 座席 1001 的通话"),
    ] {
        rows.push(at(7, Some(CALLER), heard(act)));
        let (english, chinese) = (told(&rows, Language::En), told(&rows, Language::Zh));
        assert!(english.contains(en) && chinese.contains(zh), "{english}{chinese}");
        assert!(!english.contains("at the box: code"), "{english}");
    }
    rows.push(at(8, Some(CALLER), heard("monitor-end")));
    assert!(told(&rows, Language::En).contains("at the box: code"));
}

#[test]
fn agents_of_whom_no_row_tells_are_logged_out() {
    let text = told(&rows(), Language::En);
    let row = |id: &str| text.lines().find(|line| line.trim_start().starts_with(id)).unwrap_or_default().to_string();
    assert!(row("1001").contains("talking") && row("1002").contains("logged out"), "{text}");
}

#[test]
fn who_logs_out_is_at_no_phone() {
    let mut rows = rows();
    let (agent, from, to) = ("1001".to_string(), "talking".to_string(), "logged-out".to_string());
    rows.push(at(7, None, Detail::AgentState { agent, from, to, why: String::new(), phone: "2005".into() }));
    assert!(!told(&rows, Language::En).contains("2005"));
}
