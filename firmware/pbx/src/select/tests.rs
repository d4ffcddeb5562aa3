//! Winners computed by hand for each strategy, and properties over random tables.

use super::*;
use alloc::string::ToString;
use alloc::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use proptest::strategy::Strategy as Generator;
use rand_core::{Rng, SeedableRng};

const STRATEGIES: [Strategy; 11] = [
    Strategy::RingAll,
    Strategy::LongestIdle,
    Strategy::FewestCalls,
    Strategy::LeastTalkTime,
    Strategy::LeastOccupied,
    Strategy::RoundRobin,
    Strategy::Linear,
    Strategy::TopDown,
    Strategy::Random,
    Strategy::WeightedRandom,
    Strategy::RingProgressively,
];

static NO_SKILLS: BTreeMap<String, u8> = BTreeMap::new();

fn seen(agent: &str, position: u32) -> Seen<'_> {
    let (idle_ms, calls, talk_ms, occupancy_permille, tries) = (0, 0, 0, 0, 0);
    let skills = &NO_SKILLS;
    Seen { agent, position, excluded: None, idle_ms, calls, talk_ms, occupancy_permille, skills, tries }
}

fn asked(strategy: Strategy) -> Asked<'static> {
    let (wishes, preferred, wait_for_preferred, after, draw) = (&[][..], None, false, None, 0);
    Asked { queue: "support", strategy, wishes, preferred, wait_for_preferred, after, draw }
}

fn wrap_up() -> Option<Exclusion> {
    Some(Exclusion { rule: Rule::NotReady, detail: "wrap-up".into(), config: String::new() })
}

fn skills(levels: &[(&str, u8)]) -> BTreeMap<String, u8> {
    levels.iter().map(|(skill, level)| (skill.to_string(), *level)).collect()
}

fn wish(skill: &str, level: u8, required: bool) -> Wish<'_> {
    Wish { skill, level, required }
}

/// Agents a, b, c, d at places 0 to 3; c is wrapping up. Numbers as a shift gives them after three hours.
fn table() -> Vec<Seen<'static>> {
    let row = |agent, position, idle_ms, calls, talk_ms, occupancy_permille, tries, excluded| Seen {
        idle_ms,
        calls,
        talk_ms,
        occupancy_permille,
        tries,
        excluded,
        ..seen(agent, position)
    };
    vec![
        row("a", 0, 5_000, 9, 1_500_000, 700, 1, None),
        row("b", 1, 61_000, 12, 1_400_000, 650, 0, None),
        row("c", 2, 90_000, 1, 100_000, 100, 0, wrap_up()),
        row("d", 3, 7_000, 8, 1_600_000, 610, 0, None),
    ]
}

fn order(asked: &Asked<'_>, seen: &[Seen<'_>]) -> String {
    select(asked, seen).map_or_else(String::new, |s| s.winners.iter().map(|i| seen[*i].agent).collect())
}

#[test]
fn each_strategy_orders_a_table_as_by_hand() {
    let expected = [
        (Strategy::RingAll, "abd"),
        (Strategy::LongestIdle, "bda"),
        (Strategy::FewestCalls, "dab"),
        (Strategy::LeastTalkTime, "bad"),
        (Strategy::LeastOccupied, "dba"),
        (Strategy::RoundRobin, "abd"),
        (Strategy::Linear, "abd"),
        (Strategy::TopDown, "bda"),
        (Strategy::RingProgressively, "abd"),
    ];
    for (strategy, winners) in expected {
        assert_eq!(order(&asked(strategy), &table()), winners, "{strategy:?}");
    }
}

#[test]
fn round_robin_goes_on_behind_the_one_served_last() {
    let after = |after| order(&Asked { after: Some(after), ..asked(Strategy::RoundRobin) }, &table());
    // After 1 comes 2, who is wrapping up, then 3, then round to 0 and 1.
    assert_eq!(["bda", "dab", "dab", "abd"], [after(0), after(1), after(2), after(3)]);
    // The list was longer when the last one was served.
    assert_eq!(after(9), "abd");
}

