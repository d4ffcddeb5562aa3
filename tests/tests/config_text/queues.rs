//! What a site says about queues, agents and supervisors: defaults, foreign names, and the mistakes that are found.

use pbx::config::{
    Agent, Codes, Config, Consent, EmptyFactor, Language, OverflowKind, Queue, Reason, Strategy as Choice, Wanted,
    examine, parse, print, validate_prompts,
};

use crate::{LEAST, finds};

#[track_caller]
fn site(more: &str) -> Config {
    let examination = examine(&format!("{LEAST}{more}"));
    let words: Vec<String> = examination.problems.iter().map(|p| p.render(Language::En)).collect();
    assert!(examination.config.is_some(), "{words:?}");
    examination.config.unwrap_or_else(Config::preset)
}

#[test]
fn presets_are_what_an_empty_section_gives() {
    let read = site("agent 1002 { } queue q { }");
    assert_eq!(read.queues["q"], Queue::preset("q"));
    assert_eq!(read.agents["1002"], Agent::preset("1002"));
    assert_eq!(read.codes, Codes::preset(""));
    assert_eq!(read.routing, Config::preset().routing);
    let queue = &read.queues["q"];
    assert_eq!((queue.strategy, queue.weight, queue.ring_step_s, queue.retry_delay_s), (Choice::LongestIdle, 0, 5, 0));
    assert_eq!([queue.rona_no_answer, queue.rona_busy, queue.rona_reject, queue.rona_unreachable], [1; 4]);
    assert_eq!((queue.wrap_up_extend_s, queue.wrap_up_max_s, queue.surge_wrap_up_s), (60, 600, None));
    assert_eq!((queue.max_length, queue.overflow_wait_s, queue.sticky_wait_s), (0, 0, 0));
    assert!(queue.monitor && queue.monitor_tone && !queue.disposition_required);
    assert_eq!((queue.monitor_consent, queue.confirm_key, &queue.agent_announce), (Consent::None, None, &None));
    assert_eq!((read.routing.priority_step_s, read.routing.starvation_s, read.routing.sticky_days), (60, 300, 30));
    assert_eq!(read.system.utc_offset_min, 480);
    assert_eq!((read.codes.surge.as_str(), read.codes.pick.as_str()), ("*29", "*59"));
}

#[test]
fn all_that_can_be_said_of_a_queue_is_read() {
    let read = site(
        "skill billing { title Billing; } skill english { }\n\
         agent 1002 { pin 4711; skills [ billing:7 english:10 ]; calls-per-hour-max 12; }\n\
         queue q { agents [ 1002 ]; join-empty [ wrapup paused ]; confirm-key \"#\"; agent-announce q-call;\n\
           monitor-consent notice; skill billing { level 5; } skill english { need preferred; }\n\
           relax 30 { level-minus 2; drop [ billing ]; agents [ 1001 ]; } overflow empty { to echo; } exit * { to hangup; } }\n\
         supervisor 9001 { pin 9876; queues [ q ]; } vip +8613800138000 { agent 1002; }\n\
         did 400 { to queue q; priority 9; } disposition 3 { zh x; en y; } reason 2 { paid yes; } reason 42 { zh a; en b; paid no; }",
    );
    let queue = &read.queues["q"];
    assert_eq!(queue.join_empty, [EmptyFactor::Paused, EmptyFactor::Wrapup].into());
    assert_eq!((queue.confirm_key, queue.agent_announce.as_deref()), (Some('#'), Some("q-call")));
    assert_eq!(queue.skills["billing"], Wanted { level: 5, required: true });
    assert_eq!(queue.skills["english"], Wanted { level: 1, required: false });
    assert_eq!((queue.relax[&30].level_minus, queue.relax[&30].agents.as_slice()), (2, &["1001".to_string()][..]));
    assert!(queue.overflow.contains_key(&OverflowKind::Empty) && queue.exits.contains_key(&'*'));
    assert_eq!(read.agents["1002"].skills, [("billing".into(), 7), ("english".into(), 10)].into());
    assert_eq!((&read.agents["1002"].extension, read.agents["1002"].calls_per_hour_max), (&None, 12));
    assert!(read.supervisors["9001"].supervises("q") && !read.supervisors["9001"].supervises("support"));
    assert_eq!((read.vips["+8613800138000"].priority, read.dids["400"].priority), (10, Some(9)));
    let lunch = Reason { zh: "用餐".into(), en: "Lunch".into(), paid: true };
    assert_eq!((read.reason(2), read.reason(90).en.as_str(), read.reason(42).paid), (lunch, "RONA", false));
    assert_eq!(read.reason(77).name(Language::En), "Reason 77");
    assert_eq!(parse(&print(&read)).as_ref(), Ok(&read));
}

