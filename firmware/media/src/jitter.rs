//! A jitter buffer of fixed depth: a ring of the last second of G.711 codes, addressed by media timestamp, with one bit
//! for each sample that says whether it came.
//!
//! Two readers use it: the play-out, which moves one frame each tick, and the record tap, which may look back at what
//! was already played and is still in the ring. Any packet length fits, because samples and not packets are stored.

use base::limits::FRAME_SAMPLES;
use base::time::Instant;
use std::time::Duration;

/// Samples that the ring holds: 1.024 s.
const RING: usize = 8192;
const MASK: i64 = RING as i64 - 1;
const FRAME: i64 = FRAME_SAMPLES as i64;
/// Packets in a row behind their turn after which the stream is taken to have a longer way, and joined anew.
const LATE_RUN_MAX: u32 = 3;
/// Ticks over which the fill is watched before a frame is dropped to shorten it.
const WATCH_TICKS: u32 = 128;
/// Frames of fill beyond the depth that are left alone.
const SLACK_FRAMES: i64 = 2;

/// Position in the stream in samples; grows for ever, unlike the 32-bit timestamp.
pub type Position = i64;

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inserted {
    /// In the buffer, newer than all before.
    InOrder,
    /// In the buffer, older than the newest.
    Reordered,
    /// Behind its turn; still in the ring for the tap.
    Late,
    /// Its samples were there already.
    Duplicate,
}

/// Counts over the life of the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Came after their turn.
    pub late: u64,
    /// Came twice.
    pub duplicate: u64,
    /// Came before their turn but after a newer one.
    pub reordered: u64,
    /// Joined anew after a jump or a change of delay.
    pub resyncs: u64,
    /// Frames dropped because the source is faster than our clock.
    pub dropped_frames: u64,
}

/// Where the play-out is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Playout {
    /// Nothing came yet.
    Empty,
    /// The sample at `next` is due at `at`.
    Waiting { at: Instant, next: Position },
    /// The sample at `next` is due at the next tick.
    Running { next: Position },
}

/// How much of a frame is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coverage {
    /// All samples.
    Whole,
    /// Some; the others were filled with silence.
    Part,
    /// None.
    Nothing,
}

/// The buffer of one leg.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    codes: Box<[u8; RING]>,
    present: Box<[u64; RING / 64]>,
    depth: Duration,
    playout: Playout,
    /// Timestamp that `end` belongs to.
    end_timestamp: u32,
    /// One past the newest sample.
    end: Position,
    /// Oldest sample since the last jump.
    start: Position,
    late_run: u32,
    watched: u32,
    fill_min: i64,
    stats: Stats,
}

impl JitterBuffer {
    /// A buffer that plays a sample `depth` after the arrival of the first packet.
    pub fn new(depth: Duration) -> JitterBuffer {
        JitterBuffer {
            codes: Box::new([0; RING]),
            present: Box::new([0; RING / 64]),
            depth,
            playout: Playout::Empty,
            end_timestamp: 0,
            end: 0,
            start: 0,
            late_run: 0,
            watched: 0,
            fill_min: i64::MAX,
            stats: Stats::default(),
        }
    }

    /// Its counts.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// The fixed delay.
    pub fn depth(&self) -> Duration {
        self.depth
    }

    /// Whether a packet with this timestamp cannot belong to the present stream. Then the tap takes what it still
    /// wants and [`Self::restart`] follows.
    pub fn jumps(&self, timestamp: u32) -> bool {
        let Some(next) = self.next() else { return false };
        let at = self.position(timestamp);
        at - next >= RING as i64 - 2 * FRAME || next - at >= RING as i64
    }

    /// Forgets all audio; the next packet begins a new stream. Positions go on growing.
    pub fn restart(&mut self) {
        if self.playout != Playout::Empty {
            self.stats.resyncs += 1;
        }
        self.clear();
    }

