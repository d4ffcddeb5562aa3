//! The flow proof from outside: a sound large site proves clean, every seeded fault is found at its place and nothing else
//! is, and the words of both languages are whole.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Instant;

use pbx::calendar::Date;
use pbx::config::{Config, Language, Problem, Severity, examine, locate, parse, prove};

/// A small site without a fault.
const SITE: &str = "\
sip { listen 127.0.0.1:5060; }
extension 2001 { secret amber-kite-7194; }
extension 2002 { secret basalt-reed-3862; }
calendar day { hours [ mon-fri/09:00-18:00 ]; closed [ 2027-01-01 ]; }
calendar late { hours [ mon-fri/12:00-20:00 ]; }
skill billing { }
agent 1001 { extension 2001; skills [ billing:7 ]; }
agent 1002 { pin 583106; }
queue support { agents [ 1001 1002 ]; calendar day; overflow-wait-s 60; overflow wait { to queue sales; } overflow closed { to queue sales; } }
queue sales { agents [ 1002 ]; calendar late; overflow closed { to menu night; } }
queue expert { agents [ 1001 ]; skill billing { level 5; } }
menu main { prompt main; key 1 { to queue support; } key 2 { to menu more; } otherwise { to queue expert; } }
menu more { prompt more; key 1 { to queue expert; } key 9 { to menu main; } }
menu night { prompt night; }
trunk carrier { address 127.0.0.2; }
route outside { prefix 9; strip 1; length-min 5; trunk carrier; }
did 4001234 { to menu main; }
did 4001235 { to queue sales; }
";
const PROMPTS: &[&str] = &[
    "zh-CN/main",
    "zh-CN/more",
    "zh-CN/night",
    "zh-CN/menu-invalid",
    "zh-CN/goodbye",
    "zh-CN/queue-welcome",
    "zh-CN/queue-full",
    "zh-CN/queue-closed",
];

/// A Sunday.
fn first() -> Date {
    Date::new(2026, 11, 22).unwrap()
}

fn config(text: &str) -> Config {
    parse(text).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|p| p.render(Language::En) + "\n").collect()
}

fn proven(text: &str, prompts: &[&str]) -> Vec<Problem> {
    let mut problems = prove(&config(text), first(), Some(prompts));
    locate(&mut problems, text);
    for problem in &problems {
        assert!(problem.line > 0, "without a place: {}", problem.render(Language::En));
        for words in [Language::Zh, Language::En].map(|language| problem.render(language)) {
            let gap = words.split('{').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
            assert!(!gap, "a gap is left in: {words}");
        }
    }
    problems
}

/// What is found in the sound site with one part of its text replaced.
fn with(from: &str, to: &str) -> Vec<Problem> {
    assert_eq!(SITE.matches(from).count(), 1, "{from}");
    proven(&SITE.replace(from, to), PROMPTS)
}

/// One problem, with its path, weight and a piece of its words.
#[track_caller]
fn only(problems: &[Problem], path: &str, severity: Severity, words: &str) {
    let [one] = problems else { panic!("not one:\n{}", lines(problems)) };
    assert_eq!((one.path.as_str(), one.severity), (path, severity), "{}", lines(problems));
    assert!(one.render(Language::En).contains(words), "{}", lines(problems));
}

use Severity::{Error, Warning};

#[test]
fn a_sound_site_proves_clean() {
    assert_eq!(lines(&proven(SITE, PROMPTS)), "");
}

#[test]
fn callers_who_reach_nobody_are_told_of_with_the_hours_and_the_steps() {
    let closed = "calendar late; overflow closed { to menu night; } }";
    let found = with(closed, "calendar late; }");
    // Two open weekday hours overlap with the other queue; closed are all nights and weekends.
    only(&found, "queue sales overflow closed", Warning, "4001234, 4001235 reach nobody from 2026-11-22 00:00 to");
    let words = found[0].render(Language::En);
    assert!(
        words.contains("to 2026-11-23 12:00 (the first of 262 times in the year, 401760 minutes in all)"),
        "{words}"
    );
    assert!(words.contains("did 4001235 → queue sales; they are told"), "{words}");
    assert!(words.starts_with("warning: line 10: "), "{words}");
    let found = with(closed, "calendar late; overflow closed { to hangup; } }");
    only(&found, "queue sales overflow closed to", Error, "4001235 are not answered from 2026-11-22 00:00");
    only(&with("to queue sales; }\n", "to hangup; }\n"), "did 4001235 to", Error, "did 4001235 → hangup");
}

