//! RTP packets (RFC 3550 §5.1); the only place that knows `rtp-rs`.

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

/// The header fields that the engine uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// 0-127.
    pub payload_type: u8,
    /// First packet after silence, or first of an event.
    pub marker: bool,
    /// Counts packets.
    pub seq: u16,
    /// Sampling instant in 1/8000 s.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// Not an RTP packet: too short, another version, or lengths that point outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// Reads a packet; the payload is without padding, CSRCs and extension.
pub fn parse(bytes: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    // `rtp-rs` 0.6 checks padding against the buffer, so `payload` cannot slice outside after `new`.
    let reader = RtpReader::new(bytes).map_err(|_| Malformed)?;
    let header = Header {
        payload_type: reader.payload_type(),
        marker: reader.mark(),
        seq: u16::from(reader.sequence_number()),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
    };
    Ok((header, reader.payload()))
}

/// Writes a packet and returns its length; `None` when `buffer` is too small.
pub fn write(header: &Header, payload: &[u8], buffer: &mut [u8]) -> Option<usize> {
    RtpPacketBuilder::new()
        .payload_type(header.payload_type)
        .marked(header.marker)
        .sequence(Seq::from(header.seq))
        .timestamp(header.timestamp)
        .ssrc(header.ssrc)
        .payload(payload)
        .build_into(buffer)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_parse_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            // Again with a valid version and odd flags.
            if let Some(first) = bytes.first() {
                let mut again = bytes.clone();
                again[0] = 0x80 | (first & 0x3f);
                let _ = parse(&again);
            }
        }

        #[test]
        fn what_is_written_is_read(
            payload_type in 0u8..128, marker: bool, seq: u16, timestamp: u32, ssrc: u32,
            payload in proptest::collection::vec(any::<u8>(), 0..160),
        ) {
            let header = Header { payload_type, marker, seq, timestamp, ssrc };
            let mut buffer = [0; 172];
            let len = write(&header, &payload, &mut buffer).unwrap();
            prop_assert_eq!(parse(&buffer[..len]), Ok((header, &payload[..])));
        }
    }
}
