//! The core with its journal: what a crash leaves is what comes back.

use super::core::{Core, nobody, recover};
use crate::journal::{Journal, Options};
use crate::seal::MasterKey;
use base::time::{Instant, Now, Wall};
use pbx::config::parse;
use pbx::door::{Boot, Input, Output};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SITE: &str = "sip { listen 127.0.0.1:15499; }\n\
    extension 2001 { name A; secret \"lamp-otter-11\"; }\n\
    agent 1001 { name A; extension 2001; logged-in yes; }\n\
    queue support { agents [ 1001 ]; }\n\
    card 1 { port 1 { label one; did 400; } }\n\
    did 400 { to queue support; }\n";

struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("pbxd-core-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("own directory");
        Dir(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(dir: &Path) -> (Journal, crate::journal::Recovery) {
    let master = MasterKey::from_bytes([7; 32]);
    let options = Options { dir: dir.into(), master, build: "b".into(), config: [0; 32], ring: Default::default() };
    Journal::open(options).expect("journal")
}

/// The first start on an empty directory.
fn start(dir: &Path) -> Core {
    let (journal, mut recovery) = open(dir);
    assert!(recover(&mut recovery, "b", nobody).last.is_none());
    recovery.progress.finished();
    Core::new(pbx::Pbx::new(), journal, false, nobody)
}

fn at(ms: u64) -> Now {
    Now { at: Instant::from_micros(ms * 1_000), wall: Wall::from_millis(ms as i64) }
}

fn begin() -> Vec<Input> {
    let config = parse(SITE).expect("site");
    let boot = Boot { seed: [3; 32], build: "b".into(), recovered: false, machine_restarted: false, events_from: 1 };
    vec![Input::Boot(boot), Input::Configured(Arc::new(config), 1)]
}

fn records(outputs: &[Output]) -> Vec<Output> {
    outputs.iter().filter(|o| matches!(o, Output::Record(_) | Output::Recording(_))).cloned().collect()
}

#[test]
fn after_a_kill_the_state_is_the_same_and_the_store_is_told_again() {
    let dir = Dir::new("kill");
    let mut core = start(&dir.0);
    let mut out = Vec::new();
    assert_eq!(core.turn(at(1_000), &mut begin(), &mut out), None);
    let lines = [base::line::LineEvent::Attached { off_hook: false, battery: true }, base::line::LineEvent::RingBegan];
    let port = base::line::PortId { card: 1, port: 1 };
    core.turn(at(2_000), &mut lines.map(|event| Input::Line(port, event)).to_vec(), &mut out);
    let state = postcard::to_allocvec(core.pbx()).expect("state");
    assert_eq!(core.pbx().calls_live(), 1, "the line's call waits in the queue");
    drop(core);
    let (_, mut recovery) = open(&dir.0);
    assert!(recovery.unclean);
    let recovered = recover(&mut recovery, "b", nobody);
    assert_eq!(postcard::to_allocvec(&recovered.pbx).expect("state"), state);
    assert_eq!(recovered.outputs, records(&out));
    assert_eq!(recovered.last, Some(at(2_000)));
}

#[test]
fn a_clean_stop_leaves_nothing_to_replay() {
    let dir = Dir::new("stop");
    let mut core = start(&dir.0);
    let mut out = Vec::new();
    core.turn(at(1_000), &mut begin(), &mut out);
    let stored = Input::Stored(core.pbx().last_event());
    assert_eq!(core.turn(at(1_001), &mut vec![Input::Stop { end_calls: false }, stored], &mut out), None);
    assert!(out.contains(&Output::MayStop));
    core.finish().expect("finished");
    let (_, mut recovery) = open(&dir.0);
    assert!(!recovery.unclean && recovery.tail.is_empty());
    assert_eq!(recover(&mut recovery, "b", nobody).last, Some(at(1_001)));
}

#[test]
fn an_input_that_killed_twice_is_told_and_not_handled() {
    let dir = Dir::new("aside");
    let mut core = start(&dir.0);
    core.turn(at(1_000), &mut begin(), &mut Vec::new());
    core.turn(at(2_000), &mut vec![Input::Timer], &mut Vec::new());
    drop(core);
    // Recovery enters the last input and dies there.
    let (journal, recovery) = open(&dir.0);
    let last = recovery.tail.last().expect("inputs").seq;
    recovery.progress.entering(last);
    drop((journal, recovery));
    let (_, mut recovery) = open(&dir.0);
    assert_eq!(recovery.newly_set_aside, Some(last));
    let recovered = recover(&mut recovery, "b", |input| {
        assert!(!matches!(input, Input::Timer), "only inside `SetAside`");
    });
    assert_eq!(recovered.lost, None);
}

#[test]
fn records_of_another_form_lose_the_calls_and_nothing_else() {
    let dir = Dir::new("form");
    let mut core = start(&dir.0);
    core.turn(at(1_000), &mut begin(), &mut Vec::new());
    drop(core);
    let (mut journal, recovery) = open(&dir.0);
    recovery.progress.finished();
    journal.append(at(2_000), &[b"\xff\xff nonsense"]).expect("appended");
    drop(journal);
    let (journal, mut recovery) = open(&dir.0);
    let recovered = recover(&mut recovery, "b", nobody);
    assert_eq!((recovered.lost, recovered.last), (Some("input 3 was written in another form".into()), None));
    recovery.progress.finished();
    let mut core = Core::new(recovered.pbx, journal, true, nobody);
    assert_eq!(core.turn(at(3_000), &mut begin(), &mut Vec::new()), None, "nothing is wrong with the disk");
    core.finish().expect("finished");
    let (_, mut recovery) = open(&dir.0);
    let recovered = recover(&mut recovery, "another build", nobody);
    assert_eq!((recovered.lost, recovered.last), (None, Some(at(3_000))));
}