#[test]
fn a_gap_of_one_hour_in_the_year_is_found() {
    let lone =
        "hours [ daily/00:00-24:00 ]; closed [ 2027-01-01 ]; extra [ 2027-01-01/00:00-13:00 2027-01-01/14:00-24:00 ]";
    let text = SITE.replace("hours [ mon-fri/12:00-20:00 ]", lone);
    let text = text.replace("calendar late; overflow closed { to menu night; } }", "calendar late; }");
    let found = proven(&text, PROMPTS);
    let when = "from 2027-01-01 13:00 to 2027-01-01 14:00 (the first of 1 times in the year, 60 minutes in all)";
    only(&found, "queue sales overflow closed", Warning, when);
}

#[test]
fn circles_without_a_key_are_found_at_once_and_by_time() {
    let found = with("to menu night; }", "to menu main; }");
    // Silence in the menu leads to a queue that is always open.
    assert_eq!(lines(&found), "");
    let found =
        with("queue expert { agents", "queue expert { overflow-wait-s 30; overflow wait { to menu main; } agents");
    only(&found, "menu main otherwise to", Error, "menu main (otherwise) → queue expert (overflow wait) → menu main");
    let found = with(
        "calendar late; overflow",
        "calendar late; overflow-wait-s 9; overflow wait { to queue support; } overflow",
    );
    let chain = "queue sales (overflow wait) → queue support (overflow wait) → queue sales";
    only(&found[..1], "queue sales overflow wait to", Error, chain);
    assert_eq!(found.len(), 2, "and another, while support is closed: {}", lines(&found));
    let night = "menu night { prompt night; otherwise { to queue sales; } }";
    only(
        &with("menu night { prompt night; }", night),
        "menu night otherwise to",
        Error,
        "queue sales (overflow closed)",
    );
}

#[test]
fn more_overflow_than_the_box_follows_is_an_error() {
    let mut chain = String::new();
    for n in 0..9 {
        let next = if n == 8 { "extension 2001".into() } else { format!("queue q{}", n + 1) };
        chain += &format!("queue q{n} {{ agents [ 1001 ]; max-length 5; overflow full {{ to {next}; }} }}\n");
    }
    let found = proven(&format!("{SITE}{chain}"), PROMPTS);
    only(&found, "queue q0 overflow", Error, "callers can overflow 9 times in a row");
    let eight = chain.replace("to queue q8", "to extension 2002");
    assert_eq!(lines(&proven(&format!("{SITE}{eight}"), PROMPTS)), "");
}

#[test]
fn menus_that_lead_nowhere_are_found_and_announcements_are_not() {
    let dead = "key 9 { to menu main; } }\nmenu wrong { prompt more; key 1 { to hangup; } key 2 { to menu wrong; } }";
    only(&with("key 9 { to menu main; } }", dead), "menu wrong", Error, "whatever is pressed");
    let blamed = "menu a { prompt more; key 1 { to menu b; } }\nmenu b { prompt more; key 1 { to hangup; } }\n";
    only(&proven(&format!("{SITE}{blamed}"), PROMPTS), "menu b", Error, "leads to nothing but the end");
    let round = "menu a { prompt more; key 1 { to menu b; } }\nmenu b { prompt more; key 1 { to menu a; } }\n";
    only(&proven(&format!("{SITE}{round}"), PROMPTS), "menu a", Error, "leads to nothing but the end");
}

#[test]
fn four_levels_of_menus_are_warned_of_and_five_refused() {
    let level = |name: &str, next: &str| {
        format!("menu {name} {{ prompt more; key 1 {{ to {next}; }} key 9 {{ to menu main; }} }}\n")
    };
    let four = SITE.replace(
        "menu more { prompt more; key 1 { to queue expert; }",
        "menu more { prompt more; key 1 { to menu c; }",
    );
    let text = format!("{four}{}{}", level("c", "menu d"), level("d", "extension 2001"));
    only(&proven(&text, PROMPTS), "menu c key 1 to", Warning, "menus go 4 levels deep: menu main (key 2) → menu more");
    let text = format!("{four}{}{}{}", level("c", "menu d"), level("d", "menu e"), level("e", "extension 2001"));
    only(&proven(&text, PROMPTS), "menu d key 1 to", Error, "menu d (key 1) → menu e");
}

