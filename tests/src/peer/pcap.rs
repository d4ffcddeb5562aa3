//! What a carrier says, as a capture file for SIPp: voice and keys (RFC 4733) in one RTP stream with one source, as a
//! gateway sends them. SIPp replaces addresses and ports.

use super::audio::{Pcm, alaw_of};
use super::{At, Outcome};
use std::path::Path;

/// Samples in a packet of 20 ms.
const FRAME: usize = 160;
/// Payload type of telephone events in the scenarios' SDP.
const EVENTS: u8 = 101;
/// Packets of one key: eight that grow and two more copies of the end (RFC 4733 §2.5.1.4).
const KEY_PACKETS: usize = 10;

/// Writes `voice` with `keys` pressed at the given moments (ms); a key takes the place of 200 ms of voice.
pub fn write(path: &Path, voice: &Pcm, keys: &[(usize, char)]) -> Outcome {
    let mut file = header();
    for (number, frame) in voice.samples.chunks_exact(FRAME).enumerate() {
        let ms = number * 20;
        let key = keys.iter().find(|(at, _)| (*at..*at + KEY_PACKETS * 20).contains(&ms));
        let payload = match key {
            Some((at, key)) => event(*key, (ms - at) / 20),
            None => frame.iter().map(|sample| alaw_of(*sample)).collect(),
        };
        let began = key.map_or(number, |(at, _)| at / 20);
        let kind = if key.is_some() { EVENTS } else { 8 };
        let marker = number == 0 || key.is_some_and(|(at, _)| *at == ms);
        let rtp = packet(kind, marker, number, began * FRAME, &payload);
        record(&mut file, ms, &rtp);
    }
    std::fs::write(path, file).at(path.display())
}

/// Event, end bit and volume, duration so far.
fn event(key: char, step: usize) -> Vec<u8> {
    let code = "0123456789*#ABCD".find(key).unwrap_or(0) as u8;
    let end = step >= KEY_PACKETS - 3;
    let duration = (step.min(KEY_PACKETS - 3) + 1) * FRAME;
    vec![code, if end { 0x8a } else { 0x0a }, (duration >> 8) as u8, duration as u8]
}

fn packet(kind: u8, marker: bool, sequence: usize, timestamp: usize, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, kind | if marker { 0x80 } else { 0 }];
    bytes.extend((sequence as u16 + 1).to_be_bytes());
    bytes.extend((timestamp as u32).to_be_bytes());
    bytes.extend(0x5eed_cafe_u32.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The head of a pcap file with Ethernet frames.
fn header() -> Vec<u8> {
    let words: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// One frame: Ethernet, IPv4, UDP and what is in it.
fn record(file: &mut Vec<u8>, ms: usize, rtp: &[u8]) {
    let size = 14 + 20 + 8 + rtp.len();
    let stamp = [(ms / 1000) as u32, (ms % 1000 * 1000) as u32, size as u32, size as u32];
    file.extend(stamp.iter().flat_map(|word| word.to_le_bytes()));
    file.extend([0; 12]);
    file.extend([0x08, 0x00]);
    let (ip, udp) = ((28 + rtp.len()) as u16, (8 + rtp.len()) as u16);
    file.extend([0x45, 0]);
    file.extend(ip.to_be_bytes());
    file.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    file.extend([0x67, 0x10, 0x67, 0x10]);
    file.extend(udp.to_be_bytes());
    file.extend([0, 0]);
    file.extend(rtp);
}

#[cfg(test)]
mod tests {
    use super::super::speech::voice;
    use super::*;

    #[test]
    fn a_key_stands_in_the_stream_with_one_timestamp_and_three_ends() {
        assert_eq!(event('2', 0), [2, 0x0a, 0, 160]);
        assert_eq!(event('#', 9), [11, 0x8a, 0x05, 0]);
        let path = std::env::temp_dir().join(format!("cordboard-pcap-{}.pcap", std::process::id()));
        write(&path, &voice(1, 1), &[(400, '2')]).unwrap();
        let size = std::fs::read(&path).unwrap().len();
        assert_eq!(size, 24 + 50 * (16 + 42 + 12) + 40 * 160 + 10 * 4);
        std::fs::remove_file(&path).unwrap();
    }
}
