//! The simulation against the theory where the theory is exact, and against itself where it is not.

use super::basis::Basis;
use super::erlang::{Load, Outlook, Threshold, Variant, erlang_a, erlang_c};
use super::options::{self, Options};
use super::report::Report;
use super::runs::{self, Run, mean};
use super::site::{Scene, play_told};
use super::tally::Mean;
use base::time::Wall;
use pbx::commit::{CommitRow, CommitText, Label};
use pbx::config::{Language, Strategy};
use pbxd::store::{MainDb, Options as StoreOptions, Request};
use std::collections::BTreeMap;
use std::time::Duration;

/// Words apart by blanks; `_` stands for a blank inside a word.
fn options(line: &str) -> Options {
    let words = line.split_whitespace().map(|word| std::ffi::OsString::from(word.replace('_', " ")));
    options::parse(words, "data".into()).unwrap().unwrap()
}

fn played(line: &str) -> (Basis, Options, BTreeMap<u32, Vec<Run>>) {
    let options = options(line);
    let basis = Basis::of(&options, Language::En).unwrap();
    let runs = runs::all(&basis, &options).unwrap();
    (basis, options, runs)
}

fn within_three_errors(what: &str, found: Option<Mean>, expected: f64) {
    let Mean { mean, error } = found.unwrap();
    let error = error.unwrap();
    assert!(
        (mean - expected).abs() <= 3.0 * error,
        "{what}: {mean:.4}, expected {expected:.4}, standard error {error:.4}"
    );
    assert!(error < 0.1 * expected.max(0.1), "{what}: {error} of {expected} says nothing");
}

/// Exponential talk, no ring, no wrap-up, one queue: what the formulas are exact for.
fn compare(runs: &[Run], outlook: &Outlook) {
    let level = |v| outlook.ends.service_level(v).unwrap();
    within_three_errors("SL_c", mean(runs, |r| r.figures.ends.service_level(Variant::C)), level(Variant::C));
    within_three_errors("SL_e", mean(runs, |r| r.figures.ends.service_level(Variant::E)), level(Variant::E));
    within_three_errors("ASA", mean(runs, |r| Some(r.figures.asa_s)), outlook.asa_s);
    within_three_errors("occupancy", mean(runs, |r| Some(r.occupancy)), outlook.occupancy);
    within_three_errors("length", mean(runs, |r| Some(r.length)), outlook.length);
    if let Some(abandon_s) = outlook.abandon_s {
        let abandoned = mean(runs, |r| Some(r.figures.ends.abandoned / r.figures.ends.offered));
        within_three_errors("abandoned", abandoned, outlook.ends.abandoned);
        within_three_errors("abandon time", mean(runs, |r| Some(r.figures.abandon_s)), abandon_s);
    }
}

const PURE: &str = "--calls-per-hour 200 --aht 180 --wrap-up-s 0 --ring-s 0 --around 0 --seeds 12 --hours 12";

#[test]
fn the_real_router_is_erlang_c_where_erlang_c_is_exact() {
    let (.., runs) = played(&format!("{PURE} --agents 14 --patience-s never --hours 24"));
    let load = Load { calls_per_hour: 200.0, aht_s: 180.0, agents: 14 };
    compare(&runs[&14], &erlang_c(&load, &Threshold::default()).unwrap());
}

#[test]
fn the_real_router_is_erlang_a_where_erlang_a_is_exact() {
    let load = Load { calls_per_hour: 200.0, aht_s: 180.0, agents: 10 };
    let outlook = erlang_a(&load, 120.0, &Threshold::default()).unwrap();
    let (.., runs) = played(&format!("{PURE} --agents 10 --patience-s 120"));
    compare(&runs[&10], &outlook);
    // Which agent is chosen does not matter to a caller as long as all are alike.
    let (.., runs) = played(&format!("{PURE} --agents 10 --patience-s 120 --strategy fewest-calls"));
    compare(&runs[&10], &outlook);
}

#[test]
fn what_the_formulas_do_not_know_makes_a_difference() {
    let level = |line: &str| {
        let (_, _, runs) = played(line);
        mean(&runs[&12], |r| r.figures.ends.service_level(Variant::C)).unwrap().mean
    };
    let line = "--calls-per-hour 200 --aht 180 --agents 12 --around 0 --seeds 3 --hours 4";
    let (plain, ringing) = (level(&format!("{line} --ring-s 0")), level(&format!("{line} --ring-s 8")));
    assert!(ringing < plain - 0.02, "ringing for 8 s of 180 costs: {ringing} against {plain}");
    let longer = level(&format!("{line} --ring-s 0 --aht +10%"));
    assert!(longer < plain - 0.02, "longer calls cost: {longer} against {plain}");
}