#[test]
fn a_weighted_ticket_finds_its_holder_and_then_goes_round() {
    let (best, some) = (skills(&[("billing", 4), ("english", 2)]), skills(&[("billing", 1)]));
    // Tickets: a 0, b 1-7, d 8-9; c is out. Sum 10.
    let mut agents = table();
    agents[1].skills = &best;
    agents[3].skills = &some;
    let wishes = [wish("billing", 1, false), wish("english", 1, false)];
    let draw = |draw| order(&Asked { draw, wishes: &wishes, ..asked(Strategy::WeightedRandom) }, &agents);
    assert_eq!([draw(0), draw(1), draw(7), draw(8), draw(9), draw(20)], ["abd", "bda", "bda", "dab", "dab", "abd"]);
    let mut wins = BTreeMap::new();
    for ticket in 0..10_000 {
        *wins.entry(draw(ticket).remove(0)).or_insert(0) += 1;
    }
    assert_eq!(wins, BTreeMap::from([('a', 1_000), ('b', 7_000), ('d', 2_000)]));
}

#[test]
fn without_wishes_a_weighted_draw_is_even() {
    let mut wins = BTreeMap::new();
    for draw in 0..3_000 {
        *wins.entry(order(&Asked { draw, ..asked(Strategy::WeightedRandom) }, &table()).remove(0)).or_insert(0) += 1;
    }
    assert_eq!(wins, BTreeMap::from([('a', 1_000), ('b', 1_000), ('d', 1_000)]));
}

#[test]
fn preference_comes_before_skill_and_skill_before_the_strategy() {
    let strong = skills(&[("billing", 9)]);
    let mut agents = table();
    agents[0].skills = &strong;
    let wishes = [wish("billing", 5, false)];
    let asked = Asked { wishes: &wishes, ..asked(Strategy::LongestIdle) };
    assert_eq!(order(&asked, &agents), "abd");
    assert_eq!(order(&Asked { preferred: Some("d"), ..asked }, &agents), "dab");
    // Wrapping up, the preferred agent is not waited for unless the caller does.
    let chosen = select(&Asked { preferred: Some("c"), ..asked }, &agents).unwrap();
    assert_eq!(chosen.winners, [0, 1, 3]);
    let names: Vec<&str> = chosen.candidates[0].terms.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["preferred", "skill", "idle-ms", "position"]);
    assert_eq!(chosen.why, "longest-idle: a skill 9 before b skill 0, of 3");
}

#[test]
fn a_required_skill_is_a_gate_and_leaves_the_rest_to_the_strategy() {
    let (best, enough, short) = (skills(&[("billing", 9)]), skills(&[("billing", 5)]), skills(&[("billing", 4)]));
    let mut agents = table();
    (agents[0].skills, agents[1].skills, agents[3].skills) = (&best, &enough, &short);
    let required = [wish("billing", 5, true)];
    let gate = Asked { wishes: &required, ..asked(Strategy::LongestIdle) };
    let chosen = select(&gate, &agents).unwrap();
    assert_eq!(order(&gate, &agents), "ba", "b is idle for longer; d has too little");
    let names: Vec<&str> = chosen.candidates[0].terms.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["idle-ms", "position"]);
    // Beside it, a preferred skill goes before the strategy as ever.
    let both = [wish("billing", 5, true), wish("english", 1, false)];
    assert_eq!(order(&Asked { wishes: &both, ..gate }, &agents), "ba");
    let english = skills(&[("billing", 5), ("english", 2)]);
    agents[0].skills = &english;
    assert_eq!(order(&Asked { wishes: &both, ..gate }, &agents), "ab");
}

#[test]
fn every_exclusion_names_its_rule_and_its_line() {
    let (low, high) = (skills(&[("billing", 3)]), skills(&[("billing", 8), ("english", 1)]));
    let mut agents = table();
    (agents[0].skills, agents[1].skills, agents[2].skills) = (&low, &high, &high);
    let wishes = [wish("english", 1, false), wish("billing", 5, true)];
    let asked =
        Asked { wishes: &wishes, preferred: Some("c"), wait_for_preferred: true, ..asked(Strategy::LongestIdle) };
    assert_eq!(select(&asked, &agents), None);
    let told: Vec<String> = rejected(&asked, &agents)
        .into_iter()
        .map(|c| c.excluded.map_or_else(String::new, |e| format!("{} [{}] {}", e.rule.as_str(), e.detail, e.config)))
        .collect();
    let expected = [
        "skill-level [billing 3 < 5] queue support skill billing",
        "waits-for-preferred [c] queue support sticky-wait-s",
        "not-ready [wrap-up] ",
        "skill-missing [billing] queue support skill billing",
    ];
    assert_eq!(told, expected);
    assert!(rejected(&asked, &agents).iter().all(|c| c.terms.is_empty()));
}