    /// Forgets all audio as if nothing had come.
    pub fn clear(&mut self) {
        self.playout = Playout::Empty;
        self.present.fill(0);
        self.end += 2 * RING as i64;
        self.start = self.end;
        self.late_run = 0;
        self.watch_again();
    }

    /// Puts a packet in that arrived at `now`. Payloads of more than half the ring are cut.
    pub fn insert(&mut self, now: Instant, timestamp: u32, payload: &[u8]) -> Inserted {
        let payload = &payload[..payload.len().min(RING / 2)];
        let len = payload.len() as i64;
        if self.playout == Playout::Empty {
            self.end_timestamp = timestamp;
            self.playout = Playout::Waiting { at: now + self.depth, next: self.end };
        }
        let at = self.position(timestamp);
        if at < self.end - RING as i64 {
            return self.count_late(now, at);
        }
        let newest = at + len > self.end;
        let duplicate = !newest && self.is_present(at);
        if duplicate {
            self.stats.duplicate += 1;
            return Inserted::Duplicate;
        }
        if newest {
            self.forget(self.end, at + len);
            self.end_timestamp = timestamp.wrapping_add(len as u32);
            self.end = at + len;
        }
        self.write(at, payload);
        self.start = self.start.min(at).max(self.end - RING as i64);
        match self.playout {
            Playout::Running { next } if at + len <= next => self.count_late(now, at),
            Playout::Waiting { at: due, next } if at < next => {
                // Reordered at the very beginning: play from the earlier one, at the same moment.
                self.playout = Playout::Waiting { at: due, next: at };
                self.stats.reordered += 1;
                Inserted::Reordered
            }
            Playout::Running { .. } | Playout::Waiting { .. } | Playout::Empty => {
                self.late_run = 0;
                if newest {
                    Inserted::InOrder
                } else {
                    self.stats.reordered += 1;
                    Inserted::Reordered
                }
            }
        }
    }

    /// Moves the play-out by one tick and says which frame to play.
    pub fn advance(&mut self, now: Instant) -> Option<Position> {
        let at = match self.playout {
            Playout::Empty => return None,
            Playout::Waiting { at, .. } if now < at => return None,
            Playout::Waiting { next, .. } | Playout::Running { next } => next,
        };
        let mut next = at + FRAME;
        self.fill_min = self.fill_min.min(self.end - next);
        self.watched += 1;
        if self.watched >= WATCH_TICKS {
            if self.fill_min > self.depth_samples() + SLACK_FRAMES * FRAME {
                next += FRAME;
                self.stats.dropped_frames += 1;
            }
            self.watch_again();
        }
        self.playout = Playout::Running { next };
        Some(at)
    }

    /// The next position to play and, while it is waited for, when that is.
    pub fn due(&self) -> Option<(Position, Option<Instant>)> {
        match self.playout {
            Playout::Empty => None,
            Playout::Waiting { at, next } => Some((next, Some(at))),
            Playout::Running { next } => Some((next, None)),
        }
    }

    /// The oldest sample that may still be in the ring and one past the newest.
    pub fn range(&self) -> (Position, Position) {
        (self.start.max(self.end - RING as i64), self.end)
    }

    /// Reads the frame at `at`, `silence` where nothing came.
    pub fn read(&self, at: Position, silence: u8, frame: &mut [u8; FRAME_SAMPLES]) -> Coverage {
        let (oldest, end) = self.range();
        if at + FRAME <= oldest || at >= end {
            return Coverage::Nothing;
        }
        if at >= oldest && at + FRAME <= end && self.all_present(at) {
            let from = (at & MASK) as usize;
            let first = (RING - from).min(FRAME_SAMPLES);
            frame[..first].copy_from_slice(&self.codes[from..from + first]);
            frame[first..].copy_from_slice(&self.codes[..FRAME_SAMPLES - first]);
            return Coverage::Whole;
        }
        let mut coverage = Coverage::Nothing;
        for (offset, code) in frame.iter_mut().enumerate() {
            let at = at + offset as i64;
            let here = at >= oldest && at < end && self.is_present(at);
            *code = if here { self.codes[(at & MASK) as usize] } else { silence };
            if here {
                coverage = Coverage::Part;
            }
        }
        coverage
    }

