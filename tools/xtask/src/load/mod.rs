//! `xtask load`: the box under callers and agents that are real phones. SIPp signals for all of them; the audio of each
//! call goes both ways and is checked on every connected call, as are its record and its recording. Everything is in
//! real time. A load that does not end as it must is told fault by fault, and the program ends with an error.

mod books;
mod floor;
mod growth;
mod print;
mod race;
mod tally;

use crate::bench::noise;
use crate::simulate::erlang::{self, Threshold, erlang_a};
use ::tests::peer::Outcome;
use ::tests::peer::load_ears::Habits;
use ::tests::sim::dice::Dice;
use floor::{Arrivals, Plan, Played, Reached, play};
use growth::{Growth, SIZES, Size};
use std::fmt::Write;
use std::time::Duration;
use tally::{Fate, Tally, tally};

/// Phones of most loads: the box's rated calls.
const SEATS: u16 = 50;
/// How long a phone rings.
const RING_MS: u64 = 30;
/// Recordings read back at most; of more calls a part, evenly spread.
const RECORDINGS_READ_MAX: usize = 3_000;
/// Samples of an endurance run, at least.
const SAMPLES: u64 = 120;

/// Which load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    /// 100 callers at once into 50 agents.
    Burst,
    /// 2,000 calls an hour of 75 s: 42 of 50 agents are busy.
    Stable,
    /// 2,000 calls an hour of 180 s: twice what 50 agents can do.
    Overload,
    /// One agent is offered 10 calls at once.
    OneAgent,
    /// 150 calls at once on a box rated for 50, 50 of them with agents.
    Rated,
    /// 144,000 calls of one second at 40 a second.
    Endurance,
    /// Several phones of one extension ring for one call and all answer at the same instant.
    Race,
    /// The same with the agents of a queue that rings all.
    RaceQueue,
}

const ALL: [(Scenario, &str); 8] = [
    (Scenario::Burst, "burst"),
    (Scenario::Stable, "stable"),
    (Scenario::Overload, "overload"),
    (Scenario::OneAgent, "one-agent"),
    (Scenario::Rated, "rated"),
    (Scenario::Endurance, "endurance"),
    (Scenario::Race, "race"),
    (Scenario::RaceQueue, "race-queue"),
];

/// A load, and how much of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// Which.
    pub scenario: Scenario,
    /// Calls in all; the scenario's own number when none.
    pub calls: Option<u32>,
    /// Calls per second, of `endurance`.
    pub rate: Option<u32>,
    /// How long callers arrive, in s, of `stable`, `overload` and `rated`.
    pub seconds: Option<u32>,
}

impl Load {
    /// As long as the scenario says.
    pub fn whole(scenario: Scenario) -> Load {
        Load { scenario, calls: None, rate: None, seconds: None }
    }

    /// Of the words of the command line.
    pub fn parse(
        name: Option<&str>,
        calls: Option<u32>,
        rate: Option<u32>,
        seconds: Option<u32>,
    ) -> Result<Load, String> {
        let names = || ALL.map(|(_, name)| name).join(", ");
        let name = name.ok_or_else(|| format!("which load? there are {}", names()))?;
        let found = ALL.into_iter().find(|(_, known)| *known == name);
        let (scenario, _) = found.ok_or_else(|| format!("no load `{name}`; there are {}", names()))?;
        Ok(Load { scenario, calls, rate, seconds })
    }
}

/// What came of a load.
#[derive(Debug)]
pub struct Report {
    /// For people.
    pub text: String,
    /// All counts.
    pub tally: Tally,
}

/// Plays and prints. An error when something was not as it must be.
pub fn run(load: &Load) -> Result<(), String> {
    let report = report(load).map_err(|trouble| trouble.0)?;
    print!("{}", report.text);
    let faults = &report.tally.faults;
    if faults.count == 0 {
        return Ok(());
    }
    Err(format!("{} faults, of which the first:\n{}", faults.count, faults.told.join("\n")))
}

/// Plays, and tells what came of it.
pub fn report(load: &Load) -> Outcome<Report> {
    let name = ALL.iter().find(|(scenario, _)| *scenario == load.scenario).map_or("", |(_, name)| name);
    let mut text = format!("load {name}; machine before: load {}\n", noise::load());
    let plan = plan(load);
    let mut growth = (load.scenario == Scenario::Endurance).then(|| {
        let length = plan.arrivals.length().as_secs();
        Growth::new(Duration::from_secs((length / SAMPLES).max(1)))
    });
    let played = play(&plan, &mut |pid, data| {
        if let Some(growth) = &mut growth {
            growth.look(pid, data);
        }
    })?;
    let mut tally = tally(&played, plan.record, RECORDINGS_READ_MAX)?;
    match books::tables_come_out_empty(&played.place.join("data")) {
        Ok(_) => {}
        Err(trouble) => tally.faults.demand(false, || format!("after the last call: {trouble}")),
    }
    let _ = write!(text, "{}{}", print::table(&tally), print::picture(&played.seen));
    judge(load, &plan, &played, growth.as_ref(), &mut tally, &mut text);
    let turns =
        played.log.lines().rev().find_map(|line| line.split_once("stopped after ")).map_or("", |(_, told)| told);
    let _ = writeln!(text, "control task: {turns}\nmachine after: load {}", noise::load());
    if tally.faults.count == 0 {
        played.place.passed();
    }
    Ok(Report { text, tally })
}

