//! RTCP (RFC 3550 §6): what we measure of a stream, the reports that we send and those that we read. The NTP time in
//! our reports is the time since boot, which §6.4.1 allows.

use base::time::Instant;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const ITEM_CNAME: u8 = 1;
/// Sequence numbers further away than this belong to a stream that began anew (RFC 3550 A.1).
const JUMP_MAX: i16 = 3000;
/// Longest CNAME that we send, in bytes.
pub const CNAME_BYTES_MAX: usize = 48;

/// What arrived of the peer's stream (RFC 3550 A.1, A.3, A.8).
#[derive(Clone, Default, Debug)]
pub struct Reception {
    source: Option<Source>,
    /// Lost of sources before this one.
    lost_before: u64,
    jitter_q4: u32,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    first: i64,
    highest: i64,
    received: i64,
    expected_prior: i64,
    received_prior: i64,
    transit: i64,
}

impl Reception {
    /// Counts a packet.
    pub fn packet(&mut self, now: Instant, ssrc: u32, seq: u16, timestamp: u32) {
        let arrival = (now.as_micros() / 125) as u32;
        let transit = i64::from(arrival.wrapping_sub(timestamp) as i32);
        let Some(source) = self.source.as_mut().filter(|s| {
            s.ssrc == ssrc && (i32::from(seq.wrapping_sub(s.highest as u16) as i16)).abs() <= i32::from(JUMP_MAX)
        }) else {
            self.lost_before = self.lost();
            let seq = i64::from(seq);
            self.source = Some(Source {
                ssrc,
                first: seq,
                highest: seq,
                received: 1,
                expected_prior: 0,
                received_prior: 0,
                transit,
            });
            return;
        };
        let advance = i64::from(seq.wrapping_sub(source.highest as u16) as i16);
        if advance < 0 {
            source.first = source.first.min(source.highest + advance);
        }
        source.highest = source.highest.max(source.highest + advance);
        source.received += 1;
        let difference = (transit - source.transit).unsigned_abs().min(1 << 20) as u32;
        source.transit = transit;
        self.jitter_q4 = (self.jitter_q4 + difference) - ((self.jitter_q4 + 8) >> 4);
    }

    /// Who sends.
    pub fn ssrc(&self) -> Option<u32> {
        self.source.map(|s| s.ssrc)
    }

    /// Sequence numbers that never came, over all sources.
    pub fn lost(&self) -> u64 {
        self.lost_before + self.source.map_or(0, |s| (s.highest - s.first + 1 - s.received).max(0) as u64)
    }

    /// Interarrival jitter in timestamp units.
    pub fn jitter(&self) -> u32 {
        self.jitter_q4 >> 4
    }

    /// The block about this stream and the beginning of the next interval.
    fn block(&mut self, now: Instant, last_sr: Option<(u32, Instant)>) -> Option<Block> {
        let jitter = self.jitter();
        let source = self.source.as_mut()?;
        let expected = source.highest - source.first + 1;
        let expected_now = expected - source.expected_prior;
        let lost_now = expected_now - (source.received - source.received_prior);
        source.expected_prior = expected;
        source.received_prior = source.received;
        let fraction = if expected_now <= 0 || lost_now <= 0 { 0 } else { ((lost_now << 8) / expected_now).min(255) };
        let (last_sr, delay) = last_sr.map_or((0, 0), |(ntp, at)| (ntp, units_65536(now.since(at).as_micros() as u64)));
        Some(Block {
            ssrc: source.ssrc,
            fraction_lost: fraction as u8,
            lost: (expected - source.received).clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest: source.highest as u32,
            jitter,
            last_sr,
            delay,
        })
    }
}

/// A report block (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Whose stream it is about.
    pub ssrc: u32,
    /// Lost since the report before, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the beginning; 24 bits, negative with duplicates.
    pub lost: i32,
    /// Extended highest sequence number.
    pub highest: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report, 0 for none.
    pub last_sr: u32,
    /// Since that report, in 1/65536 s.
    pub delay: u32,
}

/// What we have sent, for a sender report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Our SSRC.
    pub ssrc: u32,
    /// RTP timestamp of now.
    pub timestamp: u32,
    /// Packets so far.
    pub packets: u32,
    /// Payload bytes so far.
    pub octets: u32,
    /// Whether anything was sent since the report before: a sender report, not a receiver report.
    pub active: bool,
}

/// The reporting state of a leg.
#[derive(Clone, Default, Debug)]
pub struct Reports {
    /// Of the peer's stream.
    pub reception: Reception,
    last_sr: Option<(u32, Instant)>,
    rtt_us: u32,
    fraction_lost: u8,
}

impl Reports {
    /// Round trip in microseconds, 0 when never measured.
    pub fn rtt_us(&self) -> u32 {
        self.rtt_us
    }

