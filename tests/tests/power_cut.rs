//! Power fails at a random write of the store or the recorder, twice for most seeds; then everything that was
//! acknowledged must be there, every recording must play and verify, and at most 1 s of audio may be missing.
//!
//! `CORDBOARD_SEEDS=50` runs fewer seeds, `CORDBOARD_SEED=17` one alone.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use base::id::Uid;
use base::limits::FRAME_SAMPLES;
use base::media::Side;
use base::time::{Instant, Wall};
use pbx::door::RecordingChange;
use pbx::event::{Detail, LegEvent};
use pbxd::recorder::{RecordFrame, RecorderError, Writer, export, index};
use pbxd::seal::MasterKey;
use pbxd::store::read::Reader;
use pbxd::store::{MainDb, Options, Request};
use tests::power_vfs::{Disk, PowerVfs, Random};

/// Frames of 20 ms between two commits.
const FRAMES_PER_COMMIT: u64 = 25;
/// The most that may be lost: 1 s.
const LOSS_FRAMES_MAX: u64 = 50;
/// 23:59:50 UTC of some day: recordings fall on two days.
const BEGAN_MS: i64 = 1_795_305_590_000;

/// One recording as it went in.
struct Spoken {
    call: Uid,
    /// Frame of the scenario at its beginning.
    began: u64,
    /// Frames pushed per side, with the scenario's frame at that time.
    frames: BTreeMap<(u64, Side), u64>,
    live: bool,
    close_asked: bool,
    close_acknowledged: bool,
}

/// What was done and what was promised.
struct Scenario {
    options: Options,
    master: MasterKey,
    random: Random,
    /// Frames since the beginning.
    clock: u64,
    next_event: u64,
    acknowledged_event: u64,
    recordings: BTreeMap<Uid, Spoken>,
}

/// The power failed.
struct Dark;

fn event(seq: u64) -> LegEvent {
    let detail = match seq % 4 {
        0 => Detail::Answered,
        1 => Detail::CallBegan { caller: format!("138{seq}"), called: "8000".into(), origin: "line 1/1".into() },
        2 => Detail::RecordingBegan { recording: Uid(u128::from(seq) << 90 | 5) },
        _ => Detail::Routed { to: "queue support".into(), why: "menu main, key 2: ".repeat(seq as usize % 9) },
    };
    LegEvent {
        seq,
        at: Instant::from_micros(seq * 1_000),
        wall: Wall::from_millis(BEGAN_MS + seq as i64),
        call: (!seq.is_multiple_of(5)).then(|| Uid(u128::from(seq / 7) << 80 | 1)),
        leg: seq.is_multiple_of(3).then_some(0),
        actor: "sip".into(),
        detail,
    }
}

/// What a side says in a frame; every frame differs.
fn voice(recording: Uid, side: Side, index: u64) -> [u8; FRAME_SAMPLES] {
    let mut alaw = [side as u8 + 1; FRAME_SAMPLES];
    alaw[..8].copy_from_slice(&index.to_le_bytes());
    alaw[8..16].copy_from_slice(&((recording.0 >> 64) as u64).to_le_bytes());
    alaw
}

impl Scenario {
    fn new(seed: u64, vfs: &PowerVfs, dir: std::path::PathBuf) -> Scenario {
        Scenario {
            options: Options { dir, vfs: Some(vfs.name().into()) },
            master: MasterKey::from_bytes([9; 32]),
            random: Random::new(seed ^ 0x5eed),
            clock: 0,
            next_event: 1,
            acknowledged_event: 0,
            recordings: BTreeMap::new(),
        }
    }