/// What each load is made of.
fn plan(load: &Load) -> Plan {
    let exact = |talk_ms| Habits { ring_ms: RING_MS, patience_ms: None, talk_ms: Some(talk_ms), talk_exact: true };
    let people = |talk_ms, patience_ms| Habits {
        ring_ms: RING_MS,
        patience_ms: Some(patience_ms),
        talk_ms: Some(talk_ms),
        talk_exact: false,
    };
    let base = Plan {
        name: "burst",
        net: 1,
        seats: SEATS,
        reached: Reached::Queue(None),
        record: true,
        arrivals: Arrivals::AtOnce(load.calls.unwrap_or(100)),
        habits: exact(3_000),
        limit: Duration::from_secs(120),
    };
    let hour = Duration::from_secs(3_600);
    let per_hour = |seconds: u32| poisson(seconds, u64::from(seconds) * 2_000 / 3_600);
    let seconds = |preset| load.seconds.unwrap_or(preset);
    match load.scenario {
        Scenario::Burst => base,
        Scenario::Stable => Plan {
            name: "stable",
            net: 2,
            arrivals: per_hour(seconds(3_600)),
            habits: people(75_000, 120_000),
            limit: hour,
            ..base
        },
        Scenario::Overload => Plan {
            name: "overload",
            net: 3,
            arrivals: per_hour(seconds(3_600)),
            habits: people(180_000, 120_000),
            limit: hour,
            ..base
        },
        Scenario::OneAgent => Plan {
            name: "one-agent",
            net: 4,
            seats: 1,
            arrivals: Arrivals::AtOnce(load.calls.unwrap_or(10)),
            habits: exact(800),
            ..base
        },
        Scenario::Rated => Plan {
            name: "rated",
            net: 5,
            // As long patience as talks: then callers talking and waiting are 150 together on average, whatever the
            // number of agents.
            arrivals: poisson(seconds(120), u64::from(seconds(120)) * 150 * 1_000 / RATED_TALK_MS),
            habits: people(RATED_TALK_MS, RATED_TALK_MS),
            ..base
        },
        Scenario::Endurance => Plan {
            name: "endurance",
            net: 6,
            arrivals: Arrivals::Steady { rate: load.rate.unwrap_or(40), calls: load.calls.unwrap_or(144_000) },
            habits: exact(1_000),
            limit: hour / 2,
            ..base
        },
        Scenario::Race => race::plan(load.calls, Reached::Extension, base),
        Scenario::RaceQueue => race::plan(load.calls, Reached::Queue(Some("ring-all")), base),
    }
}

/// Mean talk and mean patience of `rated`.
const RATED_TALK_MS: u64 = 4_000;

/// So many arrivals independent of each other in so many seconds: a Poisson process, given its count.
fn poisson(seconds: u32, calls: u64) -> Arrivals {
    let mut dice = Dice::new(11, u64::from(seconds));
    let mut moments: Vec<u64> = (0..calls).map(|_| dice.below(u64::from(seconds) * 1_000)).collect();
    moments.sort_unstable();
    Arrivals::At(moments)
}

/// What the scenario demands beyond what every load must keep.
fn judge(load: &Load, plan: &Plan, played: &Played, growth: Option<&Growth>, tally: &mut Tally, text: &mut String) {
    let of = |tally: &Tally, fate| tally.phones.get(&fate).copied().unwrap_or(0);
    let attempts = tally.attempts;
    let answered = u64::from(of(tally, Fate::Answered));
    let all_served = |tally: &mut Tally| {
        tally.faults.demand(answered == attempts, || format!("{answered} of {attempts} reached an agent"));
    };
    match load.scenario {
        Scenario::Burst => all_served(tally),
        Scenario::Stable | Scenario::Overload => beside_erlang(plan, played, tally, text),
        Scenario::OneAgent => {
            all_served(tally);
            one_at_a_time(played, tally);
        }
        Scenario::Rated => {
            beside_erlang(plan, played, tally, text);
            let (met, dropped) = (u64::from(tally.met), u64::from(tally.dropped));
            tally.faults.demand(met * 10 >= attempts * 9, || format!("connect rate: {met} of {attempts}"));
            tally.faults.demand(dropped * 100 < met, || format!("drop rate: {dropped} of {met}"));
            let first = tally.audio_first;
            let fine = first.missing_ppm() < 1_000 && first.lost_ppm() < 1_000;
            tally.faults.demand(fine, || format!("loss on the first 50 calls: {first:?}"));
        }
        Scenario::Endurance => {
            all_served(tally);
            if let Some(growth) = growth {
                text.push_str(&growth.table());
                flat(growth, tally);
            }
        }
        Scenario::Race | Scenario::RaceQueue => race::judge(played, plan, tally, text),
    }
}

