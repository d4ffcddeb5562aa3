//! Configurations by lot: every leaf has any of its values, and everything that is named exists.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use base::line::PortId;
use pbx::calendar::{Date, DaysOff, Extra, Hours, Span, Weekday};
use pbx::config::test::{Expectation, Goal, Moment, Test, TestCall};
use pbx::config::{
    Agent, AlarmRule, AlarmSeverity, COUNTRIES, Calendar, Chassis, Codes, Config, Consent, Destination, Did,
    Disposition, EmptyFactor, Extension, Language, Line, Media, Menu, Method, Network, NumbersSeen, OverflowKind,
    Prefix, Queue, Reason, Relax, Role, Route, Routing, Sip, Skill, Strategy as Choice, Supervisor, System, Trunk,
    User, Vip, Wanted,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn label() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,8}", "\\PC{0,20}", "[\"\\\\#;{}\\[\\] /*]{0,10}"]
}

/// How many there are of each.
#[derive(Clone, Copy, Debug)]
struct Many {
    extensions: usize,
    agents: usize,
    calendars: usize,
    skills: usize,
    queues: usize,
    menus: usize,
    dids: usize,
}

impl Many {
    fn queue(n: usize) -> String {
        format!("queue-{n}")
    }

    fn agents(self) -> Vec<String> {
        (0..self.agents).map(|n| (1000 + n).to_string()).collect()
    }

    fn skills(self) -> Vec<String> {
        (0..self.skills).map(|n| format!("skill_{n}")).collect()
    }

    fn calendars(self) -> Vec<String> {
        (0..self.calendars).map(|n| format!("calendar.{n}")).collect()
    }
}

fn some_of(names: Vec<String>) -> impl Strategy<Value = Vec<String>> {
    let most = names.len();
    subsequence(names, 0..=most).prop_shuffle()
}

fn one_of(names: Vec<String>) -> impl Strategy<Value = Option<String>> {
    some_of(names).prop_map(|names| names.into_iter().next())
}

fn destination(many: Many) -> impl Strategy<Value = Destination> {
    (0..5, 0..1000usize).prop_map(move |(which, n)| match which {
        0 if many.extensions > 0 => Destination::Extension((2000 + n % many.extensions).to_string()),
        1 if many.queues > 0 => Destination::Queue(Many::queue(n % many.queues)),
        2 if many.menus > 0 => Destination::Menu(format!("menu.{}", n % many.menus)),
        3 => Destination::Echo,
        _ => Destination::Hangup,
    })
}

fn key() -> impl Strategy<Value = char> {
    select("0123456789*#".chars().collect::<Vec<_>>())
}

fn extension() -> impl Strategy<Value = Extension> {
    (label(), "[!-~]{8,20}", 5..=300u32, any::<bool>()).prop_map(|(name, secret, ring_timeout_s, record)| Extension {
        name,
        secret,
        ring_timeout_s,
        record,
    })
}

fn span() -> impl Strategy<Value = Span> {
    (0..1440u16, 1..=1440u16).prop_filter_map("no minute", |(from, to)| Span::new(from, to))
}

fn date() -> impl Strategy<Value = Date> {
    (1970..=9999u16, 1..=12u8, 1..=31u8).prop_filter_map("no such day", |(y, m, d)| Date::new(y, m, d))
}

fn distinct<T: PartialEq>(values: Vec<T>) -> Vec<T> {
    let mut out = Vec::new();
    for value in values {
        if !out.contains(&value) {
            out.push(value);
        }
    }
    out
}

fn calendar() -> impl Strategy<Value = Calendar> {
    let day = || select(Weekday::ALL.to_vec());
    let hours = (day(), day(), span()).prop_map(|(first, last, span)| Hours { first, last, span });
    let closed = (date(), date()).prop_map(|(a, b)| DaysOff { first: a.min(b), last: a.max(b) });
    let extra = (date(), span()).prop_map(|(date, span)| Extra { date, span });
    (vec(hours, 0..5), vec(closed, 0..4), vec(extra, 0..4)).prop_map(|(hours, closed, extra)| Calendar {
        hours: distinct(hours),
        closed: distinct(closed),
        extra: distinct(extra),
    })
}

