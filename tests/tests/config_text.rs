//! The text form of the configuration from outside: the demo site, a file with ten errors, arbitrary and mutated texts,
//! and that printing and reading are inverse.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use base::line::PortId;
use pbx::config::{
    Agent, Codes, Config, Destination, Extension, Language, Line, Media, Menu, Problem, Queue, Severity, Sip, System,
    Trunk, examine, locate, parse, print, validate, validate_prompts,
};
use proptest::prelude::*;

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
                let inside: String = words[at + 1..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                !inside.is_empty() && words[at + 1 + inside.len()..].starts_with('}')
            });
            assert!(!gap, "a gap is left in: {words}");
        }
    }
    problems.iter().map(|p| p.line).collect()
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
    let main = &config.menus["main"];
    assert_eq!(main.languages, [Language::Zh, Language::En]);
    assert_eq!(main.keys[&'1'], Destination::Queue("sales".into()));
    assert_eq!(main.keys[&'2'], Destination::Queue("support".into()));
    assert_eq!(main.otherwise, Destination::Queue("support".into()));
    assert_eq!(config.dids["4001234"], Destination::Menu("main".into()));
    assert_eq!(config.numbers["8000"], Destination::Queue("support".into()));
    assert_eq!(config.numbers["9000"], Destination::Menu("main".into()));
    assert_eq!(config.trunks["carrier"].port, Some(5080));
    assert_eq!(config.codes.agent_login, "*45");
}