#[test]
fn strategies_are_known_by_their_names_elsewhere_and_printed_by_ours() {
    let foreign = [
        ("ringall", "ring-all"),
        ("leastrecent", "longest-idle"),
        ("fewestcalls", "fewest-calls"),
        ("rrmemory", "round-robin"),
        ("roundrobin", "round-robin"),
        ("wrandom", "weighted-random"),
        ("longest-idle-agent", "longest-idle"),
        ("agent-with-least-talk-time", "least-talk-time"),
        ("agent-with-fewest-calls", "fewest-calls"),
        ("sequentially-by-agent-order", "linear"),
    ];
    let own = Choice::ALL.iter().map(|choice| (choice.word(), choice.word()));
    for (name, ours) in foreign.into_iter().chain(own) {
        let read = site(&format!("queue q {{ agents [ 1001 ]; strategy {name}; }}"));
        assert_eq!(read.queues["q"].strategy.word(), ours, "{name}");
        let printed = print(&read).contains(&format!("strategy {ours};"));
        assert_eq!(printed, ours != "longest-idle", "{name}");
    }
    let remedy = |word: &str| {
        let text = format!("{LEAST}queue q {{ agents [ 1001 ]; strategy {word}; }}");
        examine(&text).problems[0].remedy.render(Language::En)
    };
    assert_eq!(remedy("fewest-cals"), "write `fewest-calls` if that is meant, otherwise remove it");
    assert_eq!(remedy("ring"), "write `ring-all` if that is meant, otherwise remove it");
    assert!(remedy("enterprise").starts_with("give one of: ring-all, longest-idle, "));
}

#[test]
fn values_of_queues_and_agents_are_checked() {
    finds("system { utc-offset 8; }", &["5:21 system utc-offset: `8` does not fit"]);
    finds("system { utc-offset +14:30; }", &["5:21 system utc-offset: `+14:30` does not fit"]);
    finds("system { utc-offset -12:00; }", &[]);
    finds("agent 1001 { }", &["5:1 agent 1001: defined twice (first on line 3)"]);
    let agent = |leaves: &str| format!("skill a {{ }} agent 1002 {{ {leaves} }} queue q {{ agents 1002; }}");
    finds(&agent("pin 123;"), &["5:30 agent 1002 pin: `********` does not fit"]);
    finds(&agent("pin 12345678a;"), &["5:30 agent 1002 pin: `********` does not fit"]);
    finds(&agent("pin 4711; skills [ a:11 ];"), &["5:45 agent 1002 skills: `a:11` does not fit"]);
    finds(&agent("pin 4711; skills [ a ];"), &["5:45 agent 1002 skills: `a` does not fit"]);
    finds(&agent("pin 4711; skills [ a:1 a:2 ];"), &["5:49 agent 1002 skills: `a` is listed twice"]);
    finds("queue q { agents [ 1001 ]; join-empty [ busy ]; }", &["5:41 queue q join-empty: `busy` does not fit"]);
    finds("queue q { agents [ 1001 ]; relax 0 { } }", &["5:34 queue q relax 0: 0 is out of range"]);
    finds(
        "queue q { agents [ 1001 ]; relax 30 { } relax 030 { } }",
        &["5:41 queue q relax 30: defined twice (first on line 5)"],
    );
    finds(
        "queue q { agents [ 1001 ]; overflow later { to echo; } }",
        &["5:37 queue q overflow later: `later` does not fit"],
    );
    finds("queue q { agents [ 1001 ]; exit 0 { } }", &["5:28 queue q exit 0: `to` is missing (destination)"]);
    finds("reason 90 { zh a; en b; paid yes; }", &["5:8 reason 90: 90 is out of range"]);
    finds("reason 10 { zh a; en b; }", &["5:1 reason 10: `paid` is missing (whether the time is paid)"]);
    finds(
        "calendar c { hours [ mon-fri/18:00-18:00 ]; }",
        &["5:22 calendar c hours: `mon-fri/18:00-18:00` does not fit"],
    );
    finds("calendar c { hours [ mo/09:00-18:00 ]; }", &["5:22 calendar c hours: `mo/09:00-18:00` does not fit"]);
    finds("calendar c { hours [ daily/9:00-18:00 ]; }", &["5:22 calendar c hours: `daily/9:00-18:00` does not fit"]);
    finds(
        "calendar c { hours daily/00:00-24:00; closed 2026-02-29; }",
        &["5:46 calendar c closed: `2026-02-29` does not fit"],
    );
    finds("calendar c { hours [ SAT-Mon/22:00-06:00 ]; closed 2028-02-29; extra 2026-10-10/09:00-18:00; }", &[]);
}