/// Agent `n`; its phone is extension `n`, if it has one.
fn agent(many: Many) -> impl Strategy<Value = Agent> {
    let skills = (some_of(many.skills()), vec(1..=10u8, many.skills));
    let skills = skills.prop_map(|(names, levels)| names.into_iter().zip(levels).collect::<BTreeMap<_, _>>());
    (label(), any::<[bool; 2]>(), option::of("[0-9]{5,8}"), skills, 0..=240u32).prop_map(
        |(name, [phone, logged_in], pin, skills, calls_per_hour_max)| Agent {
            name,
            extension: phone.then(String::new),
            pin,
            logged_in: phone && logged_in,
            skills,
            calls_per_hour_max,
        },
    )
}

fn relax(many: Many) -> impl Strategy<Value = Relax> {
    (0..=9u8, some_of(many.skills()), some_of(many.agents())).prop_map(|(level_minus, drop, agents)| Relax {
        level_minus,
        drop,
        agents,
    })
}

prop_compose! {
    fn ringing()(strategy in select(Choice::ALL.to_vec()), priority in 0..=10u8, weight in 0..=100u8, ring_timeout_s in 3..=120u32,
                 ring_step_s in 1..=60u32, retry_delay_s in 0..=120u32, rona in proptest::array::uniform4(0..=9u8)) -> Queue {
        Queue {
            strategy, priority, weight, ring_timeout_s, ring_step_s, retry_delay_s,
            rona_no_answer: rona[0], rona_busy: rona[1], rona_reject: rona[2], rona_unreachable: rona[3],
            ..Queue::preset("")
        }
    }
}

prop_compose! {
    fn waiting(many: Many)(max_wait_s in 0..=7200u32, max_length in 0..=1000u32, overflow_wait_s in 0..=7200u32,
                calendar in one_of(many.calendars()), join_empty in factors(), leave_empty in factors(),
                wait in option::of(destination(many)), at_once in overflow(Many { queues: 0, ..many }),
                exits in btree_map(key(), destination(many), 0..4), sticky_wait_s in 0..=600u32) -> Queue {
        let mut overflow = at_once;
        overflow.extend(wait.map(|to| (OverflowKind::Wait, to)));
        Queue {
            max_wait_s, max_length, overflow_wait_s, calendar, join_empty, leave_empty, overflow, exits, sticky_wait_s,
            ..Queue::preset("")
        }
    }
}

fn factors() -> impl Strategy<Value = BTreeSet<EmptyFactor>> {
    btree_set(select(EmptyFactor::ALL.to_vec()), 0..5)
}

/// What happens to callers who did not wait; without queues no circle can come of it.
fn overflow(many: Many) -> impl Strategy<Value = BTreeMap<OverflowKind, Destination>> {
    let kind = select(vec![OverflowKind::Full, OverflowKind::Empty, OverflowKind::Closed]);
    btree_map(kind, destination(many), 0..3)
}

