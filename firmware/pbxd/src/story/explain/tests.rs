//! A made-up call with one unserved moment and two offers, explained word for word.

use super::*;
use base::id::Uid;
use pbx::config::Strategy;
use pbx::event::{Exclusion, Rule};
use pbx::precedence::{Contender, Measure};
use pbx::select::{Asked, Seen, Wish, rejected, select};
use std::collections::BTreeMap;

const BEGAN_MS: i64 = 1_795_295_625_000;

const SITE: &str = "\
agent 1001 {
  skills [ billing:7 ];
}
queue support {
  agents [ 1001 1002 1003 ];
  priority 5;
  skill billing {
    level 5;
  }
}
routing {
  priority-step-s 60;
}
";

fn commit(number: u64, wall_ms: i64, text: &str) -> ConfigCommit {
    let (label, hash, text) = (pbx::commit::Label::default(), String::new(), text.into());
    ConfigCommit { number, wall_ms, label, hash, text, unconfirmed: None }
}

fn at(ms: u64, detail: Detail) -> LegEvent {
    let wall = Wall::from_millis(BEGAN_MS + ms as i64);
    let call = Some(Uid::new(Wall::from_millis(BEGAN_MS), 1));
    LegEvent { seq: ms, at: Instant::from_micros(ms * 1_000), wall, call, leg: None, actor: "router".into(), detail }
}

/// The tables as the router would see them: 1001 and 1003 know billing, 1002 too little of it.
fn decided(idle_ms: [u64; 3], busy: &[usize]) -> (Vec<Candidate>, Vec<usize>, String) {
    let skills = [(7u8, 4u8), (3, 1), (9, 6)];
    let levels =
        skills.map(|(billing, english)| BTreeMap::from([("billing".into(), billing), ("english".into(), english)]));
    let busy_now = |index| {
        busy.contains(&index).then(|| Exclusion {
            rule: Rule::NotReady,
            detail: "wrap-up".into(),
            config: String::new(),
        })
    };
    let seen: Vec<Seen<'_>> = ["1001", "1002", "1003"]
        .into_iter()
        .enumerate()
        .map(|(index, agent)| Seen {
            agent,
            position: index as u32,
            excluded: busy_now(index),
            idle_ms: idle_ms[index],
            calls: 0,
            talk_ms: 0,
            occupancy_permille: 0,
            skills: &levels[index],
            tries: 0,
        })
        .collect();
    let wishes =
        [Wish { skill: "billing", level: 5, required: true }, Wish { skill: "english", level: 1, required: false }];
    let asked = Asked {
        queue: "support",
        strategy: Strategy::LongestIdle,
        wishes: &wishes,
        preferred: Some("1001"),
        wait_for_preferred: false,
        after: None,
        draw: 0,
    };
    match select(&asked, &seen) {
        Some(chosen) => (chosen.candidates, chosen.winners, chosen.why),
        None => (rejected(&asked, &seen), Vec::new(), String::new()),
    }
}

fn offered(agent: &str, candidates: Vec<Candidate>, why: String) -> Detail {
    let (queue, agent) = ("support".to_string(), agent.to_string());
    let (strategy, priority, wait_ms, ring, starved) = (Strategy::LongestIdle, 5, 4_000, 1, true);
    let callers = (!candidates.is_empty()).then(callers);
    Detail::Offered { queue, agent, priority, wait_ms, strategy, ring, starved, candidates, callers, why }
}

/// The caller, one who waits as long with less priority, and two more.
fn callers() -> Precedence {
    let contender = |chance: u128, priority: u8, by: &str| Contender {
        call: Uid::new(Wall::from_millis(BEGAN_MS), chance),
        queue: "support".into(),
        weight: 0,
        priority,
        priority_by: by.into(),
        waited_us: 4_000_001,
        arrival: chance as u64,
    };
    let callers = vec![contender(1, 5, ""), contender(2, 4, "supervisor")];
    Precedence { measure: Measure { step_s: 60, starvation_s: 300 }, callers, more: 2 }
}