#[test]
fn what_is_named_must_exist() {
    finds("queue q { agents [ 1001 ]; skill x { } }", &["5:28 queue q skill x: skill x does not exist"]);
    finds(
        "skill a { } agent 1002 { pin 4711; skills [ a:1 b:2 ]; } queue q { agents [ 1002 ]; }",
        &["5:49 agent 1002 skills: skill b does not exist"],
    );
    finds("queue q { agents [ 1001 ]; calendar x; }", &["5:37 queue q calendar: calendar x does not exist"]);
    finds(
        "queue q { agents [ 1001 ]; relax 9 { agents [ 7777 ]; } }",
        &["5:47 queue q relax 9 agents: agent 7777 does not exist"],
    );
    finds("queue q { agents [ 1001 ]; exit 0 { to queue x; } }", &["5:46 queue q exit 0 to: queue x does not exist"]);
    finds("vip 13800138000 { agent 7777; }", &["5:25 vip 13800138000 agent: agent 7777 does not exist"]);
    finds("supervisor 9001 { pin 9876; queues x; }", &["5:36 supervisor 9001 queues: queue x does not exist"]);
    finds(
        "skill a; queue q { agents [ 1001 ]; skill a { } }",
        &["5:1 skill a: `skill` is a section and needs `{ … }`"],
    );
}

#[test]
fn agents_and_supervisors_need_a_phone_or_a_pin_of_their_own() {
    let serving = |agent: &str, supervisor: &str| {
        format!("agent 1002 {{ {agent} }} queue q {{ agents [ 1002 ]; }} supervisor 9001 {{ {supervisor} }}")
    };
    finds(&serving("pin 4711;", "pin 9876;"), &[]);
    finds(
        &serving("logged-in yes; pin 4711;", "pin 9876;"),
        &["5:14 agent 1002 logged-in: without a phone the agent cannot begin logged in"],
    );
    finds(
        &serving("", ""),
        &[
            "5:1 (agent 1002: without a phone and without a PIN there is no way to log in)",
            "5:46 (supervisor 9001: without a phone and without a PIN there is no way to log in)",
        ],
    );
    finds(&serving("pin 1002;", "pin 9876;"), &["5:14 agent 1002 pin: the PIN equals the id"]);
    finds("supervisor 1001 { pin 9876; }", &["5:1 supervisor 1001: 1001 is already an agent"]);
    finds(
        "supervisor 9001 { extension 2001; } supervisor 9002 { extension 2001; }",
        &["5:55 supervisor 9002 extension: extension 2001 is already the phone of supervisor 9001"],
    );
}

#[test]
fn callers_cannot_be_sent_round_without_waiting() {
    let two = |a: &str, b: &str| format!("queue a {{ agents 1001; {a} }}\nqueue b {{ agents 1001; {b} }}\n");
    let full = |to: &str| format!("max-length 5; overflow full {{ to queue {to}; }}");
    let circle = "callers can be sent round in circles without waiting";
    finds(
        &two(&full("b"), &full("a")),
        &[&format!("5:54 queue a overflow full to: {circle}: a (full) → b (full) → a")],
    );
    finds(
        &two(&full("b"), "join-empty paused; overflow empty { to queue a; }"),
        &[&format!("5:54 queue a overflow full to: {circle}: a (full) → b (empty) → a")],
    );
    finds(&two("", &full("b")), &[&format!("6:54 queue b overflow full to: {circle}: b (full) → b")]);
    finds(&two(&full("b"), "overflow-wait-s 60; overflow wait { to queue a; }"), &[]);
    finds(&two(&full("b"), "exit 1 { to queue a; }"), &[]);
    finds(
        &two(&full("b"), "overflow full { to queue a; }"),
        &["6:24 (queue b overflow full: it never happens: `max-length` is not set)"],
    );
    // A long chain, and a circle at its end that is found once.
    let chain: String = (0..3_000)
        .map(|n| format!("queue q{n} {{ agents 1001; {} }}\n", full(&format!("q{}", (n + 1).min(2_999)))))
        .collect();
    assert_eq!(examine(&format!("{LEAST}{chain}")).problems.len(), 1);
}

