//! The text form of the configuration from outside: the demo site, a file with ten errors, arbitrary and mutated texts,
//! and that printing and reading are inverse.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::line::PortId;
use pbx::calendar::Date;
use pbx::config::document::Document;
use pbx::config::show::Secrets;
use pbx::config::{
    Destination, Language, Problem, Severity, Strategy as Choice, examine, locate, parse, print, prove, validate,
    validate_prompts,
};
use proptest::prelude::*;

#[path = "config_text/any.rs"]
mod any;
#[path = "config_text/queues.rs"]
mod queues;

use any::config;

const DEMO: &str = include_str!("../../rootfs/share/sites/demo.conf");

fn in_words(problems: &[Problem], language: Language) -> Vec<String> {
    problems.iter().map(|p| p.render(language)).collect()
}

/// Lines of the problems, and a check that both languages are whole.
fn lines(problems: &[Problem]) -> Vec<u32> {
    for problem in problems {
        for language in [Language::Zh, Language::En] {
            let words = problem.render(language);
            let gap = words.find('{').is_some_and(|at| {
                let inside: String =
                    words[at + 1..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                !inside.is_empty() && words[at + 1 + inside.len()..].starts_with('}')
            });
            assert!(!gap, "a gap is left in: {words}");
        }
    }
    problems.iter().map(|p| p.line).collect()
}

#[test]
fn the_demo_site_proves_clean() {
    let prompts = pbxd::media_thread::library::names("../rootfs/share/prompts".as_ref()).unwrap();
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
    let first = Date::new(2026, 11, 22).unwrap();
    let problems = prove(&parse(DEMO).unwrap(), first, Some(&prompts));
    assert_eq!(in_words(&problems, Language::En), Vec::<String>::new());
}

#[test]
fn the_tests_of_the_demo_site_pass() {
    let config = Arc::new(parse(DEMO).unwrap());
    let verdicts = pbx::trial::run_all(&config, Date::new(2026, 11, 22).unwrap(), &mut |_, _| {});
    assert_eq!(in_words(&pbx::trial::problems(&verdicts), Language::En), Vec::<String>::new());
    assert_eq!(verdicts.len(), 5);
}

#[test]
fn the_demo_site_is_as_described() {
    let examination = examine(DEMO);
    assert_eq!(in_words(&examination.problems, Language::En), Vec::<String>::new());
    let config = examination.config.unwrap();
    assert_eq!(config.sip.listen, "127.0.0.1:5060".parse().unwrap());
    assert_eq!(config.media.address, "127.0.0.1".parse::<IpAddr>().unwrap());
    assert_eq!(config.lines[&PortId { card: 1, port: 1 }].did, "4001234");
    assert_eq!(config.lines.len(), 4);
    assert_eq!(config.extensions.keys().collect::<Vec<_>>(), ["2001", "2002", "2003", "2004", "2005", "2006"]);
    assert_eq!(config.extensions["2001"].ring_timeout_s, 30);
    assert!(config.agents["1001"].logged_in && config.agents["1002"].logged_in && !config.agents["1003"].logged_in);
    let support = &config.queues["support"];
    assert_eq!((support.ring_timeout_s, support.wrap_up_s, support.record), (15, 10, true));
    assert_eq!(support.agents, ["1001", "1002"]);
    assert_eq!((support.strategy, config.queues["sales"].strategy), (Choice::LongestIdle, Choice::RoundRobin));
    assert_eq!((support.skills["service"].level, config.agents["1002"].skills["service"]), (5, 7));
    assert_eq!(config.supervisors["1901"].extension.as_deref(), Some("2005"));
    let main = &config.menus["main"];
    assert_eq!(main.languages, [Language::Zh, Language::En]);
    assert_eq!(main.keys[&'1'], Destination::Queue("sales".into()));
    assert_eq!(main.keys[&'2'], Destination::Queue("support".into()));
    assert_eq!(main.otherwise, Destination::Queue("support".into()));
    assert_eq!(config.dids["4001234"].to, Destination::Menu("main".into()));
    assert_eq!(config.numbers["8000"], Destination::Queue("support".into()));
    assert_eq!(config.numbers["9000"], Destination::Menu("main".into()));
    assert_eq!(config.trunks["carrier"].port, Some(5080));
    assert_eq!(config.codes.agent_login, "*45");
}

/// Ten mistakes of ten sorts in one file, as an admin makes them.
const TEN: &str = r#"system { name "Ten errors"; }
sip { listen 127.0.0.1:5060; }
media { rtp-ports 5000-5099; }
extension 2001 { name "Wang Fang; secret "amber-kite-7194"; }
extension 2002 {
    name "Li Na";
    secret "short";
}
extension 2003 { secret "copper-moth-5307"; }
agent 1001 { extension 2001; logged-in yes }
agent 1002 { extension 2001; }
agent 1003 { extension 2003; }
queue support {
    agents [ 1001 1002 1003 1009 ];
    ring-timout-s 15;
    wrap-up-s 900;
}
queue support { agents [ 1001 ]; }
menu main {
    prompt menu-main;
    key 1 { to queue support; }
}
did 4001234 { to menu main; }
codes { echo *45; }
"#;

const TEN_EN: [&str; 10] = [
    "line 3: media rtp-ports: the range 5000-5099 contains the SIP port 5060. Remedy: move one of them.",
    "line 4: the quotation is not closed. Remedy: add `\"` on the same line.",
    "line 7: extension 2002 secret: the secret has only 5 characters. \
     Remedy: give 8 to 64 characters without control characters.",
    "line 10: agent 1001 logged-in: `;` is missing after `yes`. Remedy: add `;`.",
    "line 11: agent 1002 extension: extension 2001 is already the phone of agent 1001. \
     Remedy: give each an extension of its own.",
    "line 14: queue support agents: agent 1009 does not exist. Remedy: define `agent 1009 { … }` or remove it.",
    "line 15: queue support: unknown item `ring-timout-s`. \
     Remedy: write `ring-timeout-s` if that is meant, otherwise remove it.",
    "line 16: queue support wrap-up-s: 900 is out of range. Remedy: give a whole number from 0 to 600 (seconds).",
    "line 18: queue support: defined twice (first on line 13). Remedy: remove one of them.",
    "line 24: codes echo: the code `*45` is already that of agent-login. Remedy: choose another code.",
];

const TEN_ZH: [&str; 10] = [
    "第 3 行：media rtp-ports：端口范围 5000-5099 含有 SIP 端口 5060。处理：将两者分开。",
    "第 4 行：引号未闭合。处理：在同一行补上 `\"`。",
    "第 7 行：extension 2002 secret：密码只有 5 个字符。处理：应为 8 到 64 个字符，不含控制字符。",
    "第 10 行：agent 1001 logged-in：`yes` 之后缺少 `;`。处理：补上 `;`。",
    "第 11 行：agent 1002 extension：分机 2001 已是 agent 1001 的话机。处理：为每人指定各自的分机。",
    "第 14 行：queue support agents：座席 1009 不存在。处理：定义 `agent 1009 { … }`，或在此删除它。",
    "第 15 行：queue support：未知的项 `ring-timout-s`。处理：若是指 `ring-timeout-s`，请改正；否则删除。",
    "第 16 行：queue support wrap-up-s：900 超出范围。处理：应为 0 到 600，单位秒。",
    "第 18 行：queue support：重复定义（第一次在第 13 行）。处理：删除其中之一。",
    "第 24 行：codes echo：功能码 `*45` 已用于 agent-login。处理：换一个功能码。",
];

#[test]
fn ten_errors_are_ten_problems_in_both_languages() {
    let problems = parse(TEN).unwrap_err();
    assert_eq!(in_words(&problems, Language::En), TEN_EN);
    assert_eq!(in_words(&problems, Language::Zh), TEN_ZH);
}

/// The least that is a site; tests append to it. It ends on line 4.
const LEAST: &str = "sip { listen 127.0.0.1:5060; }\n\
    extension 2001 { secret copper-moth-5307; }\n\
    agent 1001 { extension 2001; }\n\
    queue support { agents [ 1001 ]; }\n";

/// What is found in `LEAST` followed by `more` (from line 5): line, column and message without them.
fn found(more: &str) -> Vec<String> {
    let problems = examine(&format!("{LEAST}{more}")).problems;
    lines(&problems);
    problems
        .iter()
        .map(|p| {
            let words = p.render(Language::En);
            let reason = words.split(". Remedy").next().unwrap_or("");
            let reason = reason.strip_prefix("warning: ").map_or(reason.to_string(), |r| format!("({r})"));
            format!("{}:{} {}", p.line, p.column, reason.replacen(&format!("line {}: ", p.line), "", 1))
        })
        .collect()
}

#[track_caller]
fn finds(more: &str, expected: &[&str]) {
    assert_eq!(found(more), expected, "in:\n{more}");
}

#[test]
fn the_least_site_has_all_defaults() {
    let config = parse(LEAST).unwrap();
    assert_eq!((config.system.name.as_str(), config.system.language), ("cordboard", Language::Zh));
    assert_eq!(
        (config.sip.realm.as_str(), config.sip.expires_min_s, config.sip.expires_max_s),
        ("cordboard", 30, 3600)
    );
    assert_eq!((config.media.rtp_ports, config.media.jitter_ms), ((20000, 20999), 40));
    assert_eq!((config.media.silence_timeout_s, config.media.address), (30, "127.0.0.1".parse().unwrap()));
    let queue = &config.queues["support"];
    assert_eq!((queue.title.as_str(), queue.priority, queue.ring_timeout_s), ("support", 5, 15));
    assert_eq!((queue.wrap_up_s, queue.max_wait_s, queue.record), (10, 600, true));
    assert_eq!((config.extensions["2001"].name.as_str(), config.extensions["2001"].record), ("2001", false));
    assert_eq!((config.agents["1001"].name.as_str(), config.agents["1001"].logged_in), ("1001", false));
    let codes = &config.codes;
    assert_eq!(
        [&codes.echo, &codes.agent_login, &codes.agent_not_ready, &codes.wrap_up_finish],
        ["*43", "*45", "*46", "*48"]
    );
    let menu = parse(&format!("{LEAST}menu m {{ prompt p; key 1 {{ to echo; }} }}")).unwrap().menus["m"].clone();
    assert_eq!((menu.languages, menu.timeout_s, menu.retries), (vec![Language::Zh], 5, 2));
    assert_eq!(menu.otherwise, Destination::Hangup);
}

#[test]
fn the_form_is_forgiving_where_it_is_unambiguous() {
    finds("", &[]);
    finds("# comment \" { ; \nsystem{name/* \" */\"a\\\"b # c\";}/* two\nlines */ # \n", &[]);
    finds("queue sales\n{\n agents [\n 1001\n ]\n ;\n}\n", &[]);
    finds("queue sales { agents 1001; title \"x\"; }\r\n", &[]);
    finds("queue sales { agents [1001];}trunk t{address 10.0.0.1;}", &[]);
    finds("queue sales {\nagents [ 1001 ];\n  title x;\n wrap-up-s 5;\n}\n", &[]);
}

#[test]
fn mistakes_of_form_are_found_where_they_are() {
    finds("system { name x }", &["5:15 system name: `;` is missing after `x`"]);
    finds("system {\n name x\n language en-US;\n}", &["6:7 system name: `;` is missing after `x`"]);
    finds("system { name \"x; }\n", &["5:15 the quotation is not closed"]);
    finds("system { name \"a\\qb\"; }", &["5:17 unknown escape `\\q`"]);
    finds(
        "system { name a\u{7}b; }",
        &["5:16 control character U+0007 is not allowed", "5:17 system name: `b` is one value too many"],
    );
    finds("/* to the end", &["5:1 the comment is not closed"]);
    finds("}", &["5:1 stray `}`"]);
    finds("; ] [", &["5:1 stray `;`", "5:3 stray `]`", "5:5 stray `[`"]);
    finds("system { name x; };", &["5:19 stray `;`"]);
    finds("{ name x; }", &["5:1 stray `{`"]);
    finds("queue q { agents [ 1001; }", &["5:18 queue q: `[` is not closed"]);
    finds(
        "queue q {\n agents [ 1001\n title x;\n wrap-up-s 900;\n}",
        &["6:9 queue q: `[` is not closed", "8:12 queue q wrap-up-s: 900 is out of range"],
    );
    finds("system { name a ] b; }", &["5:17 system: stray `]`"]);
    finds(
        "a { b { c { d { e { f { g { h { i { j; } } } } } } } } }",
        &["5:1 unknown section `a`", "5:33 a b c d e f g h i: blocks are nested too deeply"],
    );
}

#[test]
fn a_missing_brace_is_reported_once_with_its_section() {
    finds(
        "queue sales {\n    agents [ 1001 ];\n\nmenu main {\n    prompt p;\n    key 1 { to queue sales; }\n}\n",
        &["5:1 queue sales: `{` is not closed"],
    );
    finds(
        "menu main {\n    prompt p;\n    key 1 {\n        to queue support;\n}\nsystem { name x; }\n",
        &["7:5 menu main key 1: `{` is not closed"],
    );
    finds(
        "card 1 {\n  port 1 {\n    did 400;\n  port 2 { did 400; }\n}\ndid 400 { to echo; }",
        &["6:3 card 1 port 1: `{` is not closed"],
    );
    finds("system {\nname x;\n", &["5:1 system: `{` is not closed"]);
    finds(
        "queue sales\n    agents [ 1001 ];\n}\n",
        &["5:7 queue: `;` is missing after `sales`", "6:5 unknown section `agents`", "7:1 stray `}`"],
    );
}

#[test]
fn unknown_names_get_the_nearest_known_one() {
    let remedy = |more: &str| {
        let problems = examine(&format!("{LEAST}{more}")).problems;
        let unknown = problems.iter().find(|p| p.reason.render(Language::En).starts_with("unknown")).unwrap();
        unknown.remedy.render(Language::En)
    };
    assert_eq!(remedy("sistem { }"), "write `system` if that is meant, otherwise remove it");
    assert_eq!(
        remedy("queue q { agents [ 1001 ]; wrapup-s 5; }"),
        "write `wrap-up-s` if that is meant, otherwise remove it"
    );
    assert_eq!(
        remedy("queue q { agents [ 1001 ]; ring-timeout 5; }"),
        "write `ring-timeout-s` if that is meant, otherwise remove it"
    );
    assert_eq!(remedy("menu m { prompt p; keys 1 { to echo; } }"), "write `key` if that is meant, otherwise remove it");
    assert_eq!(remedy("system { hostname x; }"), "write `name` if that is meant, otherwise remove it");
    assert_eq!(
        remedy("system { zzz x; }"),
        "remove it; known here: name, language, utc-offset, idle-logout-min, login-failures, lock-out-s"
    );
}

#[test]
fn values_are_checked() {
    finds("sip { listen 127.0.0.1:5060; }", &["5:1 sip: defined twice (first on line 1)"]);
    finds("system { name x; name y; }", &["5:18 system name: defined twice (first on line 5)"]);
    finds("system { name; }", &["5:10 system name: the value is missing"]);
    finds("system { name a b; }", &["5:17 system name: `b` is one value too many"]);
    finds("system { name [ a ]; }", &["5:10 system name: one value is expected here, not a list"]);
    finds("system { language fr-FR; }", &["5:19 system language: `fr-FR` does not fit"]);
    finds("system { language { } }", &["5:10 system language: `language` is a value, not a section"]);
    finds("system;", &["5:1 system: `system` is a section and needs `{ … }`"]);
    finds("queue { agents [ 1001 ]; }", &["5:1 queue: `queue` needs a name"]);
    finds("queue a b { agents [ 1001 ]; }", &["5:9 queue a: `b` is too much after `queue a`"]);
    finds("queue a! { agents [ 1001 ]; }", &["5:7 queue a!: `a!` does not fit"]);
    finds("queue q { agents [ 1001 1001 ]; }", &["5:25 queue q agents: `1001` is listed twice"]);
    finds("queue q { agents [ 1001 ]; priority 11; }", &["5:37 queue q priority: 11 is out of range"]);
    finds("queue q { agents [ 1001 ]; record maybe; }", &["5:35 queue q record: `maybe` does not fit"]);
    finds(
        "queue q { agents [ 1001 ]; wrap-up-s 99999999999; }",
        &["5:38 queue q wrap-up-s: 99999999999 is out of range"],
    );
    finds("queue q { agents [ 1001 ]; wrap-up-s -1; }", &["5:38 queue q wrap-up-s: `-1` does not fit"]);
    finds("media { jitter-ms 50; }", &["5:19 media jitter-ms: 50 is not a multiple of 20"]);
    finds("media { rtp-ports 20000; }", &["5:19 media rtp-ports: the port range 20000 does not fit"]);
    finds("media { rtp-ports 20001-20999; }", &["5:19 media rtp-ports: the port range 20001-20999 does not fit"]);
    finds("media { rtp-ports 65532-65535; address ::1; }", &[]);
    finds("media { address localhost; }", &["5:17 media address: `localhost` does not fit"]);
    finds("extension 2002 { }", &["5:1 extension 2002: `secret` is missing (password of the phone)"]);
    finds("extension 2oo2 { secret copper-moth-5307; }", &["5:11 extension 2oo2: `2oo2` does not fit"]);
    finds(
        "card 1 { port 9 { did 400; } label x; } did 400 { to echo; }",
        &["5:15 card 1 port 9: 9 is out of range", "5:30 card 1: unknown item `label`"],
    );
    finds("menu m { prompt p; key 12 { to echo; } }", &["5:24 menu m key 12: `12` does not fit"]);
    finds("menu m { prompt p; key \"#\" { to echo; } key * { to hangup; } }", &[]);
    finds("number 8000 { to queue; }", &["5:18 number 8000 to: the value is missing"]);
    finds("number 8000 { to moon; }", &["5:18 number 8000 to: `moon` does not fit"]);
    finds("number 8000 { to echo test; }", &["5:23 number 8000 to: `test` is one value too many"]);
    finds("codes { echo 43; }", &["5:14 codes echo: `43` does not fit"]);
    finds("trunk t { address 10.0.0.1; port 0; }", &["5:34 trunk t port: `0` does not fit"]);
}

#[test]
fn parts_are_checked_against_each_other() {
    finds(
        "agent 1002 { extension 2001; } queue q { agents [ 1002 ]; }",
        &["5:14 agent 1002 extension: extension 2001 is already the phone of agent 1001"],
    );
    finds("queue q { agents [ 1001 1009 ]; }", &["5:25 queue q agents: agent 1009 does not exist"]);
    finds("number 8000 { to extension 2009; }", &["5:28 number 8000 to: extension 2009 does not exist"]);
    finds("number 2001 { to queue support; }", &["5:1 number 2001: 2001 is already an extension"]);
    finds("card 1 { port 1 { did 400; } }", &["5:23 card 1 port 1 did: did 400 does not exist"]);
    finds(
        "extension 87654321 { secret 87654321; }",
        &["5:22 extension 87654321 secret: the secret equals the extension number"],
    );
    finds(
        "codes { wrap-up-finish *463; }",
        &["5:9 codes wrap-up-finish: the code `*463` is also agent-not-ready followed by digits"],
    );
    finds("codes { echo *48; }", &["5:9 codes echo: the code `*48` is already that of wrap-up-finish"]);
    finds("media { rtp-ports 5000-5099; }", &["5:9 media rtp-ports: the range 5000-5099 contains the SIP port 5060"]);
    finds("media { rtp-ports 5000-5099; address 10.0.0.1; }", &[]);
    finds(
        "trunk a { address 10.0.0.1; } trunk b { address 10.0.0.1; port 5062; }",
        &["5:41 trunk b address: its requests cannot be told from those of trunk a"],
    );
    finds("trunk a { address 10.0.0.1; port 5061; } trunk b { address 10.0.0.1; port 5062; }", &[]);
    finds("trunk a { address 127.0.0.1; port 5060; }", &["5:11 trunk a address: that is our own `sip listen`"]);
    finds(
        "menu a { prompt p; key 1 { to menu a; } otherwise { to menu b; } }\nmenu b { prompt p; key 1 { to echo; } otherwise { to menu a; } }",
        &["5:53 menu a otherwise to: menus go round in circles by `otherwise`: a → b → a"],
    );
    finds("menu a { prompt p; key 1 { to menu b; } }\nmenu b { prompt p; key 9 { to menu a; } }", &[]);
    finds("queue q { }", &["5:1 (queue q: the queue has no agents)"]);
    finds(
        "extension 2002 { secret copper-moth-5308; } agent 1002 { extension 2002; }",
        &["5:45 (agent 1002: the agent serves no queue)"],
    );
    finds("menu a { prompt p; }", &["5:1 (menu a: the menu has no keys)"]);
    let any = "sip { listen 0.0.0.0:5060; }";
    assert_eq!(in_words(&parse(any).unwrap_err(), Language::En).len(), 1);
    assert!(parse("sip { listen 0.0.0.0:5060; } media { address 10.0.0.1; }").is_ok());
    let crossed = parse("sip { listen 127.0.0.1:5060; expires-min-s 100; expires-max-s 60; }").unwrap_err();
    assert_eq!(lines(&crossed), [1]);
    let empty = parse("").unwrap_err();
    assert_eq!(
        in_words(&empty, Language::En),
        ["line 1: sip: `listen` is missing (address and port for SIP, UDP and TCP). \
        Remedy: add `listen …;` with address and port, like `192.168.1.10:5060`."]
    );
}

#[test]
fn what_is_wrong_in_itself_is_not_reported_again_by_what_names_it() {
    finds(
        "queue sales;\nnumber 8000 { to queue sales; }",
        &["5:1 queue sales: `queue` is a section and needs `{ … }`"],
    );
    finds(
        "extension 2002 { secret x; } agent 1002 { extension 2002; } queue q { agents [ 1002 ]; }",
        &["5:25 extension 2002 secret: the secret has only 1 characters"],
    );
    finds(
        "agent 1002 { extension 2o; } agent 1003 { extension; } queue q { agents [ 1002 1003 ]; }",
        &["5:24 agent 1002 extension: extension 2o does not exist", "5:43 agent 1003 extension: the value is missing"],
    );
    let broken_listen = parse("sip { listen here; } media { rtp-ports 5000-5099; }").unwrap_err();
    assert_eq!(broken_listen.len(), 1);
}

#[test]
fn prompts_are_checked_and_located() {
    let config = parse(DEMO).unwrap();
    assert!(validate(&config).is_empty());
    assert!(validate_prompts(&config, &["zh-CN/menu-main", "en-US/menu-main"]).is_empty());
    let mut problems = validate_prompts(&config, &["zh-CN/menu-main", "en-US/menu-night"]);
    assert_eq!(
        in_words(&problems, Language::En),
        ["menu main prompt: there is no prompt en-US/menu-main. Remedy: add the file, or use one of: menu-night."]
    );
    locate(&mut problems, DEMO);
    let line = 1 + DEMO.lines().position(|l| l.contains("prompt menu-main")).unwrap();
    assert_eq!(problems[0].line as usize, line);
}

#[test]
fn warnings_do_not_refuse() {
    let text = format!("{LEAST}queue empty {{ }}");
    assert!(parse(&text).is_ok());
    let problems = examine(&text).problems;
    assert_eq!(problems[0].severity, Severity::Warning);
    assert!(problems[0].render(Language::Zh).starts_with("提醒："));
}

/// Texts that would take a careless parser very long.
#[test]
fn hostile_texts_take_bounded_time_and_space() {
    let big = 1 << 20;
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ";",
        "\"",
        "\\",
        "/*",
        "#",
        "\"\\\";\\",
        "a",
        "a ",
        "a;",
        "a\n",
        "a {",
        "a { ",
        "[ a\n",
        "a [ b\n",
        "\"a;\n",
        "queue q { agents [",
        "agents [ 1 2",
        "é",
        "a\u{1}",
        "extension 2001 {",
        "x{\n x{\n",
        "number 8000 { to queue x; } ",
    ];
    for piece in pieces {
        let text = piece.repeat(big / piece.len());
        let began = Instant::now();
        let problems = examine(&text).problems;
        assert!(!problems.is_empty() && problems.len() <= 1_001, "{piece}: {}", problems.len());
        assert!(began.elapsed() < Duration::from_secs(20), "{piece:?} took {:?}", began.elapsed());
        let space: usize = problems.iter().map(|p| p.render(Language::En).len()).sum();
        assert!(space < 2_000_000, "{piece:?}: {space} bytes of messages");
    }
    let long = "a".repeat(big + 1);
    assert_eq!(lines(&parse(&long).unwrap_err()), [1]);
}

fn examined(text: &str) {
    let examination = examine(text);
    for language in [Language::Zh, Language::En] {
        in_words(&examination.problems, language);
    }
    let lines: Vec<u32> = examination.problems.iter().map(|p| p.line).collect();
    assert!(lines.is_sorted());
    assert!(lines.iter().all(|l| *l >= 1 && *l as usize <= text.matches('\n').count() + 1));
    let refused = examination.problems.iter().any(|p| p.severity == Severity::Error);
    assert_eq!(examination.config.is_none(), refused);
    if let Some(config) = examination.config {
        assert_eq!(parse(&print(&config)).as_ref(), Ok(&config));
    }
}

/// One change of a text at a place given in thousandths of it.
#[derive(Clone, Debug)]
enum Change {
    Insert(usize, String),
    Remove(usize, usize),
    Repeat(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let token = prop_oneof!["[{}\\[\\];\"#\\\\\n ]{1,3}", "[a-z0-9*-]{1,6}", ".{1,3}", Just("/*".to_string())];
    prop_oneof![
        (0..1000usize, token).prop_map(|(at, text)| Change::Insert(at, text)),
        (0..1000usize, 1..30usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (0..1000usize, 1..200usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for change in changes {
        let place = |at: &usize| at * chars.len() / 1000;
        match change {
            Change::Insert(at, text) => {
                let at = place(at);
                chars.splice(at..at, text.chars());
            }
            Change::Remove(at, length) => {
                let at = place(at);
                chars.drain(at..(at + length).min(chars.len()));
            }
            Change::Repeat(at, length) => {
                let at = place(at);
                let again: Vec<char> = chars[at..(at + length).min(chars.len())].to_vec();
                chars.splice(at..at, again);
            }
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_text_is_read(text in "(?s).{0,300}") {
        examined(&text);
    }

    #[test]
    fn arbitrary_tokens_are_read(tokens in proptest::collection::vec(
        proptest::sample::select(vec![
            "{", "}", "[", "]", ";", "\"", "\n", " ", "#", "/*", "*/", "\\", "queue", "support", "agents", "1001", "to", "menu",
            "main", "key", "1", "card", "port", "sip", "listen", "127.0.0.1:5060", "extension", "2001", "secret", "otherwise",
        ]), 0..80)) {
        examined(&tokens.join(" "));
        examined(&tokens.concat());
    }

    #[test]
    fn a_changed_site_is_read(changes in proptest::collection::vec(change(), 1..6)) {
        examined(&changed(DEMO, &changes));
    }

    #[test]
    fn any_site_can_be_proven(config in config(), year in 1970..=9999u16, leap in any::<bool>()) {
        let first = if leap { Date::new(year, 2, 29) } else { None }.or(Date::new(year, 12, 31)).unwrap();
        let problems = prove(&config, first, Some(&["zh-CN/goodbye"]));
        lines(&problems);
        prop_assert_eq!(problems, prove(&config, first, Some(&["zh-CN/goodbye"])));
        let text = print(&config);
        let mut problems = prove(&config, first, None);
        locate(&mut problems, &text);
        // What has its default is not written, and has no line.
        for problem in problems.iter().filter(|p| !["routing", "codes", "system"].iter().any(|s| p.path.starts_with(s))) {
            prop_assert!(problem.line > 0, "{}", problem.render(Language::En));
        }
    }

    #[test]
    fn printing_and_reading_are_inverse(config in config()) {
        let text = print(&config);
        let again = parse(&text);
        prop_assert_eq!(again.as_ref(), Ok(&config), "{}", text);
        prop_assert_eq!(print(&again.unwrap()), text);
    }

    #[test]
    fn any_site_reads_back_from_json(config in config()) {
        let text = print(&config);
        let document = Document::parse(&text).unwrap();
        let json = document.print_json(Secrets::Plain);
        let again = Document::parse_json(&json);
        prop_assert_eq!(again.as_ref(), Ok(&document), "{}", json);
        let mut back = Document::parse_json(&document.print_json(Secrets::Masked)).unwrap();
        prop_assert_eq!(back.unmask(&document), Vec::<String>::new());
        prop_assert_eq!(back, document);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever is configured and expected, every test ends with a verdict, and with the same one again.
    #[test]
    fn tests_of_any_site_come_to_a_verdict(config in config()) {
        let config = Arc::new(config);
        let today = Date::new(2026, 11, 22).unwrap();
        let verdicts = pbx::trial::run_all(&config, today, &mut |_, _| {});
        prop_assert_eq!(verdicts.len(), config.tests.len());
        for (name, verdict) in &verdicts {
            prop_assert!(verdict.ladder.len() <= 2_000);
            prop_assert_eq!(verdict, &pbx::trial::run(&config, name, today));
        }
        let problems = pbx::trial::problems(&verdicts);
        lines(&problems);
    }
}
