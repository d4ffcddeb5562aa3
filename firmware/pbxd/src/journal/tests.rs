//! The journal against torn tails, damage, suspects and the ring.

use super::*;
use base::time::Wall;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::time::Instant as Clock;

/// A directory of this test alone, gone at its end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cordboard-journal-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        Dir(path)
    }

    fn options(&self) -> Options {
        let ring = Ring { bytes_max: u64::MAX, age_max: Duration::MAX };
        let master = MasterKey::from_bytes([5; 32]);
        Options { dir: self.0.clone(), master, build: "test".into(), config: [0; 32], ring }
    }

    fn open(&self) -> (Journal, Recovery) {
        Journal::open(self.options()).unwrap()
    }

    /// The file written last.
    fn newest_segment(&self) -> PathBuf {
        let (segments, _) = segment::list(&self.0).unwrap();
        self.0.join(segments.last().unwrap().file_name())
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn now(seq: u64) -> Now {
    Now { at: Instant::from_micros(seq * 1_000), wall: Wall::from_millis(seq as i64) }
}

fn payload(seq: u64) -> Vec<u8> {
    format!("input {seq}").repeat(1 + seq as usize % 7).into_bytes()
}

fn append(journal: &mut Journal, count: u64) {
    for _ in 0..count {
        let seq = journal.next_seq();
        assert_eq!(journal.append(now(seq), &[payload(seq)]).unwrap(), seq);
    }
}

/// What `kill -9` does: nothing runs any more, what was written is there.
fn kill(journal: Journal) {
    drop(journal);
}

fn seqs(recovery: &Recovery) -> Vec<u64> {
    recovery.tail.iter().map(|record| record.seq).collect()
}

fn wait_for_snapshot(journal: &Journal, seq: u64) {
    let began = Clock::now();
    while journal.durable_snapshot() < seq {
        assert!(began.elapsed() < Duration::from_secs(20), "no snapshot; {:?}", journal.take_trouble());
        std::thread::yield_now();
    }
}

#[test]
fn inputs_come_back_in_order_after_a_kill() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    assert!(!recovery.unclean && recovery.tail.is_empty() && !recovery.rebuild);
    recovery.progress.finished();
    append(&mut journal, 3);
    journal.append(now(4), &[payload(4), payload(5)]).unwrap();
    kill(journal);

    let (journal, recovery) = dir.open();
    assert!(recovery.unclean);
    assert_eq!(seqs(&recovery), [1, 2, 3, 4, 5]);
    assert!(recovery.tail.iter().all(|record| record.payload == payload(record.seq) && !record.set_aside));
    assert_eq!((recovery.tail[4].now, journal.next_seq()), (now(4), 6));
}

#[test]
fn a_clean_stop_is_known() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    append(&mut journal, 2);
    journal.mark_clean_stop().unwrap();
    let (_, recovery) = dir.open();
    assert!(!recovery.unclean);
    assert_eq!(seqs(&recovery), [1, 2]);
}

#[test]
fn a_tail_torn_anywhere_gives_a_prefix_and_the_journal_goes_on() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    append(&mut journal, 20);
    kill(journal);
    let path = dir.newest_segment();
    let whole = std::fs::read(&path).unwrap();
    let mut seen = Vec::new();
    for cut in (0..=whole.len()).rev().step_by(7) {
        std::fs::remove_dir_all(&dir.0).unwrap();
        std::fs::create_dir_all(&dir.0).unwrap();
        std::fs::write(&path, &whole[..cut]).unwrap();
        let (mut journal, recovery) = dir.open();
        let found = recovery.tail.len() as u64;
        assert_eq!(seqs(&recovery), (1..=found).collect::<Vec<_>>(), "cut at {cut}");
        recovery.progress.finished();
        if seen.last() != Some(&found) {
            seen.push(found);
            append(&mut journal, 2);
            kill(journal);
            let (_, recovery) = dir.open();
            assert_eq!(seqs(&recovery), (1..=found + 2).collect::<Vec<_>>(), "after a cut at {cut}");
            assert!(recovery.notes.is_empty(), "cut off once: {:?}", recovery.notes);
        }
    }
    assert_eq!(seen, (0..=20).rev().collect::<Vec<_>>());
}