#[test]
fn the_report_adds_up_and_names_what_is_broken_in_both_languages() {
    let (basis, options, runs) = played("--profile 09:00_60_09:30_120_10:00 --agents 4 --seeds 2 --around 1");
    assert_eq!((runs.len(), runs[&4].len()), (3, 2));
    let report = |language| {
        Report { basis: &basis, options: &options, runs: &runs, took: Duration::from_millis(5), language }.text()
    };
    let (en, zh) = (report(Language::En), report(Language::Zh));
    for words in ["Adds up", "the rate changes", "ringing takes", "wrap-up is always", "▶ 4", "Erlang A"] {
        assert!(en.contains(words), "{words} is missing in\n{en}");
    }
    assert!(zh.contains("相符") && zh.contains("到达率随时间变化"), "{zh}");
    assert_eq!(en.lines().count(), zh.lines().count());
    assert!(!en.contains('{') && !zh.contains('{'), "a gap was not filled");
}

#[test]
fn every_strategy_is_played() {
    for strategy in Strategy::ALL {
        let line = "--calls-per-hour 150 --hours 0.5 --agents 9 --around 0 --seeds 2 --strategy";
        let (_, _, runs) = played(&format!("{line} {}", strategy.word()));
        for run in &runs[&9] {
            assert!(run.figures.adds_up() && run.figures.ends.answered > 30.0, "{strategy:?}: {run:?}");
            assert_eq!(run.figures.others, 0.0, "{strategy:?}");
        }
    }
}

/// A directory of this test alone, gone at its end.
struct Dir(std::path::PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("cordboard-simulate-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Plays a day, keeps its journal as the box would, and gives it back as a record.
#[test]
fn a_recorded_day_is_read_as_it_was_and_played_again_alike() {
    let dir = Dir::new("day");
    let options = options("--calls-per-hour 150 --agents 8 --hours 6 --patience-s 60");
    let basis = Basis::of(&options, Language::En).unwrap();
    let (staffed, arrivals) = (basis.staffed(8).unwrap(), basis.arrivals(7));
    let mut db = MainDb::open(&StoreOptions::new(&dir.0)).unwrap();
    let (label, text) = (Label::default(), CommitText::New(pbx::config::print(&staffed.config).into()));
    db.queue(Request::Commit(CommitRow { number: 1, wall: Wall::from_millis(0), label, text, unconfirmed: None }));
    let scene =
        Scene { staffed: &staffed, arrivals: &arrivals, ring_us: 4_000_000, seed: 7, counted_us: 0..basis.length_us() };
    let mut rows = 0;
    let ledger = play_told(&scene, &mut |row| {
        db.queue(Request::Leg(row.clone()));
        rows += 1;
    })
    .unwrap();
    db.commit().unwrap();
    assert!(rows > 10_000, "{rows}");

    let mut again = options.clone();
    (again.data, again.source, again.patience_s) = (dir.0.clone(), options::Source::Recorded(None), None);
    again.seeds = Some(6);
    let read = Basis::of(&again, Language::En).unwrap();
    let recorded = read.recorded.as_ref().unwrap();
    assert_eq!(recorded.day, "2026-03-01");
    let (played, told) = (Run::of(&ledger, 0, &again), Run::of(&recorded.ledger, 0, &again));
    assert_eq!(told.figures, played.figures);
    assert!((told.occupancy - played.occupancy).abs() < 0.02, "{} {}", told.occupancy, played.occupancy);
    assert_eq!((read.agents, read.wrap_up_s), (8, 10.0));
    assert!((read.ring_s - 4.0).abs() < 0.2, "{}", read.ring_s);
    assert!((read.profile.calls() - arrivals.len() as f64).abs() < 0.5);
    let patience_s = read.patience_s.unwrap();
    assert!((45.0..75.0).contains(&patience_s), "{patience_s}");

    let runs = runs::all(&read, &again).unwrap();
    let level = |runs: &[Run]| mean(runs, |r| r.figures.ends.service_level(Variant::C)).unwrap().mean;
    let (then, now) = (level(std::slice::from_ref(&told)), level(&runs[&8]));
    assert!((then - now).abs() < 0.04, "{then} then, {now} when played again");
    assert!(level(&runs[&5]) < now && now < level(&runs[&11]));
    let report =
        Report { basis: &read, options: &again, runs: &runs, took: Duration::ZERO, language: Language::En }.text();
    assert!(report.contains("recorded") && report.contains("Kaplan-Meier") && report.contains("Adds up"), "{report}");
}
