//! What writing costs: one journal append, one commit of 0.5 s with 100 recordings and with 200 leg events, and how
//! many bytes reach the disk for one byte of audio. Prints; asserts nothing. `CORDBOARD_BENCH_DIR` names a directory on
//! the disk of interest.

#![allow(clippy::expect_used, reason = "a bench that cannot run says so by ending")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use base::id::Uid;
use base::limits::FRAME_SAMPLES;
use base::media::Side;
use base::time::{Now, Wall};
use pbx::event::{Detail, LegEvent};
use pbxd::journal::{self, Journal, Ring};
use pbxd::recorder::{RecordFrame, Writer};
use pbxd::seal::MasterKey;
use pbxd::store::{MainDb, Options, Request};

const RECORDINGS: u128 = 100;
const FRAMES_PER_COMMIT: u64 = 25;
const COMMITS: u64 = 120;
const APPENDS: u32 = 100_000;

fn main() {
    let dir = std::env::var_os("CORDBOARD_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("cordboard-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("bench directory");
    let master = MasterKey::from_bytes([1; 32]);
    append(&dir, &master, 1);
    append(&dir, &master, 4);
    commit_audio(&dir, &master);
    commit_events(&dir);
    std::fs::remove_dir_all(&dir).expect("own directory");
}

fn append(dir: &std::path::Path, master: &MasterKey, inputs: usize) {
    let options = journal::Options {
        dir: dir.join(format!("journal-{inputs}")),
        master: master.clone(),
        build: "bench".into(),
        config: [0; 32],
        ring: Ring::default(),
    };
    let (mut journal, recovery) = Journal::open(options).expect("journal opens");
    recovery.progress.finished();
    let payloads = vec![vec![7u8; 500]; inputs];
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    for _ in 0..APPENDS {
        let one = Instant::now();
        journal.append(Now::default(), &payloads).expect("append");
        longest = longest.max(one.elapsed());
    }
    let mean_ns = began.elapsed().as_nanos() / u128::from(APPENDS);
    println!("journal append, {inputs} x 500 bytes: mean {mean_ns} ns, longest {} us", longest.as_micros());
}

/// Bytes given to `write` by this process so far (`wchar` of proc(5)).
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("wchar: ")).and_then(|count| count.parse().ok()).unwrap_or(0)
}

fn commit_audio(dir: &std::path::Path, master: &MasterKey) {
    let options = Options::new(dir);
    let mut main = MainDb::open(&options).expect("main.db opens");
    let mut writer = Writer::new(&options, master, main.run());
    let recordings: Vec<Uid> =
        (0..RECORDINGS).map(|n| Uid::new(Wall::from_millis(1_795_305_500_000), n * 977)).collect();
    let before = written();
    let (mut spent, mut longest, mut audio_bytes) = (Duration::ZERO, Duration::ZERO, 0);
    for commit in 0..COMMITS {
        for index in commit * FRAMES_PER_COMMIT..(commit + 1) * FRAMES_PER_COMMIT {
            for (recording, side) in recordings.iter().flat_map(|r| [(r, Side::Caller), (r, Side::Agent)]) {
                writer.push(RecordFrame { recording: *recording, side, index, alaw: [index as u8; FRAME_SAMPLES] });
                audio_bytes += FRAME_SAMPLES as u64;
            }
        }
        let began = Instant::now();
        writer.seal().expect("seal");
        writer.keys().iter().for_each(|key| main.queue(Request::Key(key.clone())));
        main.commit().expect("keys");
        writer.keys_stored();
        writer.commit().expect("commit");
        spent += began.elapsed();
        longest = longest.max(began.elapsed());
    }
    drop(writer);
    let given = written() - before;
    let held: u64 = std::fs::read_dir(dir.join("recordings"))
        .expect("recordings")
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|meta| meta.len())
        .sum();
    let percent = |bytes: u64| bytes * 100 / audio_bytes;
    println!(
        "commit of 0.5 s of {RECORDINGS} stereo recordings: mean {} us, longest {} us",
        spent.as_micros() / u128::from(COMMITS),
        longest.as_micros()
    );
    println!("written {} % of the audio, file size {} % of the audio", percent(given), percent(held));
}

fn commit_events(dir: &std::path::Path) {
    let mut main = MainDb::open(&Options::new(dir)).expect("main.db opens");
    let mut spent = Duration::ZERO;
    for commit in 0..COMMITS {
        for n in 0..200 {
            let seq = commit * 200 + n + 1;
            let detail = Detail::Routed { to: "queue support".into(), why: "menu main, key 2".into() };
            let event = LegEvent {
                seq,
                at: base::time::Instant::from_micros(seq),
                wall: Wall::from_millis(seq as i64),
                call: Some(Uid(u128::from(seq / 20))),
                leg: Some(0),
                actor: "router".into(),
                detail,
            };
            main.queue(Request::Leg(event));
        }
        let began = Instant::now();
        main.commit().expect("commit");
        spent += began.elapsed();
    }
    println!("commit of 200 leg events: mean {} us", spent.as_micros() / u128::from(COMMITS));
}
