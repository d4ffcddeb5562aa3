//! Priority delays nobody by more than `starvation-s`: a constant stream of important callers against unimportant ones and
//! few agents, judged from the leg events alone and without the router's own idea of rank.
//!
//! What pure order of arrival would have given is read from the same events. All agents are alike and every call takes the
//! same time T (ring, talk, wrap-up; measured), so the moments at which somebody is served do not depend on who it is: the
//! i-th to arrive would have been served at the i-th of these moments. Let a caller arrive at t with k-1 earlier ones
//! waiting; in order of arrival he is served at the k-th moment after t. From t + S on only those k-1 can come before him,
//! so he is served at the k-th moment after t + S at the latest. Between t and t + S there are at most n·ceil(S/T) moments
//! with n agents, and with somebody waiting every n further ones take T, so the delay is at most T·ceil(S/T) < S + T.

use super::arrivals::Arrival;
use super::chance::exponential_us;
use super::site::{Scene, play_told};
use super::staffing::{Change, Staffed, staff};
use ::tests::sim::dice::Dice;
use pbx::event::{Detail, LegEvent};
use std::collections::BTreeMap;

const SECOND_US: u64 = 1_000_000;
const TALK_US: u64 = 55 * SECOND_US;
const WRAP_UP_S: u64 = 5;
const HOURS: u64 = 1;
/// Important callers less unimportant ones.
const PRIORITY: u64 = 10;

/// The router's settings of one run, and what it is attacked with.
#[derive(Clone, Copy, Debug)]
struct Attack {
    agents: u64,
    /// `priority-step-s`: 0 makes priority absolute.
    step_s: u64,
    /// Of the important queue; the other one has 0.
    weight: u64,
    starvation_s: u64,
    stream: Stream,
    seed: u64,
}

/// How the important callers come, as a share of what the agents can do, in permille.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stream {
    /// At equal distances.
    Steady(u64),
    /// By chance.
    Random(u64),
}

/// A caller as the leg events tell.
#[derive(Clone, Copy, Debug)]
struct Wait {
    arrived_us: u64,
    /// When the agent who answered was offered the call.
    served_us: u64,
    important: bool,
}

/// What a run showed.
#[derive(Debug)]
struct Finding {
    /// By how much priority delayed whom it delayed most.
    delay_us: u64,
    /// From the offer to the agent's next readiness, the longest.
    cycle_us: u64,
    /// By how much later came the latest of those who were served before somebody.
    overtaken_us: u64,
    /// Waits after which somebody was still passed by one who came later, the longest.
    passed_us: u64,
}