#[test]
fn nobody_of_nobody() {
    assert_eq!(select(&asked(Strategy::Random), &[]), None);
    assert!(decide(&[]).is_empty());
}

#[test]
fn numbers_beyond_the_journal_count_as_its_largest() {
    let mut agents = table();
    agents[0].idle_ms = u64::MAX;
    assert_eq!(order(&asked(Strategy::LongestIdle), &agents), "abd");
}

#[test]
fn random_is_uniform() {
    const DRAWS: u32 = 80_000;
    let names = ["0", "1", "2", "3", "4", "5", "6", "7"];
    let agents: Vec<Seen<'_>> = names.iter().zip(0..).map(|(name, position)| seen(name, position)).collect();
    let mut chance = rand_chacha::ChaCha20Rng::from_seed([7; 32]);
    let (mut first, mut last) = ([0u32; 8], [0u32; 8]);
    for _ in 0..DRAWS {
        let chosen = select(&Asked { draw: chance.next_u64(), ..asked(Strategy::Random) }, &agents).unwrap();
        first[chosen.winners[0]] += 1;
        last[chosen.winners[7]] += 1;
    }
    for counts in [first, last] {
        // Sum of (count - 10,000)² / 10,000 over 8 cells: above 24.32 once in a thousand (chi-square, 7 degrees).
        let squares: i64 = counts.iter().map(|n| (i64::from(*n) - 10_000).pow(2)).sum();
        assert!(squares < 243_200, "{counts:?}");
    }
}

/// One agent of a random table.
type Row = (bool, u64, u32, u64, u32, u32, Option<u8>, Option<u8>);

fn rows() -> impl Generator<Value = Vec<Row>> {
    let level = || proptest::option::of(1u8..=10);
    let row = (any::<bool>(), 0u64..5, 0u32..5, 0u64..5, 0u32..5, 0u32..5, level(), level());
    proptest::collection::vec(row, 0..12)
}

/// The strategy, the wishes (level and need), the preferred agent, waiting for it, the one served last, chance.
type Question = (usize, Option<(u8, bool)>, Option<(u8, bool)>, Option<usize>, bool, Option<u32>, u64);

fn questions() -> impl Generator<Value = Question> {
    let wish = || proptest::option::of((1u8..=10, any::<bool>()));
    let served = proptest::option::of(0u32..14);
    (0..STRATEGIES.len(), wish(), wish(), proptest::option::of(0usize..12), any::<bool>(), served, any::<u64>())
}

/// Builds the table and the question and hands them over.
fn with<T>(rows: &[Row], question: &Question, body: impl FnOnce(&Asked<'_>, &[Seen<'_>]) -> T) -> T {
    let names: Vec<String> = (0..12).map(|index| format!("{index}")).collect();
    let owned: Vec<BTreeMap<String, u8>> = rows
        .iter()
        .map(|row| [("x", row.6), ("y", row.7)].into_iter().filter_map(|(s, l)| Some((s.to_string(), l?))).collect())
        .collect();
    let agents: Vec<Seen<'_>> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| Seen {
            agent: &names[index],
            position: index as u32,
            excluded: if row.0 { None } else { wrap_up() },
            idle_ms: row.1,
            calls: row.2,
            talk_ms: row.3,
            occupancy_permille: row.4,
            skills: &owned[index],
            tries: row.5,
        })
        .collect();
    let (strategy, x, y, preferred, wait_for_preferred, after, draw) = question;
    let wishes: Vec<Wish<'_>> = [("x", x), ("y", y)]
        .into_iter()
        .filter_map(|(skill, wanted)| wanted.map(|(level, required)| wish(skill, level, required)))
        .collect();
    let asked = Asked {
        queue: "support",
        strategy: STRATEGIES[*strategy],
        wishes: &wishes,
        preferred: preferred.map(|index| names[index].as_str()),
        wait_for_preferred: *wait_for_preferred,
        after: *after,
        draw: *draw,
    };
    body(&asked, &agents)
}