    /// What the peer said last of our stream: lost in 1/256.
    pub fn peer_fraction_lost(&self) -> u8 {
        self.fraction_lost
    }

    /// Takes a compound packet that is about our stream `ssrc` or from the peer.
    pub fn packet(&mut self, now: Instant, ssrc: u32, bytes: &[u8]) -> Result<(), Malformed> {
        let read = parse(bytes, ssrc)?;
        if let Some(ntp) = read.sender_ntp {
            self.last_sr = Some((ntp, now));
        }
        if let Some(block) = read.about_us {
            self.fraction_lost = block.fraction_lost;
            let passed = ntp_middle(now).wrapping_sub(block.last_sr).wrapping_sub(block.delay);
            // More than a minute is a clock that is not ours.
            if block.last_sr != 0 && passed < 60 << 16 {
                self.rtt_us = ((u64::from(passed) * 1_000_000) >> 16) as u32;
            }
        }
        Ok(())
    }

    /// Writes a report, our name and, at the end of the leg, a goodbye.
    pub fn write(&mut self, now: Instant, sent: &Sent, cname: &str, goodbye: bool, buffer: &mut [u8]) -> Option<usize> {
        let block = self.reception.block(now, self.last_sr);
        let mut out = Writer { buffer, at: 0 };
        let body = if sent.active { 24 } else { 4 } + if block.is_some() { 24 } else { 0 };
        let kind = if sent.active { SENDER_REPORT } else { RECEIVER_REPORT };
        out.header(u8::from(block.is_some()), kind, body)?;
        out.u32(sent.ssrc)?;
        if sent.active {
            let us = now.as_micros();
            out.u32((us / 1_000_000) as u32)?;
            out.u32((((us % 1_000_000) << 32) / 1_000_000) as u32)?;
            for word in [sent.timestamp, sent.packets, sent.octets] {
                out.u32(word)?;
            }
        }
        if let Some(b) = block {
            let lost = u32::from(b.fraction_lost) << 24 | (b.lost as u32 & 0xff_ffff);
            for word in [b.ssrc, lost, b.highest, b.jitter, b.last_sr, b.delay] {
                out.u32(word)?;
            }
        }
        out.description(sent.ssrc, cname)?;
        if goodbye {
            out.header(1, GOODBYE, 4)?;
            out.u32(sent.ssrc)?;
        }
        Some(out.at)
    }
}

/// What a compound packet says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Compound {
    /// Middle 32 bits of the NTP time of its sender report.
    pub sender_ntp: Option<u32>,
    /// The block about the SSRC asked for.
    pub about_us: Option<Block>,
    /// The peer leaves.
    pub goodbye: bool,
}

/// Not a compound RTCP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// Reads a compound packet. Unknown packet types are skipped.
pub fn parse(bytes: &[u8], our_ssrc: u32) -> Result<Compound, Malformed> {
    let mut compound = Compound::default();
    let mut rest = bytes;
    if rest.is_empty() {
        return Err(Malformed);
    }
    while !rest.is_empty() {
        let [flags, kind, high, low] = *rest.first_chunk::<4>().ok_or(Malformed)?;
        let len = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        if flags >> 6 != 2 || rest.len() < len {
            return Err(Malformed);
        }
        let (packet, next) = rest.split_at(len);
        rest = next;
        let blocks_at = match kind {
            SENDER_REPORT => 28,
            RECEIVER_REPORT => 8,
            GOODBYE => {
                compound.goodbye = true;
                continue;
            }
            _ => continue,
        };
        if packet.len() < blocks_at + 24 * usize::from(flags & 31) {
            return Err(Malformed);
        }
        if kind == SENDER_REPORT {
            compound.sender_ntp = word(packet, 10);
        }
        for i in 0..usize::from(flags & 31) {
            let block = read_block(packet, blocks_at + 24 * i).ok_or(Malformed)?;
            if block.ssrc == our_ssrc {
                compound.about_us = Some(block);
            }
        }
    }
    Ok(compound)
}