prop_compose! {
    fn queue(many: Many)(title in label(), agents in some_of(many.agents()), surge_agents in some_of(many.agents()),
             ringing in ringing(), waiting in waiting(many), wrap_up_max_s in 0..=7200u32, extend in 0..=600u32, up in any::<[u16; 2]>(),
             announce in option::of("[a-z][a-z0-9._-]{0,20}"), confirm_key in option::of(key()), yes in any::<[bool; 5]>(),
             relax in btree_map(1..=7200u32, relax(many), 0..3))
            (wanted in wanted(many), surge in any::<bool>(),
             (title, agents, surge_agents, ringing, waiting, wrap_up_max_s, extend) in Just((title, agents, surge_agents, ringing, waiting, wrap_up_max_s, extend)),
             (up, announce, confirm_key, yes, relax) in Just((up, announce, confirm_key, yes, relax))) -> Queue {
        let within = |n: u16| u32::from(n) % (wrap_up_max_s.min(600) + 1);
        let Queue { strategy, priority, weight, ring_timeout_s, ring_step_s, retry_delay_s, .. } = ringing;
        let Queue { rona_no_answer, rona_busy, rona_reject, rona_unreachable, .. } = ringing;
        Queue {
            title, agents, surge_agents, wrap_up_max_s, relax, confirm_key,
            strategy, priority, weight, ring_timeout_s, ring_step_s, retry_delay_s,
            rona_no_answer, rona_busy, rona_reject, rona_unreachable,
            skills: wanted,
            wrap_up_s: within(up[0]),
            surge_wrap_up_s: surge.then(|| within(up[1])),
            wrap_up_extend_s: extend,
            agent_announce: announce,
            disposition_required: yes[0],
            monitor: yes[1],
            monitor_tone: yes[2],
            monitor_consent: if yes[3] { Consent::Notice } else { Consent::None },
            record: yes[4],
            ..waiting
        }
    }
}

fn wanted(many: Many) -> impl Strategy<Value = BTreeMap<String, Wanted>> {
    let each = (1..=10u8, any::<bool>()).prop_map(|(level, required)| Wanted { level, required });
    (some_of(many.skills()), vec(each, many.skills)).prop_map(|(names, wanted)| names.into_iter().zip(wanted).collect())
}

fn menu(many: Many) -> impl Strategy<Value = Menu> {
    let languages = prop_oneof![
        Just(vec![Language::Zh]),
        Just(vec![Language::En]),
        Just(vec![Language::Zh, Language::En]),
        Just(vec![Language::En, Language::Zh]),
    ];
    let keys = btree_map(key(), destination(many), 0..6);
    let otherwise = destination(Many { menus: 0, ..many });
    (languages, "[a-z][a-z0-9._-]{0,20}", 1..=60u32, 0..=9u32, keys, otherwise).prop_map(
        |(languages, prompt, timeout_s, retries, keys, otherwise)| Menu {
            languages,
            prompt,
            timeout_s,
            retries,
            keys,
            otherwise,
        },
    )
}

fn numbered<T>(entries: Vec<T>, name: impl Fn(usize) -> String) -> BTreeMap<String, T> {
    entries.into_iter().enumerate().map(|(n, entry)| (name(n), entry)).collect()
}

prop_compose! {
    fn head()(name in label(), english in any::<bool>(), utc_offset_min in -720..=840i32, six in any::<bool>(), port in 1..1024u16,
              realm in "[a-z][a-z0-9.-]{0,20}", expires in (10..=60u32, 60..=86_400u32), ports in (600..20_000u16, 2..500u16),
              jitter in 1..=10u32, silence_timeout_s in 5..=3600u32, other in any::<bool>(), routing in routing()) -> Config {
        let ip: IpAddr = if six { Ipv6Addr::LOCALHOST.into() } else { [127, 0, 0, 9].into() };
        let language = if english { Language::En } else { Language::Zh };
        let sip = Sip { listen: SocketAddr::new(ip, port), realm, expires_min_s: expires.0, expires_max_s: expires.1 };
        let address = if other { [10, 1, 2, 3].into() } else { ip };
        let rtp_ports = (ports.0 * 2, ports.0 * 2 + ports.1 * 2 - 1);
        let media = Media { address, rtp_ports, jitter_ms: jitter * 20, silence_timeout_s };
        Config { system: System { name, language, utc_offset_min, ..System::preset("") }, sip, media, routing, ..Config::preset() }
    }
}