fn call() -> Vec<LegEvent> {
    let s = String::from;
    let (nobody, ..) = decided([0; 3], &[0, 2]);
    let (both, winners, why) = decided([8_000, 0, 61_000], &[]);
    assert_eq!(winners, [0, 2]);
    vec![
        at(1_000, Detail::CallBegan { caller: s("13800138000"), called: s("4001234"), origin: s("line 1/1") }),
        at(1_001, Detail::Queued { queue: s("support"), priority: 5, position: 1 }),
        at(1_002, Detail::Unserved { queue: s("support"), ring: 0, candidates: nobody }),
        at(5_000, offered("1001", both, why)),
        at(5_001, offered("1003", Vec::new(), s("the same"))),
        at(7_500, Detail::Connected { with: s("1001"), queue: s("support"), wait_ms: 6_499 }),
        at(7_501, Detail::OfferEnded { agent: s("1003"), cause: s("answered elsewhere"), ring_ms: 2_500 }),
    ]
}

#[test]
fn every_number_every_exclusion_and_its_line_is_told() {
    let commits = [commit(1, BEGAN_MS - 9_000, ""), commit(2, BEGAN_MS, SITE), commit(3, BEGAN_MS + 1_000_000, "")];
    for language in [Language::Zh, Language::En] {
        println!("{}", explain(&call(), &commits, language));
    }
    let text = explain(&call(), &commits, Language::En);
    for needle in [
        "nobody in queue support is eligible",
        "1002  skill level too low: billing 3 < 5  queue support skill billing (line 7)",
        "1003  wrap-up",
        "configuration: commit 2, since 2026-11-21 21:13:45.000 UTC",
        "+4.000 s): queue support offers to agent 1001",
        "priority 5, waited 4.000 s, the starvation bound puts the caller before all others",
        "strategy: longest idle",
        "callers whom agent 1001 could have served, whose turn it was first:",
        "no                0       5         4.000001 s  304.000001 s  1        priority by queue support priority (line 6)",
        "no                0       4         4.000001 s  244.000001 s  2        priority by a supervisor",
        "2 more callers stood behind them",
        "decided by: counts as, the larger wins — routing priority-step-s (line 12): 60",
        "▶ 1001    yes        4                 8.000 s   1      ████████████████████████",
        "  1003    no         6                 61.000 s  3",
        "decided by: preferred, the larger wins",
        "result: answered, rang 2.500 s",
        "chosen from the table above",
        "result: answered elsewhere, rang 2.500 s",
    ] {
        assert!(text.contains(needle), "{needle:?} is missing in\n{text}");
    }
    assert_eq!(text.matches("decide the same again: yes").count(), 3, "{text}");
    assert_eq!(decides_again(&call()), Some(true));
    let chinese = explain(&call(), &commits, Language::Zh);
    assert!(
        chinese.contains("座席 1001 本可服务的主叫") && chinese.contains("决定项：折合等待，大者优先 — routing"),
        "{chinese}"
    );
}

#[test]
fn a_caller_whose_turn_it_was_not_is_told() {
    let mut events = call();
    if let Detail::Offered { callers: Some(callers), .. } = &mut events[3].detail {
        callers.callers[1].priority = 6;
    }
    assert_eq!(decides_again(&events), Some(false));
}

#[test]
fn what_the_agent_hears_before_the_caller_is_no_ringing() {
    let mut events = call();
    events.insert(5, LegEvent { leg: Some(1), actor: "extension 2001".into(), ..at(6_000, Detail::Answered) });
    let text = explain(&events, &[], Language::En);
    assert!(text.contains("result: answered, rang 1.000 s"), "{text}");
}

#[test]
fn another_winner_than_the_terms_name_is_told() {
    let mut events = call();
    let (candidates, _, why) = decided([8_000, 0, 61_000], &[]);
    events[3].detail = offered("1003", candidates, why);
    events.truncate(4);
    let text = explain(&events, &[], Language::En);
    assert!(text.contains("decide the same again: no") && text.contains("still open"), "{text}");
    assert!(text.contains("the text of that time is not kept") && text.contains("queue support skill billing\n"));
    assert_eq!(decides_again(&events), Some(false));
}

#[test]
fn a_call_without_a_choice_says_so() {
    let text = explain(&call()[..2], &[], Language::Zh);
    assert!(text.contains("这个呼叫没有选过座席。"), "{text}");
    assert_eq!(decides_again(&call()[..2]), None);
}