#[test]
fn damage_anywhere_gives_a_prefix() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    append(&mut journal, 20);
    kill(journal);
    let path = dir.newest_segment();
    let whole = std::fs::read(&path).unwrap();
    let mut random = 1u64;
    for round in 0..300 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = whole.clone();
        let at = (random >> 33) as usize % bytes.len();
        bytes[at] ^= 1 << (random >> 20 & 7);
        std::fs::remove_dir_all(&dir.0).unwrap();
        std::fs::create_dir_all(&dir.0).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let (_, recovery) = dir.open();
        let found = recovery.tail.len() as u64;
        assert_eq!(seqs(&recovery), (1..=found).collect::<Vec<_>>(), "round {round}");
        assert!(found < 20 && recovery.tail.iter().all(|r| r.payload == payload(r.seq)), "round {round}");
    }
}

#[test]
fn recovery_begins_at_the_newest_whole_snapshot() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    append(&mut journal, 10);
    journal.snapshot(4, b"state 4".to_vec());
    wait_for_snapshot(&journal, 4);
    journal.snapshot(8, b"state 8".to_vec());
    wait_for_snapshot(&journal, 8);
    kill(journal);

    let (journal, recovery) = dir.open();
    assert_eq!(recovery.snapshot.as_ref().unwrap().bytes, b"state 8");
    assert_eq!(seqs(&recovery), [9, 10]);
    kill(journal);
    let path = dir.0.join(segment::snapshot_name(8));
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (_, recovery) = dir.open();
    assert_eq!(recovery.snapshot.as_ref().unwrap().bytes, b"state 4");
    assert_eq!(seqs(&recovery), [5, 6, 7, 8, 9, 10]);
}

/// Replays until `dies_at`; true when recovery came through.
fn replay(recovery: Recovery, dies_at: impl Fn(&Record) -> bool) -> bool {
    for record in &recovery.tail {
        recovery.progress.entering(record.seq);
        if dies_at(record) {
            return false;
        }
    }
    recovery.progress.finished();
    true
}

#[test]
fn an_input_that_kills_twice_is_set_aside_for_ever() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    assert!(replay(recovery, |_| false));
    append(&mut journal, 7);
    kill(journal);
    let kills = |record: &Record| record.seq == 7 && !record.set_aside;

    let (journal, recovery) = dir.open();
    assert_eq!(recovery.newly_set_aside, None);
    assert!(!replay(recovery, kills));
    kill(journal);

    let (mut journal, recovery) = dir.open();
    assert_eq!(recovery.newly_set_aside, Some(7));
    assert!(replay(recovery, kills));
    append(&mut journal, 3);
    kill(journal);

    let (_, recovery) = dir.open();
    assert_eq!(recovery.newly_set_aside, None);
    let aside: Vec<u64> = recovery.tail.iter().filter(|r| r.set_aside).map(|r| r.seq).collect();
    assert_eq!((aside, recovery.tail.len()), (vec![7], 10));
    assert!(replay(recovery, kills));
}

#[test]
fn innocent_inputs_survive_kills_at_different_places() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    assert!(replay(recovery, |_| false));
    append(&mut journal, 9);
    kill(journal);
    for at in [3, 6, 2, 8] {
        let (journal, recovery) = dir.open();
        assert_eq!((recovery.newly_set_aside, recovery.rebuild), (None, false));
        assert!(!replay(recovery, |record| record.seq == at));
        kill(journal);
    }
    let (mut journal, recovery) = dir.open();
    assert!(replay(recovery, |_| false));
    append(&mut journal, 1);
    kill(journal);
    let (_, recovery) = dir.open();
    assert_eq!((recovery.newly_set_aside, recovery.tail.len()), (None, 10));
}