#[test]
fn codes_that_hide_others_are_found() {
    let codes = |leaves: &str| proven(&format!("{SITE}codes {{ {leaves} }}\n"), PROMPTS);
    only(&codes("queue-callers *4300;"), "codes queue-callers", Warning, "`*43` is the beginning of `*4300`");
    only(&codes("echo *2;"), "codes echo", Warning, "`*2` is the beginning of `*29`");
    only(&codes("pick *56*;"), "codes pick", Error, "whoever dials `*56*` gets codes move-caller *56");
}

#[test]
fn prompts_are_wanted_in_every_language_that_can_be_played() {
    let without = |name: &str| PROMPTS.iter().copied().filter(|p| *p != name).collect::<Vec<_>>();
    only(&proven(SITE, &without("zh-CN/night")), "menu night prompt", Error, "there is no prompt zh-CN/night");
    only(
        &proven(&SITE.replacen("sip {", "system { name x; }\nsip {", 1), &without("zh-CN/queue-closed")),
        "system language",
        Error,
        "zh-CN/queue-closed",
    );
    let english = "menu night { prompt night; languages [ zh-CN en-US ]; retries 0; }";
    only(&with("menu night { prompt night; }", english), "menu night prompt", Error, "en-US/night");
    let announce = "queue expert { agent-announce hear-this; agents";
    only(&with("queue expert { agents", announce), "queue expert agent-announce", Error, "zh-CN/hear-this");
}

#[test]
fn emergency_numbers_must_go_out() {
    let route = "route outside { prefix 9; strip 1; length-min 5; trunk carrier; }\n";
    only(&with(route, "routing { }\n"), "routing emergency-numbers", Warning, "110, 119, 120, 122");
    assert_eq!(lines(&with(route, "routing { emergency-numbers [ ]; }\n")), "");
    let other = "trunk carrier { address ::2; }";
    only(
        &with("trunk carrier { address 127.0.0.2; }", other),
        "routing emergency-numbers",
        Error,
        "(carrier) can be called",
    );
    let fitting = with(route, "route outside { prefix 1; trunk carrier; }\nnumber 7000 { to echo; }\n");
    assert_eq!(lines(&fitting), "");
    only(&with("did 4001235", "number 120 { to queue sales; }\ndid 4001235"), "number 120", Error, "goes out");
    only(&with("extension 2002", "extension 119"), "extension 119", Error, "119 is an emergency number");
    assert_eq!(lines(&with(route, "number 120 { to queue sales; }\nrouting { emergency-numbers [ 120 ]; }\n")), "");
}

#[test]
fn queues_that_nobody_can_serve_are_found_with_the_reason() {
    let expert = "queue expert { agents [ 1001 ]; skill billing { level 5; } }";
    let queue = |body: &str| with(expert, &format!("queue expert {{ {body} }}"));
    only(&queue(""), "queue expert", Error, "it has no agents");
    only(
        &queue("agents [ 1001 ]; skill billing { level 8; }"),
        "queue expert skill billing",
        Error,
        "required at its level",
    );
    assert_eq!(lines(&queue("agents [ 1001 ]; skill billing { level 8; } relax 60 { level-minus 2; }")), "");
    let late = "agents [ 1001 ]; max-wait-s 60; skill billing { level 8; } relax 60 { level-minus 2; }";
    only(&queue(late), "queue expert skill billing", Error, "nobody can ever serve");
    only(&queue("surge-agents [ 1001 ];"), "queue expert agents", Warning, "only while the surge profile is on");
    assert_eq!(lines(&queue("relax 30 { agents [ 1001 ]; }")), "");
    only(
        &with("agent 1002 { pin 583106; }", "agent 1002 { }"),
        "queue sales agents",
        Error,
        "none of its agents can log in",
    );
    let never = "queue expert { calendar never; overflow closed { to queue sales; } }\ncalendar never { }";
    assert_eq!(lines(&with(expert, never)), "", "it is never open");
    let router = "queue expert { join-empty [ unavailable ]; overflow empty { to queue sales; } }";
    assert_eq!(lines(&with(expert, router)), "", "it sends everybody on");
}

