//! A call centre of 100 seats: twelve queues, one for each strategy and one more, thirty skills, day and night, important
//! callers, supervisors, seats that nobody owns. What its people do is in `floor` and `supervisor`.

use super::dice::Dice;
use super::plan::Plan;
use pbx::calendar::{Hours, Span, Weekday};
use pbx::config::{
    Agent, Calendar, Config, Consent, Destination, Did, Disposition, EmptyFactor, Menu, OverflowKind, Queue, Relax,
    Routing, Skill, Strategy, Supervisor, Vip, Wanted,
};
use std::collections::{BTreeMap, BTreeSet};

/// Queues of the site.
pub const QUEUES: usize = 12;
/// Skills of the site.
const SKILLS: u64 = 30;
/// Supervisors with a phone of their own; one more has only a PIN.
pub const SUPERVISORS: u32 = 3;
/// The supervisor without a phone.
pub const ROAMING: &str = "9004";
/// Dials the menu.
pub const MENU_DID: &str = "4001000";

/// Name of queue `n`.
pub fn queue_name(n: usize) -> String {
    format!("queue-{n}")
}

/// The number that leads to queue `n` from inside.
pub fn queue_number(n: usize) -> String {
    format!("{}", 8000 + n)
}

/// The number that leads to queue `n` from outside.
pub fn queue_did(n: usize) -> String {
    format!("{}", 4_002_000 + n)
}

/// Telephone number of person `n`.
pub fn person(n: u64) -> String {
    format!("139{n:08}")
}

fn skill_name(n: u64) -> String {
    format!("skill-{n}")
}

/// Agents from this one on have no phone of their own: the phones of these numbers are for whoever comes.
pub fn first_roaming(agents: u32) -> u32 {
    agents - agents / 10
}

/// Adds the call centre to a plain site with its phones, lines and trunk.
pub fn add_to(config: &mut Config, plan: &Plan) {
    let mut dice = Dice::new(plan.seed, 50);
    let steps = [0, 30, 60];
    config.routing = Routing {
        priority_step_s: steps[dice.below(3) as usize],
        starvation_s: dice.between(45, 240) as u32,
        sticky_days: 30,
        ..Routing::preset("")
    };
    config.calendars = BTreeMap::from([("day".to_string(), day())]);
    config.skills = (0..SKILLS).map(|n| (skill_name(n), Skill { title: skill_name(n) })).collect();
    config.dispositions =
        (1..=5).map(|n| (n, Disposition { zh: format!("结果{n}"), en: format!("Result {n}") })).collect();
    for n in 0..plan.agents {
        config.agents.insert(Plan::agent(n), agent(&mut dice, plan, n));
    }
    config.queues = (0..QUEUES).map(|n| (queue_name(n), queue(&mut dice, plan, n))).collect();
    let to = |n: usize| Destination::Queue(queue_name(n));
    config.numbers = (0..QUEUES).map(|n| (queue_number(n), to(n))).collect();
    let did = |n: usize| Did { priority: n.is_multiple_of(5).then_some(7), to: to(n) };
    config.dids = (0..QUEUES).map(|n| (queue_did(n), did(n))).collect();
    config.dids.insert(MENU_DID.into(), Did { to: Destination::Menu("main".into()), ..Did::preset("") });
    let keys = (1..=9).filter_map(|n| Some((char::from_digit(n, 10)?, to(n as usize)))).collect();
    config.menus.insert(
        "main".into(),
        Menu { keys, otherwise: to(0), timeout_s: 4, prompt: "menu-main".into(), ..Menu::preset("main") },
    );
    config.vips = (0..plan.people).step_by(20).map(|n| (person(n), vip(&mut dice, plan))).collect();
    config.supervisors = (0..=SUPERVISORS).map(|n| (format!("{}", 9001 + n), supervisor(&mut dice, n))).collect();
}

fn day() -> Calendar {
    let hours = |first, last, from, to| Span::new(from, to).map(|span| Hours { first, last, span });
    let week = hours(Weekday::Mon, Weekday::Fri, 8 * 60, 20 * 60);
    let saturday = hours(Weekday::Sat, Weekday::Sat, 9 * 60, 17 * 60);
    Calendar { hours: week.into_iter().chain(saturday).collect(), closed: Vec::new(), extra: Vec::new() }
}

