//! Our RTP stream of a leg: numbering by time, and the numbering of packets relayed into it.

use crate::rtp::Header;
use base::limits::{FRAME_SAMPLES, TICK_US};
use base::media::RtpSend;
use base::time::Instant;

/// A relayed stream may run this many frames ahead of our time or behind it before it is joined anew.
const DRIFT_FRAMES_MAX: i64 = 25;

/// How the numbers of a relayed source become ours; moves along with its newest packet.
#[derive(Clone, Copy, Debug)]
struct Mapping {
    ssrc: u32,
    seq: u16,
    index: i64,
    /// Added to the source's timestamps.
    timestamp_offset: u32,
    at: Instant,
}

/// The stream that we send on a leg. The packet of the tick `n` frames after the epoch has sequence number
/// `first_seq + n` and timestamp `first_timestamp + 160 n`; so a restarted program goes on after a hole.
#[derive(Clone, Debug)]
pub struct Stream {
    send: RtpSend,
    /// Highest frame number sent.
    last: Option<i64>,
    mapping: Option<Mapping>,
    packets: u64,
    octets: u64,
    packets_reported: u64,
}

impl Stream {
    /// A stream of which nothing was sent by this program yet.
    pub fn new(send: RtpSend) -> Stream {
        Stream { send, last: None, mapping: None, packets: 0, octets: 0, packets_reported: 0 }
    }

    /// Our SSRC.
    pub fn ssrc(&self) -> u32 {
        self.send.ssrc
    }

    /// Packets sent.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Payload bytes sent.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether anything was sent since this was last asked.
    pub fn was_active(&mut self) -> bool {
        std::mem::replace(&mut self.packets_reported, self.packets) != self.packets
    }

    /// RTP timestamp of a moment.
    pub fn timestamp_at(&self, now: Instant) -> u32 {
        self.send.first_timestamp.wrapping_add((self.elapsed_us(now) / 125) as u32)
    }

    /// The header of our own packet of this tick. Payload type is left to the caller. The marker is set for the first
    /// packet and after a hole.
    pub fn next(&mut self, now: Instant) -> Header {
        self.mapping = None;
        let tick = self.frame_at(now);
        let index = self.last.map_or(tick, |last| tick.max(last + 1));
        let marker = self.last.is_none_or(|last| index > last + 1);
        self.last = Some(index);
        Header { payload_type: 0, marker, seq: self.seq(index), timestamp: self.timestamp(index), ssrc: self.send.ssrc }
    }

    /// The header under which a packet of another leg goes out: order, distances and marker stay as the source made
    /// them. `None` when it is too old to be put into our numbering.
    pub fn relay(&mut self, now: Instant, source: &Header) -> Option<Header> {
        let tick = self.frame_at(now);
        let mut rebased = false;
        let mut mapping = match self.mapping {
            Some(mapping) if mapping.ssrc == source.ssrc => mapping,
            Some(_) | None => {
                rebased = true;
                self.map(tick, now, source)
            }
        };
        let advance = i64::from(source.seq.wrapping_sub(mapping.seq) as i16);
        if (mapping.index + advance - tick).abs() > DRIFT_FRAMES_MAX {
            if advance < 0 {
                return None;
            }
            rebased = true;
            mapping = self.map(tick, now, source);
        }
        let index = mapping.index + i64::from(source.seq.wrapping_sub(mapping.seq) as i16);
        if index >= mapping.index {
            self.mapping = Some(Mapping { seq: source.seq, index, at: now, ..mapping });
        }
        self.last = self.last.max(Some(index));
        Some(Header {
            payload_type: source.payload_type,
            marker: source.marker || rebased,
            seq: self.seq(index),
            timestamp: source.timestamp.wrapping_add(mapping.timestamp_offset),
            ssrc: self.send.ssrc,
        })
    }

    /// When a packet was last relayed, as long as nothing of our own came after it.
    pub fn relayed_at(&self) -> Option<Instant> {
        self.mapping.map(|mapping| mapping.at)
    }

    /// The next relayed packet begins a new mapping.
    pub fn end_relay(&mut self) {
        self.mapping = None;
    }

