//! What changes are told to do, against a small site with callers, agents and keys.

use super::*;
use crate::config::{Language, parse};
use crate::standing::{AgentNow, CallNow};
use base::id::Uid;
use base::time::Wall;

const SITE: &str = "sip { listen 127.0.0.1:5060; }\n\
    extension 2001 { secret amber-kite; }\nextension 2002 { secret blue-heron; }\n\
    agent 1001 { extension 2001; }\nagent 1002 { extension 2002; }\n\
    queue support { agents [ 1001 1002 ]; }\nqueue sales { agents [ 1001 ]; }\n\
    trunk carrier { address 127.0.0.9; }\ndid 4001234 { to queue support; }\n\
    user alice { role admin; password \"$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA\"; }\n";

fn told(change: impl FnOnce(&mut Config)) -> String {
    let old = parse(SITE).unwrap();
    let mut new = old.clone();
    change(&mut new);
    let lines = effects(&old, &new, &live());
    for language in [Language::Zh, Language::En] {
        let gaps: Vec<String> = lines.iter().map(|l| l.render(language)).filter(|l| l.contains('{')).collect();
        assert!(gaps.is_empty(), "{gaps:?}");
    }
    lines.iter().map(|line| line.render(Language::En) + "\n").collect()
}

/// Two callers wait in support, agent 1002 talks to a third, who came over the trunk; a key of 2001 watches agent 1002.
fn live() -> Live {
    let uid = |n| Uid::new(Wall::from_millis(1), n);
    let call = |phase| CallNow {
        caller: "13800138000".into(),
        called: "4001234".into(),
        origin: "trunk carrier".into(),
        phase,
    };
    let waiting =
        || PhaseNow::Waiting { queue: "support".into(), since: Instant::BOOT, priority: 5, ringing: Vec::new() };
    let talking = PhaseNow::Talking { queue: "support".into() };
    let agent = |state: &str, phone: &str, call| AgentNow {
        state: state.into(),
        since: Instant::BOOT,
        phone: phone.into(),
        call,
    };
    Live {
        standing: Standing {
            queues: [("support".into(), [uid(1), uid(2)].into())].into(),
            agents: [
                ("1001".into(), agent("not-ready 1", "2001", None)),
                ("1002".into(), agent("talking", "2002", Some(uid(3)))),
            ]
            .into(),
            calls: [(uid(1), call(waiting())), (uid(2), call(waiting())), (uid(3), call(talking))].into(),
        },
        phones: [("2001".into(), 1), ("2002".into(), 2)].into(),
        trunks: [("carrier".into(), 5)].into(),
        keys: [("2001".into(), "*451002".into()), ("2001".into(), "2002".into())].into(),
    }
}

#[test]
fn a_change_of_nothing_and_of_labels_says_so() {
    assert_eq!(told(|_| {}), "nothing changes for calls, callers and phones\n");
    let said = told(|c| c.extensions.get_mut("2001").unwrap().name = "x".into());
    assert!(said.starts_with("changed besides: extension 2001 name\n") && said.lines().count() == 2, "{said}");
}