#[test]
fn a_third_death_begins_anew_and_the_old_state_never_returns() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    assert!(replay(recovery, |_| false));
    append(&mut journal, 4);
    journal.snapshot(2, b"poisoned".to_vec());
    wait_for_snapshot(&journal, 2);
    kill(journal);
    for _ in 0..2 {
        let (journal, recovery) = dir.open();
        assert!(!recovery.rebuild);
        assert!(!replay(recovery, |record| record.seq == 4));
        kill(journal);
    }
    let (mut journal, recovery) = dir.open();
    assert!(recovery.rebuild && recovery.snapshot.is_none() && recovery.tail.is_empty());
    recovery.progress.finished();
    let first = journal.next_seq();
    assert!(first > 4);
    append(&mut journal, 3);
    kill(journal);
    let (_, recovery) = dir.open();
    assert!(!recovery.rebuild && recovery.snapshot.is_none());
    assert_eq!(seqs(&recovery), (first..first + 3).collect::<Vec<_>>());
}

#[test]
fn the_ring_keeps_what_recovery_needs_and_nothing_older() {
    let dir = Dir::new();
    let mut options = dir.options();
    options.ring.bytes_max = 0;
    let (mut journal, recovery) = Journal::open(options.clone()).unwrap();
    recovery.progress.finished();
    for round in 1..=4u64 {
        append(&mut journal, 10);
        journal.rotate().unwrap();
        journal.snapshot(round * 10 - 3, b"state".to_vec());
        wait_for_snapshot(&journal, round * 10 - 3);
    }
    append(&mut journal, 1);
    kill(journal);
    let (segments, snapshots) = segment::list(&dir.0).unwrap();
    assert_eq!(snapshots, [27, 37]);
    assert!(segments[0].first_seq > 20, "{segments:?}");
    let (_, recovery) = Journal::open(options).unwrap();
    assert_eq!(seqs(&recovery), [38, 39, 40, 41]);
}

#[test]
fn the_whole_ring_can_be_read_for_replay() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    append(&mut journal, 5);
    journal.snapshot(3, b"state".to_vec());
    wait_for_snapshot(&journal, 3);
    journal.rotate().unwrap();
    append(&mut journal, 5);
    kill(journal);
    let history = history(&dir.0, &dir.options().master).unwrap();
    assert_eq!((history.records.len(), history.snapshot, history.builds), (10, None, vec!["test".to_string()]));
}

/// What the first look over the ring and a walk through it give: number, digest and gap of each input.
fn past(dir: &Dir) -> Vec<(u64, Option<u32>, bool)> {
    let past = past::Past::open(&dir.0, dir.options().master).unwrap();
    past.steps(0).map(|step| step.map(|step| (step.record.seq, step.digest, step.gap)).unwrap()).collect()
}

#[test]
fn digests_of_outputs_and_gaps_come_back_and_a_kill_takes_one_turn() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    journal.append(now(1), &[payload(1), payload(2)]).unwrap();
    journal.put_outputs(1, 11);
    journal.put_outputs(2, 22);
    journal.rotate().unwrap();
    append(&mut journal, 1);
    journal.put_outputs(3, 33);
    kill(journal);
    assert_eq!(past(&dir), [(1, Some(11), false), (2, Some(22), false), (3, None, false)]);
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    journal.after_gap();
    append(&mut journal, 2);
    journal.put_outputs(5, 55);
    journal.mark_clean_stop().unwrap();
    assert_eq!(past(&dir)[2..], [(3, None, false), (4, None, true), (5, Some(55), false)]);
    let (_, recovery) = dir.open();
    assert!(!recovery.unclean);
    assert_eq!(seqs(&recovery), [1, 2, 3, 4, 5]);
}

