//! Every kind of expectation passing and failing, with faults planted in the site.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Verdict, run, run_all};
use crate::calendar::Date;
use crate::config::{Config, Language, parse};

/// A Wednesday.
const TODAY: (u16, u8, u8) = (2026, 11, 25);

const SITE: &str = r#"
sip { listen 127.0.0.1:5060; }
extension 2001 { secret secret-2001; }
extension 2002 { secret secret-2002; }
extension 2005 { secret secret-2005; record yes; }
calendar office { hours [ mon-fri/09:00-18:00 ]; closed [ 2026-11-30 ]; }
skill billing { }
agent 1001 { extension 2001; skills [ billing:7 ]; }
agent 1002 { extension 2002; skills [ billing:3 ]; }
agent 1003 { pin 583106; }
agent 1004 { }
queue support {
    agents [ 1001 1002 ]; calendar office; record no; overflow-wait-s 40; max-wait-s 60;
    skill billing { level 5; }
    overflow wait { to extension 2005; }
    overflow closed { to menu night; }
    exit 0 { to extension 2005; }
}
queue sales { agents [ 1003 ]; max-length 1; record yes; overflow full { to hangup; } }
queue nobody { agents [ 1001 ]; join-empty [ paused unavailable ]; overflow empty { to echo; } }
menu main {
    prompt menu-main;
    key 1 { to queue sales; }
    key 2 { to queue support; }
    key 3 { to menu more; }
    otherwise { to hangup; }
}
menu more { prompt menu-more; key 4 { to extension 2005; } key 5 { to echo; } otherwise { to hangup; } }
menu night { prompt menu-night; retries 0; otherwise { to hangup; } }
trunk carrier { address 127.0.0.1; port 5080; }
route outside { prefix 9; strip 1; length-min 5; trunk carrier; }
route abroad { prefix 900; strip 1; trunk carrier; }
number 8000 { to queue support; }
did 4001234 { to menu main; }
did 4001235 { to queue sales; }
did 4001236 { to queue support; }
did 4001237 { to queue nobody; }
did 4001238 { to extension 2005; }
did 4001239 { to hangup; }
"#;

fn config(text: &str) -> Arc<Config> {
    Arc::new(parse(text).unwrap_or_else(|problems| {
        let words: Vec<String> = problems.iter().map(|p| p.render(Language::En)).collect();
        panic!("{}", words.join("\n"))
    }))
}

fn today() -> Date {
    Date::new(TODAY.0, TODAY.1, TODAY.2).unwrap()
}

/// The verdict on a test with these statements, in a site with these replacements.
fn verdict(test: &str, changes: &[(&str, &str)]) -> Verdict {
    let mut site = SITE.to_string();
    for (from, to) in changes {
        assert!(site.contains(from), "{from}");
        site = site.replacen(from, to, 1);
    }
    run(&config(&format!("{site}\ntest it {{ {test} }}\n")), "it", today())
}

/// Nothing when it passed, otherwise what is told.
fn told(test: &str, changes: &[(&str, &str)]) -> String {
    let verdict = verdict(test, changes);
    verdict.failure.map_or_else(String::new, |failure| failure.reason.render(Language::En))
}

#[track_caller]
fn passes(test: &str) {
    assert_eq!(told(test, &[]), "", "{test}");
}

#[track_caller]
fn fails(test: &str, changes: &[(&str, &str)], words: &str) {
    let told = told(test, changes);
    assert!(told.contains(words), "{test}: {told:?} does not tell {words:?}");
}

const INTO_SUPPORT: &str = "call from 13800138000 to 4001234 at \"mon 09:00\"; press [ 2 ];";

#[test]
fn the_example_of_the_requirements_passes_as_written() {
    let example = r#"
  test support-in-hours {
      call from 13800138000 to 4001234 at "mon 09:00";
      press [ 2 ];
      agents [ 1001 ];
      expect queue support within 20s;
  }"#;
    assert_eq!(run(&config(&format!("{SITE}{example}")), "support-in-hours", today()).failure, None);
}