/// One phone: it never rings while it has a call, and everybody is served in the order in which he dialled.
fn one_at_a_time(played: &Played, tally: &mut Tally) {
    for pair in played.seen.rings.windows(2) {
        let [one, next] = pair else { continue };
        let after = one.over.is_some_and(|(over, _)| over <= next.rang);
        tally.faults.demand(after, || format!("caller {} rang while the phone had caller {}", next.caller, one.caller));
        tally.faults.demand(one.caller < next.caller, || format!("{} was served before {}", one.caller, next.caller));
    }
}

/// How many reached an agent, beside the model. The steady state is told over arrivals after the first four talks.
fn beside_erlang(plan: &Plan, played: &Played, tally: &Tally, text: &mut String) {
    let (Some(talk_ms), Some(patience_ms)) = (plan.habits.talk_ms, plan.habits.patience_ms) else { return };
    let settled = Duration::from_millis(4 * talk_ms).min(plan.arrivals.length() / 2);
    let late: Vec<_> = played.seen.callers.iter().filter(|c| c.begun.is_some_and(|at| at >= settled)).collect();
    let served = late.iter().filter(|caller| caller.served.is_some()).count();
    let model = erlang::Load {
        calls_per_hour: f64::from(plan.arrivals.calls()) * 3_600.0 / plan.arrivals.length().as_secs_f64().max(1.0),
        aht_s: talk_ms as f64 / 1_000.0,
        agents: u32::from(plan.seats),
    };
    let outlook = erlang_a(&model, patience_ms as f64 / 1_000.0, &Threshold::default());
    let steady = plan.arrivals.length() >= Duration::from_millis(12 * talk_ms);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let _ = writeln!(
        text,
        "answered by an agent                 {} of all {}; {} of the {} after {} s; Erlang A: {}",
        percent(f64::from(tally.phones.get(&Fate::Answered).copied().unwrap_or(0)) / tally.attempts.max(1) as f64),
        tally.attempts,
        percent(served as f64 / late.len().max(1) as f64),
        late.len(),
        settled.as_secs(),
        outlook.map_or("no answer".into(), |outlook| percent(outlook.ends.answered)),
    );
    let _ = writeln!(
        text,
        "  (Erlang A: {:.1} erlang on {} agents, exponential talks and patience, mean patience {} s{})",
        model.erlangs(),
        model.agents,
        patience_ms / 1_000,
        if steady { "" } else { "; it describes a steady state, which so short a run does not reach" },
    );
}

/// In the later half nothing may grow by more than a tenth of what it is, counted for an hour.
fn flat(growth: &Growth, tally: &mut Tally) {
    let half = growth.samples.len() / 2;
    let Some((_, last)) = growth.samples.last() else { return };
    let (journal, ring_kb) = (last[Size::JournalKb as usize], pbxd::journal::Ring::default().bytes_max / 1_024);
    tally.faults.demand(journal <= ring_kb, || format!("the journal has {journal} kB, its ring at most {ring_kb}"));
    for (place, size) in SIZES.into_iter().enumerate().filter(|(_, size)| size.is_flat()) {
        let (slope, level) = (growth.slope_per_hour(place, half), last[place]);
        // Short runs are still filling their caches and rings: only an hour can tell.
        let long = growth.samples.last().is_some_and(|(at, _)| *at >= 3_000);
        tally.faults.demand(!long || slope * 10.0 <= level as f64, || {
            format!("{} grows by {slope:.0} in an hour, from {level}", size.name())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_named_and_unknown_ones_refused_with_the_names() {
        assert_eq!(Load::parse(Some("race"), None, None, None), Ok(Load::whole(Scenario::Race)));
        let why = Load::parse(Some("rush"), None, None, None).unwrap_err();
        assert!(why.contains("no load `rush`") && why.contains("one-agent"), "{why}");
    }

    #[test]
    fn arrivals_are_as_many_as_asked_and_in_order() {
        let Arrivals::At(moments) = poisson(60, 33) else { panic!("no moments") };
        assert!(moments.len() == 33 && moments.is_sorted() && moments.iter().all(|ms| *ms < 60_000));
    }
}