prop_compose! {
    /// The box itself, and who may change it.
    fn the_box()(country in select(COUNTRIES.to_vec()), panel_lock in any::<bool>(), console_speed in 1_200..=921_600u32,
                 device in option::of("/dev/tty[A-Z]{1,3}[0-9]"), interface in "[a-z]{1,4}[0-9]", vlan in option::of(1..=4_094u32),
                 dns in btree_set(any::<u32>(), 0..4), host in 0..=63u8, length in 24..=30u8,
                 method in select(Method::ALL.to_vec()), users in user_list(), buzzer in any::<bool>(),
                 severity in select(AlarmSeverity::ALL.to_vec()),
                 alarm in select(pbx::text::alarm::WORDS.to_vec())) -> Config {
        // Of each four addresses the middle two are hosts in a network of any of these lengths.
        let address = Prefix { address: [10, 9, 8, host * 4 + 1].into(), length };
        let gateway = (method == Method::Static).then_some([10, 9, 8, host * 4 + 2].into());
        let address = (method == Method::Static).then_some(address);
        let dns = dns.into_iter().map(|bits| IpAddr::V4(bits.into())).collect();
        Config {
            chassis: Chassis { country: country.into(), panel_lock, console_device: device, console_speed },
            network: Network { interface, method, address, gateway, dns, vlan },
            users,
            alarms: [(alarm.to_string(), AlarmRule { buzzer, severity })].into(),
            ..Config::preset()
        }
    }
}

/// None, or several with an admin first.
fn user_list() -> impl Strategy<Value = BTreeMap<String, User>> {
    let user =
        (select(Role::ALL.to_vec()), select(NumbersSeen::ALL.to_vec()), any::<Option<bool>>(), "[A-Za-z0-9+/]{22}");
    let user = user.prop_map(|(role, numbers, english, salt)| User {
        role,
        password: format!("$argon2id$v=19$m=19456,t=2,p=1${salt}$aGFzaGhhc2hoYXNoaGFzaA"),
        numbers,
        language: english.map(|english| if english { Language::En } else { Language::Zh }),
    });
    vec(user, 0..4).prop_map(|mut users| {
        if let Some(first) = users.first_mut() {
            first.role = Role::Admin;
        }
        numbered(users, |n| format!("user.{n}"))
    })
}

fn routing() -> impl Strategy<Value = Routing> {
    let emergency = btree_set("[0-9]{2,8}", 0..4).prop_map(|numbers| numbers.into_iter().collect());
    (0..=3600u32, 0..=7200u32, 0..=365u32, emergency).prop_map(
        |(priority_step_s, starvation_s, sticky_days, emergency_numbers)| Routing {
            priority_step_s,
            starvation_s,
            sticky_days,
            emergency_numbers,
        },
    )
}

prop_compose! {
    fn people(many: Many)(
        extensions in vec(extension(), many.extensions), agents in vec(agent(many), many.agents),
        supervisors in vec((label(), any::<bool>(), option::of("[0-9]{5,8}"), some_of((0..many.queues).map(Many::queue).collect())), 0..=many.extensions),
        reasons in btree_map(1..=89u8, (label(), label(), any::<bool>()), 0..6),
        dispositions in btree_map(1..=9u8, (label(), label()), 0..4),
        vips in btree_map("\\+?[0-9]{2,15}", (0..=10u8, one_of(many.agents())), 0..4)) -> Config {
        let phone = |n: usize| (2000 + n).to_string();
        let agents = agents.into_iter().enumerate();
        let agents = agents.map(|(n, a)| Agent { extension: a.extension.map(|_| phone(n)), ..a }).collect();
        let supervisors = supervisors.into_iter().enumerate();
        let supervisors = supervisors
            .map(|(n, (name, has, pin, queues))| Supervisor { name, extension: has.then(|| phone(n)), pin, queues })
            .collect();
        Config {
            extensions: numbered(extensions, phone),
            agents: numbered(agents, |n| (1000 + n).to_string()),
            supervisors: numbered(supervisors, |n| (9000 + n).to_string()),
            reasons: reasons.into_iter().map(|(n, (zh, en, paid))| (n, Reason { zh, en, paid })).collect(),
            dispositions: dispositions.into_iter().map(|(n, (zh, en))| (n, Disposition { zh, en })).collect(),
            vips: vips.into_iter().map(|(n, (priority, agent))| (n, Vip { priority, agent })).collect(),
            ..Config::preset()
        }
    }
}