fn site(attack: &Attack) -> Staffed {
    let mut text = format!(
        "system {{ name attacked; }} sip {{ listen 127.0.0.1:5060; }}
         routing {{ priority-step-s {}; starvation-s {}; sticky-days 0; }}\n",
        attack.step_s, attack.starvation_s
    );
    let ids: Vec<String> = (0..attack.agents).map(|n| format!("{}", 1001 + n)).collect();
    for id in &ids {
        text.push_str(&format!("agent {id} {{ pin 4711; }}\n"));
    }
    for (name, priority, weight) in [("all", 0, 0), ("important", PRIORITY, attack.weight)] {
        text.push_str(&format!(
            "queue {name} {{ agents [ {} ]; priority {priority}; weight {weight}; wrap-up-s {WRAP_UP_S}; max-wait-s 0; }}\n",
            ids.join(" ")
        ));
    }
    let config = pbx::config::parse(&text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
    staff(Some(&config), &Change::default()).unwrap()
}

/// Important callers all the time; one unimportant caller every ten minutes or so.
fn callers(attack: &Attack) -> Vec<Arrival> {
    let (mut dice, end_us) = (Dice::new(attack.seed, 31), HOURS * 3_600 * SECOND_US);
    let full_gap_us = (TALK_US + WRAP_UP_S * SECOND_US) / attack.agents;
    let arrival = |at_us: u64, queue: &str| Arrival { at_us, queue: queue.into(), talk_us: TALK_US, patience_us: None };
    let mut arrivals = Vec::new();
    let mut at_us = SECOND_US;
    while at_us < end_us {
        arrivals.push(arrival(at_us, "important"));
        at_us += match attack.stream {
            Stream::Steady(permille) => full_gap_us * 1_000 / permille,
            Stream::Random(permille) => exponential_us(&mut dice, full_gap_us as f64 / 1e3 / permille as f64),
        };
    }
    let mut at_us = 400 * SECOND_US;
    while at_us < end_us {
        arrivals.push(arrival(at_us, "all"));
        at_us += 500 * SECOND_US + dice.below(200 * SECOND_US);
    }
    arrivals.sort_by_key(|a| a.at_us);
    arrivals
}

/// From the leg events: who waited from when to when, and how long the agents were busy with each.
fn read(rows: &[LegEvent]) -> (Vec<Wait>, Vec<u64>) {
    let (mut waits, mut calls): (Vec<Wait>, BTreeMap<String, usize>) = (Vec::new(), BTreeMap::new());
    let (mut busy, mut cycles): (BTreeMap<&str, u64>, Vec<u64>) = (BTreeMap::new(), Vec::new());
    for row in rows {
        let at_us = row.at.as_micros();
        let call = row.call.map(|uid| uid.to_string()).unwrap_or_default();
        match &row.detail {
            Detail::Queued { queue, .. } => {
                calls.insert(call, waits.len());
                waits.push(Wait { arrived_us: at_us, served_us: u64::MAX, important: queue == "important" });
            }
            Detail::Offered { agent, .. } => {
                waits[calls[&call]].served_us = at_us;
                busy.insert(agent, at_us);
            }
            Detail::AgentState { agent, to, .. } if to == "ready" => {
                cycles.extend(busy.remove(agent.as_str()).map(|since_us| at_us - since_us));
            }
            _ => {}
        }
    }
    (waits, cycles)
}

fn judge(attack: &Attack) -> Finding {
    let (staffed, arrivals) = (site(attack), callers(attack));
    let end_us = HOURS * 3_600 * SECOND_US;
    let scene = Scene { staffed: &staffed, arrivals: &arrivals, ring_us: 0, seed: attack.seed, counted_us: 0..end_us };
    let mut rows = Vec::new();
    play_told(&scene, &mut |row| rows.push(row.clone())).unwrap();
    let (mut waits, cycles) = read(&rows);
    assert_eq!(waits.len(), arrivals.len(), "{attack:?}");
    assert!(waits.iter().all(|w| w.served_us < u64::MAX), "{attack:?}: somebody was never served");
    // The argument stands on this: every call takes the same time.
    let (cycle_us, shortest_us) = (cycles.iter().max().copied().unwrap(), cycles.iter().min().copied().unwrap());
    assert!(cycle_us - shortest_us < SECOND_US / 100, "{attack:?}: {shortest_us} to {cycle_us} us");
    waits.sort_by_key(|w| w.arrived_us);
    let mut moments: Vec<u64> = waits.iter().map(|w| w.served_us).collect();
    moments.sort_unstable();
    let delays = waits.iter().zip(&moments).map(|(wait, by_arrival_us)| wait.served_us.saturating_sub(*by_arrival_us));
    let mut finding = Finding { delay_us: delays.max().unwrap(), cycle_us, overtaken_us: 0, passed_us: 0 };
    for (n, early) in waits.iter().enumerate() {
        for late in waits[n + 1..].iter().take_while(|w| w.arrived_us < early.served_us) {
            if late.served_us < early.served_us {
                finding.overtaken_us = finding.overtaken_us.max(late.arrived_us - early.arrived_us);
                finding.passed_us = finding.passed_us.max(late.served_us - early.arrived_us);
                assert!(late.important && !early.important, "{attack:?}: equal callers are first come, first served");
            }
        }
    }
    finding
}

const STREAMS: [Stream; 4] = [Stream::Steady(1_020), Stream::Steady(1_400), Stream::Random(960), Stream::Random(1_300)];

/// All settings against all streams.
fn attacks(starvation_s: u64) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for agents in [1, 3] {
        for (step_s, weight) in [(0, 0), (0, 9), (10, 0), (60, 0), (3_600, 0), (60, 100)] {
            for (n, stream) in STREAMS.into_iter().enumerate() {
                attacks.push(Attack { agents, step_s, weight, starvation_s, stream, seed: agents * 10 + n as u64 });
            }
        }
    }
    attacks
}

#[test]
fn priority_delays_nobody_by_more_than_the_starvation_bound() {
    for starvation_s in [60, 300] {
        let mut worst_us = 0;
        for attack in attacks(starvation_s) {
            let found = judge(&attack);
            let bound_us = starvation_s * SECOND_US;
            assert!(found.delay_us < bound_us + found.cycle_us, "{attack:?}: {found:?}");
            assert!(found.passed_us < bound_us, "{attack:?}: passed after the bound: {found:?}");
            // With ageing nobody is overtaken by who came later than the priority counts for.
            if attack.step_s > 0 && attack.weight == 0 {
                assert!(found.overtaken_us <= PRIORITY * attack.step_s * SECOND_US, "{attack:?}: {found:?}");
            }
            worst_us = worst_us.max(found.delay_us);
        }
        // The attack is one: somebody is delayed until the bound, but for the time of one call.
        assert!(worst_us + TALK_US + 6 * SECOND_US > starvation_s * SECOND_US, "{starvation_s} s: {worst_us} us");
        println!("starvation-s {starvation_s}: at most {} s later than in order of arrival", worst_us / SECOND_US);
    }
}

/// What the check above would say of a router without the bound, or without ageing.
#[test]
fn without_the_bound_the_same_attack_delays_for_as_long_as_it_lasts() {
    let stream = Stream::Steady(1_020);
    let attack = Attack { agents: 2, step_s: 0, weight: 0, starvation_s: 0, stream, seed: 1 };
    let found = judge(&attack);
    assert!(found.delay_us > 2_000 * SECOND_US, "{found:?}");
    assert!(found.passed_us > 2_000 * SECOND_US && found.overtaken_us > 2_000 * SECOND_US, "{found:?}");
    // Ageing alone bounds who may overtake.
    let found = judge(&Attack { step_s: 60, ..attack });
    assert!((500 * SECOND_US..=600 * SECOND_US).contains(&found.overtaken_us), "{found:?}");
}
