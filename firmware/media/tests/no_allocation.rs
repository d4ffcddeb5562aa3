//! In steady state neither a packet nor a tick asks the allocator for anything: no audio waits for another thread's
//! lock in it. Counted by an allocator that counts.
#![allow(unsafe_code, reason = "an allocator that counts implements an unsafe trait")]

use base::id::{LegKey, Uid};
use base::line::PortId;
use base::media::{Codec, Command, Item, MonitorMode, PlayId, RtpRemote, RtpSend, Side, Tone};
use base::slab::Key;
use base::time::Instant;
use media::{Channel, Effects, Engine, HighwayFrame, Library, Settings, rtp};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;

struct Counting;

thread_local! {
    /// What this thread asked; the test harness allocates on its own thread when it likes.
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn asked() -> u64 {
    ASKED.get()
}

// SAFETY: every call goes to the system allocator unchanged; counting touches a plain number of the thread, which needs
// neither an allocation nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn key(index: u32) -> LegKey {
    LegKey::from_parts(index, 0)
}

fn phone(index: u32) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 25_000 + 2 * index as u16))
}

fn rtp_leg(engine: &mut Engine, now: Instant, index: u32, codec: Codec, events: bool, out: &mut Effects) {
    let send = RtpSend { ssrc: index, first_seq: 0, first_timestamp: 0, epoch: now };
    engine.command(now, Command::CreateRtp { leg: key(index), local_port: 25_500, send }, out);
    let remote = RtpRemote {
        addr: phone(index),
        codec,
        payload_type: if codec == Codec::Pcma { 8 } else { 0 },
        dtmf_payload_type: events.then_some(101),
        send: true,
        receive: true,
    };
    engine.command(now, Command::SetRemote { leg: key(index), remote }, out);
}

/// Legs 0-1 are relayed, 2-3 meet in the tick, 4-5 are a line and a phone, 6 hears music, 7 itself, 8 a tone;
/// 9 listens to 0, 10 barges in on 5.
fn fill(engine: &mut Engine, now: Instant, out: &mut Effects) {
    for (index, codec) in [(0, Codec::Pcma), (1, Codec::Pcma), (2, Codec::Pcma), (3, Codec::Pcmu), (5, Codec::Pcma)] {
        rtp_leg(engine, now, index, codec, index != 3, out);
    }
    for index in 6..11 {
        rtp_leg(engine, now, index, Codec::Pcma, true, out);
    }
    engine.command(now, Command::CreateTdm { leg: key(4), port: PortId { card: 1, port: 1 } }, out);
    for (a, b) in [(0, 1), (2, 3), (4, 5)] {
        engine.command(now, Command::Join { a: key(a), b: key(b) }, out);
    }
    let play = |leg, items, repeat| Command::Play { leg, play: PlayId(1), items, repeat, since: now };
    engine.command(now, play(key(6), vec![Item::Music], false), out);
    engine.command(now, Command::Echo { leg: key(7) }, out);
    let prompt = Item::Prompt { name: "p".into(), language: "en-US".into() };
    engine.command(now, play(key(8), vec![prompt, Item::Tone(base::media::Tone::Confirm)], true), out);
    for (index, side) in [(0, Side::Caller), (1, Side::Caller), (3, Side::Caller), (4, Side::Caller), (5, Side::Agent)]
    {
        let start = Command::RecordStart { leg: key(index), recording: Uid(1), side, since: now };
        engine.command(now, start, out);
    }
    for (index, of, mode) in [(9, 0, MonitorMode::Listen), (10, 5, MonitorMode::Barge)] {
        engine.command(now, Command::Monitor { leg: key(index), of: key(of), mode }, out);
    }
}

fn run(engine: &mut Engine, start: Instant, ticks: std::ops::Range<u64>, out: &mut Effects) -> usize {
    let (mut sent, mut recorded) = (0, 0);
    let input = HighwayFrame::new(&[1]);
    let mut output = HighwayFrame::new(&[1]);
    for n in ticks {
        let now = Instant::from_micros(start.as_micros() + n * 20_000);
        for index in [0u32, 1, 2, 3, 5, 7, 10] {
            let header = rtp::Header {
                payload_type: if index == 3 { 0 } else { 8 },
                marker: false,
                seq: n as u16,
                timestamp: n as u32 * 160,
                ssrc: 100 + index,
            };
            let mut bytes = [0; 172];
            let len = rtp::write(&header, &[n as u8; 160], &mut bytes).unwrap_or_default();
            // Every 50th is lost, every 70th comes twice.
            for _ in 0..if n % 50 == 9 {
                0
            } else if n % 70 == 3 {
                2
            } else {
                1
            } {
                engine.packet(now, key(index), Channel::Rtp, phone(index), &bytes[..len], out);
            }
            engine.packet(now, key(index), Channel::Rtp, phone(index + 10), b"stranger", out);
        }
        if n % 100 == 0 {
            engine.command(now, Command::Beep { leg: key(1), tone: Tone::Monitor }, out);
        }
        engine.tick(now, Some(&input), Some(&mut output), out);
        sent += out.packets.len();
        recorded += out.frames.len();
        out.clear();
    }
    assert!(recorded > 0);
    sent
}

#[test]
fn packets_and_ticks_do_not_allocate() {
    let mut library = Library::new();
    library.insert("en-US", "p", vec![1; 12_345].into());
    library.set_music(vec![2; 54_321].into());
    let settings = Settings { cards: vec![1], ..Settings::default() };
    let mut engine = Engine::new(settings, library);
    let mut out = Effects::with_room_for(16);
    let start = Instant::from_micros(1_000_000);
    fill(&mut engine, start, &mut out);
    run(&mut engine, start, 1..100, &mut out);
    let before = asked();
    let frames = (HighwayFrame::new(&[1]), HighwayFrame::new(&[1]));
    drop(frames);
    let of_frames = asked() - before;
    let before = asked();
    let sent = run(&mut engine, start, 100..1100, &mut out);
    let more = asked() - before;
    assert!(sent > 7000, "{sent}");
    assert_eq!(more, of_frames, "only the test's own two frames");
}