fn read_block(packet: &[u8], at: usize) -> Option<Block> {
    let lost = word(packet, at + 4)?;
    Some(Block {
        ssrc: word(packet, at)?,
        fraction_lost: (lost >> 24) as u8,
        lost: ((lost << 8) as i32) >> 8,
        highest: word(packet, at + 8)?,
        jitter: word(packet, at + 12)?,
        last_sr: word(packet, at + 16)?,
        delay: word(packet, at + 20)?,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

/// Microseconds to 1/65536 s.
fn units_65536(us: u64) -> u32 {
    ((us << 16) / 1_000_000).min(u64::from(u32::MAX)) as u32
}

/// Middle 32 bits of our NTP time.
fn ntp_middle(now: Instant) -> u32 {
    let us = now.as_micros();
    let seconds = (us / 1_000_000) as u32;
    seconds << 16 | (((us % 1_000_000) << 16) / 1_000_000) as u32
}

struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.buffer.get_mut(self.at..self.at + bytes.len())?.copy_from_slice(bytes);
        self.at += bytes.len();
        Some(())
    }

    fn u32(&mut self, value: u32) -> Option<()> {
        self.put(&value.to_be_bytes())
    }

    /// `body` is the length after this header, in bytes, a multiple of 4.
    fn header(&mut self, count: u8, kind: u8, body: usize) -> Option<()> {
        let [high, low] = ((body / 4) as u16).to_be_bytes();
        self.put(&[0x80 | count, kind, high, low])
    }

    /// SDES with a CNAME (§6.5.1); the chunk ends with 1 to 4 zeros.
    fn description(&mut self, ssrc: u32, cname: &str) -> Option<()> {
        let cname = cname.as_bytes();
        let cname = &cname[..cname.len().min(CNAME_BYTES_MAX)];
        let item = 2 + cname.len();
        let zeros = 4 - item % 4;
        self.header(1, SOURCE_DESCRIPTION, 4 + item + zeros)?;
        self.u32(ssrc)?;
        self.put(&[ITEM_CNAME, cname.len() as u8])?;
        self.put(cname)?;
        self.put(&[0; 4][..zeros])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn ms(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    fn sent(ssrc: u32, active: bool) -> Sent {
        Sent { ssrc, timestamp: 1600, packets: 10, octets: 1600, active }
    }

    #[test]
    fn loss_and_jitter_as_in_the_appendix() {
        let mut reception = Reception::default();
        for seq in [65_534u16, 65_535, 0, 2, 3] {
            let n = u64::from(seq.wrapping_sub(65_534));
            reception.packet(ms(n * 20), 7, seq, (n * 160) as u32);
        }
        assert_eq!(reception.lost(), 1);
        assert_eq!(reception.jitter(), 0);
        let block = reception.block(ms(100), None).unwrap();
        assert_eq!((block.lost, block.fraction_lost, block.highest), (1, 42, 65_539));
        // Every second packet 10 ms late: the estimate goes to 80 units.
        for n in 6..400u64 {
            reception.packet(ms(n * 20 + 10 * (n % 2)), 7, (n as u16).wrapping_sub(2), (n * 160) as u32);
        }
        assert!((70..=80).contains(&reception.jitter()), "{}", reception.jitter());
    }

    #[test]
    fn two_ends_measure_the_round_trip() {
        let (mut a, mut b) = (Reports::default(), Reports::default());
        a.reception.packet(ms(1000), 2, 1, 0);
        b.reception.packet(ms(1000), 1, 1, 0);
        let mut buffer = [0; 172];
        let len = a.write(ms(5000), &sent(1, true), "a@box", false, &mut buffer).unwrap();
        b.packet(ms(5015), 2, &buffer[..len]).unwrap();
        let len = b.write(ms(6000), &sent(2, false), "b@box", true, &mut buffer).unwrap();
        assert!(parse(&buffer[..len], 1).unwrap().goodbye);
        a.packet(ms(6015), 1, &buffer[..len]).unwrap();
        let rtt = Duration::from_micros(u64::from(a.rtt_us()));
        assert!(rtt.abs_diff(Duration::from_millis(30)) < Duration::from_micros(100), "{rtt:?}");
    }

    #[test]
    fn lengths_that_lie_are_malformed() {
        let mut buffer = [0; 172];
        let len = Reports::default().write(ms(1), &sent(1, true), "a", false, &mut buffer).unwrap();
        assert!(parse(&buffer[..len], 1).is_ok());
        assert_eq!(parse(&buffer[..len - 1], 1), Err(Malformed));
        buffer[0] |= 3;
        assert_eq!(parse(&buffer[..len], 1), Err(Malformed));
        assert_eq!(parse(&[], 1), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 200u8..205) {
            let _ = parse(&bytes, 1);
            if bytes.len() >= 4 {
                let mut again = bytes.clone();
                let words = (bytes.len() / 4 - 1) as u16;
                again[..4].copy_from_slice(&[0x80 | bytes[0] & 31, kind, (words >> 8) as u8, words as u8]);
                let _ = parse(&again[..usize::from(words + 1) * 4], 1);
            }
        }

        #[test]
        fn what_is_written_is_read(cname in "[a-z@.]{0,60}", ssrc: u32, active: bool, goodbye: bool, seq: u16) {
            let mut reports = Reports::default();
            reports.reception.packet(ms(1), 99, seq, 5);
            let mut buffer = [0; 172];
            let len = reports.write(ms(7000), &sent(ssrc, active), &cname, goodbye, &mut buffer).unwrap();
            let read = parse(&buffer[..len], 99).unwrap();
            prop_assert_eq!(read.goodbye, goodbye);
            prop_assert_eq!(read.sender_ntp.is_some(), active);
            prop_assert_eq!(read.about_us.map(|b| b.highest), Some(u32::from(seq)));
        }
    }
}