#[test]
fn a_caller_is_followed_through_menus_to_an_agent() {
    passes(&format!(
        "{INTO_SUPPORT} expect menu main within 1s then queue support within 2s then agent 1001 within 5s;"
    ));
    passes("call from 13800138000 to 4001234; press [ 3 4 ]; expect menu main then menu more then extension 2005;");
    passes("call from 13800138000 to 4001234; press [ 34 ]; expect menu more then extension 2005;");
    passes("call from 13800138000 to 4001234; press [ 3 5 ]; expect echo;");
}

#[test]
fn a_wrong_key_is_told_with_where_it_leads() {
    let test = format!("{INTO_SUPPORT} expect queue support within 20s;");
    fails(&test, &[("key 2 { to queue support", "key 2 { to queue sales")], "1 s presses 2; 1 s waits in queue sales");
    fails(&test, &[("key 2 { to queue support; }", "")], "1 s presses 2; 1 s hears menu-invalid, menu-main");
}

#[test]
fn a_wrong_calendar_is_told() {
    let test = format!("{INTO_SUPPORT} expect queue support within 20s;");
    passes(&test);
    fails(&test, &[("09:00-18:00", "09:01-18:00")], "leaves queue support (closed) → menu night");
    let sunday = "call from 13800138000 to 4001236 at \"sun 12:00\";";
    passes(&format!("{sunday} expect closed then menu night then hangup;"));
    fails(&format!("{sunday} expect queue support;"), &[], "0 s sent to menu night");
}

#[test]
fn a_weekday_is_an_ordinary_one_and_a_date_is_that_date() {
    let test = |at: &str, expected: &str| format!("call from 13800138000 to 4001236{at}; expect {expected};");
    passes(&test(" at \"mon 17:59\"", "queue support"));
    passes(&test(" at \"mon 18:00\"", "closed"));
    passes(&test(" at \"2026-11-30 10:00\"", "closed"));
    passes(&test(" at \"2026-12-07 10:00\"", "queue support"));
    passes(&test("", "queue support"));
    let at = |at: &str| verdict(&test(at, "queue support"), &[]).at;
    assert_eq!(at(" at \"mon 10:00\""), at(" at \"2026-12-07 10:00\""), "the 30th of November is a day off");
    assert_eq!(at(""), at(" at \"mon 10:00\""));
    assert_eq!(at(" at \"wed 10:00\""), at(" at \"2026-11-25 10:00\""), "today");
}

#[test]
fn agents_without_the_skill_are_named() {
    let test = format!("{INTO_SUPPORT} expect agent 1001 within 20s;");
    passes(&test);
    let changes = [("agent 1001 { extension 2001; skills [ billing:7 ]; }", "agent 1001 { extension 2001; }")];
    fails(&test, &changes, "nobody of queue support can take it: 1001 ");
    fails(&test, &changes, "billing 3 < 5");
}

#[test]
fn only_listed_agents_are_at_work() {
    let call = "call from 13800138000 to 4001236;";
    passes(&format!("{call} agents [ 1001 ]; expect agent 1001;"));
    fails(&format!("{call} agents [ ]; expect agent 1001 within 30s;"), &[], "nobody of queue support can take it");
    fails(&format!("{call} agents [ 1002 ]; expect agent 1001 within 30s;"), &[], "1001 ");
    passes("call from 13800138000 to 4001237; agents [ ]; expect empty then echo;");
    passes("call from 13800138000 to 4001237; expect agent 1001;");
    fails(&format!("{call} agents [ 1004 ]; expect agent 1004;"), &[], "agent 1004 has neither an extension nor a PIN");
}

#[test]
fn who_logs_in_by_pin_is_at_a_phone_of_the_trial() {
    passes("call from 13800138000 to 4001235; expect agent 1003;");
    passes("call from 13800138000 to 4001235; agents [ 1003 ]; expect agent 1003 then recorded;");
}