/// 1,000 extensions, 500 agents, 50 queues with a calendar each, 200 numbers.
fn large() -> String {
    let mut text = String::from("sip { listen 127.0.0.1:5060; }\ntrunk carrier { address 127.0.0.2; }\n");
    text.push_str("route outside { prefix 9; strip 1; length-min 5; trunk carrier; }\n");
    for n in 0..10 {
        text += &format!("skill skill-{n} {{ }}\n");
    }
    for n in 0..1_000 {
        text += &format!("extension {} {{ secret secret-{n}-word; }}\n", 2_000 + n);
    }
    for n in 0..500 {
        let (id, phone) = (100_000 + n, 2_000 + n);
        text += &format!("agent {id} {{ extension {phone}; skills [ skill-{}:{} ]; }}\n", n % 10, 4 + n / 10 % 5);
    }
    for n in 0..50 {
        let (from, to) = (6 + n % 5, 15 + n % 7);
        text += &format!("calendar c{n} {{ hours [ mon-fri/{from:02}:{n:02}-{to}:{n:02} sat/09:{n:02}-12:00 ];\n");
        text += &format!(
            "closed [ 2027-02-{:02}/2027-02-20 ]; extra [ 2027-05-{:02}/10:00-14:00 ]; }}\n",
            1 + n % 9,
            1 + n % 28
        );
        let agents: Vec<String> =
            (0..500).filter(|a| a % 25 == n % 25 || a % 10 == n % 10).map(|a| (100_000 + a).to_string()).collect();
        text += &format!("queue q{n} {{ agents [ {} ]; calendar c{n}; max-length 30;\n", agents.join(" "));
        text += &format!("skill skill-{} {{ level 5; }} relax 60 {{ level-minus 2; }} overflow-wait-s 300;\n", n % 10);
        let next = if n % 7 == 6 || n == 49 { "extension 2900".to_string() } else { format!("queue q{}", n + 1) };
        text += &format!("overflow wait {{ to {next}; }} overflow full {{ to extension 2901; }}\n");
        text += &format!("overflow closed {{ to {next}; }} exit 0 {{ to extension 2902; }} }}\n");
        text +=
            &format!("menu m{n} {{ prompt main; key 1 {{ to queue q{n}; }} key 2 {{ to queue q{}; }}\n", (n * 7) % 50);
        let deeper = if n % 3 == 2 || n == 49 { "extension 2903".to_string() } else { format!("menu m{}", n + 1) };
        text += &format!("key 3 {{ to {deeper}; }} otherwise {{ to queue q{n}; }} }}\n");
    }
    for n in 0..200 {
        let to = if n % 2 == 0 { format!("menu m{}", n / 2 % 50) } else { format!("queue q{}", n / 2 % 50) };
        text += &format!("did {} {{ to {to}; }}\n", 4_000_000 + n);
    }
    text
}

#[test]
fn a_large_site_proves_clean_and_its_time_is_told() {
    let text = large();
    let examination = examine(&text);
    assert_eq!(lines(&examination.problems), "");
    let config = examination.config.unwrap();
    let prompts = [PROMPTS, &["zh-CN/main"]].concat();
    let begin = Instant::now();
    let found = prove(&config, first(), Some(&prompts));
    println!("flow proof of 1,000 extensions, 50 queues with calendars, 200 numbers: {:?}", begin.elapsed());
    assert_eq!(lines(&found), "");
    // And the same with a fault in its midst.
    let fault = text.replacen("overflow closed { to queue q24; }", "", 1);
    let found = proven(&fault, &prompts);
    only(&found, "queue q23 overflow closed", Warning, "did 4000047 → queue q23;");
}

#[test]
fn no_problem_hides_another() {
    // A secret that is missing, a code that is given twice, a menu that leads in a circle, prompts that are not there.
    let text = "sip { listen 127.0.0.1:5060; }\nextension 2001 { }\nextension 2002 { secret amber-kite; }\n\
        codes { echo *45; }\nmenu a { prompt nope; key 1 { to menu b; } otherwise { to menu b; } }\n\
        menu b { prompt nope; otherwise { to menu a; } }\ndid 4001234 { to menu a; }\n";
    let today = pbx::calendar::Date::new(2026, 12, 1).unwrap();
    let found = pbx::config::examine_and_prove(text, |_| today, Some(&[]));
    assert!(found.config.is_none());
    let told: Vec<String> = found.problems.iter().map(|problem| problem.render(Language::En)).collect();
    for path in ["extension 2001", "codes ", "menu a prompt", "menu b prompt"] {
        assert!(told.iter().any(|line| line.contains(path)), "{path}: {told:#?}");
    }
    assert!(told.iter().any(|line| line.contains("circle")), "{told:#?}");
}