#[test]
fn a_segment_of_the_former_form_is_read_and_one_of_a_newer_form_is_left_alone() {
    let dir = Dir::new();
    std::fs::create_dir_all(&dir.0).unwrap();
    let master = dir.options().master;
    let (mut sealer, key) = Sealer::fresh(&master, &segment::segment_context(1)).unwrap();
    let header =
        SegmentHeader { build: "former".into(), config: [0; 32], first_seq: 1, snapshot: 0, key: key.0.to_vec() };
    let mut file = segment::file_header(b"CORDJRN1", &header).unwrap();
    let text = payload(1);
    let mut body = [&[0][..], &1_u64.to_le_bytes(), &7_u64.to_le_bytes(), &8_i64.to_le_bytes()].concat();
    body.extend((text.len() as u32).to_le_bytes().iter().chain(&text));
    segment::put_frame(&mut file, &mut sealer, &mut body).unwrap();
    let path = dir.0.join(SegmentName { number: 1, first_seq: 1 }.file_name());
    std::fs::write(&path, &file).unwrap();
    assert_eq!(past(&dir), [(1, None, false)]);
    let (journal, recovery) = dir.open();
    assert_eq!((seqs(&recovery), &recovery.tail[0].payload), (vec![1], &text));
    kill(journal);
    file[7] = b'9';
    std::fs::write(&path, &file).unwrap();
    let error = Journal::open(dir.options()).map(|_| ()).unwrap_err();
    assert!(matches!(error, JournalError::OtherForm { .. }) && error.to_string().contains("newer build"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), file);
}

#[test]
fn another_chassis_key_is_said_so() {
    let dir = Dir::new();
    let (mut journal, _) = dir.open();
    append(&mut journal, 1);
    kill(journal);
    let options = Options { master: MasterKey::from_bytes([6; 32]), ..dir.options() };
    assert!(matches!(Journal::open(options), Err(JournalError::WrongKey { .. })));
}

#[test]
fn segments_lost_before_any_snapshot_begin_anew() {
    let dir = Dir::new();
    let (mut journal, recovery) = dir.open();
    recovery.progress.finished();
    append(&mut journal, 5);
    let first = dir.newest_segment();
    journal.rotate().unwrap();
    append(&mut journal, 5);
    kill(journal);
    std::fs::remove_file(first).unwrap();
    let (journal, recovery) = dir.open();
    assert!(recovery.rebuild && recovery.tail.is_empty() && !recovery.notes.is_empty());
    assert!(journal.next_seq() > 5);
}

mod following {
    use super::*;
    use crate::journal::follower::{Follower, FollowerReport, OutputHash, Pace};
    use crate::journal::lookout::Lookout;
    use pbx::Pbx;
    use pbx::door::{Input, Output, Rebuilt, Trouble, TroubleKind};
    use std::sync::mpsc::channel;

    /// A core that was given `count` inputs, each journaled and followed. `wrong_at` gets a wrong hash.
    fn work(journal: &mut Journal, follower: &mut Follower, count: u64, wrong_at: u64) -> Pbx {
        let (mut pbx, mut hash, mut out) = (Pbx::new(), OutputHash::default(), Vec::<Output>::new());
        for seq in 1..=count {
            let kind = TroubleKind::StoreWrite;
            let input = Input::Trouble(Trouble { kind, raised: seq % 2 == 1, detail: format!("disk {seq}") });
            let bytes = postcard::to_allocvec(&input).unwrap();
            assert_eq!(journal.append(now(seq), std::slice::from_ref(&bytes)).unwrap(), seq);
            out.clear();
            pbx.handle(now(seq), input, &mut out);
            let outputs = hash.of(&out) ^ u32::from(seq == wrong_at);
            let _ = follower.step(seq, now(seq), bytes, outputs);
        }
        pbx
    }

