//! How things stood, folded from the leg events alone, against the live tables of the box: at every moment of many
//! short runs with faults and restarts, and through the database at moments of the wall clock. And what is explained of
//! each call there decides the same again.

#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use base::id::Uid;
use base::time::{Instant, Wall};
use pbx::Pbx;
use pbx::config::Routing;
use pbx::door::Output;
use pbx::event::{Detail, LegEvent};
use pbx::standing::Standing;
use pbxd::store::read::Reader;
use pbxd::store::{MainDb, Options, Request};
use pbxd::story::explain::decides_again;
use pbxd::story::state::{Fold, Shown};
use std::collections::BTreeMap;
use tests::sim::plan::Plan;
use tests::sim::run::number_from;
use tests::sim::world::{Journal, World};

/// Seeds of a test run.
const SEEDS: u64 = 40;

fn routing(plan: &Plan) -> Routing {
    plan.config().routing
}

/// Agents who never were in any state but that of the beginning have no event.
fn without_the_unknown(mut live: Standing, fold: &Standing) -> Standing {
    live.agents.retain(|id, agent| agent.state != "logged-out" || fold.agents.contains_key(id));
    live
}

/// Replays a journal; after each input the live box, the time, and the rows that the input led to.
fn replayed(journal: &Journal, mut look: impl FnMut(&Pbx, Instant, Wall, &[LegEvent])) {
    let mut pbx = Pbx::new();
    for (now, input) in &journal.inputs {
        let mut outputs = Vec::new();
        pbx.handle(*now, input.clone(), &mut outputs);
        let rows: Vec<LegEvent> =
            outputs.into_iter().filter_map(|o| if let Output::Record(row) = o { Some(row) } else { None }).collect();
        look(&pbx, now.at, now.wall, &rows);
    }
}

/// What was compared.
#[derive(Default)]
struct Seen {
    moments: u64,
    waiting: usize,
    ringing: usize,
    talking: usize,
    decided: usize,
    /// Offers for which the agent could have served others, too.
    passed_over: usize,
}

/// Compares after every `nth` input of a run, and decides again what was decided.
fn compare(plan: Plan, nth: u64, seen: &mut Seen) {
    let (seed, routing) = (plan.seed, routing(&plan));
    let mut fold = Fold::default();
    let (mut last, mut inputs) = (0, 0);
    let mut calls: BTreeMap<Uid, Vec<LegEvent>> = BTreeMap::new();
    replayed(&World::new(plan).run().journal, |pbx, now, _, rows| {
        // A restart tells the rows that may not have been stored again.
        for row in rows.iter().filter(|row| row.seq > last) {
            fold.take(row);
            if let Some(call) = row.call {
                calls.entry(call).or_default().push(row.clone());
            }
        }
        last = rows.iter().map(|row| row.seq).fold(last, u64::max);
        inputs += 1;
        if inputs % nth != 0 {
            return;
        }
        let folded = fold.standing(&routing, now);
        let live = without_the_unknown(pbx.standing(now), &folded);
        assert_eq!(live, folded, "seed {seed}, {} us", now.as_micros());
        let doing = |state: &str| live.agents.values().filter(|agent| agent.state == state).count();
        seen.moments += 1;
        seen.waiting += live.queues.values().map(Vec::len).sum::<usize>();
        seen.ringing += doing("ringing");
        seen.talking += doing("talking");
    });
    for (call, events) in calls {
        let again = decides_again(&events);
        assert_ne!(again, Some(false), "seed {seed}, call {call}: the stored terms name another winner");
        seen.decided += usize::from(again.is_some());
        let several =
            |e: &&LegEvent| matches!(&e.detail, Detail::Offered { callers: Some(c), .. } if c.callers.len() > 1);
        seen.passed_over += events.iter().filter(several).count();
    }
}

#[test]
fn the_fold_is_the_live_state_after_every_input() {
    let seeds = match number_from("CORDBOARD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_from("CORDBOARD_SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds {
        compare(Plan { journal: true, ..Plan::short(seed) }, 1, &mut seen);
        // A call centre of all strategies, with supervisors; its tables are large.
        compare(Plan { journal: true, ..Plan::busy(seed) }, 7, &mut seen);
    }
    let Seen { moments, waiting, ringing, talking, decided, passed_over } = seen;
    println!("{moments} moments: {waiting} waiting callers, {ringing} ringing and {talking} talking agents among them");
    println!("{decided} calls with decisions, all of which come out the same from their stored terms");
    println!("{passed_over} offers passed over callers whom the agent could have served; all were whose turn it was");
    let enough = if number_from("CORDBOARD_SEED").or(number_from("CORDBOARD_SEEDS")).is_some() { 1 } else { 10_000 };
    assert!(moments > enough && waiting > 0 && ringing > 0 && talking > 0 && decided >= enough as usize);
    assert!(passed_over > 0);
}

#[test]
fn the_rows_found_for_a_moment_fold_to_the_live_state_of_that_moment() {
    // Without faults: one of them sets the wall clock back, and then a time of day names two moments.
    let plan = Plan { journal: true, fault_us_mean: 0, ..Plan::busy(7) };
    let routing = routing(&plan);
    let dir = std::env::temp_dir().join(format!("cordboard-sim-state-{}", std::process::id()));
    let options = Options::new(&dir);
    let mut db = MainDb::open(&options).unwrap();
    let mut live: Vec<(Wall, Standing)> = Vec::new();
    replayed(&World::new(plan).run().journal, |pbx, now, wall, rows| {
        rows.iter().cloned().for_each(|row| db.queue(Request::Leg(row)));
        // Of inputs in the same millisecond the last one is what the moment shows.
        while live.last().is_some_and(|(other, _)| *other >= wall) {
            live.pop();
        }
        live.push((wall, pbx.standing(now)));
    });
    db.commit().unwrap();
    let reader = Reader::open(&options).unwrap();
    let mut compared = 0;
    for (wall, live) in live.iter().step_by(live.len() / 300 + 1) {
        let moment = reader.moment(*wall).unwrap();
        let Some(last) = &moment.last else { continue };
        let shown = Shown::after(last, *wall);
        let folded = Fold::of(moment.rows()).standing(&routing, shown.at);
        assert_eq!(without_the_unknown(live.clone(), &folded), folded, "at {wall:?}");
        compared += 1;
    }
    std::fs::remove_dir_all(&dir).unwrap();
    println!("{compared} of {} moments read from the database", live.len());
    assert!(compared > 50);
}
