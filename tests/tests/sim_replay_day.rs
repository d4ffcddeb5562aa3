//! A virtual day, journaled and stored as the box does it, is replayed byte-identical over kills, stops, an input that is
//! set aside, tables that are rebuilt and a journal with a hole; one planted change of behaviour is reported at exactly
//! its input, with the ladder of its call. Nothing in the data directory changes by it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it cannot go on")]

use base::time::Now;
use pbx::Pbx;
use pbx::config::Language;
use pbx::door::{Boot, Input, Output, Rebuilt};
use pbxd::control::core::{Core, nobody, recover};
use pbxd::journal::follower::OutputHash;
use pbxd::journal::{self, Journal, Recovery};
use pbxd::seal::MasterKey;
use pbxd::store::main_db::MainDb;
use pbxd::store::{self, Request};
use signaling::sip::door::Input as SipIn;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tests::sim::plan::Plan;
use tests::sim::world::World;
use xtask::replay::report::Report;
use xtask::replay::walk::{Span, What};
use xtask::replay::{Options, replay};

const BUILD: &str = "the build of that day";
/// Rows in one transaction.
const COMMIT_ROWS: usize = 2_000;

/// A data directory of this test alone, gone at its end.
struct Data(PathBuf);

impl Data {
    fn new() -> Data {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cordboard-replay-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Data(path)
    }

    fn journal(&self) -> (Journal, Recovery) {
        let master = MasterKey::open_or_create(&self.0.join("chassis.key")).unwrap();
        let dir = self.0.join("journal");
        let options = journal::Options { dir, master, build: BUILD.into(), config: [0; 32], ring: Default::default() };
        Journal::open(options).unwrap()
    }

    fn store(&self) -> MainDb {
        MainDb::open(&store::Options::new(&self.0)).unwrap()
    }

    fn replay(&self, span: Span) -> Report {
        self.replay_as(BUILD, span)
    }

    fn replay_as(&self, build: &str, span: Span) -> Report {
        let options = Options { data: self.0.clone(), span, languages: None };
        replay(&options, build, Language::En).unwrap()
    }

    /// Names, lengths and hashes of all files.
    fn files(&self) -> BTreeMap<PathBuf, (usize, u64)> {
        fn add(dir: &Path, files: &mut BTreeMap<PathBuf, (usize, u64)>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    add(&path, files);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    let mut hasher = DefaultHasher::new();
                    bytes.hash(&mut hasher);
                    files.insert(path, (bytes.len(), hasher.finish()));
                }
            }
        }
        let mut files = BTreeMap::new();
        add(&self.0, &mut files);
        files
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The box as far as journal and store see it.
struct Live {
    core: Core,
    store: MainDb,
}

impl Live {
    /// Starts, or starts again and recovers.
    fn start(data: &Data) -> Live {
        let (journal, mut recovery) = data.journal();
        let rebuild = recovery.rebuild;
        let recovered = recover(&mut recovery, BUILD, nobody);
        recovery.progress.finished();
        let mut live = Live { core: Core::new(recovered.pbx, journal, rebuild, nobody), store: data.store() };
        live.keep(recovered.outputs);
        live
    }

    fn keep(&mut self, outputs: Vec<Output>) {
        keep(&mut self.store, outputs);
    }

    /// Gives inputs, those of one moment in one turn.
    fn give(&mut self, inputs: &[(Now, Input)]) {
        for turn in inputs.chunk_by(|(one, _), (other, _)| one == other) {
            let mut batch = turn.iter().map(|(_, input)| input.clone()).collect();
            let mut outputs = Vec::new();
            assert_eq!(self.core.turn(turn[0].0, &mut batch, &mut outputs), None);
            self.keep(outputs);
        }
    }

    /// `kill -9`: the store has committed all but the last moment, which recovery tells again.
    fn kill(mut self) {
        self.store.commit().unwrap();
    }

    fn stop(mut self) {
        self.store.commit().unwrap();
        self.core.finish().unwrap();
    }
}

fn keep(store: &mut MainDb, outputs: Vec<Output>) {
    for output in outputs {
        if let Output::Record(event) = output {
            store.queue(Request::Leg(event));
        }
    }
    if store.queued() >= COMMIT_ROWS {
        store.commit().unwrap();
    }
}

/// A day of a small call centre, with all that breaks in it.
fn day() -> Vec<(Now, Input)> {
    let calls = 1_200;
    let plan = Plan { calls, gap_us_mean: 86_400_000_000 / calls, journal: true, ..Plan::long(3, 24) };
    World::new(plan).run().journal.inputs
}

/// The first quiet moment from an input on: everything so far is stored, so that the state can be kept.
fn quiet(inputs: &[(Now, Input)], from: usize) -> usize {
    let second = core::time::Duration::from_secs(1);
    let is_quiet = |at: &usize| {
        let (before, after) = (&inputs[*at - 1], &inputs[*at]);
        matches!(before.1, Input::Stored(_)) && after.0.at.since(before.0.at) > second
    };
    (from..inputs.len()).find(is_quiet).unwrap()
}