    /// Rewrites all codes, after the codec changed.
    pub fn rewrite(&mut self, change: impl FnOnce(&mut [u8])) {
        change(&mut self.codes[..]);
    }

    fn next(&self) -> Option<Position> {
        self.due().map(|(next, _)| next)
    }

    fn depth_samples(&self) -> i64 {
        (self.depth.as_micros() / 125) as i64
    }

    fn position(&self, timestamp: u32) -> Position {
        self.end + i64::from(timestamp.wrapping_sub(self.end_timestamp) as i32)
    }

    fn watch_again(&mut self) {
        self.watched = 0;
        self.fill_min = i64::MAX;
    }

    fn count_late(&mut self, now: Instant, at: Position) -> Inserted {
        self.stats.late += 1;
        self.late_run += 1;
        if self.late_run >= LATE_RUN_MAX {
            // The way has become longer: this packet is played after the depth, like a first one.
            self.late_run = 0;
            self.stats.resyncs += 1;
            self.playout = Playout::Waiting { at: now + self.depth, next: at };
            self.watch_again();
        }
        Inserted::Late
    }

    fn is_present(&self, at: Position) -> bool {
        let i = (at & MASK) as usize;
        self.present[i / 64] >> (i % 64) & 1 == 1
    }

    fn all_present(&self, at: Position) -> bool {
        let mut whole = true;
        Self::words(at, FRAME, |word, mask| whole &= self.present[word] & mask == mask);
        whole
    }

    fn forget(&mut self, from: Position, to: Position) {
        Self::words(from, (to - from).min(RING as i64), |word, mask| self.present[word] &= !mask);
    }

    fn write(&mut self, at: Position, payload: &[u8]) {
        let from = (at & MASK) as usize;
        let first = (RING - from).min(payload.len());
        self.codes[from..from + first].copy_from_slice(&payload[..first]);
        self.codes[..payload.len() - first].copy_from_slice(&payload[first..]);
        let present = &mut self.present;
        Self::words(at, payload.len() as i64, |word, mask| present[word] |= mask);
    }