#[test]
fn a_queue_is_full_with_the_callers_before() {
    let full = "call from 13800138000 to 4001235; agents [ ];";
    passes(&format!("{full} callers-before 1; expect full then refused;"));
    passes(&format!("{full} expect queue sales;"));
    fails(&format!("{full} callers-before 1; expect queue sales;"), &[], "leaves queue sales (full) → hangup");
    passes("call from 13800138000 to 4001235; callers-before 1; expect queue sales;");
    fails("call from 13800138000 to 4001235; callers-before 1; expect agent 1003;", &[], "waits in queue sales");
}

#[test]
fn a_wait_that_is_too_long_overflows() {
    let test = |expected: &str| format!("call from 13800138000 to 4001236; agents [ ]; expect {expected};");
    passes(&test("queue support then overflow within 40s then extension 2005 within 2s"));
    fails(&test("overflow within 39s"), &[], "waits in queue support");
    fails(&test("overflow"), &[("overflow-wait-s 40; ", ""), ("overflow wait { to extension 2005; }", "")], "60 s");
    passes(
        "call from 13800138000 to 4001236; agents [ ]; press [ 0 ]; expect queue support then extension 2005 within 5s;",
    );
}

#[test]
fn an_extension_dials_inside_and_outside() {
    passes("call from 2005 to 8000; expect agent 1001;");
    passes("call from 2001 to 2005; expect extension 2005 within 2s then recorded;");
    fails("call from 2002 to 2001; expect recorded;", &[], "talks with 2001");
    passes("call from 2005 to *43; expect prompt echo-intro;");
    passes("call from 2001 to 95551234; expect trunk carrier as 5551234;");
    passes("call from 2001 to 110; expect trunk carrier as 110;");
    fails("call from 2001 to 95551234; expect trunk carrier as 95551234;", &[], "sent to trunk carrier 5551234");
    passes("call from 2001 to 90044123456; expect refused;");
    fails("call from 2001 to 90044123456; expect trunk carrier;", &[], "route abroad international no");
    fails("call from 2005 to 7777; expect extension 2001;", &[], "no extension, number, code or route is 7777");
    passes("call from 2005 to 7777; expect refused;");
    passes("call from 2001 to *45; agents [ ]; expect hangup;");
    passes(
        "call from 2005 to *45; agents [ ]; press [ \"1003#\" \"583106#\" ]; expect prompt agent-logged-in then hangup;",
    );
}

#[test]
fn an_agent_in_a_call_of_his_own_is_not_offered_another() {
    fails("call from 2001 to 8000; agents [ 1001 ]; expect agent 1001 within 30s;", &[], "nobody of queue support");
}

#[test]
fn what_ends_a_call_is_told_apart() {
    passes("call from 13800138000 to 4001239; expect refused;");
    fails("call from 13800138000 to 4001239; expect hangup;", &[], "is refused (no answer)");
    passes("call from 13800138000 to 4001234; expect menu main then prompt goodbye then hangup;");
    fails("call from 13800138000 to 4001234; expect refused;", &[], "is hung up on");
    passes("call from 13800138000 to 4001236 at \"sun 12:00\"; expect prompt menu-night;");
    fails("call from 13800138000 to 4001236 at \"sun 12:00\"; expect prompt menu-day;", &[], "hears menu-night");
}

#[test]
fn time_counts_from_what_was_expected_before() {
    passes("call from 13800138000 to 4001234; press [ 2 ]; expect menu main within 1s then queue support within 1s;");
    fails(
        "call from 13800138000 to 4001234; agents [ ]; press [ 2 ]; expect queue support then overflow within 39s;",
        &[],
        "waits",
    );
    passes("call from 13800138000 to 4001234; agents [ ]; press [ 2 ]; expect queue support then overflow within 40s;");
}

#[test]
fn order_matters() {
    fails(
        "call from 13800138000 to 4001234; press [ 2 ]; expect queue support then menu main;",
        &[],
        "talks with agent",
    );
}

#[test]
fn keys_that_nobody_asked_for_are_told() {
    fails("call from 13800138000 to 4001238; press [ 2 3 ]; expect menu main;", &[], "keys never asked for: 2 3");
}