    /// The program from its start until the power fails or `commits` have passed.
    fn live(&mut self, commits: u64) -> Result<(), Dark> {
        for spoken in self.recordings.values_mut() {
            (spoken.live, spoken.close_asked) = (false, false);
        }
        let mut main = MainDb::open(&self.options).map_err(|_| Dark)?;
        for request in index::mend(&self.options).map_err(|_| Dark)? {
            main.queue(request);
        }
        self.commit_main(&mut main)?;
        let mut writer = Writer::new(&self.options, &self.master, main.run());
        // The core had outputs that the store may have missed: it gets them again.
        for seq in self.acknowledged_event.saturating_sub(3).max(1)..self.next_event {
            main.queue(Request::Leg(event(seq)));
        }
        for _ in 0..commits {
            self.queue_facts(&mut main, &mut writer);
            for _ in 0..FRAMES_PER_COMMIT {
                self.speak(&mut writer);
            }
            self.commit(&mut main, &mut writer)?;
        }
        Ok(())
    }

    fn queue_facts(&mut self, main: &mut MainDb, writer: &mut Writer) {
        for _ in 0..self.random.below(6) {
            main.queue(Request::Leg(event(self.next_event)));
            self.next_event += 1;
        }
        if self.recordings.values().filter(|spoken| spoken.live).count() < 4 && self.random.one_in(2) {
            let wall = Wall::from_millis(BEGAN_MS + self.clock as i64 * 20);
            let recording = Uid::new(wall, u128::from(self.random.bits()));
            let call = Uid::new(wall, u128::from(self.random.bits()));
            main.queue(Request::Recording(RecordingChange::Open { recording, call, began: wall }));
            let (began, frames) = (self.clock, BTreeMap::new());
            let spoken = Spoken { call, began, frames, live: true, close_asked: false, close_acknowledged: false };
            self.recordings.insert(recording, spoken);
        }
        for (recording, spoken) in self.recordings.iter_mut().filter(|(_, spoken)| spoken.live) {
            if self.random.one_in(8) {
                (spoken.live, spoken.close_asked) = (false, true);
                let samples = (self.clock - spoken.began) * FRAME_SAMPLES as u64;
                main.queue(Request::Recording(RecordingChange::Close { recording: *recording, samples }));
                writer.close(*recording);
            }
        }
    }

    fn speak(&mut self, writer: &mut Writer) {
        for (recording, spoken) in self.recordings.iter_mut().filter(|(_, spoken)| spoken.live) {
            for side in [Side::Caller, Side::Agent] {
                // The agent's audio comes two frames late; now and then a packet is missing.
                let Some(index) = (self.clock - spoken.began).checked_sub(2 * side as u64) else { continue };
                if !self.random.one_in(50) {
                    let alaw = voice(*recording, side, index);
                    assert!(writer.push(RecordFrame { recording: *recording, side, index, alaw }));
                    spoken.frames.insert((index, side), self.clock);
                }
            }
        }
        self.clock += 1;
    }

    /// As the two threads do it, in either order.
    fn commit(&mut self, main: &mut MainDb, writer: &mut Writer) -> Result<(), Dark> {
        let recorder_first = self.random.one_in(2);
        if !recorder_first {
            self.commit_main(main)?;
        }
        writer.seal().map_err(|_| Dark)?;
        if !writer.keys().is_empty() {
            for key in writer.keys() {
                main.queue(Request::Key(key.clone()));
            }
            self.commit_main(main)?;
            writer.keys_stored();
        }
        for head in writer.commit().map_err(|_| Dark)? {
            main.queue(Request::Head(head));
        }
        if recorder_first {
            self.commit_main(main)?;
        }
        Ok(())
    }

    fn commit_main(&mut self, main: &mut MainDb) -> Result<(), Dark> {
        if let Some(seq) = main.commit().map_err(|_| Dark)?.leg_event {
            self.acknowledged_event = self.acknowledged_event.max(seq);
        }
        for spoken in self.recordings.values_mut() {
            spoken.close_acknowledged |= spoken.close_asked;
        }
        Ok(())
    }

    /// After a power cut: what had to survive is there, and only what did is expected from now on.
    fn power_failed(&mut self) {
        let clock = self.clock;
        for (recording, spoken) in &mut self.recordings {
            let (recording, master, options) = (*recording, &self.master, &self.options);
            let found = present(options, master, recording);
            for ((index, side), said_at) in std::mem::take(&mut spoken.frames) {
                let there = found.contains(&(index, side));
                assert!(
                    there || said_at + LOSS_FRAMES_MAX >= clock,
                    "{recording}: frame {index} of {side:?} said at {said_at} is lost, the power failed at {clock}"
                );
                if there {
                    spoken.frames.insert((index, side), said_at);
                }
            }
        }
    }

