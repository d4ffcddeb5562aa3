//! Telephone-events, RFC 4733: DTMF keys in RTP packets of their own.

use base::limits::FRAME_SAMPLES;
use base::media::Digit;
use base::time::Instant;
use std::time::Duration;

/// Bytes of an event payload (RFC 4733 §2.3).
pub const PAYLOAD_BYTES: usize = 4;
/// Frames with the key down.
const FRAMES_DOWN: u16 = 5;
/// Frames in which the end packet is sent (RFC 4733 §2.5.1.4: three times).
const FRAMES_END: u16 = 3;
/// Frames of silence after a key.
const FRAMES_PAUSE: u16 = 2;
/// Power level of the keys that we send, in -dBm0.
const VOLUME: u8 = 10;
/// A press of which nothing more is heard is over, even when all end packets were lost.
const PRESS_TIMEOUT: Duration = Duration::from_millis(200);

/// The payload of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// Event code; 0-15 are the DTMF keys.
    pub code: u8,
    /// The key is up, `duration` is final.
    pub end: bool,
    /// Power level in -dBm0, 0-63.
    pub volume: u8,
    /// How long the key is down so far, in timestamp units.
    pub duration: u16,
}

/// Reads a payload; further events of one packet are ignored (RFC 4733 §2.5.1.5 is not offered).
pub fn parse(payload: &[u8]) -> Option<Event> {
    let [code, flags, high, low] = *payload.first_chunk::<PAYLOAD_BYTES>()?;
    Some(Event { code, end: flags & 0x80 != 0, volume: flags & 0x3f, duration: u16::from_be_bytes([high, low]) })
}

/// Writes a payload.
pub fn write(event: &Event) -> [u8; PAYLOAD_BYTES] {
    let [high, low] = event.duration.to_be_bytes();
    [event.code, if event.end { 0x80 } else { 0 } | (event.volume & 0x3f), high, low]
}

/// A press that comes in.
#[derive(Clone, Copy, Debug)]
struct Press {
    timestamp: u32,
    code: u8,
    duration: u16,
    ended: bool,
    heard: Instant,
}

/// Tells presses apart. A press is named by the timestamp of its packets, so its first packet is enough: lost end
/// packets, repeated ones and packets out of order change nothing.
#[derive(Clone, Default, Debug)]
pub struct Receiver {
    press: Option<Press>,
}

impl Receiver {
    /// Takes an event packet with its RTP timestamp and returns the key when this is a new press.
    pub fn packet(&mut self, now: Instant, timestamp: u32, event: &Event) -> Option<Digit> {
        let digit = Digit::from_event(event.code)?;
        let press = Press { timestamp, code: event.code, duration: event.duration, ended: event.end, heard: now };
        let Some(last) = &mut self.press else {
            self.press = Some(press);
            return Some(digit);
        };
        let fresh = now.since(last.heard) < PRESS_TIMEOUT;
        let advance = timestamp.wrapping_sub(last.timestamp) as i32;
        // Some phones wrongly move the timestamp within a press: its duration goes on growing.
        let same = advance == 0
            || (fresh && !last.ended && last.code == event.code && advance > 0 && event.duration > last.duration);
        let stale = fresh && advance < 0;
        if stale {
            return None;
        }
        if same {
            *last = Press { ended: last.ended || event.end, ..press };
            return None;
        }
        self.press = Some(press);
        Some(digit)
    }

    /// Whether a key is down: its audio is not to be looked at for tones.
    pub fn is_down(&self, now: Instant) -> bool {
        self.press.is_some_and(|press| !press.ended && now.since(press.heard) < PRESS_TIMEOUT)
    }
}

/// One key on its way out, one step each tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sending {
    digit: Digit,
    frame: u16,
}

/// What a key wants sent in this tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The key is down for the frame with this number, from 0; as an event: `event`, begun `frame` frames ago.
    Down {
        /// From 0.
        frame: u16,
        /// The RFC 4733 form.
        event: Event,
    },
    /// The key is up; as an event the end is told again.
    Up {
        /// Frames since the press began.
        frame: u16,
        /// The RFC 4733 form.
        event: Event,
    },
    /// Silence between keys.
    Pause,
    /// The key and its pause are over.
    Done,
}

impl Sending {
    /// Presses a key.
    pub fn new(digit: Digit) -> Sending {
        Sending { digit, frame: 0 }
    }

    /// The key.
    pub fn digit(&self) -> Digit {
        self.digit
    }