const CODES: [&str; 18] = [
    "*43", "*45", "*46", "*48", "##", "*7#7", "#1", "*99", "*60", "*61", "*62", "*63", "*64", "*65", "*66", "*67",
    "*68", "#2",
];

fn codes() -> impl Strategy<Value = Codes> {
    subsequence(CODES.to_vec(), 16).prop_shuffle().prop_map(|codes| {
        let mut codes = codes.into_iter().map(String::from);
        let mut next = || codes.next().unwrap_or_default();
        Codes {
            echo: next(),
            agent_login: next(),
            agent_not_ready: next(),
            wrap_up_finish: next(),
            wrap_up_extend: next(),
            disposition: next(),
            listen: next(),
            whisper: next(),
            barge: next(),
            take_over: next(),
            force_state: next(),
            move_caller: next(),
            re_prioritise: next(),
            pick: next(),
            queue_callers: next(),
            surge: next(),
        }
    })
}

fn did_number(n: usize) -> String {
    format!("+8640{n:02}")
}

fn route() -> impl Strategy<Value = Route> {
    let lengths = (5..=32u32, 5..=32u32);
    let number = || option::of("\\+?[0-9]{1,15}");
    (lengths, 0..=16u32, number(), number(), any::<[bool; 2]>(), 0..100usize).prop_map(
        |((a, b), strip, add, caller_id, [international, record], n)| Route {
            prefix: String::new(),
            length_min: a.min(b),
            length_max: a.max(b),
            strip,
            add,
            trunk: n.to_string(),
            international,
            caller_id,
            record,
        },
    )
}

/// Routes with prefixes of their own to the trunks that there are; the first fits all, if it is alone.
fn routes_to(trunks: usize, routes: Vec<Route>) -> BTreeMap<String, Route> {
    let alone = routes.len() == 1;
    let to = |(n, route): (usize, Route)| {
        let prefix = if alone { String::new() } else { ["+", "0", "17", "+49"][n % 4].to_owned() };
        let trunk = route.trunk.parse::<usize>().unwrap_or_default() % trunks;
        Route { strip: route.strip.min(prefix.len() as u32), prefix, trunk: format!("Trunk_{trunk}"), ..route }
    };
    if trunks == 0 {
        return BTreeMap::new();
    }
    numbered(routes.into_iter().enumerate().map(to).collect(), |n| format!("route-{n}"))
}

prop_compose! {
    fn outside(many: Many)(trunks in vec((any::<Option<u16>>(), any::<bool>()), 0..3), routes in vec(route(), 0..4),
            numbers in vec(destination(many), 0..4),
            dids in vec((destination(many), option::of(0..=10u8)), many.dids),
            lines in btree_map((1..=16u8, 1..=8u8), (label(), 0..100usize), 0..6)) -> Config {
        let trunk_count = trunks.len();
        let trunk = |(n, (port, record)): (usize, (Option<u16>, bool))| Trunk {
            address: IpAddr::from([10, 0, 0, n as u8]),
            port: port.filter(|p| *p > 0),
            record,
        };
        let line = |((card, port), (label, n)): ((u8, u8), (String, usize))| {
            (PortId { card, port }, Line { label, did: did_number(n % many.dids.max(1)) })
        };
        Config {
            lines: if many.dids == 0 { BTreeMap::new() } else { lines.into_iter().map(line).collect() },
            trunks: numbered(trunks.into_iter().enumerate().map(trunk).collect(), |n| format!("Trunk_{n}")),
            routes: routes_to(trunk_count, routes),
            numbers: numbered(numbers, |n| (8000 + n).to_string()),
            dids: numbered(dids.into_iter().map(|(to, priority)| Did { to, priority }).collect(), did_number),
            ..Config::preset()
        }
    }
}