    fn check_all(&self) {
        let reader = Reader::open(&self.options).expect("main.db opens");
        let intact: String =
            reader.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("check runs");
        assert_eq!(intact, "ok");
        for seq in 1..=self.acknowledged_event {
            let found = reader.events_between(seq, seq + 1).expect("events read");
            assert_eq!(found, [event(seq)], "acknowledged leg event {seq}");
        }
        for (recording, spoken) in &self.recordings {
            if spoken.frames.is_empty() {
                continue;
            }
            let row = reader.recording(*recording).expect("index reads").expect("recording is in the index");
            let audio = export::load(&self.options, &self.master, *recording).expect("recording plays");
            assert_eq!(audio.chain, export::Chain::Whole, "{recording}");
            assert!(
                !spoken.close_acknowledged || (row.closed && row.call == Some(spoken.call)),
                "{recording}: {row:?}"
            );
            for (index, side) in spoken.frames.keys() {
                let at = *index as usize * FRAME_SAMPLES;
                let found = &audio.alaw[*side as usize][at..at + FRAME_SAMPLES];
                assert_eq!(found, voice(*recording, *side, *index), "{recording} frame {index} {side:?}");
            }
        }
    }
}

/// Frames of a recording that can be played.
fn present(options: &Options, master: &MasterKey, recording: Uid) -> BTreeSet<(u64, Side)> {
    let audio = match export::load(options, master, recording) {
        Ok(audio) => audio,
        Err(RecorderError::Unknown(_)) => return BTreeSet::new(),
        Err(error) => panic!("{recording}: {error}"),
    };
    let mut found = BTreeSet::new();
    for side in [Side::Caller, Side::Agent] {
        let there = audio.present[side as usize].iter().enumerate().filter(|(_, there)| **there);
        found.extend(there.map(|(index, _)| (index as u64, side)));
    }
    found
}

/// Returns whether the power failed while something was written.
fn run(seed: u64, vfs: &PowerVfs) -> bool {
    let dir = std::env::temp_dir().join(format!("cordboard-power-{}-{}", std::process::id(), vfs.name()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("scratch directory");
    vfs.insert(Disk::new(seed));
    let mut scenario = Scenario::new(seed, vfs, dir.clone());
    let mut cut_in_work = false;
    for _ in 0..2 {
        let operations = scenario.random.below(500);
        vfs.with(|disk| disk.cut_after(operations));
        let commits = 1 + scenario.random.below(24);
        cut_in_work |= scenario.live(commits).is_err();
        vfs.with(Disk::cut);
        vfs.power_up();
        // Often the power fails again while the program mends what the first failure left.
        for _ in 0..scenario.random.below(3) {
            let operations = scenario.random.below(40);
            vfs.with(|disk| disk.cut_after(operations));
            let _ = scenario.live(0);
            vfs.with(Disk::cut);
            vfs.power_up();
        }
        assert!(scenario.live(0).is_ok(), "the store opens");
        scenario.power_failed();
    }
    scenario.check_all();
    let _ = std::fs::remove_dir_all(&dir);
    cut_in_work
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let seeds = match number("CORDBOARD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CORDBOARD_SEEDS").unwrap_or(1_000),
    };
    let vfs = PowerVfs::register();
    let mut cuts = 0;
    for seed in seeds.clone() {
        match catch_unwind(AssertUnwindSafe(|| run(seed, &vfs))) {
            Ok(cut) => cuts += usize::from(cut),
            Err(_) => panic!("again: CORDBOARD_SEED={seed} cargo test --release -p tests --test power_cut"),
        }
    }
    println!("{} seeds, {cuts} with a cut in the middle of work", seeds.end - seeds.start);
    assert!(seeds.end - seeds.start < 50 || cuts as u64 * 2 > seeds.end - seeds.start, "{cuts} cuts");
}