#[test]
fn each_thing_that_somebody_feels_has_its_line() {
    let said = told(|c| c.queues.get_mut("support").unwrap().weight = 9);
    assert!(said.contains("queue support: weight; 2 agents, 2 callers waiting keep their place"), "{said}");
    assert!(said.ends_with("1 calls in progress and 2 callers waiting keep what they began with\n"), "{said}");
    let said = told(|c| drop(c.queues.remove("support")));
    assert!(said.contains("queue support goes: 2 callers waiting"), "{said}");
    let said = told(|c| drop(c.extensions.remove("2002")));
    assert!(said.contains("extension 2002 goes: its 2 phones cannot call any more; 1 calls of it go on"), "{said}");
    assert!(said.contains("phone 2001 loses 1 keys with lamps (2002)"), "{said}");
    let said = told(|c| c.extensions.get_mut("2002").unwrap().secret = "sesame-word".into());
    assert!(said.contains("its 2 phones must register again") && !said.contains("sesame"), "{said}");
    let said = told(|c| drop(c.agents.remove("1002")));
    assert!(said.contains("agent 1002 goes: now talking, logged out after it"), "{said}");
    assert!(said.contains("phone 2001 loses 1 keys with lamps (*451002)"), "{said}");
    let said = told(|c| drop(c.agents.remove("1001")));
    assert!(said.contains("agent 1001 goes: now not-ready 1, logged out at once"), "{said}");
    let said = told(|c| c.agents.get_mut("1001").unwrap().extension = None);
    assert!(said.contains("agent 1001: phone 2001 -> -"), "{said}");
    let said = told(|c| c.dids.get_mut("4001234").unwrap().to = crate::config::Destination::Queue("sales".into()));
    assert!(said.contains("did 4001234: queue support -> queue sales from the next call on"), "{said}");
    assert!(told(|c| drop(c.dids.remove("4001234"))).contains("answered no more"));
    assert!(told(|c| c.trunks.clear()).contains("trunk carrier goes: 5 calls over it"));
    let said = told(|c| c.codes.agent_login = "*70".into());
    assert!(said.contains("code agent-login: *45 -> *70") && said.contains("(*451002)"), "{said}");
    let said = told(|c| c.sip.listen = "127.0.0.1:5099".parse().unwrap());
    assert!(said.contains("the 3 phones registered now must use the new address"), "{said}");
    let said = told(|c| c.sip.realm = "elsewhere".into());
    assert!(
        said.starts_with("sip realm cordboard -> elsewhere: the 3 phones") && !said.contains("another secret"),
        "{said}"
    );
    assert!(told(|c| c.users.clear()).contains("asks for no login"));
    assert!(told(|c| c.chassis.country = "DE".into()).contains("chassis country takes effect at the next start"));
}

#[test]
fn however_much_changes_the_list_is_bounded() {
    let old = parse(SITE).unwrap();
    let mut new = old.clone();
    for n in 0..100 {
        new.dids.insert(format!("400{n:04}"), new.dids["4001234"].clone());
    }
    let lines = effects(&old, &new, &Live::default());
    assert_eq!(lines.len(), LINES_MAX + 1);
    assert!(lines[LINES_MAX - 1].render(Language::En).contains("and 61 more"));
}

#[test]
fn what_moves_callers_behind_their_number_has_its_line() {
    let flows = "calendar office { hours [ mon-fri/09:00-18:00 ]; }\nmenu main { prompt menu-main; key 1 { to menu second; } otherwise { to hangup; } }\n\
        menu second { prompt menu-main; key 1 { to queue support; } otherwise { to hangup; } }\ndid 4005678 { to menu main; }\n\
        number 8000 { to queue support; }\nvip 13800138000 { priority 1; }\n";
    let site = SITE.replace("queue sales {", "queue sales { calendar office; ");
    let old = parse(&format!("{site}{flows}")).unwrap();
    let told = |change: &dyn Fn(&mut Config)| {
        let mut new = old.clone();
        change(&mut new);
        let lines = effects(&old, &new, &Live::default());
        lines.first().map(|text| text.render(Language::En)).unwrap_or_default()
    };
    let sales = crate::config::Destination::Queue("sales".into());
    let said = told(&|c| drop(c.numbers.insert("8000".into(), sales.clone())));
    assert_eq!(said, "number 8000: queue support -> queue sales from the next call on");
    let said = told(&|c| drop(c.menus.get_mut("second").unwrap().keys.insert('1', sales.clone())));
    assert_eq!(said, "menu second changes from the next call on; numbers that lead to it: 4005678");
    let said = told(&|c| c.calendars.get_mut("office").unwrap().hours.clear());
    assert_eq!(said, "calendar office has other hours: queues sales");
    let said = told(&|c| c.routing.emergency_numbers.clear());
    assert_eq!(said, "emergency numbers that phones can dial: 110, 119, 120, 122 -> -");
    let said = told(&|c| c.vips.clear());
    assert_eq!(said, "changed besides: vip 13800138000");
}