    /// What to send in this tick. An event lasts five frames: four with the key down, the fifth is told three times as
    /// the end, one frame apart.
    pub fn step(&mut self) -> Step {
        let frame = self.frame;
        self.frame += 1;
        let end = frame + 1 >= FRAMES_DOWN;
        let duration = (frame + 1).min(FRAMES_DOWN) * FRAME_SAMPLES as u16;
        let event = Event { code: self.digit.event(), end, volume: VOLUME, duration };
        if frame < FRAMES_DOWN {
            Step::Down { frame, event }
        } else if frame < FRAMES_DOWN + FRAMES_END - 1 {
            Step::Up { frame, event }
        } else if frame < FRAMES_DOWN + FRAMES_END - 1 + FRAMES_PAUSE {
            Step::Pause
        } else {
            Step::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    fn down(code: u8, duration: u16) -> Event {
        Event { code, end: false, volume: 10, duration }
    }

    fn up(code: u8, duration: u16) -> Event {
        Event { code, end: true, volume: 10, duration }
    }

    #[test]
    fn a_press_is_told_once() {
        let mut receiver = Receiver::default();
        let told: Vec<_> = [down(5, 160), down(5, 320), up(5, 480), up(5, 480), up(5, 480)]
            .iter()
            .enumerate()
            .filter_map(|(i, e)| receiver.packet(at(20 * i as u64), 1000, e))
            .collect();
        assert_eq!(told, [Digit::from_char('5').unwrap()]);
        // The same key again.
        assert!(receiver.packet(at(200), 2600, &down(5, 160)).is_some());
    }

    #[test]
    fn lost_ends_and_late_packets_change_nothing() {
        let mut receiver = Receiver::default();
        assert!(receiver.packet(at(0), 1000, &down(5, 160)).is_some());
        assert!(receiver.packet(at(100), 1800, &down(5, 160)).is_some(), "short duration: a new press");
        assert!(receiver.packet(at(105), 1000, &up(5, 480)).is_none(), "from the press before");
        assert!(receiver.packet(at(120), 1800, &up(5, 320)).is_none());
        // Only an end packet arrives of the next.
        assert!(receiver.packet(at(300), 4000, &up(5, 800)).is_some());
        assert!(receiver.packet(at(320), 4000, &up(5, 800)).is_none());
    }

    #[test]
    fn a_timestamp_that_moves_within_a_press_is_one_press() {
        let mut receiver = Receiver::default();
        let told = (0..10u16)
            .filter_map(|i| receiver.packet(at(20 * u64::from(i)), u32::from(i) * 160, &down(3, 160 * (i + 1))))
            .count();
        assert_eq!(told, 1);
    }

    #[test]
    fn codes_that_are_no_keys_are_ignored() {
        assert!(Receiver::default().packet(at(0), 1, &down(16, 160)).is_none());
    }

    #[test]
    fn sending_ends_three_times() {
        let mut sending = Sending::new(Digit::from_char('#').unwrap());
        let mut durations = vec![];
        let mut ends = 0;
        loop {
            match sending.step() {
                Step::Down { event, .. } | Step::Up { event, .. } => {
                    durations.push(event.duration);
                    ends += u32::from(event.end);
                    assert_eq!(event.code, 11);
                }
                Step::Pause => {}
                Step::Done => break,
            }
        }
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        assert_eq!(ends, 3);
    }

    /// UDP payloads of a little-endian pcap file of Ethernet and IPv4 without options.
    fn datagrams(file: &[u8]) -> Vec<&[u8]> {
        let mut rest = &file[24..];
        let mut out = vec![];
        while rest.len() > 16 {
            let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
            out.extend(rest[16..16 + length].get(42..));
            rest = &rest[16 + length..];
        }
        out
    }

    #[test]
    fn recorded_presses_of_another_sender() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/media/pcap/sipp");
        for (name, key) in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "star", "pound"].iter().zip(Digit::ALL) {
            let Ok(file) = std::fs::read(format!("{dir}/dtmf_2833_{name}.pcap")) else {
                eprintln!("skipped: no recorded presses beside the clone");
                return;
            };
            let mut receiver = Receiver::default();
            let told: Vec<char> = datagrams(&file)
                .iter()
                .enumerate()
                .filter_map(|(i, bytes)| {
                    let (header, payload) = crate::rtp::parse(bytes).ok()?;
                    receiver.packet(at(20 * i as u64), header.timestamp, &parse(payload)?)
                })
                .map(Digit::as_char)
                .collect();
            assert_eq!(told, [key as char], "{name}");
        }
    }

    proptest! {
        #[test]
        fn parse_and_write_agree(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            match parse(&bytes) {
                None => prop_assert!(bytes.len() < 4),
                Some(event) => prop_assert_eq!(parse(&write(&event)), Some(event)),
            }
        }
    }
}