/// The winners as the words of the rules have them, computed another way: by sorting what was seen.
fn by_the_rules(asked: &Asked<'_>, seen: &[Seen<'_>]) -> Vec<usize> {
    let level = |agent: &Seen<'_>, wish: &Wish<'_>| agent.skills.get(wish.skill).copied().unwrap_or(0);
    let may = |agent: &Seen<'_>| {
        agent.excluded.is_none()
            && asked.wishes.iter().all(|w| !w.required || level(agent, w) >= w.level)
            && (!asked.wait_for_preferred || asked.preferred.is_none_or(|p| p == agent.agent))
    };
    let sum = |agent: &Seen<'_>| asked.wishes.iter().map(|w| u64::from(level(agent, w))).sum::<u64>();
    let liked =
        |agent: &Seen<'_>| asked.wishes.iter().filter(|w| !w.required).map(|w| u64::from(level(agent, w))).sum::<u64>();
    let mut winners: Vec<usize> = (0..seen.len()).filter(|i| may(&seen[*i])).collect();
    // The holders of all tickets in a row, from the drawn one on.
    let holders: Vec<usize> =
        winners.iter().flat_map(|i| core::iter::repeat_n(*i, 1 + sum(&seen[*i]) as usize)).collect();
    let drawn = if holders.is_empty() { 0 } else { (asked.draw % holders.len() as u64) as usize };
    let ring = seen.len().max(asked.after.map_or(0, |after| after as usize + 1));
    winners.sort_by_key(|index| {
        let agent = &seen[*index];
        let own = match asked.strategy {
            Strategy::RingAll | Strategy::Linear | Strategy::RingProgressively => 0,
            Strategy::LongestIdle => u64::MAX - agent.idle_ms,
            Strategy::FewestCalls => agent.calls.into(),
            Strategy::LeastTalkTime => agent.talk_ms,
            Strategy::LeastOccupied => agent.occupancy_permille.into(),
            Strategy::RoundRobin => {
                let start = asked.after.map_or(0, |after| after as usize + 1);
                (start..start + ring).position(|place| place % ring == *index).unwrap_or(ring) as u64
            }
            Strategy::TopDown => agent.tries.into(),
            Strategy::Random => mixed(asked.draw, agent.position) >> 32,
            Strategy::WeightedRandom => {
                holders[drawn..].iter().chain(&holders).position(|holder| holder == index).unwrap_or(0) as u64
            }
        };
        let skill = if asked.strategy == Strategy::WeightedRandom { 0 } else { u64::MAX - liked(agent) };
        (asked.preferred != Some(agent.agent), skill, own, *index)
    });
    winners
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_printed_terms_decide_the_same_again(rows in rows(), question in questions()) {
        with(&rows, &question, |asked, seen| {
            let candidates = rejected(asked, seen);
            let json = serde_json::to_string(&candidates).unwrap();
            let read: Vec<Candidate> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&read, &candidates);
            let again = decide(&read);
            prop_assert_eq!(&again, &by_the_rules(asked, seen));
            match select(asked, seen) {
                Some(selection) => {
                    prop_assert_eq!(&selection.winners, &again);
                    prop_assert_eq!(&selection.candidates, &candidates);
                }
                None => prop_assert!(again.is_empty()),
            }
            Ok(())
        })?;
    }
}

proptest! {
    #[test]
    fn the_excluded_never_win_and_everybody_else_does(rows in rows(), question in questions()) {
        with(&rows, &question, |asked, seen| {
            let winners = select(asked, seen).map_or_else(Vec::new, |s| s.winners);
            for (index, candidate) in rejected(asked, seen).iter().enumerate() {
                prop_assert_eq!(candidate.excluded.is_none(), winners.contains(&index));
                prop_assert!(seen[index].excluded.is_none() || candidate.excluded.is_some());
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_order_in_which_agents_are_looked_at_changes_nothing(
        rows in rows(), question in questions(), turns in any::<u64>()
    ) {
        with(&rows, &question, |asked, seen| {
            let names = |seen: &[Seen<'_>]| -> Vec<String> {
                select(asked, seen).map_or_else(Vec::new, |s| {
                    s.winners.iter().map(|index| seen[*index].agent.to_string()).collect()
                })
            };
            let mut other = seen.to_vec();
            other.sort_by_key(|agent| mixed(turns, agent.position));
            prop_assert_eq!(names(seen), names(&other));
            Ok(())
        })?;
    }
}