#[test]
fn a_number_that_is_no_did_cannot_be_called_from_outside() {
    fails("call from 13800138000 to 8000; expect queue support;", &[], "it is no did");
    passes("call from 13800138000 to 8000; expect refused;");
}

#[test]
fn a_key_that_accepts_a_call_is_pressed_by_the_agent() {
    let confirm = [("queue sales {", "queue sales { confirm-key 1; agent-announce sales-call;")];
    assert_eq!(told("call from 13800138000 to 4001235; expect agent 1003 within 20s;", &confirm), "");
}

#[test]
fn a_site_without_trunk_and_one_of_the_other_family_can_be_tested() {
    let gone = [
        ("trunk carrier { address 127.0.0.1; port 5080; }", ""),
        ("route outside { prefix 9; strip 1; length-min 5; trunk carrier; }", ""),
        ("route abroad { prefix 900; strip 1; trunk carrier; }", ""),
    ];
    let test = format!("{INTO_SUPPORT} expect agent 1001;");
    assert_eq!(told(&test, &gone), "");
    let six = [("127.0.0.1:5060", "\"[::1]:5060\""), ("address 127.0.0.1", "address ::1")];
    assert_eq!(told(&test, &six), "");
    assert_eq!(told("call from 2001 to 95551234; expect trunk carrier as 5551234;", &six), "");
}

#[test]
fn a_circle_ends_with_a_verdict() {
    let queue = "queue night { agents [ 1001 ]; overflow-wait-s 5; overflow wait { to queue support; } }\nmenu main {";
    let changes =
        [("overflow wait { to extension 2005; }", "overflow wait { to queue night; }"), ("menu main {", queue)];
    let test = "call from 13800138000 to 4001236; agents [ ]; expect agent 1001;";
    fails(test, &changes, "leaves queue night (waited too long) → queue support");
    fails(test, &changes, "is hung up on");
}

#[test]
fn a_call_without_end_is_followed_for_an_hour() {
    fails("call from 13800138000 to 4001238; expect hangup;", &[], "still on after an hour");
}

#[test]
fn the_same_site_gives_the_same_verdicts() {
    let tests: String = (0..5)
        .map(|n| {
            format!("test t{n} {{ call from 1380013800{n} to 4001234; press [ 2 ]; expect agent 1002 within 30s; }}\n")
        })
        .collect();
    let config = config(&format!("{SITE}{tests}"));
    let mut done = Vec::new();
    let all = run_all(&config, today(), &mut |n, of| done.push((n, of)));
    assert_eq!(done, (1..=5).map(|n| (n, 5)).collect::<Vec<_>>());
    assert_eq!(all, run_all(&config, today(), &mut |_, _| {}));
    for (name, verdict) in &all {
        assert_eq!(*verdict, run(&config, name, today()), "alone as among others");
        assert!(!verdict.passed() && verdict.ladder.len() > 10);
        let call: BTreeSet<_> = verdict.ladder.iter().map(|row| row.call).collect();
        assert_eq!(call.len(), 1, "a ladder is of one call");
    }
    assert_eq!(super::problems(&all).len(), 5);
}

#[test]
fn a_failure_is_a_problem_with_its_place_and_in_both_languages() {
    let text = format!("{SITE}test it {{\n    call from 13800138000 to 4001236;\n    expect agent 1002;\n}}\n");
    let config = config(&text);
    let mut problems = super::problems(&run_all(&config, today(), &mut |_, _| {}));
    crate::config::locate(&mut problems, &text);
    let line = text.lines().position(|line| line.contains("expect agent 1002")).unwrap() as u32 + 1;
    assert_eq!((problems[0].line, problems[0].path.as_str()), (line, "test it expect"));
    let (zh, en) = (problems[0].render(Language::Zh), problems[0].render(Language::En));
    assert!(zh.contains("与座席 1001 通话") && en.contains("talks with agent 1001"), "{zh}\n{en}");
    assert!(run(&config, "other", today()).failure.is_some());
}