    /// Visits the words of the presence map for `len` samples from `at`.
    fn words(at: Position, len: i64, mut visit: impl FnMut(usize, u64)) {
        let mut at = at;
        let mut left = len;
        while left > 0 {
            let i = (at & MASK) as usize;
            let bit = i % 64;
            let count = left.min(64 - bit as i64);
            let ones = if count == 64 { u64::MAX } else { (1 << count) - 1 };
            visit(i / 64, ones << bit);
            at += count;
            left -= count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEPTH: Duration = Duration::from_millis(60);

    fn ms(ms: u64) -> Instant {
        Instant::from_micros(1_000_000 + ms * 1000)
    }

    fn frame(value: u8) -> [u8; 160] {
        [value; 160]
    }

    /// Plays one tick: the value of the frame, or 0 when it is missing.
    fn play(buffer: &mut JitterBuffer, now: Instant) -> Option<u8> {
        let at = buffer.advance(now)?;
        let mut out = frame(0);
        Some(match buffer.read(at, 0, &mut out) {
            Coverage::Nothing => 0,
            Coverage::Whole | Coverage::Part => out[0],
        })
    }

    #[test]
    fn plays_after_its_depth_in_order_of_timestamps() {
        let mut buffer = JitterBuffer::new(DEPTH);
        let order = [0u32, 2, 1, 3, 3, 5];
        for (i, n) in order.iter().enumerate() {
            buffer.insert(ms(20 * i as u64), n.wrapping_mul(160).wrapping_sub(200), &frame(*n as u8 + 1));
        }
        assert_eq!(play(&mut buffer, ms(40)), None);
        let heard: Vec<_> = (0..6).map(|i| play(&mut buffer, ms(60 + 20 * i)).unwrap()).collect();
        assert_eq!(heard, [1, 2, 3, 4, 0, 6]);
        assert_eq!(buffer.stats(), Stats { duplicate: 1, reordered: 1, ..Stats::default() });
    }

    #[test]
    fn any_packet_length_fits() {
        for len in [80usize, 160, 240, 480, 100] {
            let mut buffer = JitterBuffer::new(DEPTH);
            let mut sent = 0u32;
            while sent < 4800 {
                let payload: Vec<u8> = (sent..sent + len as u32).map(|s| (s % 251) as u8).collect();
                buffer.insert(ms(u64::from(sent) / 8), sent, &payload);
                sent += len as u32;
            }
            let mut at = 0u32;
            for tick in 0..25 {
                let position = buffer.advance(ms(600 + 20 * tick)).unwrap();
                let mut out = [0; 160];
                assert_eq!(buffer.read(position, 0, &mut out), Coverage::Whole);
                assert!(out.iter().all(|c| {
                    at += 1;
                    *c == ((at - 1) % 251) as u8
                }));
            }
        }
    }

    #[test]
    fn a_longer_way_is_joined_anew() {
        let mut buffer = JitterBuffer::new(DEPTH);
        let mut heard = 0;
        for tick in 0..200u64 {
            // From tick 50 on all packets take 200 ms more.
            let arrives = if tick < 50 { Some(tick) } else { tick.checked_sub(10).filter(|n| *n >= 50) };
            if let Some(n) = arrives {
                buffer.insert(ms(20 * tick), n as u32 * 160, &frame(1));
            }
            heard += u32::from(play(&mut buffer, ms(20 * tick)) == Some(1));
        }
        assert!(heard > 180, "{heard} of 200");
        assert_eq!(buffer.stats().resyncs, 1);
    }

    #[test]
    fn a_faster_source_loses_single_frames() {
        let mut buffer = JitterBuffer::new(DEPTH);
        let mut sent = 0u64;
        let mut missing = 0;
        for tick in 0..20_000u64 {
            // 1000 ppm faster than our clock.
            while sent * 19_980 <= tick * 20_000 {
                buffer.insert(ms(tick * 20), sent as u32 * 160, &frame(1));
                sent += 1;
            }
            missing += u32::from(play(&mut buffer, ms(20 * tick)) == Some(0));
        }
        assert_eq!(missing, 0);
        let dropped = buffer.stats().dropped_frames;
        assert!((14..=22).contains(&dropped), "{dropped}");
    }

    #[test]
    fn jumps_are_seen() {
        let mut buffer = JitterBuffer::new(DEPTH);
        assert!(!buffer.jumps(77));
        buffer.insert(ms(0), u32::MAX - 100, &frame(1));
        assert!(!buffer.jumps(59));
        assert!(!buffer.jumps(4000));
        assert!(buffer.jumps(9000));
        assert!(buffer.jumps(u32::MAX - 100 - 8192));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_plays_what_did_not_come(
            packets in proptest::collection::vec((0u32..20_000, 0usize..600, 0u64..40), 1..80),
        ) {
            let mut buffer = JitterBuffer::new(DEPTH);
            let mut now = 0;
            for (timestamp, len, wait) in packets {
                now += wait;
                if buffer.jumps(timestamp) {
                    buffer.restart();
                }
                buffer.insert(ms(now), timestamp, &vec![1; len]);
                if let Some(at) = buffer.advance(ms(now)) {
                    let mut out = [9; 160];
                    if buffer.read(at, 0, &mut out) != Coverage::Nothing {
                        prop_assert!(out.iter().all(|c| *c <= 1));
                    }
                }
            }
        }
    }
}