    #[test]
    fn its_snapshot_is_the_state_of_the_core() {
        let dir = Dir::new();
        let (mut journal, recovery) = dir.open();
        recovery.progress.finished();
        let pace = Pace { inputs: 1_000, every: Duration::from_secs(3_600) };
        let mut follower = Follower::start(Pbx::new(), 0, pace, journal.snapshot_sink(), |report| {
            panic!("{report:?}");
        })
        .unwrap();
        let lookout = Lookout::default();
        follower.show(&lookout);
        let pbx = work(&mut journal, &mut follower, 25, 0);
        let seen = lookout.look(Duration::from_secs(10), |pbx| pbx.last_input());
        assert_eq!(seen, Some(now(25)), "a question is answered after what was given before it");
        follower.finish();
        assert_eq!(lookout.look(Duration::ZERO, Pbx::calls_live), None, "and does not keep it alive");
        wait_for_snapshot(&journal, 25);
        kill(journal);
        let (_, recovery) = dir.open();
        let snapshot = recovery.snapshot.unwrap();
        assert_eq!((snapshot.seq, recovery.tail.len()), (25, 0));
        assert_eq!(snapshot.bytes, postcard::to_allocvec(&pbx).unwrap());
    }

    /// One more input, journaled and followed.
    fn step(journal: &mut Journal, follower: &mut Follower, pbx: &mut Pbx, input: Input) -> Vec<Output> {
        let (mut hash, mut out, seq) = (OutputHash::default(), Vec::new(), journal.next_seq());
        let bytes = postcard::to_allocvec(&input).unwrap();
        journal.append(now(seq), std::slice::from_ref(&bytes)).unwrap();
        pbx.handle(now(seq), input, &mut out);
        follower.step(seq, now(seq), bytes, hash.of(&out)).unwrap();
        out
    }

    #[test]
    fn a_snapshot_waits_until_its_leg_events_are_stored() {
        let dir = Dir::new();
        let (mut journal, recovery) = dir.open();
        recovery.progress.finished();
        let pace = Pace { inputs: 1, every: Duration::from_secs(3_600) };
        let sink = journal.snapshot_sink();
        let mut follower = Follower::start(Pbx::new(), 0, pace, sink, |report| panic!("{report:?}")).unwrap();
        let mut pbx = Pbx::new();
        // A call that the old state left open gets its last row: the first event.
        let rebuilt = Rebuilt { calls_open: vec![base::id::Uid(1)], ..Rebuilt::default() };
        let out = step(&mut journal, &mut follower, &mut pbx, Input::Rebuilt(rebuilt));
        assert!(matches!(&out[..], [Output::Record(event)] if event.seq == 1), "{out:?}");
        let event = pbx.last_event();
        step(&mut journal, &mut follower, &mut pbx, Input::Stored(event - 1));
        while follower.done_seq() < 2 {
            std::thread::yield_now();
        }
        assert_eq!(journal.durable_snapshot(), 0);
        step(&mut journal, &mut follower, &mut pbx, Input::Stored(event));
        follower.finish();
        // The first that was safe: the state after input 1, whose event is stored now.
        wait_for_snapshot(&journal, 1);
    }

    #[test]
    fn other_outputs_are_told_and_end_it() {
        let dir = Dir::new();
        let (mut journal, recovery) = dir.open();
        recovery.progress.finished();
        let (reports, inbox) = channel();
        let mut follower = Follower::start(Pbx::new(), 0, Pace::default(), journal.snapshot_sink(), move |report| {
            let _ = reports.send(report);
        })
        .unwrap();
        work(&mut journal, &mut follower, 9, 7);
        assert!(matches!(inbox.recv(), Ok(FollowerReport::Diverged { seq: 7, .. })));
        assert_eq!(inbox.recv().ok(), None);
        assert_eq!((follower.done_seq(), journal.durable_snapshot()), (6, 0));
        follower.finish();
    }
}