fn short(seed: u64) -> Vec<(Now, Input)> {
    World::new(Plan { journal: true, ..Plan::short(seed) }).run().journal.inputs
}

#[test]
fn a_day_is_replayed_byte_identical_over_kills_and_stops() {
    let data = Data::new();
    let inputs = day();
    let length = inputs.len();
    assert!(length > 20_000, "only {length} inputs");
    let cuts = [0, length / 5, quiet(&inputs, length / 3), length / 2, quiet(&inputs, length * 3 / 4), length];
    let mut rows = 0;
    for (n, part) in cuts.windows(2).enumerate() {
        let mut live = Live::start(&data);
        live.give(&inputs[part[0]..part[1]]);
        rows = live.core.pbx().last_event();
        if n % 2 == 0 { live.kill() } else { live.stop() }
    }
    let before = data.files();
    let report = data.replay(Span::default());
    let text = report.text(Language::En);
    assert_eq!(report.difference, None, "{text}");
    let r = &report.replayed;
    assert_eq!((r.inputs, r.events, r.events_unknown, r.passed_over), (length as u64, rows, 0, 0), "{text}");
    assert!(r.digests < r.inputs && r.digests + 3 * 64 > r.inputs, "a kill takes the digests of one turn: {text}");
    assert!(r.states >= 1, "{text}");
    assert!(text.contains("byte-identical") && text.contains("the one that wrote the journal"), "{text}");
    assert!(report.text(Language::Zh).contains("逐字节一致"));

    // A part, from a kept state on; and the same by another build that behaves alike.
    let (from, to) = (inputs[length * 7 / 8].0.wall, inputs[length * 15 / 16].0.wall);
    let part = data.replay_as("another build", Span { from: Some(from), to: Some(to) });
    let text = part.text(Language::En);
    assert_eq!(part.difference, None, "{text}");
    let ((first, begin), (_, end)) = part.replayed.span.unwrap();
    assert!(first > 1 && begin.wall <= from && end.wall <= to, "{text}");
    assert!(part.replayed.inputs < r.inputs / 2 && text.contains("another build"), "{text}");
    assert_eq!(data.files(), before, "a replay changes nothing");
    println!("{}", report.text(Language::En));
}

/// Journals `inputs` while the box handles what `handled` makes of them: a box that behaves otherwise in one point.
fn lived_otherwise(data: &Data, inputs: &[(Now, Input)], handled: impl Fn(usize, &Input) -> Input) {
    let (mut journal, recovery) = data.journal();
    recovery.progress.finished();
    let (mut pbx, mut store, mut hash) = (Pbx::new(), data.store(), OutputHash::default());
    for (n, (now, input)) in inputs.iter().enumerate() {
        let seq = journal.append(*now, &[postcard::to_allocvec(input).unwrap()]).unwrap();
        let mut outputs = Vec::new();
        pbx.handle(*now, handled(n, input), &mut outputs);
        journal.put_outputs(seq, hash.of(&outputs));
        keep(&mut store, outputs);
    }
    store.commit().unwrap();
    journal.mark_clean_stop().unwrap();
}

/// The first input at which a box that handles `handled` says something else.
fn first_difference(inputs: &[(Now, Input)], handled: impl Fn(usize, &Input) -> Input) -> Option<usize> {
    let (mut one, mut other) = (Pbx::new(), Pbx::new());
    inputs.iter().enumerate().position(|(n, (now, input))| {
        let (mut says, mut says_otherwise) = (Vec::new(), Vec::new());
        one.handle(*now, input.clone(), &mut says);
        other.handle(*now, handled(n, input), &mut says_otherwise);
        says != says_otherwise
    })
}

#[test]
fn one_leaf_of_the_configuration_is_found_at_the_first_input_where_it_matters() {
    let data = Data::new();
    let inputs = short(11);
    let leaf = |_: usize, input: &Input| match input {
        Input::Configured(config, commit) => {
            let mut config = pbx::config::Config::clone(config);
            config.queues.values_mut().for_each(|queue| queue.wrap_up_s += 1);
            Input::Configured(Arc::new(config), *commit)
        }
        other => other.clone(),
    };
    lived_otherwise(&data, &inputs, leaf);
    let wanted = first_difference(&inputs, leaf).expect("the leaf matters");
    let report = data.replay_as("another build", Span::default());
    let difference = report.difference.as_ref().expect("a difference");
    assert_eq!(difference.seq, wanted as u64 + 1);
    assert_eq!(report.replayed.inputs, difference.seq);
    let text = report.text(Language::En);
    assert!(text.contains("written by another build") && text.contains("First difference"), "{text}");
}

