//! The recorder with its thread and files: what goes in comes out, and tampering is named.

use super::export::{Break, Chain, Gap, load};
use super::*;
use crate::store::read::Reader;
use crate::store::{MainDb, Store};
use base::limits::FRAME_SAMPLES;
use base::media::Side;
use base::time::Wall;
use pbx::door::RecordingChange;
use std::sync::atomic::AtomicU32;

/// A data directory of this test alone, gone at its end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cordboard-recorder-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    fn options(&self) -> Options {
        Options::new(&self.0)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn master() -> MasterKey {
    MasterKey::from_bytes([3; 32])
}

fn uid(number: u128) -> Uid {
    Uid::new(Wall::from_millis(1_795_305_590_000), number)
}

fn frame(recording: Uid, side: Side, index: u64) -> RecordFrame {
    RecordFrame { recording, side, index, alaw: [(index % 251) as u8 ^ side as u8; FRAME_SAMPLES] }
}

/// Writer and main database as the two threads use them.
struct Bench {
    main: MainDb,
    writer: Writer,
}

impl Bench {
    fn open(dir: &Dir) -> Bench {
        let mut main = MainDb::open(&dir.options()).unwrap();
        index::mend(&dir.options()).unwrap().into_iter().for_each(|request| main.queue(request));
        main.commit().unwrap();
        let writer = Writer::new(&dir.options(), &master(), main.run());
        Bench { main, writer }
    }

    fn commit(&mut self) {
        self.writer.seal().unwrap();
        for key in self.writer.keys() {
            self.main.queue(Request::Key(key.clone()));
        }
        self.main.commit().unwrap();
        self.writer.keys_stored();
        for head in self.writer.commit().unwrap() {
            self.main.queue(Request::Head(head));
        }
        self.main.commit().unwrap();
    }

    /// Both sides from frame `from` to `to`, committed every 25 frames.
    fn talk(&mut self, recording: Uid, from: u64, to: u64) {
        for index in from..to {
            for side in [Side::Caller, Side::Agent] {
                assert!(self.writer.push(frame(recording, side, index)));
            }
            if index % 25 == 24 {
                self.commit();
            }
        }
    }

    fn end(mut self, recording: Uid, frames: u64) {
        self.writer.close(recording);
        let samples = frames * FRAME_SAMPLES as u64;
        self.main.queue(Request::Recording(RecordingChange::Close { recording, samples }));
        for _ in 0..3 {
            self.commit();
        }
    }
}

#[test]
fn two_sides_come_back_through_the_threads() {
    let dir = Dir::new();
    let store = Store::start(&dir.options(), |_| {}).unwrap();
    let recorder = Recorder::start(&dir.options(), &master(), store.run(), store.client(), |_| {}).unwrap();
    let (recording, tap) = (uid(1), recorder.tap());
    for index in 0..120 {
        assert!(tap.push(frame(recording, Side::Caller, index)));
        if index >= 50 {
            assert!(tap.push(frame(recording, Side::Agent, index)));
        }
    }
    assert!(tap.flush(Duration::from_secs(20)));
    tap.close(recording);
    recorder.finish();
    store.finish();

    let audio = load(&dir.options(), &master(), recording).unwrap();
    assert_eq!((audio.frames(), audio.chain), (120, Chain::Whole));
    assert_eq!(audio.gaps(), [], "the agent came later: no gap");
    assert_eq!(audio.alaw[0][119 * FRAME_SAMPLES], frame(recording, Side::Caller, 119).alaw[0]);
    assert_eq!(audio.alaw[1][50 * FRAME_SAMPLES], frame(recording, Side::Agent, 50).alaw[0]);
    assert_eq!(audio.alaw[1][0], media::g711::SILENCE_A);
}

#[test]
fn steady_talk_makes_whole_chunks() {
    let dir = Dir::new();
    let mut bench = Bench::open(&dir);
    bench.talk(uid(1), 0, 500);
    bench.end(uid(1), 500);
    assert_eq!(load(&dir.options(), &master(), uid(1)).unwrap().chunks, 20);
}