fn pin(dice: &mut Dice) -> String {
    format!("{}", dice.between(10_000_000, 99_999_999))
}

fn agent(dice: &mut Dice, plan: &Plan, n: u32) -> Agent {
    let mut skills = BTreeMap::new();
    for skill in 0..SKILLS {
        if dice.permille(350) {
            skills.insert(skill_name(skill), dice.between(1, 10) as u8);
        }
    }
    let owned = n < first_roaming(plan.agents);
    Agent {
        name: format!("Agent {n}"),
        extension: owned.then(|| Plan::extension(n)),
        pin: Some(pin(dice)),
        logged_in: owned && n.is_multiple_of(3),
        skills,
        calls_per_hour_max: if n % 9 == 4 { 15 } else { 0 },
    }
}

fn vip(dice: &mut Dice, plan: &Plan) -> Vip {
    let agent = dice.permille(400).then(|| Plan::agent(dice.below(u64::from(plan.agents)) as u32));
    Vip { priority: dice.between(8, 10) as u8, agent }
}

fn supervisor(dice: &mut Dice, n: u32) -> Supervisor {
    let queues = if n == 1 { (0..6).map(queue_name).collect() } else { Vec::new() };
    let extension = (n < SUPERVISORS).then(|| Plan::office_extension(n));
    Supervisor { name: format!("Supervisor {n}"), extension, pin: Some(pin(dice)), queues }
}

fn queue(dice: &mut Dice, plan: &Plan, n: usize) -> Queue {
    let strategy = Strategy::ALL[n % Strategy::ALL.len()];
    let title = queue_name(n);
    let of_ten = if matches!(strategy, Strategy::RingAll | Strategy::RingProgressively) { 150 } else { 400 };
    let mut agents = some_agents(dice, plan, of_ten);
    if agents.is_empty() {
        agents.push(Plan::agent(n as u32 % plan.agents));
    }
    let skills = if n.is_multiple_of(3) { BTreeMap::new() } else { wishes(dice) };
    let pick = |every: usize, value: u64| if n.is_multiple_of(every) { value as u32 } else { 0 };
    let wrap_up_s = if n.is_multiple_of(5) { 0 } else { dice.between(2, 20) as u32 };
    Queue {
        relax: relax(dice, plan, &skills),
        title,
        agents,
        strategy,
        skills,
        priority: dice.between(3, 7) as u8,
        weight: pick(4, dice.below(20)) as u8,
        ring_timeout_s: dice.between(8, 20) as u32,
        ring_step_s: dice.between(2, 6) as u32,
        retry_delay_s: dice.below(10) as u32,
        rona_no_answer: dice.below(4) as u8,
        rona_busy: dice.below(4) as u8,
        rona_reject: dice.below(4) as u8,
        rona_unreachable: dice.below(3) as u8,
        wrap_up_s,
        wrap_up_extend_s: 15,
        wrap_up_max_s: 60,
        disposition_required: n % 4 == 1,
        max_wait_s: dice.between(120, 400) as u32,
        max_length: pick(3, dice.between(4, 15)),
        overflow_wait_s: if n % 3 == 1 { dice.between(30, 90) as u32 } else { 0 },
        calendar: n.is_multiple_of(2).then(|| "day".to_string()),
        join_empty: if n % 4 == 2 {
            factors(&[EmptyFactor::Paused, EmptyFactor::Unavailable])
        } else {
            BTreeSet::new()
        },
        leave_empty: if n % 4 == 3 {
            factors(&[EmptyFactor::Unavailable, EmptyFactor::Invalid])
        } else {
            BTreeSet::new()
        },
        overflow: overflow(n),
        exits: BTreeMap::from([
            ('0', Destination::Extension(Plan::office_extension(SUPERVISORS))),
            ('9', Destination::Queue(queue_name((n + 5) % QUEUES))),
        ]),
        sticky_wait_s: if n % 4 == 2 || n.is_multiple_of(3) { dice.between(10, 40) as u32 } else { 0 },
        // Its length is that of its name.
        agent_announce: (n % 2 == 1).then(|| "a-call-of-somebody-important".to_string()),
        confirm_key: (n % 6 == 5).then_some('1'),
        monitor: n != 7,
        monitor_tone: n.is_multiple_of(2),
        monitor_consent: if n % 5 == 3 { Consent::Notice } else { Consent::None },
        surge_agents: some_agents(dice, plan, 60),
        surge_wrap_up_s: (n % 2 == 1).then_some(2),
        record: n.is_multiple_of(3),
    }
}