/// A test of calls that may come to anything. Trunks are named as if there were one.
fn test(many: Many) -> impl Strategy<Value = Test> {
    let extension = move |n: usize| (2000 + n % many.extensions.max(1)).to_string();
    let from = prop_oneof!["\\+?[1-9][0-9]{4,10}", (0..9usize).prop_map(extension)];
    let to = prop_oneof!["\\+?[0-9*#]{1,12}", (0..3usize).prop_map(did_number), (0..9usize).prop_map(extension)];
    let moment = prop_oneof![
        (select(Weekday::ALL.to_vec()), 0..1440u16).prop_map(|(day, minute)| Moment::Weekly(day, minute)),
        (date(), 0..1440u16).prop_map(|(date, minute)| Moment::On(date, minute)),
    ];
    let call = (from, to, option::of(moment)).prop_map(|(from, to, at)| TestCall { from, to, at });
    let expect = vec((goal(many), option::of(1..=3600u32)), 1..4);
    let expect =
        expect.prop_map(|all| all.into_iter().map(|(goal, within_s)| Expectation { goal, within_s }).collect());
    (call, 0..4u32, vec("[0-9*#]{1,3}", 0..4), option::of(some_of(many.agents())), expect)
        .prop_map(|(call, callers_before, press, agents, expect)| Test { call, callers_before, press, agents, expect })
}

fn goal(many: Many) -> impl Strategy<Value = Goal> {
    (0..14usize, 0..1000usize, option::of("\\+?[0-9*#]{1,12}")).prop_map(move |(which, n, number)| match which {
        0 if many.queues > 0 => Goal::Queue(Many::queue(n % many.queues)),
        1 if many.agents > 0 => Goal::Agent((1000 + n % many.agents).to_string()),
        2 if many.menus > 0 => Goal::Menu(format!("menu.{}", n % many.menus)),
        3 if many.extensions > 0 => Goal::Extension((2000 + n % many.extensions).to_string()),
        4 => Goal::Trunk("Trunk_0".to_string(), number),
        5 => Goal::Prompt("queue-welcome".to_string()),
        6 => Goal::Closed,
        7 => Goal::Full,
        8 => Goal::Empty,
        9 => Goal::Overflow,
        10 => Goal::Echo,
        11 => Goal::Recorded,
        12 => Goal::Hangup,
        _ => Goal::Refused,
    })
}

/// Without trunks nobody can expect one.
fn possible(mut test: Test, trunks: bool) -> Test {
    for expected in &mut test.expect {
        if !trunks && matches!(expected.goal, Goal::Trunk(..)) {
            expected.goal = Goal::Refused;
        }
    }
    test
}

prop_compose! {
    fn many()(extensions in 0..6usize, agents in 0..6usize, calendars in 0..3usize, skills in 0..4usize, queues in 0..4usize,
              menus in 0..4usize, dids in 0..3usize) -> Many {
        Many { extensions, agents: agents.min(extensions), calendars, skills, queues, menus, dids }
    }
}

/// A configuration in which everything that is named exists.
pub fn config() -> impl Strategy<Value = Config> {
    many().prop_flat_map(|many| {
        let skills = vec(label().prop_map(|title| Skill { title }), many.skills);
        let served =
            (vec(calendar(), many.calendars), skills, vec(queue(many), many.queues), vec(menu(many), many.menus));
        let tests = btree_map("[a-z][a-z0-9-]{0,10}", test(many), 0..3);
        (head(), people(many), outside(many), served, codes(), the_box(), tests).prop_map(
            move |(head, people, outside, (calendars, skills, queues, menus), codes, site, tests)| Config {
                tests: tests.into_iter().map(|(n, test)| (n, possible(test, !outside.trunks.is_empty()))).collect(),
                system: head.system,
                sip: head.sip,
                media: head.media,
                routing: head.routing,
                lines: outside.lines,
                calendars: many.calendars().into_iter().zip(calendars).collect(),
                skills: many.skills().into_iter().zip(skills).collect(),
                queues: numbered(queues, Many::queue),
                menus: numbered(menus, |n| format!("menu.{n}")),
                trunks: outside.trunks,
                routes: outside.routes,
                numbers: outside.numbers,
                dids: outside.dids,
                codes,
                chassis: site.chassis,
                network: site.network,
                users: site.users,
                alarms: site.alarms,
                ..people
            },
        )
    })
}