#[test]
fn a_recording_goes_on_after_a_restart_under_a_new_key() {
    let dir = Dir::new();
    let mut bench = Bench::open(&dir);
    bench.talk(uid(1), 0, 100);
    drop(bench);
    let mut bench = Bench::open(&dir);
    bench.talk(uid(1), 130, 200);
    bench.end(uid(1), 200);

    let report = export_wav(&dir.options(), &master(), uid(1), &dir.0.join("out.wav")).unwrap();
    assert!(report.chain_ok(), "{report:?}");
    assert_eq!(report.duration_ms, 4_000);
    let gap = |side| Gap { side, from_ms: 2_000, len_ms: 600 };
    assert_eq!(report.gaps, [gap(Side::Caller), gap(Side::Agent)]);
    assert_eq!(Reader::open(&dir.options()).unwrap().recording_keys(uid(1)).unwrap().len(), 2);
    let wav = std::fs::read(dir.0.join("out.wav")).unwrap();
    assert_eq!(wav.len(), 44 + 200 * FRAME_SAMPLES * 4);
    assert_eq!((&wav[..4], &wav[8..16], &wav[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
    let at = 44 + 150 * FRAME_SAMPLES * 4;
    let caller = media::g711::decode(base::media::Codec::Pcma, frame(uid(1), Side::Caller, 150).alaw[0]);
    assert_eq!(wav[at..at + 2], caller.to_le_bytes());
}

#[test]
fn late_and_doubled_frames_find_their_place() {
    let dir = Dir::new();
    let mut bench = Bench::open(&dir);
    for index in 0..40 {
        bench.writer.push(frame(uid(1), Side::Caller, index));
    }
    bench.commit();
    for index in 0..40 {
        bench.writer.push(frame(uid(1), Side::Agent, index));
        bench.writer.push(frame(uid(1), Side::Agent, index));
    }
    bench.commit();
    bench.end(uid(1), 40);
    let audio = load(&dir.options(), &master(), uid(1)).unwrap();
    assert!(audio.present.iter().flatten().all(|present| *present));
    assert_eq!((audio.frames(), audio.chain), (40, Chain::Whole));
}

#[test]
fn an_index_that_missed_the_recording_is_mended() {
    let dir = Dir::new();
    let mut bench = Bench::open(&dir);
    bench.talk(uid(1), 0, 75);
    drop(bench);
    assert_eq!(Reader::open(&dir.options()).unwrap().recording(uid(1)).unwrap(), None);
    drop(Bench::open(&dir));
    let row = Reader::open(&dir.options()).unwrap().recording(uid(1)).unwrap().unwrap();
    assert_eq!((row.samples, row.closed, row.began_ms), (75 * 160, true, 1_795_305_590_000));
}

/// What happens to the second chunk of four, and what is said of it.
fn tamper(change: &str) -> Chain {
    let dir = Dir::new();
    let mut bench = Bench::open(&dir);
    bench.talk(uid(1), 0, 100);
    bench.end(uid(1), 100);
    assert_eq!(load(&dir.options(), &master(), uid(1)).unwrap().chain, Chain::Whole);
    let path = chunk::path_of(&dir.options(), uid(1));
    dir.options().open(&path, 8192).unwrap().execute_batch(change).unwrap();
    load(&dir.options(), &master(), uid(1)).unwrap().chain
}

#[test]
fn tampering_is_found_and_named() {
    let broken = |found: Chain| match found {
        Chain::Broken { idx, why, .. } => (idx, why),
        Chain::Whole => panic!("not found"),
    };
    let changed =
        "UPDATE chunk SET cipher = CAST(substr(cipher, 1, 99) || x'00' || substr(cipher, 101) AS BLOB) WHERE idx = 1";
    assert_eq!(broken(tamper(changed)), (1, Break::Changed));
    assert_eq!(broken(tamper("DELETE FROM chunk WHERE idx = 1")), (1, Break::Missing));
    assert_eq!(broken(tamper("DELETE FROM chunk WHERE idx = 3")), (3, Break::Missing));
    let moved = "UPDATE chunk SET first_frame = first_frame + 25 WHERE idx = 2";
    assert_eq!(broken(tamper(moved)), (2, Break::Changed));
    assert_eq!(broken(tamper("DELETE FROM chunk")), (0, Break::Missing));
}

#[test]
fn an_erased_recording_cannot_be_played() {
    let dir = Dir::new();
    let mut bench = Bench::open(&dir);
    bench.talk(uid(1), 0, 50);
    bench.main.queue(Request::Erase(uid(1)));
    bench.end(uid(1), 50);
    assert!(matches!(load(&dir.options(), &master(), uid(1)), Err(RecorderError::Erased(_))));
    assert!(matches!(load(&dir.options(), &master(), uid(2)), Err(RecorderError::Unknown(_))));
}

#[test]
fn chunks_wait_for_their_key_and_for_the_disk() {
    let dir = Dir::new();
    let mut bench = Bench::open(&dir);
    for index in 0..50 {
        assert!(bench.writer.push(frame(uid(1), Side::Caller, index)));
    }
    bench.writer.seal().unwrap();
    bench.writer.commit().unwrap();
    assert!(load(&dir.options(), &master(), uid(1)).is_err(), "the key is not stored: nothing is written");
    bench.commit();
    bench.end(uid(1), 50);
    assert_eq!(load(&dir.options(), &master(), uid(1)).unwrap().frames(), 50);
}

#[test]
fn a_full_queue_drops_counts_and_never_waits() {
    let (messages, inbox) = sync_channel(2);
    let tap = RecordTap { messages, dropped: Arc::default() };
    let taken = (0..5).filter(|index| tap.push(frame(uid(1), Side::Caller, *index))).count();
    assert_eq!((taken, tap.dropped.load(Ordering::Relaxed)), (2, 3));
    drop(inbox);
}