    /// Counts a packet that went out.
    pub fn count(&mut self, payload_bytes: usize) {
        self.packets += 1;
        self.octets += payload_bytes as u64;
    }

    fn map(&self, tick: i64, now: Instant, source: &Header) -> Mapping {
        let index = self.last.map_or(tick, |last| tick.max(last + 1));
        let timestamp_offset = self.timestamp(index).wrapping_sub(source.timestamp);
        Mapping { ssrc: source.ssrc, seq: source.seq, index, timestamp_offset, at: now }
    }

    fn elapsed_us(&self, now: Instant) -> i64 {
        now.as_micros() as i64 - self.send.epoch.as_micros() as i64
    }

    fn frame_at(&self, now: Instant) -> i64 {
        self.elapsed_us(now).div_euclid(TICK_US as i64)
    }

    fn seq(&self, index: i64) -> u16 {
        self.send.first_seq.wrapping_add(index as u16)
    }

    fn timestamp(&self, index: i64) -> u32 {
        self.send.first_timestamp.wrapping_add((index as u32).wrapping_mul(FRAME_SAMPLES as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        let send = RtpSend {
            ssrc: 7,
            first_seq: 65_530,
            first_timestamp: u32::MAX - 300,
            epoch: Instant::from_micros(500_000),
        };
        Stream::new(send)
    }

    fn tick(n: u64) -> Instant {
        Instant::from_micros(513_000 + 20_000 * n)
    }

    fn source(seq: u16, timestamp: u32) -> Header {
        Header { payload_type: 8, marker: false, seq, timestamp, ssrc: 99 }
    }

    #[test]
    fn numbers_are_a_function_of_time() {
        let mut first = stream();
        let before: Vec<_> = (0..10).map(|n| first.next(tick(n))).collect();
        assert_eq!(before[9].seq, 65_530u16.wrapping_add(9));
        assert_eq!(before[9].timestamp, (u32::MAX - 300).wrapping_add(9 * 160));
        assert_eq!(before.iter().filter(|h| h.marker).count(), 1);
        // A restart with a gap of half a second.
        let after = stream().next(tick(34));
        assert_eq!(after.seq.wrapping_sub(before[9].seq), 25);
        assert_eq!(after.timestamp.wrapping_sub(before[9].timestamp), 25 * 160);
    }

    #[test]
    fn relayed_packets_keep_order_and_distance() {
        let mut out = stream();
        out.next(tick(0));
        let a = out.relay(tick(1), &source(100, 5000)).unwrap();
        let c = out.relay(tick(2), &source(102, 5320)).unwrap();
        let b = out.relay(tick(2), &source(101, 5160)).unwrap();
        assert!(a.marker && !b.marker);
        assert_eq!((b.seq.wrapping_sub(a.seq), c.seq.wrapping_sub(b.seq)), (1, 1));
        assert_eq!(c.timestamp.wrapping_sub(a.timestamp), 320);
        // Back to our own packets: the number after the highest.
        assert_eq!(out.next(tick(3)).seq.wrapping_sub(c.seq), 1);
    }

    #[test]
    fn a_long_relay_and_a_new_source_stay_near_our_time() {
        let mut out = stream();
        for n in 0..100_000u64 {
            let header = out.relay(tick(n), &source(n as u16, (n * 160) as u32)).unwrap();
            assert_eq!(header.seq, 65_530u16.wrapping_add(n as u16));
        }
        let other = Header { ssrc: 1, ..source(5, 77) };
        let header = out.relay(tick(100_000), &other).unwrap();
        assert!(header.marker);
        assert_eq!(header.seq, 65_530u16.wrapping_add(100_000u64 as u16));
        // The source jumps by a thousand packets: joined anew.
        let header = out.relay(tick(100_001), &Header { ssrc: 1, ..source(1005, 77) }).unwrap();
        assert_eq!(header.seq, 65_530u16.wrapping_add(100_001u64 as u16));
        // One from long ago is of no use.
        assert_eq!(out.relay(tick(100_001), &Header { ssrc: 1, ..source(900, 77) }), None);
    }
}
