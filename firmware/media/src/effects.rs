//! What the engine wants done: filled by the engine, emptied by the shell after each call.

use base::id::{LegKey, Uid};
use base::limits::FRAME_SAMPLES;
use base::media::{Report, Side};
use std::net::SocketAddr;

/// Largest packet that the engine sends: an RTP header and 20 ms of G.711, or a compound RTCP packet.
pub const PACKET_BYTES_MAX: usize = 12 + FRAME_SAMPLES;

/// Which socket of a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// The even port: audio and telephone-events.
    Rtp,
    /// The odd port above: reports.
    Rtcp,
}

/// A port pair to open or close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortAction {
    /// Bind `local_port` for RTP and the next one for RTCP; failure is told by [`crate::Engine::port_failed`].
    Open {
        /// The leg that owns the pair.
        leg: LegKey,
        /// Even port.
        local_port: u16,
    },
    /// Close both sockets, after the packets of the same effects were sent.
    Close {
        /// The leg that owned the pair.
        leg: LegKey,
    },
}

/// A packet to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Whose socket.
    pub leg: LegKey,
    /// Which of its two sockets.
    pub channel: Channel,
    /// Where to.
    pub to: SocketAddr,
    len: u16,
    bytes: [u8; PACKET_BYTES_MAX],
}

impl Packet {
    /// The datagram.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(PACKET_BYTES_MAX)]
    }
}

/// 20 ms of one side of a recording, as the recorder takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordFrame {
    /// The recording.
    pub recording: Uid,
    /// Who speaks.
    pub side: Side,
    /// Position in frames of 20 ms since the `since` of `Command::RecordStart`; never told twice by one tap.
    pub index: u64,
    /// G.711 A-law at 8 kHz.
    pub alaw: [u8; FRAME_SAMPLES],
}

/// The sinks. Their capacity grows to the need of the busiest tick and stays.
#[derive(Default, Debug)]
pub struct Effects {
    /// Ports to open and close, in order.
    pub ports: Vec<PortAction>,
    /// Packets to send, in order.
    pub packets: Vec<Packet>,
    /// To the core, in order.
    pub reports: Vec<Report>,
    /// To the recorder, in order for each side.
    pub frames: Vec<RecordFrame>,
}

impl Effects {
    /// Empty sinks with room for a tick of `legs` legs.
    pub fn with_room_for(legs: usize) -> Effects {
        Effects {
            ports: Vec::with_capacity(16),
            packets: Vec::with_capacity(2 * legs),
            reports: Vec::with_capacity(legs.max(16)),
            frames: Vec::with_capacity(2 * legs),
        }
    }

    /// Forgets everything, keeps the room.
    pub fn clear(&mut self) {
        self.ports.clear();
        self.packets.clear();
        self.reports.clear();
        self.frames.clear();
    }

    /// Appends a packet of at most [`PACKET_BYTES_MAX`] bytes; `write` fills the buffer and returns the length, or
    /// `None` when there is nothing to send.
    pub(crate) fn send(
        &mut self,
        leg: LegKey,
        channel: Channel,
        to: SocketAddr,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        self.packets.push(Packet { leg, channel, to, len: 0, bytes: [0; PACKET_BYTES_MAX] });
        let written = self.packets.last_mut().and_then(|packet| {
            let len = write(&mut packet.bytes)?;
            packet.len = len.min(PACKET_BYTES_MAX) as u16;
            Some(())
        });
        if written.is_none() {
            self.packets.pop();
        }
        written.is_some()
    }
}