fn some_agents(dice: &mut Dice, plan: &Plan, permille: u64) -> Vec<String> {
    (0..plan.agents).filter(|_| dice.permille(permille)).map(Plan::agent).collect()
}

fn factors(factors: &[EmptyFactor]) -> BTreeSet<EmptyFactor> {
    factors.iter().copied().collect()
}

fn wishes(dice: &mut Dice) -> BTreeMap<String, Wanted> {
    let mut wish =
        || (skill_name(dice.below(SKILLS)), Wanted { level: dice.between(1, 6) as u8, required: dice.permille(600) });
    (0..2).map(|_| wish()).collect()
}

/// Less and less is asked for.
fn relax(dice: &mut Dice, plan: &Plan, skills: &BTreeMap<String, Wanted>) -> BTreeMap<u32, Relax> {
    let Some(skill) = skills.keys().next() else { return BTreeMap::new() };
    let first_s = dice.between(8, 25) as u32;
    let second_s = first_s + dice.between(5, 30) as u32;
    let more = some_agents(dice, plan, 100);
    BTreeMap::from([
        (first_s, Relax { level_minus: 2, drop: Vec::new(), agents: Vec::new() }),
        (second_s, Relax { level_minus: 0, drop: vec![skill.clone()], agents: more }),
    ])
}

/// Where callers go on to; the last queue is always open and sends nobody on.
fn overflow(n: usize) -> BTreeMap<OverflowKind, Destination> {
    let last = QUEUES - 1;
    if n == last {
        return BTreeMap::new();
    }
    let next = Destination::Queue(queue_name(n + 1));
    let mut overflow = BTreeMap::from([
        (OverflowKind::Closed, Destination::Queue(queue_name(last))),
        (OverflowKind::Empty, next.clone()),
        (OverflowKind::Wait, next.clone()),
    ]);
    if !n.is_multiple_of(6) {
        overflow.insert(OverflowKind::Full, next);
    }
    overflow
}

/// Of 1,000 callers of the busiest hour so many call now. `minute` counts from Monday 00:00.
pub fn arrivals_permille(minute: i64) -> u64 {
    const BY_HOUR: [u64; 24] = [
        20, 15, 10, 10, 10, 20, 60, 200, 520, 850, 1_000, 950, 700, 800, 950, 900, 800, 700, 500, 350, 200, 120, 70, 40,
    ];
    let (day, hour) = (minute.div_euclid(1_440), minute.rem_euclid(1_440) / 60);
    let percent = [105, 100, 95, 95, 100, 45, 25][day.rem_euclid(7) as usize];
    (BY_HOUR[hour as usize] * percent / 100).min(1_000)
}

/// Whether agent `n` is on duty: five days a week, eight and a half hours, some of them at night.
pub fn on_duty(n: u32, minute: i64) -> bool {
    let (day, now) = (minute.div_euclid(1_440), minute.rem_euclid(1_440));
    let works = |day: i64| ![i64::from(n) % 7, (i64::from(n) + 1) % 7].contains(&day.rem_euclid(7));
    if n % 12 == 11 {
        return (works(day) && now >= 20 * 60) || (works(day - 1) && now < 6 * 60);
    }
    let from = 7 * 60 + i64::from(n % 8) * 45;
    works(day) && (from..from + 510).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pbx::config::Severity;

    #[test]
    fn the_site_is_one_that_the_box_accepts() {
        for plan in [Plan::week(1, 168), Plan::busy(2), Plan::busy(3)] {
            let problems = pbx::config::validate(&plan.config());
            let errors: Vec<_> = problems.iter().filter(|p| p.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{errors:?}");
        }
    }
}