#[test]
fn what_can_never_happen_is_told() {
    let queue = |more: &str| format!("queue q {{ agents 1001; {more} }}");
    finds(
        &queue("wrap-up-s 100; wrap-up-max-s 60;"),
        &["5:39 queue q wrap-up-max-s: the most, 60, is below 100 of `wrap-up-s`"],
    );
    finds(
        &queue("surge-wrap-up-s 100; wrap-up-max-s 60;"),
        &["5:45 queue q wrap-up-max-s: the most, 60, is below 100 of `surge-wrap-up-s`"],
    );
    let wait = "overflow wait { to echo; }";
    finds(
        &queue(&format!("overflow-wait-s 600; {wait}")),
        &["5:24 (queue q overflow-wait-s: it never happens: with `max-wait-s` 600 the wait is over before)"],
    );
    finds(&queue("overflow-wait-s 60;"), &["5:24 (queue q overflow-wait-s: there is no place to overflow to)"]);
    finds(&queue(wait), &["5:24 (queue q overflow wait: it never happens: `overflow-wait-s` is not set)"]);
    finds(
        &queue("relax 600 { level-minus 1; }"),
        &["5:24 (queue q relax 600: it never happens: with `max-wait-s` 600 the wait is over before)"],
    );
    finds(
        &queue(&format!("relax 60 {{ level-minus 1; }} overflow-wait-s 50; {wait}")),
        &["5:24 (queue q relax 60: it never happens: with `overflow-wait-s` 50 the wait is over before)"],
    );
    finds(&queue("max-wait-s 0; relax 7200 { level-minus 1; }"), &[]);
    finds(&queue("join-empty [ paused penalty ];"), &["5:24 (queue q join-empty: `penalty` never applies here)"]);
    finds(&queue("leave-empty unknown;"), &["5:24 (queue q leave-empty: `unknown` never applies here)"]);
    finds(
        &queue("disposition-required yes;"),
        &["5:24 (queue q disposition-required: no result of a call is defined)"],
    );
    finds(
        &format!("routing {{ sticky-days 0; }} {}", queue("sticky-wait-s 9;")),
        &["5:51 (queue q sticky-wait-s: it never happens: `routing sticky-days` is 0)"],
    );
    finds("calendar c { closed 2026-10-01; }", &["5:1 (calendar c: the calendar is never open)"]);
    finds("routing { starvation-s 599; priority-step-s 0; }", &[]);
    finds(&queue("strategy ring-all; confirm-key 1;"), &[]);
}

#[test]
fn a_skill_that_nobody_has_is_told() {
    let site = |own: &str, wanted: &str, more: &str| {
        format!(
            "skill a {{ }} agent 1002 {{ pin 4711; {own} }}\nqueue q {{ agents 1002; skill a {{ {wanted} }} {more} }}"
        )
    };
    let nobody = |level: u8| format!("6:24 (queue q skill a: no agent of the queue has skill a at level {level})");
    finds(&site("skills [ a:5 ];", "level 5;", ""), &[]);
    finds(&site("skills [ a:5 ];", "level 6;", ""), &[&nobody(6)]);
    finds(&site("skills [ a:5 ];", "level 6; need preferred;", ""), &[]);
    finds(&site("", "level 6; need preferred;", ""), &[&nobody(1)]);
    finds(
        &site("skills [ a:5 ];", "need preferred;", "relax 9 { drop [ a ]; }"),
        &["6:69 (queue q relax 9 drop: skill a is not required in this queue anyway)"],
    );
}

#[test]
fn codes_with_digits_after_them_hide_no_other() {
    finds("codes { surge *511; }", &["5:9 codes surge: the code `*511` is also listen followed by digits"]);
    finds("codes { pick *4; }", &["5:9 codes pick: the code `*4` followed by digits is also `*43` of echo"]);
    finds("codes { surge *4; }", &[]);
    finds("codes { surge *49; }", &["5:9 codes surge: the code `*49` is already that of wrap-up-extend"]);
    finds("codes { surge *51*; }", &[]);
}

#[test]
fn an_announcement_to_agents_needs_its_prompt() {
    let read = site("queue q { agents [ 1001 ]; agent-announce q-call; }");
    assert!(validate_prompts(&read, &["zh-CN/q-call"]).is_empty());
    let problems = validate_prompts(&read, &["en-US/q-call", "zh-CN/other"]);
    let words: Vec<String> = problems.iter().map(|p| p.render(Language::En)).collect();
    assert_eq!(
        words,
        ["queue q agent-announce: there is no prompt zh-CN/q-call. Remedy: add the file, or use one of: other."]
    );
}