#[test]
fn one_changed_input_is_reported_first_and_with_the_ladder_of_its_call() {
    let bye = |input: &Input| matches!(input, Input::Sip(SipIn::Datagram { bytes, .. }) if bytes.starts_with(b"BYE "));
    let mut found = 0;
    for seed in 20..26 {
        let inputs = short(seed);
        let byes: Vec<usize> = (0..inputs.len()).filter(|n| bye(&inputs[*n].1)).collect();
        let Some(at) = byes.get(byes.len() / 2).copied() else { continue };
        // A box that did not hear this message.
        let deaf = |n: usize, input: &Input| if n == at { Input::Stored(0) } else { input.clone() };
        if first_difference(&inputs, deaf) != Some(at) {
            continue;
        }
        let data = Data::new();
        lived_otherwise(&data, &inputs, deaf);
        let report = data.replay(Span::default());
        let difference = report.difference.as_ref().expect("a difference");
        let text = report.text(Language::En);
        assert_eq!((difference.seq, &difference.input), (at as u64 + 1, &Some(inputs[at].1.clone())), "{text}");
        assert!(matches!(difference.what, What::Outputs { digest: Some(_), .. }), "{text}");
        assert!(text.contains("BYE sip:"), "{text}");
        if let Some((call, events)) = difference.calls.first() {
            found += 1;
            assert!(!events.is_empty() && events.iter().all(|event| event.call == Some(*call)), "{text}");
            assert!(text.contains(&format!("Call {call} up to here")), "{text}");
            assert!(report.text(Language::Zh).contains("到此为止的呼叫"), "{text}");
        }
    }
    assert!(found >= 3, "ladders of {found} calls");
}

fn boot(now: Now, recovered: bool, events_from: u64) -> (Now, Input) {
    let boot = Boot { seed: [9; 32], build: BUILD.into(), recovered, machine_restarted: false, events_from };
    (now, Input::Boot(boot))
}

/// Dies `deaths` times while recovery handles the last input.
fn die_at_the_last_input(data: &Data, deaths: u32) {
    for _ in 0..deaths {
        let (journal, recovery) = data.journal();
        let last = recovery.tail.last().map(|record| record.seq);
        recovery.progress.entering(last.unwrap_or(1));
        drop((journal, recovery));
    }
}

#[test]
fn an_input_that_was_set_aside_is_set_aside_in_the_replay_too() {
    let data = Data::new();
    let inputs = short(31);
    let middle = inputs.len() / 2;
    let mut live = Live::start(&data);
    live.give(&inputs[..middle]);
    live.kill();
    die_at_the_last_input(&data, 1);
    let mut live = Live::start(&data);
    live.give(&[boot(inputs[middle].0, true, 1)]);
    live.give(&inputs[middle..]);
    live.stop();
    let report = data.replay(Span::default());
    let text = report.text(Language::En);
    assert_eq!(report.difference, None, "{text}");
    assert_eq!((report.replayed.unsettled, report.replayed.inputs), (1, inputs.len() as u64 + 1), "{text}");
    assert!(text.contains("set aside"), "{text}");
}

#[test]
fn tables_that_were_rebuilt_begin_anew_in_the_replay_too() {
    let data = Data::new();
    let inputs = short(32);
    let middle = inputs.len() / 2;
    let mut live = Live::start(&data);
    live.give(&inputs[..middle]);
    let events_from = live.core.pbx().last_event() + 1;
    live.kill();
    die_at_the_last_input(&data, 2);
    let mut live = Live::start(&data);
    let now = inputs[middle].0;
    let configured = inputs.iter().find(|(_, input)| matches!(input, Input::Configured(..))).unwrap().1.clone();
    live.give(&[boot(now, false, events_from), (now, configured), (now, Input::Rebuilt(Rebuilt::default()))]);
    live.give(&inputs[middle..]);
    live.stop();
    let report = data.replay(Span::default());
    let text = report.text(Language::En);
    assert_eq!(report.difference, None, "{text}");
    assert_eq!(
        (report.replayed.passed_over, report.replayed.inputs),
        (0, (inputs.len() - middle) as u64 + 3),
        "{text}"
    );
}

#[test]
fn behind_a_hole_in_the_journal_the_next_kept_state_goes_on() {
    let data = Data::new();
    let inputs = short(33);
    let length = inputs.len();
    let hole = length / 3..length / 3 + 20;
    let kept = length / 2;
    let (mut journal, recovery) = data.journal();
    recovery.progress.finished();
    let (mut pbx, mut store, mut hash) = (Pbx::new(), data.store(), OutputHash::default());
    for (n, (now, input)) in inputs.iter().enumerate() {
        let mut outputs = Vec::new();
        if n == hole.end {
            journal.after_gap();
        }
        let written = !hole.contains(&n);
        let seq = journal.next_seq();
        if written {
            journal.append(*now, &[postcard::to_allocvec(input).unwrap()]).unwrap();
        }
        pbx.handle(*now, input.clone(), &mut outputs);
        if written {
            journal.put_outputs(seq, hash.of(&outputs));
        }
        keep(&mut store, outputs);
        if n == kept {
            journal.snapshot(seq, postcard::to_allocvec(&pbx).unwrap());
        }
    }
    store.commit().unwrap();
    journal.mark_clean_stop().unwrap();
    let report = data.replay(Span::default());
    let text = report.text(Language::En);
    assert_eq!(report.difference, None, "{text}");
    assert_eq!(report.replayed.passed_over, (kept - hole.end + 1) as u64, "{text}");
    assert_eq!(report.replayed.inputs, (length - 20) as u64 - report.replayed.passed_over, "{text}");
}
